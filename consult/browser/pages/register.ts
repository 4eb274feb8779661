/** The register: printing, and the check of an entry's proof. */

import { gettext } from "../gettext.ts";
import { openKeys } from "../keys.ts";
import { bindActs } from "./acts.ts";
import { bytes, provesInclusion, signedBy } from "./proof.ts";

bindActs({});

const place = document.querySelector<HTMLElement>("[data-proof]");
if (place !== null) void check(place);

async function check(proof: HTMLElement): Promise<void> {
  const outcome = proof.querySelector<HTMLElement>("[data-part='outcome']");
  const note = proof.querySelector<HTMLElement>("[data-part='note']")?.textContent ?? "";
  if (outcome === null) return;
  const included = await isIncluded(proof, note);
  const signed = included ? await isSigned(note) : null;
  const holds = included && signed !== false;
  outcome.textContent = holds ? wordsOf(signed === true) : gettext("This proof does not hold. Keep this page, print it, and tell both Co-Chairs.");
  outcome.className = holds ? "state good" : "state bad";
}

function wordsOf(signed: boolean): string {
  return signed
    ? gettext("Checked in this browser: this entry is part of the record, and the checkpoint carries the signature which both Co-Chairs fixed.")
    : gettext("Checked in this browser: this entry is part of the record with the checkpoint below. The checkpoint’s signature can be checked where your keys are.");
}

function isIncluded(proof: HTMLElement, note: string): Promise<boolean> {
  const { leaf = "", index, size, path = "" } = proof.dataset;
  const neighbours = path.split(" ").filter((each) => each !== "");
  return Promise.resolve()
    .then(() => provesInclusion({ leaf: bytes(leaf), index: Number(index), size: Number(size), path: neighbours.map(bytes), note }))
    .catch(() => false);
}

/** Against the verifier key pinned with `chairs.root`; null if this browser holds no keys and so no pin. */
async function isSigned(note: string): Promise<boolean | null> {
  try {
    const keys = await openKeys();
    if ((await keys.call("status", {})).kind !== "ready") return null;
    const { log } = await keys.call("installation", {});
    return log === null ? null : await signedBy(note, log);
  } catch (error: unknown) {
    console.warn("the checkpoint's signature was not checked", error);
    return null;
  }
}
