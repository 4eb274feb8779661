/** Reads the server's answers strictly: what is not as docs/protocol.md says throws `malformed` and goes no further. */

import { fromBase64, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

export type Members = Readonly<Record<string, unknown>>;

const NAME = /^(?:[0-9a-f]{2})+$/;

export function members(value: unknown): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Refusal("malformed", "not an object");
  return value as Members;
}

export function list<T>(value: unknown, read: (member: unknown) => T): readonly T[] {
  if (!Array.isArray(value)) throw new Refusal("malformed", "not a list");
  return value.map((member: unknown) => read(member));
}

export function text(value: unknown): string {
  if (typeof value !== "string") throw new Refusal("malformed", "not text");
  return value;
}

/** Lower-case hex. */
export function name(value: unknown): string {
  const found = text(value);
  if (!NAME.test(found)) throw new Refusal("malformed", "not a name");
  return found;
}

export function count(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new Refusal("malformed", "not a count");
  return value;
}

export function flag(value: unknown): boolean {
  if (typeof value !== "boolean") throw new Refusal("malformed", "not a flag");
  return value;
}

export function bytes(value: unknown): Bytes {
  return fromBase64(text(value));
}

/** null and an absent member are the same */
export function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null || value === undefined ? null : read(value);
}

export function choice<T extends string>(value: unknown, among: readonly T[]): T {
  const found = among.find((each) => each === value);
  if (found === undefined) throw new Refusal("malformed", "not one of the known words");
  return found;
}
