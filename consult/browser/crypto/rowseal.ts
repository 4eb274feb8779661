import { concat, plain, randomBytes, utf8, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

const NONCE = 12;
const LABEL = "consult/row/v1\n";

/** nonce (12) || AES-256-GCM, bound to the row's path. Random nonces: far fewer than 2^32 writes in a browser's life. */
export async function encryptWith(key: CryptoKey, path: string, value: Uint8Array): Promise<Bytes> {
  const nonce = randomBytes(NONCE);
  const box = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: utf8(LABEL + path) }, key, plain(value));
  return concat(nonce, new Uint8Array(box));
}

/** @throws Refusal `altered` if the row is not the one that was written at this path with this key */
export async function decryptWith(key: CryptoKey, path: string, sealed: Uint8Array): Promise<Bytes> {
  const parameters = { name: "AES-GCM", iv: plain(sealed.slice(0, NONCE)), additionalData: utf8(LABEL + path) };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, plain(sealed.slice(NONCE))));
  } catch (error) {
    throw new Refusal("altered", "a stored row does not open", { cause: error });
  }
}
