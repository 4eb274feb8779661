/** The account in this browser: whether its keys are here, its devices, and what keeps it reachable for others. */

import type { DeviceView, Signed, Status } from "../bridge.ts";
import { allAlarms } from "./alarms.ts";
import { textKey, wrapKey } from "./briefs.ts";
import { knownConsultations, refresh } from "./book.ts";
import { fingerprint } from "./codes.ts";
import type { Context, Self } from "./context.ts";
import { Failure, ServerRefusal } from "./failure.ts";
import { refill } from "./keypackages.ts";
import { jsonRow, readJson } from "./keystore.ts";
import { mayHoldBrief, recipient } from "./people.ts";
import { list, members, name } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { perform } from "./signing.ts";

const READY = "keypackages";

export async function status(context: Context): Promise<Status> {
  if (context.card === null) return { kind: "none", reason: "signed_out" };
  const self = await context.selfOrNone();
  if (self === undefined) return { kind: "none", reason: "never_here" };
  const { card, party, inst, device, rows } = self;
  return {
    kind: "ready",
    card,
    party,
    inst,
    device,
    fingerprint: fingerprint(card),
    persistent: await navigator.storage.persisted(),
    keyPackages: (await readJson<number>(rows, READY)) ?? null,
    alarms: await allAlarms(rows),
  };
}

/** Others can add this device only while key packages of it lie at the server, and read a brief only once it is wrapped for them. */
export async function keepReady(context: Context, self: Self): Promise<{ keyPackages: number; wrapped: number }> {
  const keyPackages = await refill(self, context.server);
  await self.rows.write([jsonRow(READY, keyPackages)]);
  let wrapped = 0;
  for (const consultation of await knownConsultations(self)) {
    try {
      wrapped += await wrapForOthers(context, self, consultation);
    } catch (error) {
      // One consultation we may no longer see, or whose brief is not here, must not keep the others waiting.
      if (!(error instanceof ServerRefusal || error instanceof Failure || error instanceof Refusal)) throw error;
    }
  }
  return { keyPackages, wrapped };
}

/** Wraps the brief for whoever may read it by our own roster and has no wrap yet. @returns for how many */
export async function wrapForOthers(context: Context, self: Self, consultation: string): Promise<number> {
  const asked = list(await context.server.get(`/api/consultations/${consultation}/unwrapped`), (row) => name(members(row)["card"]));
  if (asked.length === 0 || (asked.length === 1 && asked[0] === self.card)) return 0;
  const { standing } = await refresh(context, self, consultation);
  const brief = standing.consultation?.proposed.brief;
  if (brief === undefined) return 0;
  const entitled = mayHoldBrief(standing);
  const cards = asked.filter((card) => card !== self.card && entitled.has(card));
  if (cards.length === 0) return 0;
  const key = await textKey(self, context.server, brief);
  const wraps = await wrapKey(key, cards.map((card) => recipient(standing, card)));
  await context.server.post(`/api/consultations/${consultation}/wraps`, { wraps });
  return wraps.length;
}

export async function devices(context: Context, self: Self): Promise<readonly DeviceView[]> {
  const { standing } = await refresh(context, self, null);
  const own = standing.accounts.get(self.card)?.devices ?? new Map<string, { readonly revoked: boolean }>();
  return [...own].map(([device, { revoked }]) => ({ device, own: device === self.device, state: revoked ? "revoked" : "in_use" }));
}

export async function revokeDevice(context: Context, self: Self, device: string): Promise<Signed> {
  const { hash, n } = await perform({
    context,
    self,
    consultation: null,
    type: "device.revoke",
    compose: () => Promise.resolve({ body: { device }, enclosed: {} }),
  });
  return { hash, n };
}
