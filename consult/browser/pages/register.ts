/** The register: printing, and an entry's proof computed again in this browser rather than believed. */

import { gettext } from "../gettext.ts";
import { bindActs } from "./acts.ts";

bindActs({});

const place = document.querySelector<HTMLElement>("[data-proof]");
if (place !== null) void check(place);

/** Leaf → root by RFC 9162, 2.1.3.2; the root must be the checkpoint's. */
async function check(proof: HTMLElement): Promise<void> {
  const outcome = proof.querySelector<HTMLElement>("[data-part='outcome']");
  if (outcome === null) return;
  const holds = await provesInclusion({
    leaf: bytes(proof.dataset["leaf"] ?? ""),
    index: Number(proof.dataset["index"]),
    size: Number(proof.dataset["size"]),
    path: (proof.dataset["path"] ?? "").split(" ").filter((each) => each !== "").map(bytes),
    root: bytes(proof.dataset["root"] ?? ""),
  }).catch(() => false);
  outcome.textContent = holds
    ? gettext("Checked in this browser: this entry is part of the record with the checkpoint below.")
    : gettext("This proof does not hold. Keep this page, print it, and tell both Co-Chairs.");
  outcome.className = holds ? "state good" : "state bad";
}

interface Inclusion {
  readonly leaf: Uint8Array<ArrayBuffer>;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array<ArrayBuffer>[];
  readonly root: Uint8Array<ArrayBuffer>;
}

async function provesInclusion(proof: Inclusion): Promise<boolean> {
  let place = proof.index;
  let last = proof.size - 1;
  if (!Number.isSafeInteger(place) || !Number.isSafeInteger(last) || place < 0 || place > last) return false;
  let hash = await sha256(Uint8Array.of(0), proof.leaf);
  for (const sibling of proof.path) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (place % 2 === 0 && place !== 0) {
        place = Math.floor(place / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = await sha256(Uint8Array.of(1), hash, sibling);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && hash.length === proof.root.length && hash.every((byte, at) => byte === proof.root[at]);
}

async function sha256(...pieces: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
