/** The record's signed notes (C2SP signed-note): checkpoints (tlog-checkpoint) and policies, checked with the key that `chairs.root` names. */

import { verify } from "./ed25519.ts";
import { concat, fromBase64, sha256, toHex, utf8, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

const ED25519 = 1;

interface Verifier {
  readonly name: string;
  readonly id: Bytes;
  readonly publicKey: Bytes;
}

/** What a checkpoint says, and the note itself: with its signature it is evidence. `root` is base64. */
export interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly note: string;
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
 * 1. a note: text, blank line, signatures; 2. one signature is by this verifier; 3. its text is origin, size (not 0) and root, and no line more.
 * @throws Refusal `malformed` (1, 3), `bad_signature` (2)
 */
export async function readCheckpoint(note: string, vkey: string): Promise<Head> {
  const { name, text } = await openNote(note, vkey);
  const [origin = "", size = "", root = "", ...rest] = text.split("\n");
  if (origin !== name || !/^[1-9]\d{0,14}$/.test(size) || rest.join() !== "") throw new Refusal("malformed", "not a checkpoint");
  fromBase64(root, 32);
  return { origin, size: Number(size), root, note };
}

/** The number in a policy's first line, `# consult policy <number> <origin>`. @throws Refusal as `readCheckpoint` */
export async function readPolicyNumber(note: string, vkey: string): Promise<number> {
  const { name, text } = await openNote(note, vkey);
  const [, number = "", origin] = /^# consult policy ([1-9]\d{0,8}) (\S+)\n/.exec(text) ?? [];
  if (origin !== name) throw new Refusal("malformed", "not a policy of this record");
  return Number(number);
}

async function openNote(note: string, vkey: string): Promise<{ name: string; text: string }> {
  const verifier = await parseVerifier(vkey);
  const split = note.lastIndexOf("\n\n");
  if (split < 0) throw new Refusal("malformed", "not a signed note");
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2).split("\n");
  if (!(await anySignature(lines, text, verifier))) throw new Refusal("bad_signature", "not signed by the record");
  return { name: verifier.name, text };
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
