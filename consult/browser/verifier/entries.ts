/** Checks 2 to 9: what holds for entries one by one. Twin: secure/log/entries.py. */

import { sha256 } from "@noble/hashes/sha2.js";

import { canonical, parseCanonical, type Json, type JsonObject } from "../crypto/canonical.ts";
import { verify } from "../crypto/ed25519.ts";
import { concat, equal, fromBase64, toBase64, toHex, utf8 } from "../crypto/encoding.ts";
import { HEX_16, HEX_32, isCount, isRecord, keysAre } from "../crypto/shape.ts";
import type { Fault } from "./faults.ts";

export interface EntryLeaf {
  readonly ns: string;
  readonly cseq: number;
  readonly cprev: string;
  readonly evh: string;
  readonly t: number;
  readonly ty: string;
}

export interface StateLeaf {
  readonly map: Uint8Array;
  readonly t: number;
}

export interface Event {
  readonly ns: string;
  readonly type: string;
  readonly src: string;
  readonly data: JsonObject;
  readonly author: JsonObject | null;
  readonly statement: string | null;
  readonly digests: readonly string[];
}

export interface Place {
  count: number;
  head: Uint8Array;
  slot: number | null;
  salt: Uint8Array;
  absent: boolean;
  devices: Map<string, { dseq: number; hash: string }>;
  kids: ReadonlyMap<string, Uint8Array> | null;
}

export type Absence = "withheld" | "pruned";

/** The host's event `consultation.disposed` (secure/log/certificate.py): what of its series has no event any more. */
export interface Certificate {
  readonly ns: string;
  readonly basis: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly head: string;
  readonly slot: number;
  readonly manifest: string;
  readonly disposal: string;
}

const CERTIFICATE = ["_sd", "basis", "count", "disposal", "first", "head", "last", "manifest", "map_slot"];

const ZERO = new Uint8Array(32);
const DISPOSED = "consultation.disposed";
const TYPE = /^[a-z_]{1,20}(?:\.[a-z_]{1,20})?$/;

export class Entries {
  readonly faults: Fault[] = [];
  readonly unlinked: number[] = [];
  readonly absent = new Map<number, Absence>();
  readonly signers = new Map<number, Uint8Array>();
  readonly series = new Map<string, Place>();
  /** certificates that stand in the log, after what they cover */
  readonly confirmed: Certificate[] = [];
  readonly #keys: readonly Uint8Array[];
  readonly #seen: (size: number) => Uint8Array | null;
  readonly #withheld: ReadonlySet<number>;
  readonly #disposed: ReadonlyMap<string, Certificate>;
  readonly #slots = new Map<number, string>();
  #time = 0;

  constructor(options: { keys: readonly Uint8Array[]; seen: (size: number) => Uint8Array | null; withheld: ReadonlySet<number>; disposed: readonly Certificate[] }) {
    this.#keys = options.keys;
    this.#seen = options.seen;
    this.#withheld = options.withheld;
    this.#disposed = new Map(options.disposed.map((certificate) => [certificate.ns, certificate]));
  }

