import { Refusal } from "./refusal.ts";

/** Bytes which own their memory, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The same bytes in memory that is not shared; a copy only where it must be one. */
export function plain(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
}

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/** @throws Refusal `malformed` on bytes that are not UTF-8 */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new Refusal("malformed", "not UTF-8", { cause: error });
  }
}

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/**
 * Lower-case hex only.
 * @param length the number of bytes it must have
 * @throws Refusal `malformed`
 */
export function fromHex(text: string, length?: number): Bytes {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Refusal("malformed", "not lower-case hex");
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  if (length !== undefined && bytes.length !== length) throw new Refusal("malformed", `${bytes.length} bytes, not ${length}`);
  return bytes;
}

/** Standard base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  const slice = 0x8000;
  for (let start = 0; start < bytes.length; start += slice) text += String.fromCharCode(...bytes.subarray(start, start + slice));
  return btoa(text);
}

/**
 * Strict: whatever does not come out again as the same text is refused, so every value has one spelling.
 * @throws Refusal `malformed`
 */
export function fromBase64(text: string, length?: number): Bytes {
  let binary: string;
  try {
    binary = atob(text);
  } catch (error) {
    throw new Refusal("malformed", "not base64", { cause: error });
  }
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = binary.charCodeAt(index);
  if (btoa(binary) !== text) throw new Refusal("malformed", "base64 does not round-trip");
  if (length !== undefined && bytes.length !== length) throw new Refusal("malformed", `${bytes.length} bytes, not ${length}`);
  return bytes;
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Equal in time that depends on the length only, as far as a script engine allows. */
export function equal(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index += 1) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}

/** Big-endian. */
export function u32(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw new RangeError(`${value} is not a 32-bit number`);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** @throws Refusal `malformed` if fewer than four bytes are left */
export function readU32(bytes: Uint8Array, offset: number): number {
  if (offset < 0 || offset + 4 > bytes.length) throw new Refusal("malformed", "ends inside a number");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
}

export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

export async function sha256(bytes: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", plain(bytes)));
}

/** HKDF (RFC 5869) with SHA-256. */
export async function hkdf(options: { ikm: Uint8Array; salt: Uint8Array; info: string; length: number }): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", plain(options.ikm), "HKDF", false, ["deriveBits"]);
  const parameters = { name: "HKDF", hash: "SHA-256", salt: plain(options.salt), info: utf8(options.info) };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, options.length * 8));
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Crockford base32, upper case, most significant bit first; the last character is filled up with zero bits. */
export function toCrockford(bytes: Uint8Array): string {
  let text = "";
  let pool = 0;
  let bits = 0;
  for (const byte of bytes) {
    pool = (pool << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += CROCKFORD.charAt((pool >> bits) & 31);
    }
    pool &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + CROCKFORD.charAt((pool << (5 - bits)) & 31);
}

/**
 * Reads what a person typed: case, blanks and hyphens do not matter, and O, I and L are taken for 0, 1 and 1.
 * @throws Refusal `code_mistyped` unless it is exactly this many bytes
 */
export function fromCrockford(text: string, length: number): Bytes {
  const typed = text.toUpperCase().replace(/[\s-]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");
  const bytes = new Uint8Array(length);
  let pool = 0;
  let bits = 0;
  let at = 0;
  for (const character of typed) {
    const value = CROCKFORD.indexOf(character);
    if (value < 0) throw new Refusal("code_mistyped", "not a Crockford character");
    pool = (pool << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    if (at < length) bytes[at] = pool >> bits;
    at += 1;
    pool &= (1 << bits) - 1;
  }
  if (at !== length || bits >= 5 || pool !== 0) throw new Refusal("code_mistyped", "too long or too short");
  return bytes;
}

/** In groups of four, for reading aloud and typing. */
export function inGroups(text: string): string {
  return (text.match(/.{1,4}/g) ?? []).join("-");
}
