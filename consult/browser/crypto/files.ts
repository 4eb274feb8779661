/**
 * Papers: sealed in chunks of 256 KiB (STREAM: nonce = prefix || u32 index || last flag), so that neither side holds a whole file.
 *
 * Uploading reads the file twice: once to measure (hashes of the sealed chunks), once to send. A chunk leaves only if it seals to what
 * was measured. So a file that changed in between, or before an upload went on, is refused instead of using a nonce twice.
 */

import { sha256 as incrementalSha256 } from "@noble/hashes/sha2.js";

import { decrypt, encrypt } from "./aead.ts";
import { concat, fromHex, hkdf, randomBytes, sha256, toHex, u32, type Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

export const CHUNK = 256 * 1024;
export const TAG = 16;
/** 50 MB of the file itself; the server's limit counts sealed bytes. */
export const MAX_FILE = 50 * 1024 * 1024;

/** One key and one id for one file's bytes, never for others. */
export interface FileSecret {
  /** 16 bytes, hex */
  readonly blob: string;
  /** 32 bytes */
  readonly key: Bytes;
}

/** What measuring found; to be kept until the upload is finished. */
export interface Measured {
  /** bytes of the file itself */
  readonly size: number;
  /** sealed bytes in all */
  readonly sealedSize: number;
  readonly chunks: number;
  /** hex, over all sealed chunks in order */
  readonly sha256: string;
  /** hex, of each sealed chunk: the upload's `X-Sha256` */
  readonly chunkHashes: readonly string[];
}

export type Advance = (doneBytes: number) => void;

export function newFileSecret(): FileSecret {
  return { blob: toHex(randomBytes(16)), key: randomBytes(32) };
}

/** An empty file has one empty chunk. */
export function chunkCount(size: number): number {
  return Math.max(1, Math.ceil(size / CHUNK));
}

export function sealedSize(size: number): number {
  return size + chunkCount(size) * TAG;
}

/** @throws Refusal `too_large`, or `file_changed` if it could not be read to its end */
export async function measure(options: { source: Blob; secret: FileSecret; advance?: Advance; signal?: AbortSignal }): Promise<Measured> {
  const { source, secret } = options;
  if (source.size > MAX_FILE) throw new Refusal("too_large", "a paper has at most 50 MB");
  const chunks = chunkCount(source.size);
  const sealing = await derive(secret);
  const whole = incrementalSha256.create();
  const chunkHashes: string[] = [];
  for (let index = 0; index < chunks; index += 1) {
    options.signal?.throwIfAborted();
    const sealed = await encrypt(chunkSealing(sealing, index, chunks), await readChunk(source, index));
    whole.update(sealed);
    chunkHashes.push(toHex(await sha256(sealed)));
    options.advance?.(Math.min((index + 1) * CHUNK, source.size));
  }
  return { size: source.size, sealedSize: sealedSize(source.size), chunks, sha256: toHex(whole.digest()), chunkHashes };
}

/** One sealed chunk, to be sent. @throws Refusal `file_changed` unless it is what was measured */
export async function sealChunk(options: { source: Blob; secret: FileSecret; measured: Measured; index: number }): Promise<Bytes> {
  const { source, measured, index } = options;
  if (source.size !== measured.size) throw new Refusal("file_changed", "another length than measured");
  const sealing = await derive(options.secret);
  const sealed = await encrypt(chunkSealing(sealing, index, measured.chunks), await readChunk(source, index));
  if (toHex(await sha256(sealed)) !== measured.chunkHashes[index]) throw new Refusal("file_changed", "not the bytes that were measured");
  return sealed;
}

/**
 * Opens a file chunk by chunk. Each piece is authentic when it is yielded; the file as a whole is only when the iteration has ended.
 * @param options.fetch gives sealed chunk n
 * @throws Refusal `altered` for a changed, swapped, missing or surplus chunk; `malformed` if size and chunks do not agree
 */
export async function* openFile(options: {
  secret: FileSecret;
  size: number;
  chunks: number;
  sha256: string;
  fetch: (index: number) => Promise<Uint8Array>;
}): AsyncGenerator<Bytes, void, undefined> {
  if (options.size > MAX_FILE) throw new Refusal("too_large", "a paper has at most 50 MB");
  if (options.chunks !== chunkCount(options.size)) throw new Refusal("malformed", "size and chunks do not agree");
  const sealing = await derive(options.secret);
  const whole = incrementalSha256.create();
  for (let index = 0; index < options.chunks; index += 1) {
    const sealed = await options.fetch(index);
    const expected = Math.min(CHUNK, options.size - index * CHUNK) + TAG;
    if (sealed.length !== expected) throw new Refusal("altered", "a chunk of another length");
    whole.update(sealed);
    yield await decrypt(chunkSealing(sealing, index, options.chunks), sealed);
  }
  if (toHex(whole.digest()) !== options.sha256) throw new Refusal("altered", "not the file that was announced");
}

interface FileSealing {
  readonly key: Bytes;
  /** 7 bytes */
  readonly prefix: Bytes;
  readonly aad: Bytes;
}

async function derive(secret: FileSecret): Promise<FileSealing> {
  if (secret.key.length !== 32) throw new Refusal("wrong_key", "a file key has 32 bytes");
  const aad = fromHex(secret.blob, 16);
  const okm = await hkdf({ ikm: secret.key, salt: aad, info: "consult/file/v1", length: 39 });
  return { key: okm.slice(0, 32), prefix: okm.slice(32, 39), aad };
}

function chunkSealing(sealing: FileSealing, index: number, chunks: number): { key: Bytes; nonce: Bytes; aad: Bytes } {
  if (index < 0 || index >= chunks) throw new RangeError(`no chunk ${index} of ${chunks}`);
  const nonce = concat(sealing.prefix, u32(index), Uint8Array.of(index === chunks - 1 ? 1 : 0));
  return { key: sealing.key, nonce, aad: sealing.aad };
}

async function readChunk(source: Blob, index: number): Promise<Bytes> {
  const start = index * CHUNK;
  const wanted = Math.min(CHUNK, source.size - start);
  try {
    const bytes = new Uint8Array(await source.slice(start, start + wanted).arrayBuffer());
    if (bytes.length === wanted) return bytes;
  } catch (error) {
    // A browser reports a file that was changed or deleted on disk as unreadable.
    throw new Refusal("file_changed", "the file cannot be read any more", { cause: error });
  }
  throw new Refusal("file_changed", "the file ends early");
}
