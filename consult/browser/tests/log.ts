/** A record for tests: leaves, signed checkpoints and proofs as RFC 6962 defines them, and another history of it on demand. */

import { canonical, type JsonObject } from "../crypto/canonical.ts";
import { sign } from "../crypto/ed25519.ts";
import { concat, fromUtf8, sha256, toBase64, toHex, utf8, type Bytes } from "../crypto/encoding.ts";
import { newDeviceKey, type SigningKey } from "../crypto/newkeys.ts";

export const ORIGIN = "consult.test";

export async function vkeyOf(key: SigningKey, name = ORIGIN): Promise<string> {
  return `${name}+${toHex(await idOf(name, key))}+${toBase64(concat(Uint8Array.of(1), key.publicKey))}`;
}

export async function noteBy(key: SigningKey, text: string, name = ORIGIN): Promise<string> {
  const signature = concat(await idOf(name, key), await sign(key.privateKey, utf8(text)));
  return `${text}\n\u2014 ${name} ${toBase64(signature)}\n`;
}

async function idOf(name: string, { publicKey }: SigningKey): Promise<Uint8Array> {
  return (await sha256(concat(utf8(`${name}\n`), Uint8Array.of(1), publicKey))).slice(0, 4);
}

export class TestLog {
  readonly key: SigningKey;
  readonly vkey: string;
  readonly leaves: Bytes[];

  private constructor(key: SigningKey, vkey: string, leaves: Bytes[]) {
    this.key = key;
    this.vkey = vkey;
    this.leaves = leaves;
  }

  static async grown(size: number): Promise<TestLog> {
    const key = await newDeviceKey();
    return new TestLog(key, await vkeyOf(key), []).grow(size);
  }

  /** A record that begins by naming its keys, that of receipts among them. */
  static async begun(receipts: SigningKey, changes: JsonObject = {}): Promise<{ log: TestLog; event: Bytes }> {
    const log = await TestLog.grown(0);
    const data = { origin: ORIGIN, log: log.vkey, mldsa: "", receipts: await vkeyOf(receipts, `${ORIGIN}/receipts`) };
    const event = canonical({ v: 1, id: "", ns: "ab".repeat(16), type: "log.genesis", src: "host", at: 1, data, ...changes });
    return { log: await log.enter(event), event };
  }

  /** An event's leaf (docs/protocol.md, section 8). */
  async enter(event: Bytes): Promise<this> {
    const leaf = { v: 1, ns: "ab".repeat(16), cseq: 1, cprev: toBase64(new Uint8Array(32)), evh: toBase64(await sha256(event)), t: 1, ty: "x" };
    this.leaves.push(canonical(leaf));
    return this;
  }

  /** What a door says of the entry of the event with this hash; undefined if it is not there. */
  async proof(evh: string, note = this.note()): Promise<JsonObject | undefined> {
    const index = this.leaves.findIndex((leaf) => fromUtf8(leaf).includes(`"evh":"${evh}"`));
    const leaf = this.leaves[index];
    return leaf && { index, leaf: toBase64(leaf), size: this.leaves.length, path: await this.inclusion(index), note: await note };
  }

  grow(count: number, word = "entry"): this {
    for (let more = 0; more < count; more += 1) this.leaves.push(utf8(`${word} ${this.leaves.length}`));
    return this;
  }

  /** The same key's other history: the same beginning, then something else. */
  forked(at: number, count: number): TestLog {
    return new TestLog(this.key, this.vkey, this.leaves.slice(0, at)).grow(count, "another entry");
  }

  async root(size = this.leaves.length): Promise<string> {
    return toBase64(await rootOf(this.leaves.slice(0, size)));
  }

  async seen(size = this.leaves.length): Promise<[number, string]> {
    return [size, await this.root(size)];
  }

  async note(size = this.leaves.length): Promise<string> {
    return noteBy(this.key, `${ORIGIN}\n${size}\n${await this.root(size)}\n`);
  }

  /** RFC 6962, 2.1.1. */
  async inclusion(index: number, size = this.leaves.length): Promise<string[]> {
    return (await pathOf(index, this.leaves.slice(0, size))).map(toBase64);
  }

  /** RFC 6962, 2.1.2. */
  async consistency(size1: number, size2: number): Promise<string[]> {
    return (await subproof(size1, this.leaves.slice(0, size2), true)).map(toBase64);
  }
}

type Leaves = readonly Bytes[];

function half(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1));
}

async function rootOf(leaves: Leaves): Promise<Bytes> {
  const [only] = leaves;
  if (only === undefined) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), only));
  const split = half(leaves.length);
  return sha256(concat(Uint8Array.of(1), await rootOf(leaves.slice(0, split)), await rootOf(leaves.slice(split))));
}

async function pathOf(index: number, leaves: Leaves): Promise<Bytes[]> {
  if (leaves.length === 1) return [];
  const split = half(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split ? [...(await pathOf(index, left)), await rootOf(right)] : [...(await pathOf(index - split, right)), await rootOf(left)];
}

async function subproof(size: number, leaves: Leaves, whole: boolean): Promise<Bytes[]> {
  if (size === leaves.length) return whole ? [] : [await rootOf(leaves)];
  const split = half(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  if (size <= split) return [...(await subproof(size, left, whole)), await rootOf(right)];
  return [...(await subproof(size - split, right, false)), await rootOf(left)];
}
