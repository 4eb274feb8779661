/**
 * The chains this browser has seen: asked for from the places we do not have, verified down to the pinned installation (chains.ts), and
 * only then kept. What was kept once is never replaced: a host that serves less, or something else, has raised an alarm.
 */

import type { Alarm, Hex } from "../bridge.ts";
import type { JsonObject } from "./canonical.ts";
import { Fork, counts, gather, parseServed, receive, type Known, type Received } from "./chains.ts";
import { ACCOUNT, type AccountRow, type Context, type Self } from "./context.ts";
import { Failure, type FailureCode } from "./failure.ts";
import { jsonRow, listJson, readJson, type Change } from "./keystore.ts";
import { Refusal } from "./refusal.ts";
import { stand, type Chain, type Chains } from "./roster.ts";
import { newest, type Standing } from "./standing.ts";
import { encodeSigned, parseSigned } from "./statements.ts";

/** What the chains say, and the chains themselves. */
export interface View {
  readonly chains: Chains;
  readonly standing: Standing;
}

const PREFIX = "chain/";

/**
 * Brings the chains of the installation, and of one consultation, up to date.
 * @throws Failure `host_rolled_back`, `fork`, `chain_broken`, `wrong_installation`, each with an alarm; ServerRefusal `not_found`
 */
export async function refresh(context: Context, self: Self, consultation: Hex | null): Promise<View> {
  const known = await storedChains(self);
  const answer = await context.server.post("/api/chains", { consultation, have: counts(known) });
  const received = await checked(context, self, async () => {
    const served = await parseServed(answer);
    // The own account is always served: a device of ours that is hidden from us would be a device we cannot revoke.
    if ((served.heads.get(self.card) ?? 0) < (known.get(self.card)?.length ?? 0)) throw new Refusal("rolled_back", "the own chain is shorter");
    return receive({ pinned: self.inst, known, served, consultation });
  });
  const pinned = await pin(context, self, received);
  const changes = received.grown.map((scope) => chainRow(scope, received.known.get(scope) ?? []));
  if (changes.length > 0 || pinned.length > 0) await self.rows.write([...changes, ...pinned]);
  return received;
}

/** The chains as they were last verified, without asking the server. */
export async function remembered(self: Self, consultation: Hex | null): Promise<View> {
  const chains = gather(await storedChains(self), consultation);
  return { chains, standing: stand(chains) };
}

/** The consultations this browser has ever seen. */
export async function knownConsultations(self: Self): Promise<readonly Hex[]> {
  return [...(await storedChains(self))].filter(([, [first]]) => first?.statement.type === "consultation.propose").map(([scope]) => scope);
}

export async function consultationOf(self: Self, room: Hex): Promise<Hex | undefined> {
  const named = (await storedChains(self)).get(room)?.[0]?.statement.body["consultation"];
  return typeof named === "string" ? named : undefined;
}

async function storedChains(self: Self): Promise<Known> {
  const rows = await listJson<readonly JsonObject[]>(self.rows, PREFIX);
  const chains = await Promise.all([...rows].map(async ([path, chain]) => [path.slice(PREFIX.length), await Promise.all(chain.map(parseSigned))] as const));
  return new Map(chains);
}

function chainRow(scope: Hex, chain: Chain): Change {
  return jsonRow(PREFIX + scope, chain.map(encodeSigned));
}

interface Meaning {
  readonly alarm: Alarm["kind"];
  readonly code: FailureCode;
}

const MEANINGS: ReadonlyMap<string, Meaning> = new Map([
  ["rolled_back", { alarm: "rolled_back", code: "host_rolled_back" }],
  ["fork", { alarm: "fork", code: "fork" }],
  ["wrong_installation", { alarm: "wrong_installation", code: "wrong_installation" }],
]);
const BROKEN: Meaning = { alarm: "chain_broken", code: "chain_broken" };

/** What the host serves is checked here, so whatever is refused is an alarm. */
async function checked(context: Context, self: Self, work: () => Promise<Received>): Promise<Received> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { alarm, code } = MEANINGS.get(error.code) ?? BROKEN;
    const evidence = { reason: error.message, statements: error instanceof Fork ? error.evidence.map(encodeSigned).map((signed) => JSON.stringify(signed)) : [] };
    await context.alarm(self.rows, { kind: alarm, evidence });
    throw new Failure(code, error.message, {}, { cause: error });
  }
}

/**
 * The pin never comes from the host. A card that was made for an installation has it from its code; a chair, whose card is older than
 * the installation, accepts the one whose founding statement it has signed itself.
 */
async function pin(context: Context, self: Self, view: View): Promise<readonly Change[]> {
  const installation = newest(view.standing);
  if (self.inst !== null || installation === undefined) return [];
  const root = view.chains.installation[0];
  if (root?.signatures.some(({ card }) => card === self.card) !== true) {
    await context.alarm(self.rows, { kind: "wrong_installation", evidence: { pinned: null, served: installation.inst } });
    throw new Failure("wrong_installation", "an installation which this chair has not signed");
  }
  const row = await readJson<AccountRow>(self.rows, ACCOUNT);
  return row === undefined ? [] : [jsonRow(ACCOUNT, { ...row, inst: installation.inst })];
}
