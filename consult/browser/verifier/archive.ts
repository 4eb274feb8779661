/**
 * Reads an archive of one spelling (secure/log/archive.py): members stored as they are, at a fixed time; the directory must be the one that
 * the writer would have written. Nothing can inflate, and there is no second list of members.
 */

import { concat, equal, fromUtf8, utf8, type Bytes } from "../crypto/encoding.ts";
import { Unreadable } from "./faults.ts";

const MAX_MEMBERS = 20_000;
const MAX_BYTES = 200 * 1024 * 1024;
const MAX_NAME = 120;
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const LOCAL = 30;

interface Member {
  readonly name: string;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

/** The members by name, in their order. @throws Unreadable */
export function readArchive(raw: Uint8Array): ReadonlyMap<string, Uint8Array> {
  if (raw.length > MAX_BYTES) throw new Unreadable("larger than a bundle may be");
  const members: Member[] = [];
  const found = new Map<string, Uint8Array>();
  let at = 0;
  while (startsWith(raw, at, "PK\u0003\u0004")) {
    const member = memberAt(raw, at);
    const start = at + LOCAL + member.name.length;
    const whole = raw.subarray(start, start + member.size);
    if (found.has(member.name) || members.length === MAX_MEMBERS || whole.length !== member.size || crc32(whole) !== member.crc) throw notOurs();
    members.push(member);
    found.set(member.name, whole);
    at = start + member.size;
  }
  if (!equal(raw.subarray(at), directory(members, at))) throw notOurs();
  return found;
}

function memberAt(raw: Uint8Array, at: number): Member {
  if (at + LOCAL > raw.length) throw notOurs();
  const view = new DataView(raw.buffer, raw.byteOffset + at, LOCAL);
  const length = view.getUint16(26, true);
  if (length > MAX_NAME || at + LOCAL + length > raw.length) throw notOurs();
  const member = { name: plainName(raw.subarray(at + LOCAL, at + LOCAL + length)), crc: view.getUint32(14, true), size: view.getUint32(22, true), offset: at };
  if (!equal(raw.subarray(at, at + LOCAL + length), local(member))) throw notOurs();
  return member;
}

function plainName(bytes: Uint8Array): string {
  try {
    const name = fromUtf8(bytes);
    if (NAME.test(name)) return name;
  } catch (error) {
    throw new Unreadable("a member's name is no text", { cause: error });
  }
  throw notOurs();
}

function local({ name, crc, size }: Member): Bytes {
  return concat(utf8("PK\u0003\u0004"), u16(20, 0, 0, 0, 0x21), u32(crc, size, size), u16(name.length, 0), utf8(name));
}

function central({ name, crc, size, offset }: Member): Bytes {
  const made = u16(20 | (3 << 8), 20, 0, 0, 0, 0x21);
  return concat(utf8("PK\u0001\u0002"), made, u32(crc, size, size), u16(name.length, 0, 0, 0, 0), u32(0o100644 * 65_536, offset), utf8(name));
}

function directory(members: readonly Member[], at: number): Bytes {
  const rows = concat(...members.map(central));
  return concat(rows, utf8("PK\u0005\u0006"), u16(0, 0, members.length, members.length), u32(rows.length, at), u16(0));
}

function u16(...values: readonly number[]): Bytes {
  const bytes = new Uint8Array(2 * values.length);
  values.forEach((value, index) => new DataView(bytes.buffer).setUint16(2 * index, value, true));
  return bytes;
}

function u32(...values: readonly number[]): Bytes {
  const bytes = new Uint8Array(4 * values.length);
  values.forEach((value, index) => new DataView(bytes.buffer).setUint32(4 * index, value, true));
  return bytes;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function startsWith(raw: Uint8Array, at: number, text: string): boolean {
  return equal(raw.subarray(at, at + text.length), utf8(text));
}

function notOurs(): Unreadable {
  return new Unreadable("not an archive as we write it");
}
