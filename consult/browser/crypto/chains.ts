/**
 * Takes in chains that a server has served: judged statement by statement down to the pinned installation, signatures included.
 * A server can refuse and delay; here it is caught when it forges, forks or takes back.
 */

import type { Hex } from "../bridge.ts";
import { bodyOf } from "./acts.ts";
import { fromBase64 } from "./encoding.ts";
import { Refusal } from "./refusal.ts";
import { newest, type Standing } from "./standing.ts";
import { standVerified, type Chain, type Chains } from "./roster.ts";
import { isName, parseSigned, ROOT, verifySignature, type Signed } from "./statements.ts";

/** Chains by name, checked before: what this browser keeps. */
export type Known = ReadonlyMap<Hex, Chain>;

/** `POST /api/chains`, read: the statements from the places we do not have, and how long the server says each chain is. */
export interface Served {
  readonly statements: ReadonlyMap<Hex, Chain>;
  readonly heads: ReadonlyMap<Hex, number>;
}

export interface Received {
  /** everything known now, by name, the chains of other consultations included: keep it in place of `Known` */
  readonly known: Known;
  /** names of the chains which grew */
  readonly grown: readonly Hex[];
  readonly chains: Chains;
  readonly standing: Standing;
}

/** Two statements for one place: sending stops, and the evidence is kept. */
export class Fork extends Refusal {
  readonly evidence: readonly Signed[];

  constructor(evidence: readonly Signed[]) {
    super("fork", "two statements for one place");
    this.name = "Fork";
    this.evidence = evidence;
  }
}

/** @throws Refusal `malformed`, `not_canonical` */
export async function parseServed(value: unknown): Promise<Served> {
  const { statements, heads } = record(value);
  const chains = new Map<Hex, Chain>();
  for (const [scope, list] of Object.entries(record(statements))) {
    if (!isName(scope) || !Array.isArray(list)) throw malformed();
    chains.set(scope, await Promise.all(list.map(parseSigned)));
  }
  const counts = Object.entries(record(heads)).map(([scope, count]): [Hex, number] => {
    if (!isName(scope) || typeof count !== "number" || !Number.isSafeInteger(count) || count < 0) throw malformed();
    return [scope, count];
  });
  return { statements: chains, heads: new Map(counts) };
}

/** What to send as `have`. */
export function counts(known: Known): Readonly<Record<Hex, number>> {
  return Object.fromEntries([...known].map(([scope, chain]) => [scope, chain.length]));
}

/**
 * Joins what was served to what is known and judges it.
 *
 * 1. No chain is shorter than it was: `rolled_back`.
 * 2. No place holds another statement than before: `Fork`, if the rival is truly signed.
 * 3. The installation is the pinned one: `wrong_installation`.
 * 4. Every statement is lawful in its place, and the signatures of new ones verify: `chain_broken`, the reason as its cause.
 *
 * `pinned` null: a chair before `chairs.root`. `consultation` null: only the installation and accounts.
 */
export async function receive(options: { pinned: Hex | null; known: Known; served: Served; consultation: Hex | null }): Promise<Received> {
  const { pinned, known, served, consultation } = options;
  refuseRollback(known, served, [pinned, consultation]);
  const all = await joinAll(known, served);
  const grown = [...all.keys()].filter((scope) => all.get(scope)?.length !== known.get(scope)?.length);
  const chains = gather(all, consultation);
  const seen = new Set([...known.values()].flatMap((chain) => chain.map(proof)));
  const standing = await judged(chains, (signed) => !seen.has(proof(signed)));
  const inst = newest(standing)?.inst ?? null;
  if (pinned !== null && inst !== pinned) throw new Refusal("wrong_installation", "another installation than the pinned one");
  const used = new Set(names(chains));
  const kept = new Map([...all].filter(([scope]) => known.has(scope) || used.has(scope)));
  return { known: kept, grown: grown.filter((scope) => used.has(scope)), chains, standing };
}

