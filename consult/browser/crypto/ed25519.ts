import { plain, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

// Curve constants of RFC 8032, section 5.1.
const FIELD_PRIME = 2n ** 255n - 19n;
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

// y coordinates of the eight points of small order: 1, -1, 0 and the two of order 8 (each with either sign of x).
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD_PRIME - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
]);

/**
 * Refuses keys that are not canonical (y >= p) or of small order. The server applies the same rule.
 * @throws Refusal `weak_key`
 */
export function refuseWeakKey(publicKey: Uint8Array): void {
  if (publicKey.length !== 32) throw new Refusal("weak_key", "an Ed25519 key has 32 bytes");
  if (!isSoundPoint(publicKey)) throw new Refusal("weak_key", "not canonical, or of small order");
}

export async function sign(privateKey: CryptoKey, message: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, plain(message)));
}

/** True for a valid signature by a sound key. Weak keys, S >= L and a weak R are never valid, whatever the platform would say. */
export async function verify(options: { publicKey: Uint8Array; message: Uint8Array; signature: Uint8Array }): Promise<boolean> {
  const { publicKey, message, signature } = options;
  if (publicKey.length !== 32 || signature.length !== 64 || !isSoundPoint(publicKey)) return false;
  if (littleEndian(signature.subarray(32)) >= GROUP_ORDER || !isSoundPoint(signature.subarray(0, 32))) return false;
  try {
    const key = await crypto.subtle.importKey("raw", plain(publicKey), "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, plain(signature), plain(message));
  } catch {
    // Some engines refuse a key that is not a point when it is imported, others when it is used.
    return false;
  }
}

function isSoundPoint(encoded: Uint8Array): boolean {
  const y = littleEndian(encoded) & (2n ** 255n - 1n);
  return y < FIELD_PRIME && !SMALL_ORDER_Y.has(y);
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index -= 1) value = (value << 8n) | BigInt(bytes[index] ?? 0);
  return value;
}
