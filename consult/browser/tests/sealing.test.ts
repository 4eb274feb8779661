import { describe, expect, test } from "vitest";

import { openText, sealText } from "../crypto/brief.ts";
import { fromBase64, fromCrockford, fromHex, inGroups, randomBytes, toBase64, toCrockford, toHex } from "../crypto/encoding.ts";
import { unwrap, wrap, xwingPublicKey } from "../crypto/hpke.ts";
import { formatRecoveryKey, newRecoveryKey, openRecoveryBox, parseRecoveryKey, sealRecoveryBox } from "../crypto/recovery.ts";
import { openHistory, openRingEntry, sealHistory, sealRingEntry } from "../crypto/ring.ts";
import { refused } from "./refusals.ts";
import browser from "../../../tests/vectors/hpke.json" with { type: "json" };
import python from "../../../tests/vectors/sealing.json" with { type: "json" };

const seed = randomBytes(32);
const publicKey = await xwingPublicKey(seed);
const ROOM = "ab".repeat(32);

function flipped(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

describe("wraps", () => {
  test("open for the card they are sealed to", async () => {
    const plaintext = randomBytes(32);
    const box = await wrap({ publicKey, purpose: "brief", plaintext });
    expect(box.length).toBe(1120 + 32 + 16);
    expect(await unwrap({ seed, purpose: "brief", box })).toEqual(plaintext);
  });

  test("do not open for another card, another purpose, or changed", async () => {
    const box = await wrap({ publicKey, purpose: "brief", plaintext: randomBytes(32) });
    await refused("altered", () => unwrap({ seed: randomBytes(32), purpose: "brief", box }));
    await refused("altered", () => unwrap({ seed, purpose: "ring", box }));
    for (const at of [0, 1100, 1130, box.length - 1]) await refused("altered", () => unwrap({ seed, purpose: "brief", box: flipped(box, at) }));
    await refused("malformed", () => unwrap({ seed, purpose: "brief", box: box.subarray(0, 1000) }));
  });

  test("are not made for something that is no key", async () => {
    await refused("weak_key", () => wrap({ publicKey: publicKey.subarray(1), purpose: "brief", plaintext: seed }));
    await refused("weak_key", () => wrap({ publicKey: new Uint8Array(1216).fill(255), purpose: "brief", plaintext: seed }));
  });

  test("use the X-Wing of the draft", async () => {
    const drafted = toHex(await xwingPublicKey(fromHex(python.xwing.seed, 32)));
    expect(drafted.startsWith(python.xwing.public_key_begins)).toBe(true);
  });

  for (const [by, vectors] of [["Python", python.wraps], ["the browser", browser]] as const) {
    test(`made by ${by} open`, async () => {
      const card = fromBase64(vectors.seed, 32);
      expect(toBase64(await xwingPublicKey(card))).toBe(vectors.public_key);
      const brief = await unwrap({ seed: card, purpose: "brief", box: fromBase64(vectors.brief.box) });
      expect(toBase64(brief)).toBe(vectors.brief.plaintext);
      const { room, epoch, key, box } = vectors.ring;
      expect(toBase64((await openRingEntry({ room, epoch, box: fromBase64(box), seed: card })).key)).toBe(key);
      const { from, to, keys } = vectors.history;
      const entries = await openHistory({ from, to, box: fromBase64(vectors.history.box), seed: card });
      expect(entries.map((entry) => ({ epoch: entry.epoch, key: toBase64(entry.key) }))).toEqual(keys);
    });
  }
});

describe("the key ring", () => {
  const entry = { epoch: 5, key: randomBytes(32) };

  test("gives back an epoch's key, where it was filed and nowhere else", async () => {
    const box = await sealRingEntry({ room: ROOM, entry, publicKey });
    expect(await openRingEntry({ room: ROOM, epoch: 5, box, seed })).toEqual(entry);
    await refused("wrong_room", () => openRingEntry({ room: ROOM, epoch: 6, box, seed }));
    await refused("wrong_room", () => openRingEntry({ room: "cd".repeat(32), epoch: 5, box, seed }));
  });

  test("is cut into slices for newcomers", async () => {
    const entries = [3, 4, 7].map((epoch) => ({ epoch, key: randomBytes(32) }));
    const box = await sealHistory({ entries, publicKey });
    expect(await openHistory({ from: 3, to: 7, box, seed })).toEqual(entries);
    await refused("malformed", () => openHistory({ from: 4, to: 7, box, seed }));
    await refused("malformed", () => openHistory({ from: 3, to: 6, box, seed }));
    const shuffled = await sealHistory({ entries: entries.toReversed(), publicKey });
    await refused("malformed", () => openHistory({ from: 3, to: 7, box: shuffled, seed }));
    const ring = await sealRingEntry({ room: ROOM, entry, publicKey });
    await refused("altered", () => openHistory({ from: 3, to: 7, box: ring, seed }));
  });
});

describe("a brief", () => {
  test("opens with its key, and only as it was signed", async () => {
    const sealed = await sealText({ subject: "Haze", agenda: ["One"] });
    expect(await openText(sealed)).toEqual({ subject: "Haze", agenda: ["One"] });
    await refused("altered", () => openText({ ...sealed, ciphertext: flipped(sealed.ciphertext, 0) }));
    await refused("wrong_key", () => openText({ ...sealed, key: randomBytes(32) }));
    await refused("wrong_key", () => openText({ ...sealed, commitment: randomBytes(32) }));
  });

  test("shows its size class only", async () => {
    const short = await sealText({ reason: "No." });
    const longer = await sealText({ reason: "No, for several reasons." });
    expect(short.ciphertext.length).toBe(longer.ciphertext.length);
  });

  test("comes out as Python made it, byte for byte", async () => {
    for (const vector of python.briefs) {
      const sealed = await sealText(vector.value, fromBase64(vector.key, 32));
      expect(toBase64(sealed.ciphertext)).toBe(vector.ciphertext);
      expect(sealed.sha256).toBe(vector.sha256);
      expect(toBase64(sealed.commitment)).toBe(vector.commitment);
    }
  });
});

describe("recovery", () => {
  const contents = { card: "cd".repeat(32), accountSeed: randomBytes(32), xwingSeed: randomBytes(32), inst: null, number: 2 };

  test("key survives being written down and typed in again", async () => {
    const key = newRecoveryKey();
    const text = await formatRecoveryKey(key);
    expect(text).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){13}[0-9A-HJKMNP-TV-Z]$/);
    expect(await parseRecoveryKey(text)).toEqual(key);
    expect(await parseRecoveryKey(` ${text.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l")}`)).toEqual(key);
  });

  test("key with one character wrong is noticed", async () => {
    const text = await formatRecoveryKey(randomBytes(32));
    let noticed = 0;
    const places = Array.from(text, (character, at) => (character === "-" ? -1 : at)).filter((at) => at >= 0);
    for (const at of places) {
      const wrong = text.slice(0, at) + (text.charAt(at) === "7" ? "8" : "7") + text.slice(at + 1);
      await parseRecoveryKey(wrong).catch(() => (noticed += 1));
    }
    // One byte of checksum lets one in 256 slip through; the box then does not open.
    expect(noticed).toBeGreaterThan(places.length - 4);
    await refused("code_mistyped", () => parseRecoveryKey(text.slice(1)));
    await refused("code_mistyped", () => parseRecoveryKey(`${text}0`));
    await refused("code_mistyped", () => parseRecoveryKey("U".repeat(53)));
  });

  test("box opens with its key alone", async () => {
    const recoveryKey = newRecoveryKey();
    const box = await sealRecoveryBox({ recoveryKey, contents });
    expect(await openRecoveryBox({ recoveryKey, box })).toEqual(contents);
    await refused("recovery_key_wrong", () => openRecoveryBox({ recoveryKey: newRecoveryKey(), box }));
    await refused("recovery_key_wrong", () => openRecoveryBox({ recoveryKey, box: flipped(box, 20) }));
    await refused("malformed", () => openRecoveryBox({ recoveryKey, box: box.subarray(0, 20) }));
  });

  test("comes out as Python made it, byte for byte", async () => {
    for (const vector of python.recoveries) {
      const recoveryKey = fromBase64(vector.recovery_key, 32);
      expect(await formatRecoveryKey(recoveryKey)).toBe(vector.text);
      const { card, inst, number } = vector;
      const kept = { card, inst, number, accountSeed: fromBase64(vector.account_seed), xwingSeed: fromBase64(vector.xwing_seed) };
      const box = await sealRecoveryBox({ recoveryKey, contents: kept }, fromBase64(vector.nonce));
      expect(toBase64(box)).toBe(vector.box);
      expect(await openRecoveryBox({ recoveryKey: await parseRecoveryKey(vector.text), box })).toEqual(kept);
    }
  });
});

describe("Crockford base32", () => {
  test("is that of the known examples, in groups for reading aloud", () => {
    expect(toCrockford(fromHex("00"))).toBe("00");
    expect(toCrockford(fromHex("ffffffffff"))).toBe("ZZZZZZZZ");
    expect(toCrockford(fromHex("0443214c74"))).toBe("0H1J2K3M");
    expect(inGroups("0H1J2K3M4")).toBe("0H1J-2K3M-4");
  });

  test("gives back every length, and takes no second spelling", async () => {
    for (let length = 0; length < 34; length += 1) {
      const bytes = randomBytes(length);
      expect(fromCrockford(toCrockford(bytes), length)).toEqual(bytes);
    }
    await refused("code_mistyped", () => fromCrockford("01", 1));
    await refused("code_mistyped", () => fromCrockford("000", 1));
  });
});
