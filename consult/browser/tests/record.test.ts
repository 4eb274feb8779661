import { describe, expect, test } from "vitest";

import { randomBytes, toBase64 } from "../crypto/encoding.ts";
import { newDeviceKey } from "../crypto/newkeys.ts";
import { parseVerifier, readCheckpoint, readPolicyNumber } from "../crypto/record.ts";
import { noteBy, ORIGIN, vkeyOf } from "./log.ts";
import { refused } from "./refusals.ts";

const key = await newDeviceKey();
const vkey = await vkeyOf(key);
const root = toBase64(randomBytes(32));
const text = `${ORIGIN}\n72\n${root}\n`;

describe("a checkpoint", () => {
  test("signed by the record's key says size and root", async () => {
    const note = await noteBy(key, text);
    expect(await readCheckpoint(note, vkey)).toEqual({ origin: ORIGIN, size: 72, root, note });
  });

  test("is found among the signatures of witnesses", async () => {
    const own = (await noteBy(key, text)).slice(text.length + 1);
    const witness = (await noteBy(await newDeviceKey(), text, "witness.example")).slice(text.length + 1);
    expect(await readCheckpoint(`${text}\n${witness}${own}`, vkey)).toMatchObject({ size: 72, root });
  });

  test("changed, signed by another key or under another name is refused", async () => {
    const good = await noteBy(key, text);
    await refused("bad_signature", () => readCheckpoint(good.replace("72", "71"), vkey));
    await refused("bad_signature", async () => readCheckpoint(good, await vkeyOf(await newDeviceKey())));
    await refused("malformed", async () => readCheckpoint(await noteBy(key, text.replace(ORIGIN, "elsewhere")), vkey));
    await refused("malformed", async () => readCheckpoint(await noteBy(key, text.replace("72", "072")), vkey));
    await refused("malformed", async () => readCheckpoint(await noteBy(key, text.replace("72", "0")), vkey));
    await refused("malformed", async () => readCheckpoint(await noteBy(key, `${text}an extension\n`), vkey));
    await refused("malformed", () => readCheckpoint("no note", vkey));
  });

  test("needs a verifier key whose id fits", async () => {
    await refused("malformed", () => parseVerifier(vkey.replace(/\+[0-9a-f]{8}\+/, "+00000000+")));
    await refused("malformed", () => parseVerifier("nothing"));
  });
});

describe("a policy", () => {
  test("says its number in its first line, signed by the record's key", async () => {
    expect(await readPolicyNumber(await noteBy(key, `# consult policy 12 ${ORIGIN}\nquorum none\n`), vkey)).toBe(12);
  });

  test("of another record, without a number or not signed is refused", async () => {
    const lines = ["# consult policy 12 elsewhere\n", `# consult policy 012 ${ORIGIN}\n`, `# consult policy 0 ${ORIGIN}\n`, "quorum none\n"];
    for (const line of lines) await refused("malformed", async () => readPolicyNumber(await noteBy(key, line), vkey));
    const other = await newDeviceKey();
    await refused("bad_signature", async () => readPolicyNumber(await noteBy(other, `# consult policy 12 ${ORIGIN}\n`), vkey));
  });
});
