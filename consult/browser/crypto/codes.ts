/** Enrolment codes and card fingerprints (docs/protocol.md, section 3; secure/codes.py). tests/vectors/codes.json holds the two together. */

import { concat, equal, fromBase64, fromCrockford, fromHex, hkdf, inGroups, plain, randomBytes, sha256, toBase64, toCrockford, toHex, utf8, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

const HALF = 10;
const LENGTH = 2 * HALF + 1;
const FINGERPRINT_BITS = 100;

export interface EnrolmentCode {
  /** SECRET, 10 bytes: known to the inviter and the invited person only */
  readonly secret: Bytes;
  /** the first 10 bytes of `inst`; null when there is no installation yet */
  readonly inst: Bytes | null;
}

export function newSecret(): Bytes {
  return randomBytes(HALF);
}

/** @param inst the installation's name, hex; null before there is one */
export async function formatCode(secret: Uint8Array, inst: string | null): Promise<string> {
  if (secret.length !== HALF) throw new RangeError("a code's secret has 10 bytes");
  const head = inst === null ? new Uint8Array(HALF) : fromHex(inst, 32).subarray(0, HALF);
  const body = concat(secret, head);
  return inGroups(toCrockford(concat(body, await checksum(body))));
}

/** @throws Refusal `code_mistyped` */
export async function parseCode(text: string): Promise<EnrolmentCode> {
  const bytes = fromCrockford(text, LENGTH);
  const body = bytes.slice(0, 2 * HALF);
  if (!equal(await checksum(body), bytes.subarray(2 * HALF))) throw new Refusal("code_mistyped", "the checksum differs");
  const inst = body.slice(HALF);
  return { secret: body.slice(0, HALF), inst: inst.every((byte) => byte === 0) ? null : inst };
}

/** Whether this is the installation that the code is for. */
export function codeFits(code: EnrolmentCode, inst: string | null): boolean {
  if (inst === null || code.inst === null) return inst === null && code.inst === null;
  return equal(code.inst, fromHex(inst, 32).subarray(0, HALF));
}

/** Hex, 16 bytes: all of the code that the server gets. */
export async function locatorOf(secret: Uint8Array): Promise<string> {
  return toHex(await hkdf({ ikm: secret, salt: new Uint8Array(0), info: "consult/enrol/locator/v1", length: 16 }));
}

/** The mark, base64, which shows the inviter that whoever made this card held the code. */
export async function macOf(secret: Uint8Array, card: string): Promise<string> {
  const key = await hkdf({ ikm: secret, salt: new Uint8Array(0), info: "consult/enrol/mac/v1", length: 32 });
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", plain(key), algorithm, false, ["sign"]);
  return toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", imported, concat(utf8("consult/enrol/v1\n"), fromHex(card, 32)))));
}

/** Whether the mark is that of this code over this card; a mark of another form is none. */
export async function macFits(secret: Uint8Array, card: string, mac: string): Promise<boolean> {
  try {
    return equal(fromBase64(await macOf(secret, card), 32), fromBase64(mac, 32));
  } catch {
    return false;
  }
}

/** For reading aloud: the first 100 bits of the card's hash, 20 characters in groups of four. */
export function fingerprint(card: string): string {
  return inGroups(toCrockford(fromHex(card, 32)).slice(0, FINGERPRINT_BITS / 5));
}

async function checksum(body: Uint8Array): Promise<Bytes> {
  return (await sha256(concat(utf8("consult/code/v1\n"), body))).slice(0, 1);
}
