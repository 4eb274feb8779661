/** Proofs in the record's tree (RFC 6962, SHA-256), checked as RFC 9162 spells it out: 2.1.3.2 and 2.1.4.2. Pure. Twin: secure/log/merkle.py. */

import { concat, equal, fromBase64, sha256, toBase64, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

const HASH_BYTES = 32;
const MAX_PROOF = 63;
/** Root of the tree without leaves: SHA-256 of nothing, base64. */
export const EMPTY_ROOT = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

/** So many leaves, and the root over them. */
export interface Tree {
  readonly size: number;
  readonly root: Uint8Array;
}

export function leafHash(leaf: Uint8Array): Promise<Bytes> {
  return sha256(concat(Uint8Array.of(0), leaf));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
  return sha256(concat(Uint8Array.of(1), left, right));
}

/** That the leaf stands at `index` (from 0) in the tree. @throws Refusal `bad_proof` */
export async function verifyInclusion(options: { leaf: Uint8Array; index: number; tree: Tree; proof: readonly Uint8Array[] }): Promise<void> {
  const { leaf, index, tree, proof } = options;
  checkShape([...proof, tree.root], proof.length);
  if (!isCount(index) || !isCount(tree.size) || index >= tree.size) throw bad("no such place");
  const climb = new Climb(index, tree.size - 1);
  let hash = await leafHash(leaf);
  for (const sibling of proof) {
    hash = climb.step() === "left" ? await nodeHash(sibling, hash) : await nodeHash(hash, sibling);
  }
  if (!climb.done || !equal(hash, tree.root)) throw bad("another root");
}

/**
 * That `second` begins with `first`. Between equal sizes the proof is empty; from nothing to something there is nothing to be
 * consistent with.
 * @throws Refusal `bad_proof`
 */
export async function verifyConsistency(first: Tree, second: Tree, proof: readonly Uint8Array[]): Promise<void> {
  checkShape([...proof, first.root, second.root], proof.length);
  if (!isCount(first.size) || !isCount(second.size) || first.size > second.size) throw bad("the tree shrank");
  if ((first.size === 0) !== (second.size === 0)) throw bad("nothing to be consistent with");
  if (first.size === second.size) {
    const empty = first.size === 0 && toBase64(first.root) !== EMPTY_ROOT;
    if (proof.length > 0 || empty || !equal(first.root, second.root)) throw bad("two roots for one size");
    return;
  }
  const [start, ...rest] = isPowerOfTwo(first.size) ? [first.root, ...proof] : proof;
  if (start === undefined) throw bad("an empty proof");
  const climb = new Climb(first.size - 1, second.size - 1);
  climb.skipOdd();
  let before = start;
  let after = start;
  for (const sibling of rest) {
    if (climb.step() === "left") {
      before = await nodeHash(sibling, before);
      after = await nodeHash(sibling, after);
    } else after = await nodeHash(after, sibling);
  }
  if (!climb.done || !equal(before, first.root) || !equal(after, second.root)) throw bad("another root");
}

/** The way from a node to the root: at each step the sibling's side. Sizes go beyond 32 bits, so there are no bit operations here. */
class Climb {
  #node: number;
  #last: number;

  constructor(node: number, last: number) {
    this.#node = node;
    this.#last = last;
  }

  get done(): boolean {
    return this.#last === 0;
  }

  skipOdd(): void {
    while (this.#node % 2 === 1) this.#up();
  }

  step(): "left" | "right" {
    if (this.done) throw bad("a proof too long");
    const left = this.#node % 2 === 1 || this.#node === this.#last;
    if (left) while (this.#node % 2 === 0 && this.#node !== 0) this.#up();
    this.#up();
    return left ? "left" : "right";
  }

  #up(): void {
    this.#node = Math.floor(this.#node / 2);
    this.#last = Math.floor(this.#last / 2);
  }
}

/** Hashes as the host serves them. @throws Refusal `malformed` */
export function hashesFrom(served: readonly string[]): readonly Bytes[] {
  return served.map((hash) => fromBase64(hash, HASH_BYTES));
}

function checkShape(hashes: readonly Uint8Array[], length: number): void {
  if (length > MAX_PROOF || hashes.some((hash) => hash.length !== HASH_BYTES)) throw bad("not a proof");
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPowerOfTwo(size: number): boolean {
  let odd = size;
  while (odd % 2 === 0) odd /= 2;
  return odd === 1;
}

function bad(message: string): Refusal {
  return new Refusal("bad_proof", message);
}
