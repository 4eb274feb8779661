/** The key ring: the content key of every epoch this person may read, kept sealed to the own card, and slices of it for newcomers. */

import { canonical, parseCanonical, type Json } from "./canonical.ts";
import { fromBase64, toBase64, type Bytes } from "./encoding.ts";
import { unwrap, wrap } from "./hpke.ts";
import { Refusal } from "./refusal.ts";
import { HEX_32, isCount, isRecord, keysAre } from "./shape.ts";

export interface EpochKey {
  readonly epoch: number;
  /** RK of the epoch, 32 bytes */
  readonly key: Bytes;
}

/** For the own card. `publicKey`: its X-Wing key. */
export function sealRingEntry(options: { room: string; entry: EpochKey; publicKey: Uint8Array }): Promise<Bytes> {
  const { room, entry, publicKey } = options;
  return wrap({ publicKey, purpose: "ring", plaintext: canonical({ room, epoch: entry.epoch, key: toBase64(entry.key) }) });
}

/** @throws Refusal `altered`, `malformed`, or `wrong_room` if the host filed it under another room or epoch */
export async function openRingEntry(options: { room: string; epoch: number; box: Uint8Array; seed: Uint8Array }): Promise<EpochKey> {
  const value = parseCanonical(await unwrap({ seed: options.seed, purpose: "ring", box: options.box }));
  if (!isRecord(value) || !keysAre(value, ["epoch", "key", "room"]) || typeof value["room"] !== "string" || !HEX_32.test(value["room"])) {
    throw new Refusal("malformed", "not a ring entry");
  }
  const entry = epochKey(value["epoch"], value["key"]);
  if (value["room"] !== options.room || entry.epoch !== options.epoch) throw new Refusal("wrong_room", "filed under another room or epoch");
  return entry;
}

/** For a newcomer's card; entries in order of epoch. */
export function sealHistory(options: { entries: readonly EpochKey[]; publicKey: Uint8Array }): Promise<Bytes> {
  const slice = options.entries.map(({ epoch, key }) => ({ epoch, key: toBase64(key) }));
  return wrap({ publicKey: options.publicKey, purpose: "history", plaintext: canonical(slice) });
}

/**
 * A slice is a claim of whoever granted it: keep a key only where none is known, never replace one. A false key opens nothing,
 * since every object commits to its key.
 * @throws Refusal `altered`, or `malformed` unless epochs ascend within `from` and `to`
 */
export async function openHistory(options: { from: number; to: number; box: Uint8Array; seed: Uint8Array }): Promise<EpochKey[]> {
  const value = parseCanonical(await unwrap({ seed: options.seed, purpose: "history", box: options.box }));
  if (!Array.isArray(value)) throw new Refusal("malformed", "not a history slice");
  const entries = (value as readonly Json[]).map((member) => {
    if (!isRecord(member) || !keysAre(member, ["epoch", "key"])) throw new Refusal("malformed", "not a history slice");
    return epochKey(member["epoch"], member["key"]);
  });
  let before = options.from - 1;
  for (const { epoch } of entries) {
    if (epoch <= before || epoch > options.to) throw new Refusal("malformed", "epochs outside the grant, or not in order");
    before = epoch;
  }
  return entries;
}

function epochKey(epoch: Json | undefined, key: Json | undefined): EpochKey {
  if (!isCount(epoch, 0) || typeof key !== "string") throw new Refusal("malformed", "not an epoch key");
  return { epoch, key: fromBase64(key, 32) };
}
