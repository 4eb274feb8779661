/** Reads a bundle: its form alone (docs/protocol.md, section 12; secure/log/bundle_format.py). */

import { sha256 } from "@noble/hashes/sha2.js";

import { parseCanonical, type Json, type JsonObject } from "../crypto/canonical.ts";
import { fromBase64, fromUtf8, toHex } from "../crypto/encoding.ts";
import { HEX_16, HEX_32, isCount, isRecord, keysAre } from "../crypto/shape.ts";
import { Unreadable } from "./faults.ts";

export interface Series {
  readonly ns: string;
  readonly scope: string;
  readonly slot: number;
  readonly count: number;
  readonly head: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

export interface Disclosed {
  readonly index: number;
  readonly name: string;
  readonly value: string;
  readonly salt: string;
}

export type Row = readonly [index: number, raw: Uint8Array];

export interface Bundle {
  readonly origin: string;
  readonly consultation: string;
  readonly recipient: string | null;
  readonly size: number;
  readonly sizes: readonly number[];
  readonly withheld: ReadonlySet<number>;
  readonly leaves: readonly Row[];
  readonly events: readonly Row[];
  readonly nodes: readonly Uint8Array[];
  readonly series: readonly Series[];
  readonly checkpoints: ReadonlyMap<number, string>;
  readonly policies: ReadonlyMap<number, Uint8Array>;
  readonly chains: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly disclosed: readonly Disclosed[];
  /** files whose hash is not the manifest's */
  readonly altered: readonly string[];
}

type Members = ReadonlyMap<string, Uint8Array>;

const FIXED = new Set(["README.txt", "report.html", "manifest.json", "disclosures.jsonl", "log/events.bin", "log/leaves.bin", "log/nodes.bin", "log/state.json"]);
const FOLDERS = ["chains/", "log/checkpoints/", "log/policies/"];
const MANIFEST = ["consultation", "files", "origin", "recipient", "size", "sizes", "v", "withheld"];
const SLOTS = 2 ** 20;
const DEPTH = 20;

/** @throws Unreadable */
export function readBundle(members: Members): Bundle {
  try {
    return read(members);
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable("a file in it is not in its form", { cause: error });
  }
}

function read(members: Members): Bundle {
  const manifest = object(member(members, "manifest.json"), MANIFEST);
  const { origin, consultation, recipient, size } = manifest;
  if (manifest["v"] !== 1 || typeof origin !== "string" || !isName(consultation) || !(recipient === null || isName(recipient)) || !isCount(size, 1)) throw bad();
  const files = new Map(list(manifest["files"]).map(file));
  const names = [...members.keys()].filter((name) => name !== "manifest.json");
  if (files.size !== names.length || names.some((name) => !files.has(name))) throw bad();
  if (names.some((name) => !FIXED.has(name) && !FOLDERS.some((folder) => name.startsWith(folder)))) throw bad();
  return {
    origin,
    consultation,
    recipient,
    size,
    sizes: ascending(manifest["sizes"], size),
    withheld: new Set(ascending(manifest["withheld"], Number.MAX_SAFE_INTEGER)),
    leaves: records(member(members, "log/leaves.bin")),
    events: records(member(members, "log/events.bin")),
    nodes: nodes(member(members, "log/nodes.bin")),
    series: list(object(member(members, "log/state.json"), ["series"])["series"]).map(series),
    checkpoints: new Map([...numbered(members, "log/checkpoints/")].map(([place, raw]) => [place, fromUtf8(raw)])),
    policies: numbered(members, "log/policies/"),
    chains: new Map(names.filter((name) => name.startsWith("chains/")).map((name) => [between(name, "chains/", ".jsonl"), lines(member(members, name))])),
    disclosed: lines(member(members, "disclosures.jsonl")).map(disclosed),
    altered: names.filter((name) => toHex(sha256(member(members, name))) !== files.get(name)),
  };
}

function file(row: Json): [string, string] {
  const [name, hash, ...more] = list(row);
  if (typeof name !== "string" || !isName(hash) || more.length > 0) throw bad();
  return [name, hash];
}

function series(row: Json): Series {
  if (!isRecord(row) || !keysAre(row, ["count", "head", "ns", "proof", "scope", "slot"])) throw bad();
  const { ns, scope, slot, count, head, proof } = row;
  const hashes = list(proof).map((each) => hash32(each));
  if (typeof ns !== "string" || !HEX_16.test(ns) || typeof scope !== "string" || !isCount(slot, 0) || slot >= SLOTS || !isCount(count, 1) || hashes.length !== DEPTH) throw bad();
  return { ns, scope, slot, count, head: hash32(head), proof: hashes };
}

function disclosed(raw: Uint8Array): Disclosed {
  const { index, name, value, salt } = object(raw, ["index", "name", "salt", "value"]);
  if (!isCount(index, 0) || typeof name !== "string" || typeof value !== "string" || typeof salt !== "string") throw bad();
  fromBase64(salt, 32);
  return { index, name, value, salt };
}

/** index (u64), length (u16), bytes */
function records(raw: Uint8Array): readonly Row[] {
  const rows: Row[] = [];
  let at = 0;
  while (at < raw.length) {
    if (at + 10 > raw.length) throw bad();
    const view = new DataView(raw.buffer, raw.byteOffset + at, 10);
    const index = Number(view.getBigUint64(0));
    const end = at + 10 + view.getUint16(8);
    if (end > raw.length || !Number.isSafeInteger(index)) throw bad();
    rows.push([index, raw.subarray(at + 10, end)]);
    at = end;
  }
  return rows;
}

function nodes(raw: Uint8Array): readonly Uint8Array[] {
  if (raw.length % 32 !== 0) throw bad();
  return Array.from({ length: raw.length / 32 }, (_, index) => raw.subarray(32 * index, 32 * index + 32));
}

function lines(raw: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  let start = 0;
  for (let end = raw.indexOf(10); end >= 0; end = raw.indexOf(10, start)) {
    found.push(raw.subarray(start, end));
    start = end + 1;
  }
  if (start !== raw.length) throw bad();
  return found;
}

function numbered(members: Members, folder: string): ReadonlyMap<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (const [name, raw] of members) {
    if (!name.startsWith(folder)) continue;
    const place = between(name, folder, ".txt");
    if (!/^(?:0|[1-9]\d{0,15})$/.test(place)) throw bad();
    found.set(Number(place), raw);
  }
  return found;
}

function between(name: string, folder: string, suffix: string): string {
  const middle = name.slice(folder.length, -suffix.length);
  if (!name.endsWith(suffix) || middle === "") throw bad();
  return middle;
}

function ascending(value: Json | undefined, most: number): readonly number[] {
  const row = list(value);
  if (!row.every((each, index): each is number => isCount(each, 0) && each <= most && (index === 0 || each > Number(row[index - 1])))) throw bad();
  return row;
}

function list(value: Json | undefined): readonly Json[] {
  if (!Array.isArray(value)) throw bad();
  return value as readonly Json[];
}

function object(raw: Uint8Array, keys: readonly string[]): JsonObject {
  const value = parseCanonical(raw);
  if (!isRecord(value) || !keysAre(value, keys)) throw bad();
  return value;
}

function member(members: Members, name: string): Uint8Array {
  const found = members.get(name);
  if (found === undefined) throw bad();
  return found;
}

function hash32(value: Json | undefined): Uint8Array {
  if (typeof value !== "string") throw bad();
  return fromBase64(value, 32);
}

function isName(value: Json | undefined): value is string {
  return typeof value === "string" && HEX_32.test(value);
}

function bad(): Unreadable {
  return new Unreadable("a file in it is not in its form");
}
