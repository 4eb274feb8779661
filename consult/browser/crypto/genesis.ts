/** The record's first entry (docs/protocol.md, section 8): under the tree that the key of `chairs.root` signs, it names the record's other keys. */

import { parseCanonical, type Json } from "./canonical.ts";
import { sha256, toBase64 } from "./encoding.ts";
import { readProven } from "./entries.ts";
import { ServerRefusal } from "./failure.ts";
import { jsonRow, readJson } from "./keystore.ts";
import type { RecordKeeper } from "./pin.ts";
import { bytes, members, text } from "./reading.ts";
import { parseVerifier } from "./record.ts";
import { recordDoubted } from "./recordalarms.ts";
import { Refusal } from "./refusal.ts";

const PATH = "genesis";

interface Genesis {
  /** verifier key of receipts */
  readonly receipts: string;
}

/** @returns the verifier key of receipts; undefined if the record does not begin by naming one, and if what was served does not hold: an alarm */
export async function receiptsKey(keeper: RecordKeeper): Promise<string | undefined> {
  const { context, self } = keeper;
  const known = await readJson<Genesis>(self.rows, PATH);
  if (known !== undefined) return known.receipts;
  let answer: unknown;
  try {
    answer = await context.server.get("/log/genesis");
  } catch (error) {
    if (error instanceof ServerRefusal && error.status === 404) return undefined;
    throw error;
  }
  try {
    const receipts = await readGenesis(keeper, answer);
    await self.rows.write([jsonRow(PATH, { receipts } satisfies Genesis)]);
    return receipts;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await recordDoubted(keeper, { reason: "genesis" }, { answer: answer as Json });
    return undefined;
  }
}

/** 1. it is the first leaf; 2. the event is the one the leaf fixes; 3. it names this record and the key we know. @throws Refusal */
async function readGenesis(keeper: RecordKeeper, answer: unknown): Promise<string> {
  const { index, evh } = await readProven(keeper, answer);
  const event = bytes(members(answer)["event"]);
  if (index !== 0 || toBase64(await sha256(event)) !== evh) throw new Refusal("bad_proof", "not the first entry");
  const { type, src, data } = members(parseCanonical(event));
  const named = members(data);
  const { name: origin } = await parseVerifier(keeper.key);
  const ours = type === "log.genesis" && src === "host" && named["origin"] === origin && named["log"] === keeper.key;
  const receipts = text(named["receipts"]);
  if (!ours || (await parseVerifier(receipts)).name !== `${origin}/receipts`) throw new Refusal("malformed", "not this record's beginning");
  return receipts;
}
