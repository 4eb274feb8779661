// What pages decide without a browser: words for every code, and an entry's proof.

import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";

import { callErrorCodes } from "../bridge.ts";
import { provesInclusion, signedBy } from "../pages/proof.ts";
import { isAlarm, wordsFor } from "../words.ts";

describe("words", () => {
  it("has words for every code of the bridge, and names a code it does not know", () => {
    for (const code of callErrorCodes) expect(wordsFor(code)).not.toContain(code);
    expect(wordsFor("never_heard_of")).toContain("never_heard_of");
  });

  it("tells people to stop and telephone where the host may be lying", () => {
    for (const code of ["wrong_installation", "host_rolled_back", "chain_broken", "fork", "key_differs", "brief_altered"]) expect(isAlarm(code)).toBe(true);
    expect(isAlarm("offline")).toBe(false);
  });
});

const sha256 = (...pieces: Uint8Array[]): Uint8Array => createHash("sha256").update(Buffer.concat(pieces)).digest();
const leaves = Array.from({ length: 7 }, (_, index) => Buffer.from(`entry ${index}`));

function rootOf(part: readonly Uint8Array[]): Uint8Array {
  if (part.length === 1) return sha256(Uint8Array.of(0), part[0] ?? Uint8Array.of());
  const half = 2 ** Math.floor(Math.log2(part.length - 1));
  return sha256(Uint8Array.of(1), rootOf(part.slice(0, half)), rootOf(part.slice(half)));
}

function pathOf(index: number, part: readonly Uint8Array[]): Uint8Array[] {
  if (part.length === 1) return [];
  const half = 2 ** Math.floor(Math.log2(part.length - 1));
  return index < half
    ? [...pathOf(index, part.slice(0, half)), rootOf(part.slice(half))]
    : [...pathOf(index - half, part.slice(half)), rootOf(part.slice(0, half))];
}

const text = (size: number): string => `host.test/consult\n${size}\n${Buffer.from(rootOf(leaves)).toString("base64")}\n`;
const note = `${text(7)}\n— host.test/consult AAAA\n`;

describe("an entry's proof", () => {
  it("holds for every entry, and for none once leaf, number, neighbour or checkpoint differ", async () => {
    for (const [index, leaf] of leaves.entries()) {
      const proof = { leaf, index, size: 7, path: pathOf(index, leaves), note };
      expect(await provesInclusion(proof)).toBe(true);
      expect(await provesInclusion({ ...proof, leaf: Buffer.from("another") })).toBe(false);
      expect(await provesInclusion({ ...proof, index: (index + 1) % 7 })).toBe(false);
      expect(await provesInclusion({ ...proof, path: proof.path.slice(1) })).toBe(false);
      expect(await provesInclusion({ ...proof, note: note.replace("\n7\n", "\n8\n") })).toBe(false);
      expect(await provesInclusion({ ...proof, index: -1 })).toBe(false);
      expect(await provesInclusion({ ...proof, note: "" })).toBe(false);
    }
  });

  it("counts the checkpoint's signature only by the key both chairs fixed", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
    const id = createHash("sha256").update(Buffer.concat([Buffer.from("host.test/consult\n\x01"), raw])).digest().subarray(0, 4);
    const vkey = `host.test/consult+${id.toString("hex")}+${Buffer.concat([Uint8Array.of(1), raw]).toString("base64")}`;
    const signature = Buffer.concat([id, sign(null, Buffer.from(text(7)), privateKey)]).toString("base64");
    const signed = `${text(7)}\n— host.test/consult ${signature}\n`;
    expect(await signedBy(signed, vkey)).toBe(true);
    expect(await signedBy(signed.replace("\n7\n", "\n8\n"), vkey)).toBe(false);
    expect(await signedBy(note, vkey)).toBe(false);
    expect(await signedBy(signed, vkey.replace("host.test", "other.test"))).toBe(false);
    expect(await signedBy(signed, "")).toBe(false);
  });
});
