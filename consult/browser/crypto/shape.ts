/** Small questions about the shape of parsed JSON, so that every reader asks them in the same words. */

import type { Json, JsonObject } from "./canonical.ts";

export const HEX_32 = /^[0-9a-f]{64}$/;
export const HEX_16 = /^[0-9a-f]{32}$/;

export function isRecord(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Exactly these members, no more and no less. `keys` sorted. */
export function keysAre(value: JsonObject, keys: readonly string[]): boolean {
  const found = Object.keys(value).sort();
  return found.length === keys.length && found.every((key, index) => key === keys[index]);
}

export function isCount(value: Json | undefined, least: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least;
}
