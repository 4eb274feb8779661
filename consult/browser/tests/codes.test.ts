import { describe, expect, test } from "vitest";

import { codeFits, fingerprint, formatCode, locatorOf, macFits, macOf, newSecret, parseCode } from "../crypto/codes.ts";
import { fromHex, toHex } from "../crypto/encoding.ts";
import { refused } from "./refusals.ts";
import { vectors } from "./vectors.ts";

interface Code {
  readonly secret: string;
  readonly inst: string | null;
  readonly text: string;
  readonly locator: string;
  readonly card: string;
  readonly mac: string;
}

const file = vectors<{
  codes: readonly Code[];
  spellings: { text: string; typed: readonly string[] };
  mistyped: Readonly<Record<string, string>>;
  fingerprints: Readonly<Record<string, string>>;
}>("codes");

describe("enrolment codes, as in Python", () => {
  test.each(file.codes)("$text", async (row) => {
    const code = await parseCode(row.text);
    expect(toHex(code.secret)).toBe(row.secret);
    expect(await formatCode(fromHex(row.secret), row.inst)).toBe(row.text);
    expect(await locatorOf(code.secret)).toBe(row.locator);
    expect(await macOf(code.secret, row.card)).toBe(row.mac);
    expect(codeFits(code, row.inst)).toBe(true);
    expect(codeFits(code, "ab".repeat(32))).toBe(false);
    expect(codeFits(code, null)).toBe(row.inst === null);
  });

  test.each(file.spellings.typed)("typed as %j", async (typed) => {
    const { secret, inst } = await parseCode(typed);
    const expected = await parseCode(file.spellings.text);
    expect([secret, inst]).toEqual([expected.secret, expected.inst]);
  });

  test.each(Object.entries(file.mistyped))("mistyped: %s", async (_name, typed) => {
    await refused("code_mistyped", () => parseCode(typed));
  });

  test.each(Object.entries(file.fingerprints))("the fingerprint of %s", (card, text) => {
    expect(fingerprint(card)).toBe(text);
  });

  test("a mark fits its own code and card only", async () => {
    const [secret, other, card] = [newSecret(), newSecret(), "ab".repeat(32)];
    const mac = await macOf(secret, card);
    expect(await macFits(secret, card, mac)).toBe(true);
    expect(await macFits(other, card, mac)).toBe(false);
    expect(await macFits(secret, "cd".repeat(32), mac)).toBe(false);
    for (const wrong of ["", "AAAA", mac.slice(0, -1), `${mac}=`]) expect(await macFits(secret, card, wrong)).toBe(false);
  });
});
