/** The record's checkpoints: signed notes (C2SP signed-note and tlog-checkpoint), checked with the key that `chairs.root` names. */

import { verify } from "./ed25519.ts";
import { concat, fromBase64, sha256, toHex, utf8, type Bytes } from "./encoding.ts";
import type { Seen } from "./events.ts";
import { jsonRow, readJson, type Rows } from "./keystore.ts";
import { Refusal } from "./refusal.ts";

const PATH = "record";
/** Root of the tree without leaves: SHA-256 of nothing. */
const EMPTY: Seen = [0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="];
const ED25519 = 1;

interface Verifier {
  readonly name: string;
  readonly id: Bytes;
  readonly publicKey: Bytes;
}

/** `<name>+<8 hex>+<base64(0x01 || key)>`. @throws Refusal `malformed` */
export async function parseVerifier(vkey: string): Promise<Verifier> {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey);
  const [, name = "", id = "", encoded = ""] = match ?? [];
  const typed = fromBase64(encoded);
  if (match === null || typed.length !== 33 || typed[0] !== ED25519) throw new Refusal("malformed", "not a verifier key");
  const expected = (await sha256(concat(utf8(`${name}\n`), typed))).slice(0, 4);
  if (toHex(expected) !== id) throw new Refusal("malformed", "the verifier key's id differs");
  return { name, id: expected, publicKey: typed.slice(1) };
}

/**
 * 1. a note: text, blank line, signatures; 2. one signature is by this verifier; 3. its text is origin, size, root.
 * @throws Refusal `malformed` (1, 3), `bad_signature` (2)
 */
export async function readCheckpoint(note: string, vkey: string): Promise<Seen> {
  const verifier = await parseVerifier(vkey);
  const split = note.lastIndexOf("\n\n");
  if (split < 0) throw new Refusal("malformed", "not a signed note");
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2).split("\n");
  if (!(await anySignature(lines, text, verifier))) throw new Refusal("bad_signature", "not signed by the record");
  const [origin, size = "", root = ""] = text.split("\n");
  if (origin !== verifier.name || !/^(?:0|[1-9]\d{0,15})$/.test(size)) throw new Refusal("malformed", "not a checkpoint");
  fromBase64(root, 32);
  return [Number(size), root];
}

async function anySignature(lines: readonly string[], text: string, verifier: Verifier): Promise<boolean> {
  for (const line of lines) {
    const [dash, name, encoded = ""] = line.split(" ");
    if (dash !== "\u2014" || name !== verifier.name) continue;
    const bytes = fromBase64(encoded);
    if (toHex(bytes.slice(0, 4)) !== toHex(verifier.id)) continue;
    if (await verify({ publicKey: verifier.publicKey, message: utf8(text), signature: bytes.slice(4) })) return true;
  }
  return false;
}

export async function lastSeen(rows: Rows): Promise<Seen> {
  return (await readJson<Seen>(rows, PATH)) ?? EMPTY;
}

/** Keeps the largest tree seen. @returns false if the record shrank, or has two roots for one size: an alarm */
export async function noteCheckpoint(rows: Rows, next: Seen): Promise<boolean> {
  const [size, root] = await lastSeen(rows);
  if (next[0] < size || (next[0] === size && next[1] !== root)) return false;
  if (next[0] > size) await rows.write([jsonRow(PATH, next)]);
  return true;
}
