/** What every page does with the key worker before anything else: are the keys here, and does anything alarm? */

import type { Alarm, ConsultationView, Hex, Status } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import type { Keys } from "../keys.ts";
import { saveEvidence } from "../saving.ts";

export type Ready = Extract<Status, { kind: "ready" }>;

/** @returns the status, or null after the page has said that this browser holds no keys */
export async function ready(keys: Keys): Promise<Ready | null> {
  const status = await keys.call("status", {});
  if (status.kind === "none") {
    showNoKeys();
    return null;
  }
  for (const alarm of status.alarms) showAlarm(keys, alarm);
  keys.onNotice((news) => {
    if (news.kind === "alarm") showAlarm(keys, news.alarm);
  });
  // Nobody waits for it: it seals briefs to those who lack them and keeps this device addable.
  void keys.call("keepReady", {}).catch((error: unknown) => console.warn("keep ready", error));
  return status;
}

/** The page's ready-made panel if it has one; the acts which need keys are switched off. */
function showNoKeys(): void {
  for (const panel of document.querySelectorAll<HTMLElement>("[data-no-keys]")) panel.hidden = false;
  for (const place of document.querySelectorAll<HTMLElement>("[data-needs-keys]")) place.hidden = true;
  for (const spot of document.querySelectorAll<HTMLElement>("[data-sealed]")) spot.textContent = gettext("sealed; the keys are not in this browser");
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-act], form[data-act] button")) button.disabled = true;
}

const alarmWords: Readonly<Record<Alarm["kind"], string>> = {
  ghost: "Somebody is in a room who has no seat. Nothing more is sent there.",
  unlawful_removal: "Somebody was taken out of a room who still has a seat.",
  fork: "Two different acts carry the same number. Sending has stopped; the evidence is kept in this browser.",
  chain_broken: "A signed act that the server shows does not hold.",
  rolled_back: "The server shows less than this browser has already seen.",
  wrong_installation: "This is not the installation your keys are bound to.",
  record: "The record the server shows does not hold.",
  record_forked:
    "The server shows this browser another past than it showed before, or than it shows others: the record is being rewritten. Nothing more is sent from here, in any room. Save the evidence and keep it.",
  left_out: "The server took a message of yours and left it out of the record. Save the evidence and keep it.",
  removal_late: "Somebody who was removed may still be able to read. Do not send anything until this is settled.",
};

function showAlarm(keys: Keys, alarm: Alarm): void {
  const id = `alarm-${alarm.id}`;
  if (document.getElementById(id) !== null) return;
  const box = document.createElement("div");
  box.id = id;
  box.className = "panel alarm";
  box.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = `${gettext(alarmWords[alarm.kind])} ${gettext("Call the Co-Chairs and the secretariat by telephone; do not use this page for it.")}`;
  const save = document.createElement("button");
  save.type = "button";
  save.textContent = gettext("Save the evidence");
  save.addEventListener("click", () => void saveEvidence(keys, alarm).catch((error: unknown) => console.warn("evidence", error)));
  const evidence = document.createElement("details");
  const title = document.createElement("summary");
  title.textContent = gettext("For an expert");
  const lines = document.createElement("pre");
  lines.textContent = alarm.evidence;
  evidence.append(title, lines);
  box.append(words, save, evidence);
  document.getElementById("main")?.prepend(box);
}

const views = new Map<Hex, Promise<ConsultationView>>();

/** A consultation as this browser checked it; asked once per page. */
export function consultationOf(keys: Keys, consultation: Hex): Promise<ConsultationView> {
  const known = views.get(consultation);
  if (known !== undefined) return known;
  const asked = keys.call("consultation", { consultation });
  views.set(consultation, asked);
  return asked;
}
