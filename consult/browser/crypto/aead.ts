import { plain, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

interface Sealing {
  /** 32 bytes */
  readonly key: Uint8Array;
  /** 12 bytes */
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
}

/** AES-256-GCM; the 16-byte tag follows the ciphertext. The caller owes a nonce never used before with this key. */
export async function encrypt(sealing: Sealing, plaintext: Uint8Array): Promise<Bytes> {
  const key = await importKey(sealing.key, "encrypt");
  return new Uint8Array(await crypto.subtle.encrypt(parameters(sealing), key, plain(plaintext)));
}

/** @throws Refusal `altered` if ciphertext, nonce, key or associated data are not those it was sealed with */
export async function decrypt(sealing: Sealing, ciphertext: Uint8Array): Promise<Bytes> {
  const key = await importKey(sealing.key, "decrypt");
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters(sealing), key, plain(ciphertext)));
  } catch (error) {
    throw new Refusal("altered", "does not open", { cause: error });
  }
}

function importKey(key: Uint8Array, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  if (key.length !== 32) throw new RangeError("an AES-256 key has 32 bytes");
  return crypto.subtle.importKey("raw", plain(key), "AES-GCM", false, [use]);
}

function parameters(sealing: Sealing): AesGcmParams {
  return { name: "AES-GCM", iv: plain(sealing.nonce), additionalData: plain(sealing.aad) };
}
