/** Entries of the record which the host shows, computed again rather than believed: leaf → root → signed checkpoint → pin. */

import type { EntryProof, EntryProven } from "../bridge.ts";
import { refresh } from "./book.ts";
import type { Context, Self } from "./context.ts";
import { fromBase64 } from "./encoding.ts";
import { hasCode } from "./failure.ts";
import { hashesFrom, verifyInclusion } from "./merkle.ts";
import { belongs, readHead } from "./pin.ts";
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

async function holds(check: () => Promise<void>): Promise<boolean> {
  try {
    await check();
    return true;
  } catch (error) {
    if (error instanceof Refusal || hasCode(error, "room_frozen")) return false;
    throw error;
  }
}
