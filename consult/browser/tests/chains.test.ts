import { describe, expect, test } from "vitest";

import { counts, Fork, parseServed, receive, type Known, type Served } from "../crypto/chains.ts";
import { seats, type Chain, type Chains } from "../crypto/roster.ts";
import { encodeSigned, parseSigned, type Signed } from "../crypto/statements.ts";
import { refused } from "./refusals.ts";
import { readChains, readPool, vectors, type ChainsByHash, type Pool } from "./vectors.ts";

const file = vectors<{ pool: Pool; stages: Readonly<Record<string, ChainsByHash>>; cases: readonly { name: string; signed: unknown }[] }>("statements");
const pool = await readPool(file.pool);

function stage(name: string): ReadonlyMap<string, Chain> {
  const found = file.stages[name];
  if (found === undefined) throw new Error(`no stage ${name}`);
  return byName(readChains(found, pool));
}

function byName(chains: Chains): ReadonlyMap<string, Chain> {
  const named = [chains.installation, chains.consultation].flatMap((chain): [string, Chain][] => (chain[0] === undefined ? [] : [[chain[0].scope, chain]]));
  return new Map([...named, ...chains.accounts, ...chains.rooms]);
}

function served(chains: ReadonlyMap<string, Chain>, known: Known = new Map()): Served {
  const statements = [...chains].map(([scope, chain]): [string, Chain] => [scope, chain.slice(known.get(scope)?.length ?? 0)]);
  return { statements: new Map(statements), heads: new Map([...chains].map(([scope, chain]) => [scope, chain.length])) };
}

const opened = stage("opened");
const found = (type: string): Chain => [...opened.values()].find((chain) => chain[0]?.statement.type === type) ?? [];
const root = found("chairs.root");
const convened = found("consultation.propose");
const pinned = root[0]?.scope ?? "";
const consultation = convened[0]?.scope ?? "";
const everything = { pinned, known: new Map<string, Chain>(), served: served(opened), consultation };

function changed(scope: string, change: (chain: Chain) => Chain, chains: ReadonlyMap<string, Chain> = opened): ReadonlyMap<string, Chain> {
  return new Map([...chains].map(([name, chain]) => [name, name === scope ? change(chain) : chain]));
}

function forged(signed: Signed): Signed {
  return { ...signed, signatures: signed.signatures.map(({ card, signature }) => ({ card, signature: signature.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) })) };
}

async function lawful(name: string): Promise<Signed> {
  return parseSigned(file.cases.find((each) => each.name === name)?.signed);
}

/** Served: one statement more of the consultation than `known` has. */
function next(signed: Signed, known: Known): Served {
  const count = (known.get(consultation)?.length ?? 0) + 1;
  return { statements: new Map([[consultation, [signed]]]), heads: new Map([[pinned, root.length], [consultation, count]]) };
}

