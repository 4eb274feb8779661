import { describe, expect, test } from "vitest";

import { canonical, parseCanonical, type Json } from "../crypto/canonical.ts";
import { fromUtf8, utf8 } from "../crypto/encoding.ts";
import { refused } from "./refusals.ts";

function nested(levels: number): Json {
  let value: Json = [];
  for (let level = 1; level < levels; level += 1) value = [value];
  return value;
}

describe("canonical JSON", () => {
  test("sorts keys, has no white space, escapes as JSON.stringify does", () => {
    const value = { b: [1, -2, true, null], a: 'ไทย "\u0001\n\u007f😀', _x: {} };
    expect(fromUtf8(canonical(value))).toBe('{"_x":{},"a":"ไทย \\"\\u0001\\n\u007f😀","b":[1,-2,true,null]}');
    expect(parseCanonical(canonical(value))).toEqual(value);
  });

  test("refuses values outside the profile", async () => {
    const outside: Json[] = [1.5, 2 ** 53, -(2 ** 53), Number.NaN, -0, "\ud800", "a\udc00b", { A: 1 }, { "1": 1 }, { "": 1 }, { a: "\udfff" }];
    for (const value of outside) await refused("not_canonical", () => canonical(value));
    expect(fromUtf8(canonical([2 ** 53 - 1, "\ud83d\ude00"]))).toBe('[9007199254740991,"😀"]');
  });

  test("goes eight levels deep, as the server does", async () => {
    expect(fromUtf8(canonical(nested(8)))).toBe("[[[[[[[[]]]]]]]]");
    await refused("not_canonical", () => canonical(nested(9)));
  });

  test("has one spelling only", async () => {
    const others = ['{"b":1,"a":2}', '{"a":1,"a":1}', "[1.0]", "[1e2]", "[ 1]", '["\\u0041"]', "[9007199254740993]", '["\\/"]', "[-0]", "1\n"];
    for (const text of others) await refused("not_canonical", () => parseCanonical(utf8(text)));
    for (const text of ["", "{", "nul", "[1,]", '"\\ud8"']) await refused("malformed", () => parseCanonical(utf8(text)));
    await refused("malformed", () => parseCanonical(new Uint8Array([0x22, 0xff, 0x22])));
    await refused("malformed", () => parseCanonical(utf8("[".repeat(200_000))));
  });

  test("treats a key that objects inherit like any other", () => {
    const text = '{"__proto__":{"a":1},"constructor":2}';
    expect(fromUtf8(canonical(parseCanonical(utf8(text))))).toBe(text);
  });
});
