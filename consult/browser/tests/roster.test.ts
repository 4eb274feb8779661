import { describe, expect, test } from "vitest";

import { chainsAt, seatedDevices, seats, stand, standVerified, type Heads } from "../crypto/roster.ts";
import { refused } from "./refusals.ts";
import { readChains, readPool, vectors, type ChainsByHash, type Pool } from "./vectors.ts";

interface Case {
  readonly name: string;
  readonly chains: ChainsByHash;
  readonly heads: Heads | null;
  readonly refused?: Parameters<typeof refused>[0];
  readonly seats?: Readonly<Record<string, { party: string; capacity: string; rooms: readonly string[] }>>;
  readonly devices?: Readonly<Record<string, string>>;
}

const file = vectors<{ pool: Pool; cases: readonly Case[] }>("roster");
const pool = await readPool(file.pool);

describe("who sits, as in Python", () => {
  test.each(file.cases)("$name", async (found) => {
    const all = readChains(found.chains, pool);
    const at = (): typeof all => (found.heads === null ? all : chainsAt(all, found.heads));
    if (found.refused !== undefined) {
      await refused(found.refused, () => stand(at()));
      return;
    }
    const standing = await standVerified(at());
    expect(Object.fromEntries(seats(standing))).toEqual(found.seats);
    expect(Object.fromEntries(seatedDevices(standing).map(({ card, device }) => [device, card]))).toEqual(found.devices);
  });

  test("a revoked device is still known as its owner's where a commit's heads are judged", async () => {
    const found = file.cases.find(({ name }) => name === "a revoked device has no seat");
    if (found === undefined) throw new Error("the case is gone");
    const standing = await standVerified(readChains(found.chains, pool));
    expect(seatedDevices(standing, "plenary", "too").length).toBe(seatedDevices(standing).length + 1);
    expect(seatedDevices(standing, "annex")).toEqual([]);
  });
});
