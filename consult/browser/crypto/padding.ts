import { concat, readU32, u32, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

const SMALLEST = 256;

/** u32 length || bytes || zeros up to the next power of two, at least 256: the host learns a size class, not a size. */
export function pad(bytes: Uint8Array): Bytes {
  let size = SMALLEST;
  while (size < bytes.length + 4) size *= 2;
  return concat(u32(bytes.length), bytes, new Uint8Array(size - bytes.length - 4));
}

/** @throws Refusal `malformed` unless these are exactly the bytes `pad` makes */
export function unpad(padded: Uint8Array): Bytes {
  const length = readU32(padded, 0);
  if (length > padded.length - 4) throw new Refusal("malformed", "the length runs past the end");
  const bytes = padded.slice(4, 4 + length);
  let expected = SMALLEST;
  while (expected < length + 4) expected *= 2;
  if (padded.length !== expected) throw new Refusal("malformed", "not padded to its size class");
  if (padded.subarray(4 + length).some((byte) => byte !== 0)) throw new Refusal("malformed", "padding is not zero");
  return bytes;
}
