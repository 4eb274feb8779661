/** Papers: sealed and sent chunk by chunk, with progress; an upload that was interrupted goes on where it stopped. */

import type { CallControl, Hex, PaperView } from "../bridge.ts";
import type { Server } from "./api.ts";
import { canonical } from "./canonical.ts";
import type { PaperBody } from "./content.ts";
import { fromBase64, sha256, toBase64, toHex } from "./encoding.ts";
import { Failure, hasCode } from "./failure.ts";
import { MAX_FILE, measure, newFileSecret, openFile, sealChunk, type FileSecret, type Measured } from "./files.ts";
import { jsonRow, noRow, readJson, type Rows } from "./keystore.ts";
import { count, list, members } from "./reading.ts";

interface Upload {
  readonly blob: Hex;
  readonly key: string;
  readonly measured: Measured;
}

/** What a browser may show in the sandboxed viewer; everything else can only be saved. */
const SHOWN: ReadonlySet<string> = new Set(["application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"]);

/**
 * Uploads one file; what comes back is the content object to send.
 * @throws Failure `too_large`, `cancelled`, `offline`; Refusal `file_changed`
 */
export async function uploadPaper(options: {
  server: Server;
  rows: Rows;
  room: Hex;
  file: File;
  replyTo: Hex | null;
  control: CallControl;
}): Promise<PaperBody> {
  const { server, rows, room, file, control } = options;
  if (file.size > MAX_FILE) throw new Failure("too_large", "a paper has at most 50 MB");
  const path = await uploadPath(room, file);
  const begun = await readJson<Upload>(rows, path);
  const upload = begun ?? (await begin(rows, path, file, control));
  const secret: FileSecret = { blob: upload.blob, key: fromBase64(upload.key, 32) };
  try {
    const have = (begun === undefined ? undefined : await held(server, upload)) ?? (await register(server, room, upload));
    await sendChunks({ server, file, secret, measured: upload.measured, have, control });
    await server.post(`/api/blobs/${upload.blob}/finish`, {});
  } catch (error) {
    await afterFailure({ server, rows, path, upload, error, cancelled: control.signal.aborted });
    throw control.signal.aborted ? new Failure("cancelled", "the page cancelled") : error;
  }
  await rows.write([noRow(path)]);
  const { size, chunks, sha256: digest } = upload.measured;
  const about = { name: file.name.normalize("NFC"), type: file.type || "application/octet-stream", reply_to: options.replyTo };
  return { kind: "paper", blob: upload.blob, key: upload.key, size, chunks, sha256: digest, ...about };
}

/** The same file again is the same upload: by room, name, length and time of change. Its bytes are compared chunk by chunk besides. */
async function uploadPath(room: Hex, file: File): Promise<string> {
  const naming = canonical({ name: file.name, size: file.size, changed: Math.floor(file.lastModified) });
  return `upload/${room}/${toHex((await sha256(naming)).slice(0, 16))}`;
}

async function begin(rows: Rows, path: string, file: File, control: CallControl): Promise<Upload> {
  const secret = newFileSecret();
  const advance = (done: number): void => {
    control.progress({ done, total: 2 * file.size, unit: "bytes" });
  };
  const measured = await measure({ source: file, secret, advance, signal: control.signal });
  const upload: Upload = { blob: secret.blob, key: toBase64(secret.key), measured };
  await rows.write([jsonRow(path, upload)]);
  return upload;
}

/** @returns the chunks the server has already; undefined if it does not know the upload */
async function held(server: Server, { blob }: Upload): Promise<ReadonlySet<number> | undefined> {
  try {
    return new Set(list(members(await server.get(`/api/blobs/${blob}`))["have"], count));
  } catch (error) {
    if (!hasCode(error, "not_found")) throw error;
    return undefined;
  }
}

async function register(server: Server, room: Hex, { blob, measured }: Upload): Promise<ReadonlySet<number>> {
  await server.post(`/api/rooms/${room}/blobs`, { blob, size: measured.sealedSize, chunks: measured.chunks, sha256: measured.sha256 });
  return new Set();
}

async function sendChunks(options: {
  server: Server;
  file: File;
  secret: FileSecret;
  measured: Measured;
  have: ReadonlySet<number>;
  control: CallControl;
}): Promise<void> {
  const { server, file, secret, measured, have, control } = options;
  for (let index = 0; index < measured.chunks; index += 1) {
    // Also a chunk the server has is read again: that is how a changed file is noticed before anything more leaves.
    const sealed = await sealChunk({ source: file, secret, measured, index });
    if (!have.has(index)) await server.putBytes(`/api/blobs/${secret.blob}/${String(index)}`, sealed, measured.chunkHashes[index] ?? "", control.signal);
    const sent = Math.round(((index + 1) / measured.chunks) * measured.size);
    control.progress({ done: measured.size + sent, total: 2 * measured.size, unit: "bytes" });
  }
}

/** A cancelled upload, and one whose file changed, is given up; one that met a dead line stays for the next attempt. */
async function afterFailure(options: { server: Server; rows: Rows; path: string; upload: Upload; error: unknown; cancelled: boolean }): Promise<void> {
  const { server, rows, path, upload, error, cancelled } = options;
  if (!cancelled && hasCode(error, "offline")) return;
  await rows.write([noRow(path)]);
  try {
    await server.send("DELETE", `/api/blobs/${upload.blob}`, undefined);
  } catch {
    // The server forgets unfinished papers by itself; what matters is that this key is never used again.
  }
}

/** Fetches and opens a paper. It is given out only when every chunk and the whole were found authentic. */
export async function openPaper(server: Server, body: PaperBody, control: CallControl): Promise<Blob> {
  const secret: FileSecret = { blob: body.blob, key: fromBase64(body.key, 32) };
  const fetchChunk = (index: number): Promise<Uint8Array> => server.getBytes(`/api/blobs/${body.blob}/${String(index)}`, control.signal);
  const parts: BlobPart[] = [];
  let done = 0;
  for await (const part of openFile({ secret, size: body.size, chunks: body.chunks, sha256: body.sha256, fetch: fetchChunk })) {
    control.signal.throwIfAborted();
    parts.push(part);
    done += part.length;
    control.progress({ done, total: body.size, unit: "bytes" });
  }
  return new Blob(parts, { type: SHOWN.has(body.type) ? body.type : "application/octet-stream" });
}

export function paperView({ name, type, size }: PaperBody): PaperView {
  return { name, type, size };
}
