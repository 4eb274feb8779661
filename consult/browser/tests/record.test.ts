import { describe, expect, test } from "vitest";

import { sign } from "../crypto/ed25519.ts";
import { concat, randomBytes, sha256, toBase64, toHex, utf8 } from "../crypto/encoding.ts";
import { newDeviceKey, type SigningKey } from "../crypto/newkeys.ts";
import { lastSeen, noteCheckpoint, parseVerifier, readCheckpoint } from "../crypto/record.ts";
import { refused } from "./refusals.ts";
import { freshRows } from "./shelf.ts";

const NAME = "consult.test";

async function idOf(name: string, { publicKey }: SigningKey): Promise<Uint8Array> {
  return (await sha256(concat(utf8(`${name}\n`), Uint8Array.of(1), publicKey))).slice(0, 4);
}

async function vkeyOf(key: SigningKey, name = NAME): Promise<string> {
  return `${name}+${toHex(await idOf(name, key))}+${toBase64(concat(Uint8Array.of(1), key.publicKey))}`;
}

async function note(key: SigningKey, text: string, name = NAME): Promise<string> {
  const signature = concat(await idOf(name, key), await sign(key.privateKey, utf8(text)));
  return `${text}\n\u2014 ${name} ${toBase64(signature)}\n`;
}

const key = await newDeviceKey();
const vkey = await vkeyOf(key);
const root = toBase64(randomBytes(32));

describe("a checkpoint", () => {
  test("signed by the record's key says size and root", async () => {
    expect(await readCheckpoint(await note(key, `${NAME}\n72\n${root}\n`), vkey)).toEqual([72, root]);
  });

  test("is found among the signatures of witnesses", async () => {
    const text = `${NAME}\n72\n${root}\n`;
    const own = (await note(key, text)).slice(text.length + 1);
    const witness = (await note(await newDeviceKey(), text, "witness.example")).slice(text.length + 1);
    expect(await readCheckpoint(`${text}\n${witness}${own}`, vkey)).toEqual([72, root]);
  });

  test("changed, signed by another key or under another name is refused", async () => {
    const good = await note(key, `${NAME}\n72\n${root}\n`);
    await refused("bad_signature", () => readCheckpoint(good.replace("72", "71"), vkey));
    await refused("bad_signature", async () => readCheckpoint(good, await vkeyOf(await newDeviceKey())));
    await refused("malformed", async () => readCheckpoint(await note(key, `elsewhere\n72\n${root}\n`), vkey));
    await refused("malformed", async () => readCheckpoint(await note(key, `${NAME}\n072\n${root}\n`), vkey));
    await refused("malformed", () => readCheckpoint("no note", vkey));
  });

  test("needs a verifier key whose id fits", async () => {
    await refused("malformed", () => parseVerifier(vkey.replace(/\+[0-9a-f]{8}\+/, "+00000000+")));
    await refused("malformed", () => parseVerifier("nothing"));
  });

  test("may only grow, and has one root for one size", async () => {
    const { rows } = await freshRows();
    expect((await lastSeen(rows))[0]).toBe(0);
    expect(await noteCheckpoint(rows, [5, root])).toBe(true);
    expect(await noteCheckpoint(rows, [5, root])).toBe(true);
    expect(await noteCheckpoint(rows, [4, root])).toBe(false);
    expect(await noteCheckpoint(rows, [5, toBase64(randomBytes(32))])).toBe(false);
    expect(await noteCheckpoint(rows, [9, toBase64(randomBytes(32))])).toBe(true);
    expect((await lastSeen(rows))[0]).toBe(9);
  });
});
