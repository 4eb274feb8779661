/** HPKE (RFC 9180), base mode, X-Wing + HKDF-SHA-256 + AES-256-GCM: how small secrets reach one card. Twin: secure/sealing.py. */

import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";

import { concat, plain, utf8, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

/** What a box is for. It is bound into the sealing, so a box made for one purpose never opens for another. */
export type WrapPurpose = "brief" | "ring" | "history" | "draft";

export const XWING_SEED_LENGTH = 32;
export const XWING_PUBLIC_LENGTH = 1216;
/** ML-KEM-768 ciphertext (1088) || X25519 public key (32) */
const ENCAPSULATED = 1120;

const kem = new XWing();
const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** The public key of a 32-byte X-Wing seed (draft-connolly-cfrg-xwing-kem, GenerateKeyPairDerand). */
export async function xwingPublicKey(seed: Uint8Array): Promise<Bytes> {
  if (seed.length !== XWING_SEED_LENGTH) throw new RangeError("an X-Wing seed has 32 bytes");
  const { publicKey } = await kem.generateKeyPairDerand(plain(seed.slice()));
  return new Uint8Array(await kem.serializePublicKey(publicKey));
}

/**
 * Seals to the X-Wing key of a card: encapsulated key || ciphertext.
 * @throws Refusal `weak_key` if it is not an X-Wing public key
 */
export async function wrap(options: { publicKey: Uint8Array; purpose: WrapPurpose; plaintext: Uint8Array }): Promise<Bytes> {
  if (options.publicKey.length !== XWING_PUBLIC_LENGTH) throw new Refusal("weak_key", "an X-Wing public key has 1216 bytes");
  try {
    const recipientPublicKey = await kem.deserializePublicKey(plain(options.publicKey.slice()).buffer);
    const sealed = await suite.seal({ recipientPublicKey, info: info(options.purpose) }, plain(options.plaintext));
    return concat(new Uint8Array(sealed.enc), new Uint8Array(sealed.ct));
  } catch (error) {
    throw new Refusal("weak_key", "cannot seal to this key", { cause: error });
  }
}

/** @throws Refusal `altered` if it was sealed to another key, for another purpose, or changed */
export async function unwrap(options: { seed: Uint8Array; purpose: WrapPurpose; box: Uint8Array }): Promise<Bytes> {
  if (options.seed.length !== XWING_SEED_LENGTH) throw new RangeError("an X-Wing seed has 32 bytes");
  if (options.box.length < ENCAPSULATED + 16) throw new Refusal("malformed", "a box that ends early");
  const enc = options.box.slice(0, ENCAPSULATED);
  try {
    const recipientKey = await kem.deserializePrivateKey(plain(options.seed.slice()).buffer);
    const parameters = { recipientKey, enc: plain(enc), info: info(options.purpose) };
    return new Uint8Array(await suite.open(parameters, plain(options.box.slice(ENCAPSULATED))));
  } catch (error) {
    throw new Refusal("altered", "does not open", { cause: error });
  }
}

function info(purpose: WrapPurpose): Bytes {
  return utf8(`consult/wrap/${purpose}/v1`);
}
