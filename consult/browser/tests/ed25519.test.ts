import { describe, expect, test } from "vitest";

import { refuseWeakKey, sign, verify } from "../crypto/ed25519.ts";
import { fromHex, utf8 } from "../crypto/encoding.ts";
import { makeDevice } from "./devices.ts";
import { refused } from "./refusals.ts";
import { vectors } from "./vectors.ts";

const device = await makeDevice("ke");
const message = utf8("Good morning.");
const { publicKey } = device;
const signature = await sign(device.privateKey, message);

/** The eight points of small order, and encodings of field elements that are not reduced (RFC 8032, 5.1.3 refuses those). */
const WEAK = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

test("a signature is valid for its message and key only", async () => {
  expect(await verify({ publicKey, message, signature })).toBe(true);
  expect(await verify({ publicKey, message: utf8("Good evening."), signature })).toBe(false);
  expect(await verify({ publicKey: (await makeDevice("th")).publicKey, message, signature })).toBe(false);
  expect(await verify({ publicKey, message, signature: signature.subarray(1) })).toBe(false);
});

test("weak keys are refused, and verify nothing", async () => {
  for (const hex of WEAK) {
    const weak = fromHex(hex);
    await refused("weak_key", () => refuseWeakKey(weak));
    const forged = new Uint8Array(64);
    forged.set(weak);
    expect(await verify({ publicKey: weak, message, signature: forged })).toBe(false);
  }
  await refused("weak_key", () => refuseWeakKey(publicKey.subarray(1)));
  refuseWeakKey(publicKey);
});

test("a signature with S made larger by the group's order is refused", async () => {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let scalar = signature.subarray(32).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) + order;
  const malleable = signature.slice();
  for (let at = 32; at < 64; at += 1, scalar >>= 8n) malleable[at] = Number(scalar & 255n);
  expect(await verify({ publicKey, message, signature: malleable })).toBe(false);
});

const shared = vectors<{
  weak_keys: Readonly<Record<string, string>>;
  signatures: readonly { name: string; key: string; message: string; signature: string; valid: boolean }[];
}>("ed25519");

describe("judged as in Python", () => {
  test.each(shared.signatures)("$name: $valid", async ({ key, message: text, signature: made, valid }) => {
    expect(await verify({ publicKey: fromHex(key), message: fromHex(text), signature: fromHex(made) })).toBe(valid);
  });

  test.each(Object.entries(shared.weak_keys))("a key %s is refused", async (_name, key) => {
    await refused("weak_key", () => refuseWeakKey(fromHex(key)));
  });
});
