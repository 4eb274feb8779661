/**
 * What other devices say they have seen of the record: the `seen` of their messages, which the host can neither read nor change.
 * Another past than ours means that the host shows people different records. Of each device the newest word counts, for an honest
 * device moves its pin by proof only.
 */

import type { Hex } from "../bridge.ts";
import type { Seen } from "./events.ts";
import { jsonRow, readJson } from "./keystore.ts";
import { prove, readPin, type RecordKeeper } from "./pin.ts";
import { stopForFork } from "./recordalarms.ts";

const PATH = "claims";
/** More devices than any room has. */
const MOST = 200;

/** One device's word, with the signed header it came under. */
export interface Claim {
  readonly room: Hex;
  readonly id: Hex;
  readonly device: Hex;
  /** the message's header, base64 */
  readonly header: string;
  readonly seen: Seen;
  /** the host's time of the message, and ours */
  readonly sent: number;
  readonly read: number;
}

/** Compared at once if it is of our own size, else kept for the next look at the record. @throws Failure `room_frozen` */
export async function noteClaims(keeper: RecordKeeper, claims: readonly Claim[]): Promise<void> {
  if (claims.length === 0) return;
  const { rows } = keeper.self;
  const pin = await readPin(rows);
  const open = new Map((await openClaims(keeper)).map((claim) => [claim.device, claim]));
  for (const claim of claims) {
    const [size, root] = claim.seen;
    if (pin !== undefined && size === pin.size && root !== pin.root) throw await stopForFork(keeper, { reason: "two_roots", pin, served: { claim } });
    if (size === 0 || size === pin?.size) continue;
    open.delete(claim.device);
    open.set(claim.device, claim);
  }
  await rows.write([jsonRow(PATH, [...open.values()].slice(-MOST))]);
}

/** After `followNewest`: every word not compared yet must lead to our pin. @throws Failure `room_frozen`, `offline` */
export async function settleClaims(keeper: RecordKeeper): Promise<void> {
  const { rows } = keeper.self;
  const claims = await openClaims(keeper);
  const pin = await readPin(rows);
  if (pin === undefined) return;
  for (const [at, claim] of claims.entries()) {
    const [size, root] = claim.seen;
    if (size > pin.size) throw await stopForFork(keeper, { reason: "ahead", pin, served: { claim } });
    await prove(keeper, pin, { older: { size, root }, newer: pin, served: { claim } });
    await rows.write([jsonRow(PATH, claims.slice(at + 1))]);
  }
}

async function openClaims({ self }: RecordKeeper): Promise<readonly Claim[]> {
  return (await readJson<readonly Claim[]>(self.rows, PATH)) ?? [];
}
