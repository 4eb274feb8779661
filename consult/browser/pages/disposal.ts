/** Retention and disposal: an officer asks, both Co-Chairs sign. What is signed is read out of the very statement that waits. */

import type { DraftView } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import type { Keys } from "../keys.ts";
import { wordsFor } from "../words.ts";
import { bindActs, field, named, whenReady, type Act } from "./acts.ts";
import { put } from "./fragments.ts";
import { ready } from "./ready.ts";

const here = (): string => document.querySelector<HTMLElement>("[data-disposal]")?.dataset["disposal"] ?? "";

const request: Act = async ({ keys, control }) => {
  await keys.call("disposalRequest", { consultation: here(), basis: basisOf(field(control, "basis")) });
  return { kind: "again", said: gettext("Asked. Both Co-Chairs find it on their first page and sign, or leave it.") };
};

const dispose: Act = async ({ keys, control }) => {
  await keys.call("dispose", { consultation: here(), basis: basisOf(named(control, "basis")) });
  return { kind: "again", said: gettext("Signed. Nothing is destroyed before the other Co-Chair has signed too.") };
};

const signDisposal: Act = async ({ keys }) => {
  const draft = await waiting(keys);
  if (draft === undefined) return { kind: "again", said: gettext("The draft was taken back meanwhile. Nothing was destroyed.") };
  await keys.call("draftSign", { draft: draft.draft });
  return { kind: "again", said: gettext("Signed by both Co-Chairs. The records are destroyed.") };
};

function basisOf(word: string): "retention_over" | "agreed_early" | "legal_order" {
  return word === "retention_over" || word === "legal_order" ? word : "agreed_early";
}

/** The draft of this consultation's disposal, on the ground the page shows. */
async function waiting(keys: Keys): Promise<DraftView | undefined> {
  const basis = document.querySelector<HTMLElement>("form[data-basis]")?.dataset["basis"];
  const drafts = await keys.call("drafts", {});
  return drafts.find(({ act }) => act.type === "consultation.dispose" && act.consultation === here() && act.basis === basis);
}

async function load(keys: Keys): Promise<void> {
  const steps = document.querySelectorAll<HTMLElement>("[data-step]");
  if (steps.length === 0 || (await ready(keys)) === null) return;
  const draft = await waiting(keys);
  const step = stepOf(draft);
  for (const section of steps) {
    section.hidden = section.dataset["step"] !== step;
    if (step === "problem" && !section.hidden) put(section, "problem", wordsFor(draft?.problem ?? ""));
  }
}

function stepOf(draft: DraftView | undefined): "first" | "await" | "problem" | "second" {
  if (draft === undefined) return "first";
  if (draft.own) return "await";
  return draft.problem === null ? "second" : "problem";
}

bindActs({ request, dispose, "sign-disposal": signDisposal });
whenReady(load);
