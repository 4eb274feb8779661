/** A new consultation: written, kept as a sealed draft, looked at once more exactly as it will stand, then signed. */

import type { CompositionRow, Level, PartyCapacity, Proposal, Urgency } from "../bridge.ts";
import { fill, gettext } from "../gettext.ts";
import { codeOf, type Keys } from "../keys.ts";
import { wordsFor } from "../words.ts";
import { bindActs, notice, whenReady, type Act } from "./acts.ts";
import { compositionRows, levelWords, urgencyWords } from "./composition.ts";
import { listed, part, put, textOf } from "./fragments.ts";
import { ready } from "./ready.ts";
import { open } from "./sealed.ts";

const capacities: readonly PartyCapacity[] = ["chair", "steering_group", "affected", "invited", "observer"];
const levels: readonly Level[] = ["senior_officials", "ministers"];
const urgencies: readonly Urgency[] = ["routine", "urgent", "immediate"];

function form(): HTMLFormElement {
  const found = document.getElementById("proposal");
  if (!(found instanceof HTMLFormElement)) throw new Error("the page lacks the proposal's form");
  return found;
}

function chosen<Word extends string>(words: readonly Word[], value: string): Word {
  const found = words.find((word) => word === value);
  if (found === undefined) throw new Error(`not one of the form's choices: ${value}`);
  return found;
}

function text(name: string): string {
  const value = new FormData(form()).get(name);
  return typeof value === "string" ? value.trim().replaceAll("\r\n", "\n") : "";
}

/** The parties with a capacity, sorted by code as the statement wants them. */
function composition(): readonly CompositionRow[] {
  const rows: CompositionRow[] = [];
  for (const party of listed("party-names").keys()) {
    const capacity = text(`capacity-${party}`);
    if (capacity === "") continue;
    rows.push({ party, capacity: chosen(capacities, capacity), history: text(`history-${party}`) || "opening" });
  }
  return rows.sort((a, b) => (a.party < b.party ? -1 : a.party > b.party ? 1 : 0));
}

async function sha256Hex(words: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(words));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function written(): Promise<Proposal> {
  const agenda = text("agenda")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return {
    reference: text("reference"),
    level: chosen(levels, text("level")),
    urgency: chosen(urgencies, text("urgency")),
    composition: composition(),
    brief: { subject: text("subject"), situation: text("situation"), agenda },
    options: { marking: text("marking"), retentionYears: Number(text("retention_years")), undertaking: await sha256Hex(textOf("undertaking-text")) },
  };
}

function set(name: string, value: string): void {
  const control = form().elements.namedItem(name);
  if (control instanceof RadioNodeList || control instanceof HTMLInputElement || control instanceof HTMLTextAreaElement || control instanceof HTMLSelectElement) control.value = value;
}

function fillForm(proposal: Proposal): void {
  for (const [name, value] of [
    ["reference", proposal.reference],
    ["level", proposal.level],
    ["urgency", proposal.urgency],
    ["subject", proposal.brief.subject],
    ["situation", proposal.brief.situation],
    ["agenda", proposal.brief.agenda.join("\n")],
    ["marking", proposal.options.marking],
    ["retention_years", String(proposal.options.retentionYears)],
  ] as const) {
    set(name, value);
  }
  const rows = new Map(proposal.composition.map((row) => [row.party, row]));
  for (const party of listed("party-names").keys()) {
    const row = rows.get(party);
    if (row?.capacity === "chair") continue;
    set(`capacity-${party}`, row?.capacity ?? "");
    set(`history-${party}`, row?.history ?? "opening");
  }
  count();
}

/** How many are invited, said beside the list and kept current. */
function count(): void {
  const number = composition().length;
  for (const place of document.querySelectorAll<HTMLElement>("[data-invited-count]")) {
    place.textContent = fill(number === 1 ? gettext("{number} party") : gettext("{number} parties"), { number });
  }
}

