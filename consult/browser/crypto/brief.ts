/** A brief, or the reason of a return: sealed once under a fresh key, whose wraps go to the cards that may read. */

import { decrypt, encrypt } from "./aead.ts";
import { canonical, parseCanonical, type Json } from "./canonical.ts";
import { equal, hkdf, randomBytes, sha256, toHex, type Bytes } from "./encoding.ts";
import { pad, unpad } from "./padding.ts";
import { Refusal } from "./refusal.ts";

const INFO = "consult/brief/v1";
const NOTHING = new Uint8Array(0);

export interface SealedText {
  /** 32 bytes, secret: what is wrapped */
  readonly key: Bytes;
  readonly ciphertext: Bytes;
  /** hex, of the ciphertext; goes into the statement */
  readonly sha256: string;
  /** 32 bytes; goes into the statement: no second key can open the same ciphertext */
  readonly commitment: Bytes;
}

/** Seals under a key of its own; a key seals one text only. `key` is given by vectors alone. */
export async function sealText(value: Json, key: Bytes = randomBytes(32)): Promise<SealedText> {
  const derived = await derive(key);
  const ciphertext = await encrypt({ ...derived, aad: NOTHING }, pad(canonical(value)));
  return { key, ciphertext, sha256: toHex(await sha256(ciphertext)), commitment: derived.commitment };
}

/**
 * 1. the ciphertext is the one the statement names, 2. the key is the one the statement commits to, 3. it opens, 4. it is canonical.
 * @throws Refusal `altered` (1, 3), `wrong_key` (2), `malformed` or `not_canonical` (4)
 */
export async function openText(options: { key: Uint8Array; ciphertext: Uint8Array; sha256: string; commitment: Uint8Array }): Promise<Json> {
  if (toHex(await sha256(options.ciphertext)) !== options.sha256) throw new Refusal("altered", "not the ciphertext that was signed");
  const derived = await derive(options.key);
  if (!equal(derived.commitment, options.commitment)) throw new Refusal("wrong_key", "not the key that was committed to");
  return parseCanonical(unpad(await decrypt({ ...derived, aad: NOTHING }, options.ciphertext)));
}

async function derive(key: Uint8Array): Promise<{ key: Bytes; nonce: Bytes; commitment: Bytes }> {
  if (key.length !== 32) throw new Refusal("wrong_key", "the key of a sealed text has 32 bytes");
  const okm = await hkdf({ ikm: key, salt: NOTHING, info: INFO, length: 76 });
  return { key: okm.slice(0, 32), nonce: okm.slice(32, 44), commitment: okm.slice(44, 76) };
}
