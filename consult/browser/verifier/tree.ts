/** The log's tree (RFC 6962) as far as a multiproof opens it, and the state map. Twins: secure/log/multiproof.py, secure/log/statemap.py. */

import { sha256 } from "@noble/hashes/sha2.js";

import { concat, equal, fromHex, utf8 } from "../crypto/encoding.ts";

const EMPTY_ROOT = sha256(utf8(""));

export function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256(concat(Uint8Array.of(0), leaf));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concat(Uint8Array.of(1), left, right));
}

/** `rootAt` null: the proof was not made for this size. The constructor throws if hashes are missing, or there are too many. */
export class Opened {
  readonly root: Uint8Array;
  readonly #leaves: ReadonlyMap<number, Uint8Array>;
  readonly #indexes: readonly number[];
  readonly #sizes: readonly number[];
  readonly #size: number;
  readonly #nodes: Iterator<Uint8Array>;
  readonly #full = new Map<string, Uint8Array>();

  /** `sizes` sorted, none above `size`. */
  constructor(leaves: ReadonlyMap<number, Uint8Array>, sizes: readonly number[], size: number, nodes: readonly Uint8Array[]) {
    this.#leaves = leaves;
    this.#indexes = [...leaves.keys()].sort((one, other) => one - other);
    this.#sizes = sizes;
    this.#size = size;
    this.#nodes = nodes.values();
    this.root = this.#hash(0, size);
    if (this.#nodes.next().done !== true) throw new RangeError("too many hashes");
  }

  rootAt(size: number): Uint8Array | null {
    if (size === this.#size) return this.root;
    if (size === 0) return EMPTY_ROOT;
    if (!this.#sizes.includes(size)) return null;
    let root: Uint8Array | null = null;
    let end = size;
    for (let width = 1; end > 0; width *= 2) {
      if (Math.floor(size / width) % 2 === 0) continue;
      const hash = this.#full.get(`${end - width} ${end}`);
      if (hash === undefined) return null;
      root = root === null ? hash : nodeHash(hash, root);
      end -= width;
    }
    return root;
  }

  #hash(start: number, end: number): Uint8Array {
    const hash = this.#found(start, end);
    this.#full.set(`${start} ${end}`, hash);
    return hash;
  }

  #found(start: number, end: number): Uint8Array {
    if (this.#opens(start, end)) {
      const middle = start + split(end - start);
      const left = this.#hash(start, middle);
      return nodeHash(left, this.#hash(middle, end));
    }
    const leaf = end - start === 1 ? this.#leaves.get(start) : undefined;
    if (leaf !== undefined) return leaf;
    const next = this.#nodes.next();
    if (next.done === true) throw new RangeError("a hash is missing");
    return next.value;
  }

  #opens(start: number, end: number): boolean {
    if (end - start === 1) return false;
    return below(this.#indexes, start) < below(this.#indexes, end) || below(this.#sizes, start + 1) < below(this.#sizes, end);
  }
}

/** How many of a sorted row are below `value`. */
function below(row: readonly number[], value: number): number {
  let low = 0;
  let high = row.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((row[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The largest power of two below `size`. */
function split(size: number): number {
  let width = 1;
  while (width * 2 < size) width *= 2;
  return width;
}

/** Whether a series has this count and head in the state map of this root. */
export function inStateMap(place: { ns: string; slot: number; count: number; head: Uint8Array; proof: readonly Uint8Array[] }, root: Uint8Array): boolean {
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, BigInt(place.count));
  let hash = sha256(concat(Uint8Array.of(2), fromHex(place.ns), count, place.head));
  place.proof.forEach((neighbour, height) => {
    const right = Math.floor(place.slot / 2 ** height) % 2 === 1;
    hash = sha256(concat(Uint8Array.of(3), right ? neighbour : hash, right ? hash : neighbour));
  });
  return equal(hash, root);
}
