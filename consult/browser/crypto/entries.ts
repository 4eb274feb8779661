/** Entries of the record which the host shows, computed again rather than believed: leaf → root → signed checkpoint → pin. */

import type { EntryProof, EntryProven } from "../bridge.ts";
import { refresh } from "./book.ts";
import { parseCanonical } from "./canonical.ts";
import type { Context, Self } from "./context.ts";
import { fromBase64 } from "./encoding.ts";
import { hasCode } from "./failure.ts";
import { hashesFrom, verifyInclusion } from "./merkle.ts";
import { belongs, readHead, type RecordKeeper } from "./pin.ts";
import { bytes, count, list, members, text } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { recordKey } from "./seating.ts";

/** Without keys there is no pin and no key of the record: then only the arithmetic can be checked. */
export async function checkEntry(context: Context, entry: EntryProof): Promise<EntryProven> {
  if (!(await holds(() => leads(entry)))) return { included: false, signed: null };
  const self = await context.selfOrNone();
  return { included: true, signed: self === undefined ? null : await isSigned(context, self, entry) };
}

/** The leaf leads to the root in the note. @throws Refusal `malformed`, `bad_proof` */
async function leads({ leaf, index, size, path, note }: EntryProof): Promise<void> {
  const [, written, root = ""] = note.split("\n");
  if (written !== String(size)) throw new Refusal("bad_proof", "another size than the checkpoint's");
  const tree = { size, root: fromBase64(root, 32) };
  await verifyInclusion({ leaf: fromBase64(leaf), index, tree, proof: hashesFrom(path) });
}

/** @throws Failure what the chains are caught at, or `offline` */
async function isSigned(context: Context, self: Self, { note }: EntryProof): Promise<boolean | null> {
  const key = recordKey((await refresh(context, self, null)).standing);
  if (key === null) return null;
  const keeper = { context, self, key };
  return holds(async () => belongs(keeper, await readHead(keeper, note)));
}

/** An entry with its proof, as the record's doors give it (docs/protocol.md, section 8). */
export interface Proven {
  readonly index: number;
  /** SHA-256 of the event's bytes, base64 */
  readonly evh: string;
}

/**
 * 1. the note is a checkpoint of the pinned history; 2. the leaf leads to its root; 3. it is an event's leaf.
 * @throws Refusal `malformed`, `bad_signature` (1), `bad_proof` (1, 2), `not_canonical`, `malformed` (3); Failure `room_frozen` after a fork
 */
export async function readProven(keeper: RecordKeeper, answer: unknown): Promise<Proven> {
  const served = members(answer);
  const head = await readHead(keeper, text(served["note"]));
  if (served["size"] !== head.size) throw new Refusal("bad_proof", "another size than the checkpoint's");
  await belongs(keeper, head);
  const [index, leaf] = [count(served["index"]), bytes(served["leaf"])];
  await verifyInclusion({ leaf, index, tree: { size: head.size, root: fromBase64(head.root, 32) }, proof: hashesFrom(list(served["path"], text)) });
  const evh = text(members(parseCanonical(leaf))["evh"]);
  fromBase64(evh, 32);
  return { index, evh };
}

async function holds(check: () => Promise<void>): Promise<boolean> {
  try {
    await check();
    return true;
  } catch (error) {
    if (error instanceof Refusal || hasCode(error, "room_frozen")) return false;
    throw error;
  }
}
