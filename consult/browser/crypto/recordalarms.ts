/** What follows when the record does not hold: an alarm, the evidence kept as it was served, and after a fork nothing more is sent anywhere. */

import type { Claim } from "./claims.ts";
import type { Json, JsonObject } from "./canonical.ts";
import { Failure } from "./failure.ts";
import type { Pin, RecordKeeper } from "./pin.ts";
import type { Head } from "./record.ts";
import { freezeAll } from "./roomrow.ts";

/** What stood against the pin: a head the host served, the answer it gave for a proof, the pin another device told us in a room. */
export interface Served {
  readonly head?: Head;
  readonly proof?: { readonly from: number; readonly to: number; readonly answer: unknown };
  readonly claim?: Claim;
}

export interface Fork {
  /** `two_roots` for one size, `shrunk`, `bad_proof`, `ahead`: another device has seen a larger record than the host shows us */
  readonly reason: "two_roots" | "shrunk" | "bad_proof" | "ahead";
  readonly pin: Pin;
  readonly served: Served;
}

/** Two pasts: sending stops in every room of this browser. @returns what the caller throws */
export async function stopForFork(keeper: RecordKeeper, { reason, pin, served }: Fork): Promise<Failure> {
  const { context, self, key } = keeper;
  const other = served.claim?.seen ?? [served.head?.size ?? 0, served.head?.root ?? ""];
  const evidence = { reason, pinned: [pin.size, pin.root], served: [...other] };
  const devices = served.claim === undefined ? [] : [served.claim.device];
  const file = { log: key, pinned: { note: pin.note, at: pin.at }, ...evidenceOf(served) };
  const alarm = await context.alarm(self.rows, { kind: "record_forked", devices, evidence, file });
  await freezeAll(self.rows, alarm);
  return new Failure("room_frozen", `the record is forked: ${reason}`);
}

/** The host was caught at something that proves no other past: people are told, and sending goes on with the pinned head. */
export async function recordDoubted({ context, self, key }: RecordKeeper, evidence: JsonObject, file: JsonObject = {}): Promise<void> {
  await context.alarm(self.rows, { kind: "record", evidence, file: { log: key, ...file } });
}

export function evidenceOf({ head, proof, claim }: Served): JsonObject {
  return {
    at: Date.now(),
    served: head?.note ?? null,
    // Kept as it came: whatever it is, JSON is what it was read from.
    proof: proof === undefined ? null : { from: proof.from, to: proof.to, answer: proof.answer as Json },
    peer: claim === undefined ? null : { ...claim, seen: [...claim.seen] },
  };
}
