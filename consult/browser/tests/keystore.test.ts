import { describe, expect, test } from "vitest";

import { fromUtf8, toHex, utf8 } from "../crypto/encoding.ts";
import { jsonRow, listJson, makeWrappingKey, noRow, readJson, SealedRows } from "../crypto/keystore.ts";
import { accountKey, newDeviceKey } from "../crypto/newkeys.ts";
import { sign, verify } from "../crypto/ed25519.ts";
import { refused } from "./refusals.ts";
import { freshRows } from "./shelf.ts";

describe("stored rows", () => {
  test("come back as they were written, by path and by prefix", async () => {
    const { rows } = await freshRows();
    await rows.write([jsonRow("room/a", { epoch: 3 }), jsonRow("room/b", { epoch: 4 }), jsonRow("ring/a", {}), { path: "state/a", value: utf8("bytes") }]);
    expect(await readJson(rows, "room/a")).toEqual({ epoch: 3 });
    expect([...(await listJson(rows, "room/")).keys()]).toEqual(["room/a", "room/b"]);
    expect(fromUtf8((await rows.read("state/a")) ?? new Uint8Array())).toBe("bytes");
    await rows.write([noRow("room/a"), jsonRow("room/b", { epoch: 5 })]);
    expect(await readJson(rows, "room/a")).toBeUndefined();
    expect(await readJson(rows, "room/b")).toEqual({ epoch: 5 });
  });

  test("show nothing of what they hold below the seal", async () => {
    const { shelf, rows } = await freshRows();
    await rows.write([jsonRow("composer/a", { text: "unripe thought" })]);
    const [stored] = shelf.rows.values();
    expect(toHex(stored ?? new Uint8Array())).not.toContain(toHex(utf8("unripe")));
  });

  test("exchanged, altered or sealed by another key do not open", async () => {
    const { shelf, rows } = await freshRows();
    await rows.write([jsonRow("room/a", 1), jsonRow("room/b", 2)]);
    const [first, second] = [...shelf.rows.values()];
    if (first === undefined || second === undefined) throw new Error("two rows were written");
    shelf.rows.set("room/a", second);
    await refused("altered", () => readJson(rows, "room/a"));
    shelf.rows.set("room/a", first.map((byte, at) => (at === first.length - 1 ? byte ^ 1 : byte)));
    await refused("altered", () => readJson(rows, "room/a"));
    shelf.rows.set("room/a", first);
    await refused("altered", async () => readJson(new SealedRows(shelf, await makeWrappingKey()), "room/a"));
    expect(await readJson(rows, "room/a")).toBe(1);
  });

  test("of equal content differ below the seal: no nonce comes twice", async () => {
    const { shelf, rows } = await freshRows();
    const seen = new Set<string>();
    for (let written = 0; written < 20; written += 1) {
      await rows.write([jsonRow("room/a", 1)]);
      seen.add(toHex(shelf.rows.get("room/a") ?? new Uint8Array()).slice(0, 24));
    }
    expect(seen.size).toBe(20);
  });
});

describe("signing keys", () => {
  test("cannot be taken out of the browser, neither the account's nor the device's", async () => {
    const [account, device] = [await accountKey(new Uint8Array(32).fill(7)), await newDeviceKey()];
    for (const { privateKey } of [account, device]) {
      expect(privateKey.extractable).toBe(false);
      await expect(crypto.subtle.exportKey("pkcs8", privateKey)).rejects.toThrow();
      await expect(crypto.subtle.exportKey("jwk", privateKey)).rejects.toThrow();
    }
  });

  test("follow from the account's seed", async () => {
    // RFC 8032, 7.1, test 1
    const seed = Uint8Array.from(Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex"));
    const { privateKey, publicKey } = await accountKey(seed);
    expect(toHex(publicKey)).toBe("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    expect(await verify({ publicKey, message: utf8("x"), signature: await sign(privateKey, utf8("x")) })).toBe(true);
  });
});
