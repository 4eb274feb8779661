/** The vectors Python and TypeScript share, and chains read out of them. */

import { readFileSync } from "node:fs";

import type { Chains } from "../crypto/roster.ts";
import { parseSigned, type Signed } from "../crypto/statements.ts";

/** The file says nothing of its shape; the test that reads it does. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), "utf8")) as T;
}

export type Pool = Readonly<Record<string, unknown>>;

/** Chains by the hashes of their statements. */
export interface ChainsByHash {
  readonly installation: readonly string[];
  readonly accounts: Readonly<Record<string, readonly string[]>>;
  readonly consultation: readonly string[];
  readonly rooms: Readonly<Record<string, readonly string[]>>;
}

export type Signeds = ReadonlyMap<string, Signed>;

export async function readPool(pool: Pool): Promise<Signeds> {
  const read = Object.entries(pool).map(async ([hash, value]): Promise<[string, Signed]> => [hash, await parseSigned(value)]);
  return new Map(await Promise.all(read));
}

export function readChains(found: ChainsByHash, pool: Signeds): Chains {
  const chain = (hashes: readonly string[]): Signed[] =>
    hashes.map((hash) => {
      const signed = pool.get(hash);
      if (signed === undefined || signed.hash !== hash) throw new Error(`no statement ${hash}`);
      return signed;
    });
  const byName = (chains: Readonly<Record<string, readonly string[]>>): Map<string, Signed[]> =>
    new Map(Object.entries(chains).map(([name, hashes]) => [name, chain(hashes)]));
  return {
    installation: chain(found.installation),
    accounts: byName(found.accounts),
    consultation: chain(found.consultation),
    rooms: byName(found.rooms),
  };
}
