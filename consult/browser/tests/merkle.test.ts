import { describe, expect, test } from "vitest";

import { fromBase64 } from "../crypto/encoding.ts";
import { verifyConsistency, verifyInclusion } from "../crypto/merkle.ts";
import { Refusal } from "../crypto/refusal.ts";
import { TestLog } from "./log.ts";
import { vectors } from "./vectors.ts";

interface Row {
  readonly name: string;
  readonly proof: readonly string[];
  readonly valid: boolean;
}
type Inclusion = Row & { readonly leaf: string; readonly index: number; readonly size: number; readonly root: string };
type Consistency = Row & { readonly size1: number; readonly root1: string; readonly size2: number; readonly root2: string };

const file = vectors<{ inclusion: readonly Inclusion[]; consistency: readonly Consistency[] }>("merkle");
const bytes = (hashes: readonly string[]): Uint8Array[] => hashes.map((hash) => fromBase64(hash));

async function holds(check: () => Promise<void>): Promise<boolean> {
  try {
    await check();
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(error.code).toBe("bad_proof");
    return false;
  }
}

describe("a proof in the record's tree", () => {
  test("of an entry is judged as in Python, whole or broken", async () => {
    for (const row of file.inclusion) {
      const { index, size } = row;
      const tree = { size, root: fromBase64(row.root) };
      expect(await holds(() => verifyInclusion({ leaf: fromBase64(row.leaf), index, tree, proof: bytes(row.proof) })), row.name).toBe(row.valid);
    }
    expect(new Set(file.inclusion.map(({ valid }) => valid)).size).toBe(2);
  });

  test("of growth is judged as in Python, whole or broken", async () => {
    for (const row of file.consistency) {
      const [first, second] = [
        { size: row.size1, root: fromBase64(row.root1) },
        { size: row.size2, root: fromBase64(row.root2) },
      ];
      expect(await holds(() => verifyConsistency(first, second, bytes(row.proof))), row.name).toBe(row.valid);
    }
    expect(new Set(file.consistency.map(({ valid }) => valid)).size).toBe(2);
  });

  test("with a size that is no count is refused", async () => {
    const log = await TestLog.grown(4);
    const root = fromBase64(await log.root());
    for (const size of [Number.NaN, 4.5, 2 ** 60]) {
      expect(await holds(() => verifyConsistency({ size: 4, root }, { size, root }, []))).toBe(false);
      expect(await holds(() => verifyInclusion({ leaf: new Uint8Array(0), index: 0, tree: { size, root }, proof: [] }))).toBe(false);
    }
  });
});