/** The chains one consultation needs, out of everything known. */
export function gather(known: Known, consultation: Hex | null): Chains {
  const founded = (type: string): [Hex, Chain][] => [...known].filter(([, chain]) => chain[0]?.statement.type === type);
  const convened = consultation === null ? [] : (known.get(consultation) ?? []);
  const places = new Set(convened.map(({ hash }) => hash));
  const roots = founded(ROOT);
  if (roots.length > 1) throw new Refusal("wrong_installation", "two installations");
  return {
    installation: roots[0]?.[1] ?? [],
    accounts: new Map(founded("account.card")),
    consultation: convened,
    rooms: new Map(founded("room.open").filter(([, chain]) => places.has(chain[0]?.statement.up ?? ""))),
  };
}

function refuseRollback(known: Known, served: Served, needed: readonly (Hex | null)[]): void {
  for (const [scope, chain] of known) {
    const count = served.heads.get(scope) ?? (needed.includes(scope) ? 0 : chain.length);
    if (count < chain.length) throw new Refusal("rolled_back", "a chain is shorter than it was");
  }
}

async function joinAll(known: Known, served: Served): Promise<ReadonlyMap<Hex, Chain>> {
  const all = new Map(known);
  try {
    for (const [scope, chain] of served.statements) all.set(scope, join(known.get(scope) ?? [], scope, chain));
  } catch (error) {
    if (error instanceof Fork) await refuseForged(error.evidence, known, served);
    throw error;
  }
  for (const [scope, count] of served.heads) {
    if ((all.get(scope)?.length ?? 0) !== count) throw broken("the server counts otherwise");
  }
  return all;
}

/** A rival which its signers never signed is no fork, only a forgery. */
async function refuseForged(evidence: readonly Signed[], known: Known, served: Served): Promise<void> {
  const founding = [...known.values(), ...served.statements.values()].flatMap((chain) => chain.slice(0, 1));
  const cards = new Map(founding.filter(({ statement }) => statement.type === "account.card").map((card) => [card.hash, card]));
  for (const signed of evidence) {
    for (const { card } of signed.signatures) {
      const owner = cards.get(card);
      if (owner === undefined) throw broken("a statement by an unknown card");
      const key = bodyOf(owner.statement, "account.card").account_key;
      try {
        await verifySignature(signed, { card, accountKey: fromBase64(key, 32) });
      } catch (error) {
        throw new Refusal("chain_broken", "a forged statement", { cause: error });
      }
    }
  }
}

/** The chain with what was served of it; every statement stands in the chain it was served under, and at the next place. */
function join(before: Chain, scope: Hex, served: Chain): Chain {
  const joined = [...before];
  for (const signed of served) {
    if (signed.scope !== scope) throw broken("a statement of another chain");
    const { n, prev } = signed.statement;
    const there = joined[n];
    if (there !== undefined) {
      if (there.hash !== signed.hash) throw new Fork([there, signed]);
      continue;
    }
    const last = joined.at(-1);
    if (n !== joined.length) throw broken("a gap in a chain");
    if (last !== undefined && prev !== last.hash) throw new Fork([last, signed]);
    joined.push(signed);
  }
  return joined;
}

async function judged(chains: Chains, isNew: (signed: Signed) => boolean): Promise<Standing> {
  try {
    return await standVerified(chains, isNew);
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("chain_broken", error.code, { cause: error });
    throw error;
  }
}

function names(chains: Chains): readonly Hex[] {
  const { installation, consultation } = chains;
  return [...installation.slice(0, 1), ...consultation.slice(0, 1)].map(({ scope }) => scope).concat([...chains.accounts.keys()], [...chains.rooms.keys()]);
}

function proof(signed: Signed): string {
  return [signed.hash, ...signed.signatures.map(({ card }) => card)].join();
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed();
  return value as Readonly<Record<string, unknown>>;
}

function malformed(): Refusal {
  return new Refusal("malformed", "not chains");
}

function broken(message: string): Refusal {
  return new Refusal("chain_broken", message);
}