let draft: string | null = form().dataset["draft"] || null;

async function keep(keys: Keys, proposal: Proposal): Promise<void> {
  const saved = await keys.call("proposalDraftSave", { id: draft, proposal });
  if (draft !== null) return;
  draft = saved.id;
  history.replaceState(null, "", `/proposals/${saved.id}`);
}

const save: Act = async ({ keys }) => {
  await keep(keys, await written());
  return { kind: "stay", said: gettext("Kept. Only you can open this draft.") };
};

/** Keeps the draft, then shows what would be signed. What is shown is what is signed: the form is out of reach meanwhile. */
let previewed: Proposal | null = null;

const preview: Act = async ({ keys }) => {
  const proposal = await written();
  await keep(keys, proposal);
  previewed = proposal;
  const sheet = step("preview");
  put(sheet, "reference", proposal.reference);
  put(sheet, "level", levelWords(proposal.level));
  put(sheet, "urgency", urgencyWords(proposal.urgency));
  put(sheet, "subject", proposal.brief.subject);
  open(part(sheet, "situation"), proposal.brief.situation.split(/\n{2,}/));
  open(part(sheet, "agenda"), proposal.brief.agenda);
  put(sheet, "marking", proposal.options.marking);
  put(sheet, "retention", String(proposal.options.retentionYears));
  part(sheet, "composition").replaceChildren(...compositionRows(proposal.composition));
  showStep("preview");
  return { kind: "quiet" };
};

const back: Act = () => {
  previewed = null;
  showStep("write");
  return Promise.resolve({ kind: "quiet" });
};

const propose: Act = async ({ keys }) => {
  if (previewed === null) return { kind: "stay", said: gettext("Read the preview first.") };
  const made = await keys.call("propose", { proposal: previewed, draft });
  return { kind: "go", to: `/consultations/${made.consultation}`, said: gettext("Signed and with the other Co-Chair. Nobody else sees it before they concur.") };
};

const discard: Act = async ({ keys }) => {
  if (draft !== null) await keys.call("proposalDraftDelete", { id: draft });
  return { kind: "go", to: "/", said: gettext("The draft was deleted.") };
};

function step(name: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-step="${name}"]`);
  if (found === null) throw new Error(`the page lacks the step ${name}`);
  return found;
}

function showStep(name: "write" | "preview"): void {
  for (const each of document.querySelectorAll<HTMLElement>("[data-step]")) each.hidden = each.dataset["step"] !== name;
  for (const mark of document.querySelectorAll<HTMLElement>("[data-step-mark]")) {
    if (mark.dataset["stepMark"] === name) mark.setAttribute("aria-current", "step");
    else mark.removeAttribute("aria-current");
  }
  step(name).querySelector<HTMLElement>("h2, [tabindex]")?.focus();
  globalThis.scrollTo({ top: 0 });
}

bindActs({ "save-draft": save, preview, back, propose, "discard-draft": discard });
form().addEventListener("change", count);
document.querySelector<HTMLInputElement>("[data-narrow]")?.addEventListener("input", (event) => {
  const sought = event.target instanceof HTMLInputElement ? event.target.value.trim().toLocaleLowerCase() : "";
  for (const row of document.querySelectorAll<HTMLElement>("[data-party-row]")) row.hidden = !(row.dataset["partyRow"] ?? "").toLocaleLowerCase().includes(sought);
});
count();

whenReady(async (keys) => {
  if ((await ready(keys)) === null || draft === null) return;
  const kept = (await keys.call("proposalDrafts", {})).find((each) => each.id === draft);
  if (kept?.proposal === undefined || kept.proposal === null) {
    notice(gettext("This draft is not here any more, or belongs to another account."), "bad");
    draft = null;
    return;
  }
  try {
    fillForm(kept.proposal);
  } catch (error: unknown) {
    notice(wordsFor(codeOf(error)), "bad");
  }
});

