import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { EntryProof } from "../bridge.ts";
import { checkEntry } from "../crypto/entries.ts";
import { toBase64, utf8 } from "../crypto/encoding.ts";
import { TestLog } from "./log.ts";
import { LogHost } from "./loghost.ts";

let log: TestLog;
let host: LogHost;

beforeEach(async () => {
  log = await TestLog.grown(7);
  host = await LogHost.serving(log);
});

afterEach(() => {
  host.close();
});

async function shown(index: number): Promise<EntryProof> {
  return { leaf: toBase64(log.leaves[index] ?? utf8("")), index, size: 7, path: await log.inclusion(index), note: await log.note() };
}

describe("an entry's proof", () => {
  test("holds for every entry, and for none once leaf, number, neighbour or checkpoint differ", async () => {
    const { context } = await host.keeper();
    for (const index of log.leaves.keys()) {
      const entry = await shown(index);
      // a browser without keys has no pin: the arithmetic is all that can be checked
      expect(await checkEntry(context, entry)).toEqual({ included: true, signed: null });
      const broken: Partial<EntryProof>[] = [
        { leaf: toBase64(utf8("another")) },
        { leaf: "no base64" },
        { index: (index + 1) % 7 },
        { index: -1 },
        { index: Number.NaN },
        { size: 8 },
        { path: entry.path.slice(1) },
        { path: entry.path.map(() => "AAAA") },
        { note: entry.note.replace("\n7\n", "\n8\n") },
        { note: "" },
      ];
      for (const change of broken) expect(await checkEntry(context, { ...entry, ...change }), JSON.stringify(change)).toEqual({ included: false, signed: null });
    }
  });
});
