/** The recovery key, printed on a sheet, and the box at the server that only it opens. */

import { decrypt, encrypt } from "./aead.ts";
import { canonical, parseCanonical, type Json } from "./canonical.ts";
import { concat, fromBase64, fromCrockford, hkdf, inGroups, randomBytes, sha256, toBase64, toCrockford, utf8, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";
import { HEX_32, isRecord, keysAre } from "./shape.ts";

const INFO = "consult/recovery/v1";
const KEY_LENGTH = 32;

/** What brings a person back in a new browser. Seeds are 32 bytes. */
export interface RecoveryContents {
  readonly card: string;
  readonly accountSeed: Bytes;
  readonly xwingSeed: Bytes;
  /** null for a chair before `chairs.root` */
  readonly inst: string | null;
  /** counts the sheets of this account from 1 */
  readonly number: number;
}

export function newRecoveryKey(): Bytes {
  return randomBytes(KEY_LENGTH);
}

/** Crockford base32 of key || checksum byte, in groups of four. */
export async function formatRecoveryKey(key: Uint8Array): Promise<string> {
  if (key.length !== KEY_LENGTH) throw new RangeError("a recovery key has 32 bytes");
  return inGroups(toCrockford(concat(key, await checksum(key))));
}

/** @throws Refusal `code_mistyped` */
export async function parseRecoveryKey(text: string): Promise<Bytes> {
  const bytes = fromCrockford(text, KEY_LENGTH + 1);
  const key = bytes.slice(0, KEY_LENGTH);
  const [expected] = await checksum(key);
  if (bytes[KEY_LENGTH] !== expected) throw new Refusal("code_mistyped", "the checksum differs");
  return key;
}

/** nonce (12) || AES-256-GCM. `nonce` is given by vectors alone. */
export async function sealRecoveryBox(options: { recoveryKey: Uint8Array; contents: RecoveryContents }, nonce: Bytes = randomBytes(12)): Promise<Bytes> {
  const { card, accountSeed, xwingSeed, inst, number } = options.contents;
  const value = { v: 1, card, account_seed: toBase64(accountSeed), xwing_seed: toBase64(xwingSeed), inst, number };
  return concat(nonce, await encrypt({ key: await derive(options.recoveryKey), nonce, aad: utf8(INFO) }, canonical(value)));
}

/** @throws Refusal `recovery_key_wrong` if it does not open, `malformed` if what it holds is not a recovery box */
export async function openRecoveryBox(options: { recoveryKey: Uint8Array; box: Uint8Array }): Promise<RecoveryContents> {
  if (options.box.length < 12 + 16) throw new Refusal("malformed", "a box that ends early");
  const sealing = { key: await derive(options.recoveryKey), nonce: options.box.slice(0, 12), aad: utf8(INFO) };
  let plaintext: Bytes;
  try {
    plaintext = await decrypt(sealing, options.box.slice(12));
  } catch (error) {
    throw new Refusal("recovery_key_wrong", "does not open", { cause: error });
  }
  return readContents(parseCanonical(plaintext));
}

function readContents(value: Json): RecoveryContents {
  if (!isRecord(value) || !keysAre(value, ["account_seed", "card", "inst", "number", "v", "xwing_seed"])) throw new Refusal("malformed", "not a recovery box");
  const { card, inst, number } = value;
  if (value["v"] !== 1 || typeof card !== "string" || !HEX_32.test(card)) throw new Refusal("malformed", "not a recovery box");
  if (inst !== null && (typeof inst !== "string" || !HEX_32.test(inst))) throw new Refusal("malformed", "not a recovery box");
  if (typeof number !== "number" || number < 1) throw new Refusal("malformed", "not a recovery box");
  return { card, inst, number, accountSeed: seed(value["account_seed"]), xwingSeed: seed(value["xwing_seed"]) };
}

function seed(value: Json | undefined): Bytes {
  if (typeof value !== "string") throw new Refusal("malformed", "not a seed");
  return fromBase64(value, 32);
}

function derive(recoveryKey: Uint8Array): Promise<Bytes> {
  if (recoveryKey.length !== KEY_LENGTH) throw new RangeError("a recovery key has 32 bytes");
  return hkdf({ ikm: recoveryKey, salt: new Uint8Array(0), info: INFO, length: 32 });
}

async function checksum(key: Uint8Array): Promise<Bytes> {
  return (await sha256(concat(utf8("consult/recovery-key/v1\n"), key))).slice(0, 1);
}