  /** Checks 2 and 3; null if it is no leaf. */
  leaf(index: number, raw: Uint8Array): EntryLeaf | StateLeaf | null {
    const leaf = parseLeaf(raw);
    if (leaf === null) {
      this.fault(2, index, "the entry is not in the form of the log");
      return null;
    }
    if (leaf.t < this.#time) this.fault(3, index, "its time is earlier than the entry’s before it");
    this.#time = Math.max(this.#time, leaf.t);
    return leaf;
  }

  /** Checks 4 to 9; the event, if there is one that can be read. */
  async entry(index: number, leaf: EntryLeaf, hash: Uint8Array, raw: Uint8Array | undefined): Promise<Event | null> {
    const place = this.#place(leaf.ns);
    if (leaf.cseq !== place.count + 1 || leaf.cprev !== toBase64(place.head)) this.fault(4, index, `it does not follow entry ${place.count} of its series`);
    place.count = leaf.cseq;
    place.head = hash;
    if (raw === undefined) {
      place.absent = true;
      if (this.#pruned(index, leaf, hash, place)) this.absent.set(index, "pruned");
      else if (this.#withheld.has(index)) this.absent.set(index, "withheld");
      else this.fault(5, index, "its event is missing");
      return null;
    }
    const event = parseEvent(raw);
    if (event === null) {
      this.fault(5, index, "its event is not in the form of the log");
      return null;
    }
    if (toBase64(sha256(raw)) !== leaf.evh) this.fault(5, index, "its event was changed");
    if (event.ns !== leaf.ns || event.type.split(".")[0] !== leaf.ty) this.fault(5, index, "its event belongs elsewhere");
    const certificate = event.type === DISPOSED ? certificateOf(event) : null;
    if (event.type === DISPOSED && certificate === null) this.fault(5, index, "it is no certificate of a disposal");
    if (certificate !== null && leaf.cseq > certificate.count && toBase64(sha256(raw)) === leaf.evh) this.confirmed.push(certificate);
    this.#fixes(index, event, place);
    if (event.author !== null) await this.#signed(index, event, event.author, place, toBase64(sha256(raw)));
    return event;
  }

  /** What was taken for pruned is missing, unless its certificate has been met in the log. */
  settle(): void {
    const met = new Set(this.confirmed.map(({ ns }) => ns));
    for (const { ns, first } of this.#disposed.values()) if (!met.has(ns)) this.fault(5, first, "its event is missing");
  }

  #pruned(index: number, leaf: EntryLeaf, hash: Uint8Array, place: Place): boolean {
    const found = this.#disposed.get(leaf.ns);
    if (found === undefined || leaf.cseq > found.count) return false;
    const [first, last] = [leaf.cseq === 1, leaf.cseq === found.count];
    if ((first && index !== found.first) || (last && (index !== found.last || toHex(hash) !== found.head))) {
      this.fault(5, index, "its event is missing, and the certificate of a disposal says something else");
    }
    if (place.slot === null) {
      if ((this.#slots.get(found.slot) ?? leaf.ns) !== leaf.ns) this.fault(6, index, "its place in the state map is another’s");
      this.#slots.set(found.slot, leaf.ns);
      place.slot = found.slot;
    }
    return true;
  }

  fault(check: number, index: number, what: string): void {
    this.faults.push({ check, where: `entry ${index}`, what });
  }

  #place(ns: string): Place {
    const found = this.series.get(ns) ?? { count: 0, head: ZERO, slot: null, salt: ZERO, absent: false, devices: new Map(), kids: null };
    this.series.set(ns, found);
    return found;
  }

  #fixes(index: number, { ns, data }: Event, place: Place): void {
    const { slot, salt } = data;
    if ((place.count === 1) !== ("slot" in data)) this.fault(6, index, "only the first entry of a series fixes its place in the state map");
    if (typeof slot !== "number" || typeof salt !== "string" || place.slot !== null) return;
    if ((this.#slots.get(slot) ?? ns) !== ns) this.fault(6, index, "its place in the state map is another’s");
    this.#slots.set(slot, ns);
    place.slot = slot;
    place.salt = fromBase64(salt, 16);
  }

  async #signed(index: number, event: Event, author: JsonObject, place: Place, hash: string): Promise<void> {
    const { kid, dseq, dprev, seen, sig } = author as { kid: string; dseq: number; dprev: string; seen: [number, string]; sig: string };
    place.kids ??= new Map(this.#keys.map((key) => [toBase64(sha256(concat(utf8("consult/kid/v1\n"), place.salt, key))), key]));
    const key = place.kids.get(kid);
    const good = key !== undefined && (await verify({ publicKey: key, message: signedBytes(event), signature: fromBase64(sig, 64) }));
    if (good) this.signers.set(index, key);
    else this.fault(7, index, "it is not signed by a device that the log knows");
    const before = place.devices.get(kid) ?? { dseq: 0, hash: toBase64(ZERO) };
    if ((dseq !== before.dseq + 1 || dprev !== before.hash) && !place.absent) {
      this.fault(8, index, `it does not follow event ${before.dseq} of its device: something of this device is missing or was moved`);
    }
    place.devices.set(kid, { dseq, hash });
    const [size, root] = seen;
    const known = size <= index ? this.#seen(size) : null;
    if (size <= index && known === null) this.unlinked.push(index);
    else if (known === null || !equal(known, fromBase64(root, 32))) this.fault(9, index, "its device had seen a log that was not this one");
  }
}

/** null for an event that is no certificate */
export function certificateOf({ ns, type, src, data }: Event): Certificate | null {
  const { basis, first, last, count, head, map_slot: slot, manifest, disposal } = data;
  if (type !== DISPOSED || src !== "host" || !keysAre(data, CERTIFICATE) || typeof basis !== "string") return null;
  if (!isCount(first, 0) || !isCount(last, first) || !isCount(count, 0) || !isCount(slot, 0)) return null;
  if (!isHash(head) || !isHash(manifest) || !isHash(disposal)) return null;
  return { ns, basis, first, last, count, head, slot, manifest, disposal };
}

function isHash(value: Json | undefined): value is string {
  return typeof value === "string" && HEX_32.test(value);
}

const originals = new WeakMap<Event, JsonObject>();

function signedBytes(event: Event): Uint8Array {
  const value = originals.get(event) ?? {};
  const author = Object.fromEntries(Object.entries(event.author ?? {}).filter(([name]) => name !== "sig"));
  return concat(utf8("consult/event/v1\n"), canonical({ ...value, author }));
}

function parseLeaf(raw: Uint8Array): EntryLeaf | StateLeaf | null {
  try {
    const value = raw.length <= 1024 ? parseCanonical(raw) : null;
    if (!isRecord(value ?? undefined) || value === null) return null;
    const record = value as JsonObject;
    const { v, ns, cseq, cprev, evh, t, ty, map } = record;
    if (v !== 1 || !isCount(t, 0)) return null;
    if (ty === "log.state") return keysAre(record, ["map", "t", "ty", "v"]) && typeof map === "string" ? { map: fromBase64(map, 32), t } : null;
    if (!keysAre(record, ["cprev", "cseq", "evh", "ns", "t", "ty", "v"])) return null;
    if (typeof ns !== "string" || !HEX_16.test(ns) || !isCount(cseq, 1) || typeof cprev !== "string" || typeof evh !== "string" || typeof ty !== "string") return null;
    fromBase64(cprev, 32);
    fromBase64(evh, 32);
    return { ns, cseq, cprev, evh, t, ty };
  } catch {
    return null;
  }
}

export function parseEvent(raw: Uint8Array): Event | null {
  try {
    const value = raw.length <= 16 * 1024 ? parseCanonical(raw) : null;
    if (value === null || !isRecord(value)) return null;
    const { author, ...rest } = value;
    const { v, id, ns, type, src, at, data } = rest;
    if (!keysAre(rest, ["at", "data", "id", "ns", "src", "type", "v"]) || v !== 1 || typeof id !== "string" || !isCount(at, 0)) return null;
    if (typeof ns !== "string" || !HEX_16.test(ns) || typeof type !== "string" || !TYPE.test(type) || !isRecord(data)) return null;
    if (typeof src !== "string" || !["client", "state", "host"].includes(src) || (src === "client") !== isAuthor(author as JsonObject | undefined)) return null;
    const statement = src === "state" ? data["statement"] : null;
    if (statement !== null && (typeof statement !== "string" || !HEX_32.test(statement))) return null;
    fromBase64(id, 16);
    const event = { ns, type, src, data, author: (author as JsonObject | undefined) ?? null, statement, digests: digestsOf(data) };
    originals.set(event, value);
    return event;
  } catch {
    return null;
  }
}

function isAuthor(value: JsonObject | undefined): boolean {
  if (value === undefined) return false;
  const { kid, dseq, dprev, seen, sig } = value;
  if (!keysAre(value, ["dprev", "dseq", "kid", "seen", "sig"]) || !isCount(dseq, 1) || !Array.isArray(seen) || seen.length !== 2) throw new Error("not an author");
  if (!isCount(seen[0] as number, 0)) throw new Error("not a place");
  for (const [text, length] of [[kid, 32], [dprev, 32], [seen[1], 32], [sig, 64]] as const) fromBase64(String(text), length);
  return true;
}

function digestsOf(data: JsonObject): readonly string[] {
  const found = data["_sd"] ?? [];
  if (!Array.isArray(found)) throw new Error("not digests");
  const digests = found as readonly unknown[];
  const texts = digests.map(String);
  texts.forEach((digest) => fromBase64(digest, 32));
  if (texts.some((digest, index) => index > 0 && digest <= String(texts[index - 1]))) throw new Error("digests out of order");
  return texts;
}
