/** The register: printing, and the check of an entry's proof, which the key worker computes again. */

import type { EntryProven } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import { codeOf, openKeys } from "../keys.ts";
import { wordsFor } from "../words.ts";
import { bindActs } from "./acts.ts";

bindActs({});

const place = document.querySelector<HTMLElement>("[data-proof]");
if (place !== null) {
  void show(place);
  // what is folded away on the screen belongs on paper: whoever checks it there needs every line
  globalThis.addEventListener("beforeprint", () => place.querySelectorAll("details").forEach((part) => (part.open = true)));
}

async function show(proof: HTMLElement): Promise<void> {
  const outcome = proof.querySelector<HTMLElement>("[data-part='outcome']");
  const note = proof.querySelector<HTMLElement>("[data-part='note']")?.textContent ?? "";
  if (outcome === null) return;
  try {
    const proven = await check(proof.dataset, note);
    outcome.textContent = wordsOf(proven);
    outcome.className = proven.included && proven.signed !== false ? "state good" : "state bad";
  } catch (error: unknown) {
    console.warn("the proof was not checked", error);
    outcome.textContent = wordsFor(codeOf(error));
    outcome.className = "state warn";
  }
}

async function check({ leaf = "", index, size, path = "" }: DOMStringMap, note: string): Promise<EntryProven> {
  const neighbours = path.split(" ").filter((each) => each !== "");
  const keys = await openKeys();
  return keys.call("entryProof", { leaf, index: Number(index), size: Number(size), path: neighbours, note });
}

function wordsOf({ included, signed }: EntryProven): string {
  if (!included || signed === false) return gettext("This proof does not hold. Keep this page, print it, and tell both Co-Chairs.");
  return signed === true
    ? gettext("Checked in this browser: this entry is part of the record, and the checkpoint carries the signature which both Co-Chairs fixed.")
    : gettext("Checked in this browser: this entry is part of the record with the checkpoint. The checkpoint’s signature can be checked where your keys are.");
}
