import { describe, expect, test } from "vitest";

import { TABLE } from "../crypto/acts.ts";
import { judge } from "../crypto/judging.ts";
import { Refusal } from "../crypto/refusal.ts";
import { standVerified } from "../crypto/roster.ts";
import type { Standing } from "../crypto/standing.ts";
import { cosign, encodeSigned, joined, parseSigned, signStatement, statementBytes } from "../crypto/statements.ts";
import { refused } from "./refusals.ts";
import { readChains, readPool, vectors, type ChainsByHash, type Pool } from "./vectors.ts";

interface Case {
  readonly name: string;
  readonly stage: string;
  readonly signed: unknown;
  readonly draft: boolean;
  readonly expect: string;
}

const file = vectors<{ pool: Pool; stages: Readonly<Record<string, ChainsByHash>>; cases: readonly Case[] }>("statements");
const pool = await readPool(file.pool);
const stages = new Map<string, Standing>();
for (const [name, chains] of Object.entries(file.stages)) stages.set(name, await standVerified(readChains(chains, pool)));

async function verdict({ stage, signed, draft }: Case): Promise<string> {
  const standing = stages.get(stage);
  if (standing === undefined) throw new Error(`no stage ${stage}`);
  try {
    await judge(standing, await parseSigned(signed), { draft });
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return "lawful";
}

describe("every row of the table, and every way of breaking it, as in Python", () => {
  test.each(file.cases)("$name: $expect", async (found) => {
    expect(await verdict(found)).toBe(found.expect);
  });

  test("no row is left out", () => {
    const types = new Set(file.cases.filter((found) => found.expect === "lawful").map(({ signed }) => (signed as { statement: { type: string } }).statement.type));
    expect([...types].sort()).toEqual([...TABLE.keys()].sort());
  });
});

describe("the form", () => {
  const [hash, value] = Object.entries(file.pool).find(([, found]) => (found as { signatures: unknown[] }).signatures.length === 2) ?? ["", undefined];

  test("a statement survives reading and writing", async () => {
    const signed = await parseSigned(value);
    expect(signed.hash).toBe(hash);
    expect(encodeSigned(signed)).toEqual(value);
  });

  test("two signatures stand sorted, whoever signs first; nobody signs twice", async () => {
    const { statement } = await parseSigned(value);
    const { privateKey } = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]));
    const [low, high] = ["11".repeat(32), "ee".repeat(32)] as const;
    const first = await signStatement(statement, { card: high, key: privateKey });
    const both = await cosign(first, { card: low, key: privateKey });
    expect(both.signatures.map(({ card }) => card)).toEqual([low, high]);
    expect(both.hash).toBe(hash);
    await refused("malformed", () => joined(both, { card: low, signature: new Uint8Array(64) }));
  });

  test("the signed bytes begin with their purpose", async () => {
    const { statement } = await parseSigned(value);
    expect(new TextDecoder().decode(statementBytes(statement)).startsWith('consult/statement/v1\n{"body":')).toBe(true);
  });
});
