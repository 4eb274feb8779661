import { equal, fromUtf8, utf8, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

/** The values of our canonical JSON: RFC 8785 without floats. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

const KEY = /^[a-z_][a-z0-9_]*$/;
const MAX_DEPTH = 8;
// With the flag u a pair counts as one character, so only a surrogate without its partner is left to match.
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/**
 * Canonical bytes: keys sorted, no white space, integers below 2^53, no lone surrogates, depth at most 8.
 * @throws Refusal `not_canonical` for a value outside the profile
 */
export function canonical(value: Json): Bytes {
  return utf8(write(value, 0));
}

/**
 * Reads canonical bytes, and nothing but canonical bytes.
 * @throws Refusal `malformed` if it is not JSON, `not_canonical` if another spelling of the same value exists
 */
export function parseCanonical(bytes: Uint8Array): Json {
  let value: Json;
  try {
    value = JSON.parse(fromUtf8(bytes)) as Json;
  } catch (error) {
    throw new Refusal("malformed", "not JSON", { cause: error });
  }
  if (!equal(canonical(value), bytes)) throw new Refusal("not_canonical", "not in canonical form");
  return value;
}

function write(value: Json, depth: number): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new Refusal("not_canonical", "not an integer below 2^53");
    return String(value);
  }
  if (typeof value === "string") {
    if (LONE_SURROGATE.test(value)) throw new Refusal("not_canonical", "a lone surrogate");
    return JSON.stringify(value);
  }
  if (depth >= MAX_DEPTH) throw new Refusal("not_canonical", "nested too deeply");
  if (isList(value)) return `[${value.map((item) => write(item, depth + 1)).join(",")}]`;
  return writeObject(value, depth);
}

function writeObject(value: JsonObject, depth: number): string {
  const keys = Object.keys(value).sort();
  const members = keys.map((key) => {
    const member = value[key];
    if (!KEY.test(key) || member === undefined) throw new Refusal("not_canonical", "a key outside the profile");
    return `"${key}":${write(member, depth + 1)}`;
  });
  return `{${members.join(",")}}`;
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
