import { describe, expect, test } from "vitest";

import { CHUNK, chunkCount, MAX_FILE, measure, newFileSecret, openFile, sealChunk, sealedSize, TAG, type FileSecret, type Measured } from "../crypto/files.ts";
import { concat, equal, randomBytes, sha256, toHex, type Bytes } from "../crypto/encoding.ts";
import { refused } from "./refusals.ts";

function bytesOf(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) bytes.set(randomBytes(Math.min(65536, length - at)), at);
  return bytes;
}

async function sealAll(source: Blob, secret: FileSecret): Promise<{ measured: Measured; sealed: Bytes[] }> {
  const measured = await measure({ source, secret });
  const indices = Array.from({ length: measured.chunks }, (_, index) => index);
  return { measured, sealed: await Promise.all(indices.map((index) => sealChunk({ source, secret, measured, index }))) };
}

async function openAll(secret: FileSecret, facts: { size: number; chunks: number; sha256: string }, sealed: readonly Bytes[]): Promise<Bytes> {
  const pieces: Bytes[] = [];
  const fetch = (index: number): Promise<Uint8Array> => Promise.resolve(sealed[index] ?? new Uint8Array(0));
  for await (const piece of openFile({ secret, ...facts, fetch })) pieces.push(piece);
  return concat(...pieces);
}

describe("a paper", () => {
  for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]) {
    test(`of ${length} bytes comes back whole`, async () => {
      const plaintext = bytesOf(length);
      const secret = newFileSecret();
      const { measured, sealed } = await sealAll(new Blob([plaintext]), secret);
      expect(measured.chunks).toBe(chunkCount(length));
      expect(measured.sealedSize).toBe(sealedSize(length));
      expect(sealed.reduce((total, chunk) => total + chunk.length, 0)).toBe(measured.sealedSize);
      expect(toHex(await sha256(concat(...sealed)))).toBe(measured.sha256);
      expect(equal(await openAll(secret, measured, sealed), plaintext)).toBe(true);
    });
  }

  test("tells how far measuring has come", async () => {
    const seen: number[] = [];
    await measure({ source: new Blob([bytesOf(CHUNK + 5)]), secret: newFileSecret(), advance: (done) => seen.push(done) });
    expect(seen).toEqual([CHUNK, CHUNK + 5]);
  });

  test("stops being measured when it is cancelled", async () => {
    const control = new AbortController();
    control.abort();
    await expect(measure({ source: new Blob(["x"]), secret: newFileSecret(), signal: control.signal })).rejects.toHaveProperty("name", "AbortError");
  });

  test("above 50 MB is refused before it is read", async () => {
    const source = { size: MAX_FILE + 1 } as Blob;
    await refused("too_large", () => measure({ source, secret: newFileSecret() }));
  });

  test("that changed since it was measured does not leave", async () => {
    const plaintext = bytesOf(CHUNK + 10);
    const secret = newFileSecret();
    const measured = await measure({ source: new Blob([plaintext]), secret });
    const edited = plaintext.slice();
    edited[5] = (edited[5] ?? 0) ^ 1;
    const source = new Blob([edited]);
    await refused("file_changed", () => sealChunk({ source, secret, measured, index: 0 }));
    await sealChunk({ source, secret, measured, index: 1 });
    await refused("file_changed", () => sealChunk({ source: new Blob([plaintext, "more"]), secret, measured, index: 0 }));
  });

  test("with chunks swapped, changed, cut or surplus is refused", async () => {
    const secret = newFileSecret();
    const { measured, sealed } = await sealAll(new Blob([bytesOf(2 * CHUNK)]), secret);
    const [first, second] = sealed;
    if (first === undefined || second === undefined) throw new Error("two chunks");
    await refused("altered", () => openAll(secret, measured, [second, first]));
    await refused("altered", () => openAll(secret, measured, [first, second.subarray(0, -1)]));
    await refused("altered", () => openAll(secret, measured, [first]));
    const changed = second.slice();
    changed[0] = (changed[0] ?? 0) ^ 1;
    await refused("altered", () => openAll(secret, measured, [first, changed]));
    await refused("altered", () => openAll(secret, { ...measured, size: CHUNK, chunks: 1 }, [first]));
    await refused("malformed", () => openAll(secret, { ...measured, chunks: 1 }, sealed));
    await refused("altered", () => openAll(secret, { ...measured, sha256: "00".repeat(32) }, sealed));
  });

  test("does not open with another key or under another name", async () => {
    const secret = newFileSecret();
    const { measured, sealed } = await sealAll(new Blob(["text"]), secret);
    expect(sealed[0]?.length).toBe(4 + TAG);
    await refused("altered", () => openAll({ ...secret, key: randomBytes(32) }, measured, sealed));
    await refused("altered", () => openAll({ ...secret, blob: "00".repeat(16) }, measured, sealed));
  });
});