async function failure(options: Parameters<typeof receive>[0]): Promise<unknown> {
  return receive(options).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("served chains", () => {
  test("are taken in whole, and say who sits", async () => {
    const received = await receive(everything);
    expect(received.standing.installation.at(-1)?.inst).toBe(pinned);
    expect(seats(received.standing).size).toBe(4);
    expect(received.known.size).toBe(opened.size);
    expect(counts(received.known)).toEqual(Object.fromEntries(everything.served.heads));
  });

  test("are taken in bit by bit", async () => {
    const first = await receive({ ...everything, served: served(stage("concurred")) });
    const second = await receive({ ...everything, known: first.known, served: served(opened, first.known) });
    expect([...second.known.keys()].sort()).toEqual([...opened.keys()].sort());
    expect(second.grown).toContain(consultation);
    expect(second.grown).not.toContain(pinned);
    const third = await receive({ ...everything, known: second.known, served: served(opened, second.known) });
    expect(third.grown).toEqual([]);
  });

  test("survive the wire", async () => {
    const wire = {
      statements: Object.fromEntries([...opened].map(([scope, chain]) => [scope, chain.map(encodeSigned)])),
      heads: Object.fromEntries(everything.served.heads),
    };
    const received = await receive({ ...everything, served: await parseServed(JSON.parse(JSON.stringify(wire))) });
    expect(received.known.size).toBe(opened.size);
    for (const wrong of [null, [], {}, { ...wire, statements: { short: [] } }, { ...wire, heads: { [pinned]: -1 } }, { ...wire, statements: { [pinned]: {} } }]) {
      await refused("malformed", () => parseServed(wrong));
    }
  });
});

describe("a host that lies", () => {
  test("takes back a statement: a withdrawal hidden from a browser that has seen it", async () => {
    const { known } = await receive(everything);
    const shorter = changed(consultation, (chain) => chain.slice(0, -1));
    await refused("rolled_back", () => receive({ ...everything, known, served: { ...served(opened, known), heads: served(shorter).heads } }));
    const gone = new Map([...opened].filter(([scope]) => scope !== consultation));
    await refused("rolled_back", () => receive({ ...everything, known, served: served(gone, known) }));
  });

  test("serves another statement for a place, truly signed: the evidence is kept", async () => {
    const { known } = await receive({ ...everything, served: served(stage("concurred")) });
    const [one, rival] = await Promise.all([lawful("invitation.answer: accept"), lawful("accredit: head")]);
    const first = await receive({ ...everything, known, served: next(one, known) });
    const fork = await failure({ ...everything, known: first.known, served: next(rival, known) });
    expect(fork).toBeInstanceOf(Fork);
    expect((fork as Fork).code).toBe("fork");
    expect((fork as Fork).evidence).toEqual([one, rival]);
  });

  test("serves another statement for a place, which nobody signed: a forgery, no fork", async () => {
    const { known } = await receive({ ...everything, served: served(stage("concurred")) });
    const [one, rival] = await Promise.all([lawful("invitation.answer: accept"), lawful("accredit: head")]);
    const first = await receive({ ...everything, known, served: next(one, known) });
    await refused("chain_broken", () => receive({ ...everything, known: first.known, served: next(forged(rival), known) }));
  });

  test("goes on from another history than ours", async () => {
    const { known } = await receive({ ...everything, served: served(stage("concurred")) });
    const ours = await receive({ ...everything, known, served: next(await lawful("accredit: head"), known) });
    const theirs = stage("sitting").get(consultation) ?? [];
    const rest: Served = { statements: new Map([[consultation, theirs.slice(3)]]), heads: new Map([[pinned, root.length], [consultation, theirs.length]]) };
    await refused("fork", () => receive({ ...everything, known: ours.known, served: rest }));
  });

  test("shows another installation than the pinned one", async () => {
    await refused("wrong_installation", () => receive({ ...everything, pinned: "ab".repeat(32) }));
    const none = new Map([...opened].filter(([, chain]) => chain[0]?.statement.inst === null && chain[0].statement.type === "account.card"));
    await refused("wrong_installation", () => receive({ ...everything, served: served(none), consultation: null }));
  });

  test("forges a signature, in any chain", async () => {
    for (const scope of opened.keys()) {
      const broken = changed(scope, (chain) => chain.map((signed, at) => (at === chain.length - 1 ? forged(signed) : signed)));
      await refused("chain_broken", () => receive({ ...everything, served: served(broken) }));
    }
  });

  test("leaves a statement out, or exchanges two", async () => {
    const without = changed(consultation, (chain) => [...chain.slice(0, 2), ...chain.slice(3)]);
    await refused("chain_broken", () => receive({ ...everything, served: served(without) }));
    const exchanged = changed(consultation, (chain) => [...chain.slice(0, 2), ...chain.slice(3, 4), ...chain.slice(2, 3), ...chain.slice(4)]);
    await refused("chain_broken", () => receive({ ...everything, served: served(exchanged) }));
  });

  test("keeps back somebody's card", async () => {
    const [card] = [...opened].find(([, chain]) => chain[0]?.statement.type === "account.card" && chain[0].statement.inst !== null) ?? [""];
    const without = new Map([...opened].filter(([scope]) => scope !== card));
    await refused("chain_broken", () => receive({ ...everything, served: served(without) }));
  });

  test("serves a statement under another chain's name", async () => {
    const moved = new Map([...opened, ["ef".repeat(32), convened]]);
    await refused("chain_broken", () => receive({ ...everything, served: served(moved) }));
  });

  test("counts otherwise than it serves", async () => {
    const heads = new Map([...everything.served.heads, [consultation, convened.length + 1]]);
    await refused("chain_broken", () => receive({ ...everything, served: { ...everything.served, heads } }));
    const unseen = new Map([...everything.served.heads, ["ab".repeat(32), 1] as const]);
    await refused("chain_broken", () => receive({ ...everything, served: { ...everything.served, heads: unseen } }));
  });

  test("adds a statement which nobody may make", async () => {
    const wrong = file.cases.find(({ name }) => name === "accredit: by another focal point");
    const ghost = await parseServed({ statements: { [consultation]: [wrong?.signed] }, heads: { [consultation]: 3, [pinned]: root.length } });
    const { known } = await receive({ ...everything, served: served(stage("concurred")) });
    const tried = receive({ ...everything, known, served: ghost }).catch((error: unknown) => (error as { cause?: { code?: string } }).cause?.code);
    expect(await tried).toBe("wrong_signer");
  });
});
