/** The evidence of a consultation: asked for, approved or declined, received. Needs no keys: these are acts of the host's record. */

import { fill, gettext } from "../gettext.ts";
import { saveFile } from "../saving.ts";
import { bindActs, field, named, type Act } from "./acts.ts";
import { received, send } from "./doors.ts";
import { keepLive } from "./live.ts";

const door = (control: HTMLElement, act = ""): string => `/api/exports/${named(control, "export")}${act}`;

const ask: Act = async ({ control }) => {
  await send("POST", `/api/consultations/${named(control, "consultation")}/exports`, { purpose: field(control, "purpose") });
  return { kind: "again", said: gettext("Asked. A Co-Chair decides; the first page tells you.") };
};

const withdraw: Act = async ({ control }) => {
  await send("DELETE", door(control));
  return { kind: "again", said: gettext("Withdrawn.") };
};

const approve: Act = async ({ control }) => {
  await send("POST", door(control, "/approve"));
  return { kind: "again", said: gettext("Approved. The person who asked can receive the file from now on.") };
};

const decline: Act = async ({ control }) => {
  await send("POST", door(control, "/decline"));
  return { kind: "again", said: gettext("Declined. The person who asked sees it.") };
};

const receive: Act = async ({ control, progress }) => {
  const answer = await send("POST", door(control, "/bundle"));
  const file = await received(answer, progress);
  const name = named(control, "name");
  saveFile(file, name);
  return { kind: "stay", said: fill(gettext("Saved as {name}. Keep it where your files are kept; check it with the verifier below."), { name }) };
};

bindActs({ "ask-evidence": ask, "withdraw-evidence": withdraw, "approve-evidence": approve, "decline-evidence": decline, "fetch-evidence": receive });

keepLive(() => undefined);
