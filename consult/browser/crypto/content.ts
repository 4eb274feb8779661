/**
 * Content objects (docs/protocol.md, section 7): one message, sealed under the epoch's content key and signed inside by the device.
 *
 * The signature is inside the encryption, so the host cannot attribute messages by key; it covers the header, so no member can move a
 * message to another place, and the header is associated data, so nobody else can either. The commitment binds the ciphertext to one key.
 * Beside what is said stands `seen`, the sender's pin of the record (claims.ts), where the host can neither read nor change it.
 */

import { decrypt, encrypt } from "./aead.ts";
import { canonical, parseCanonical, type Json, type JsonObject } from "./canonical.ts";
import { concat, equal, fromBase64, fromHex, hkdf, randomBytes, sha256, toBase64, toHex, utf8, type Bytes } from "./encoding.ts";
import { sign, verify } from "./ed25519.ts";
import type { Seen } from "./events.ts";
import { EMPTY_ROOT } from "./merkle.ts";
import { pad, unpad } from "./padding.ts";
import { Refusal } from "./refusal.ts";
import { HEX_16, HEX_32, isCount, isRecord, keysAre } from "./shape.ts";

/** `prev` of a device's first object in a room. */
export const NO_PREVIOUS = "0".repeat(64);
/** Sealed bytes of the largest object: with header and event it still fits a frame of 64 KiB. */
export const MAX_BOX = 32 * 1024 + 16;

/** Statement hashes: the newest of each chain the sender had seen. */
export interface Heads {
  readonly installation: string;
  readonly consultation: string;
  readonly room: string;
}

export interface ContentHeader {
  readonly v: 1;
  readonly room: string;
  readonly epoch: number;
  readonly leaf: number;
  readonly device: string;
  /** counts this device's objects in this room, from 1 */
  readonly n: number;
  /** SHA-256 of the header bytes of this device's previous object, hex */
  readonly prev: string;
  /** 16 bytes, hex */
  readonly id: string;
  readonly heads: Heads;
  /** 32 bytes, base64 */
  readonly commitment: string;
}

/** The header but for what sealing itself makes. */
export type Place = Omit<ContentHeader, "v" | "commitment">;

export interface TextBody {
  readonly kind: "text";
  readonly text: string;
  readonly reply_to: string | null;
}

export interface PaperBody {
  readonly kind: "paper";
  readonly blob: string;
  /** 32 bytes, base64 */
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly chunks: number;
  readonly sha256: string;
  readonly reply_to: string | null;
}

export type ContentBody = TextBody | PaperBody;

export interface SealedContent {
  /** canonical JSON; on the wire as base64 */
  readonly header: Bytes;
  readonly box: Bytes;
  /** what the device's next object carries as `prev` */
  readonly headerHash: string;
}

export function newMessageId(): string {
  return toHex(randomBytes(16));
}

/**
 * Seals one object. An id names one object for ever: sealing other content under the same id and epoch would use a nonce twice.
 * @throws Refusal `too_large`, or `not_canonical` for text with lone surrogates
 */
export async function sealContent(options: { contentKey: Uint8Array; place: Place; body: ContentBody; seen: Seen; signer: CryptoKey }): Promise<SealedContent> {
  const { place } = options;
  const body = bodyJson(options.body, options.seen);
  const derived = await derive(options.contentKey, place.id);
  const header = canonical(headerJson(place, toBase64(derived.commitment)));
  const signature = await sign(options.signer, await signedBytes(header, body));
  const padded = pad(canonical({ body, sig: toBase64(signature) }));
  if (padded.length + 16 > MAX_BOX) throw new Refusal("too_large", "more than one object may hold");
  const box = await encrypt({ ...derived, aad: header }, padded);
  return { header, box, headerHash: await headerHash(header) };
}

/** @throws Refusal `malformed` or `not_canonical` */
export function readHeader(bytes: Uint8Array): ContentHeader {
  const value = parseCanonical(bytes);
  const keys = ["commitment", "device", "epoch", "heads", "id", "leaf", "n", "prev", "room", "v"];
  if (!isRecord(value) || !keysAre(value, keys) || value["v"] !== 1) throw new Refusal("malformed", "not a content header");
  const { epoch, leaf, n, heads, commitment } = value;
  if (!isCount(epoch, 0) || !isCount(leaf, 0) || !isCount(n, 1)) throw new Refusal("malformed", "a count in the header");
  if (!isRecord(heads) || !keysAre(heads, ["consultation", "installation", "room"])) throw new Refusal("malformed", "heads in the header");
  if (typeof commitment !== "string") throw new Refusal("malformed", "no commitment");
  fromBase64(commitment, 32);
  return {
    v: 1,
    room: name(value["room"], HEX_32),
    epoch,
    leaf,
    device: name(value["device"], HEX_32),
    n,
    prev: name(value["prev"], HEX_32),
    id: name(value["id"], HEX_16),
    heads: {
      installation: name(heads["installation"], HEX_32),
      consultation: name(heads["consultation"], HEX_32),
      room: name(heads["room"], HEX_32),
    },
    commitment,
  };
}

export async function headerHash(header: Uint8Array): Promise<string> {
  return toHex(await sha256(header));
}

/**
 * Opens one object.
 *
 * 1. the header is well formed; 2. it is of this room; 3. it says the id and the device the item came under; 4. the key is the one it
 * commits to; 5. the box opens with the header as associated data; 6. padding and inner JSON are exact; 7. the device signed both.
 *
 * Left to the caller: that `contentKey` is the epoch's, that the device had a seat, and the order `n`, `prev`.
 * @throws Refusal `malformed`, `not_canonical` (1, 6), `wrong_room` (2), `relabelled` (3), `wrong_key` (4), `altered` (5), `bad_signature` (7)
 */
export async function openContent(options: {
  contentKey: Uint8Array;
  header: Uint8Array;
  box: Uint8Array;
  expected: { room: string; id: string; device: string };
  /** the Ed25519 key in the `device.add` of the header's device */
  signatureKey: Uint8Array;
}): Promise<{ header: ContentHeader; body: ContentBody; seen: Seen; headerHash: string }> {
  const { expected, box } = options;
  const header = readHeader(options.header);
  if (header.room !== expected.room) throw new Refusal("wrong_room", "sealed for another room");
  if (header.id !== expected.id || header.device !== expected.device) throw new Refusal("relabelled", "the item names another message or device");
  const derived = await derive(options.contentKey, header.id);
  if (!equal(derived.commitment, fromBase64(header.commitment, 32))) throw new Refusal("wrong_key", "sealed under another key");
  if (box.length > MAX_BOX) throw new Refusal("too_large", "more than one object may hold");
  const inner = parseCanonical(unpad(await decrypt({ ...derived, aad: options.header }, box)));
  if (!isRecord(inner) || !keysAre(inner, ["body", "sig"]) || typeof inner["sig"] !== "string") throw new Refusal("malformed", "not a content object");
  const { body, seen } = readBody(inner["body"]);
  const message = await signedBytes(options.header, bodyJson(body, seen));
  const signature = fromBase64(inner["sig"], 64);
  if (!(await verify({ publicKey: options.signatureKey, message, signature }))) throw new Refusal("bad_signature", "not signed by the device it names");
  return { header, body, seen, headerHash: await headerHash(options.header) };
}

async function derive(contentKey: Uint8Array, id: string): Promise<{ key: Bytes; nonce: Bytes; commitment: Bytes }> {
  if (contentKey.length !== 32) throw new RangeError("a content key has 32 bytes");
  const okm = await hkdf({ ikm: contentKey, salt: fromHex(id, 16), info: "consult/content/v1", length: 76 });
  return { key: okm.slice(0, 32), nonce: okm.slice(32, 44), commitment: okm.slice(44, 76) };
}

async function signedBytes(header: Uint8Array, body: JsonObject): Promise<Bytes> {
  return concat(utf8("consult/content/v1\n"), header, await sha256(canonical(body)));
}

function headerJson(place: Place, commitment: string): JsonObject {
  const { room, epoch, leaf, device, n, prev, id, heads } = place;
  const { installation, consultation } = heads;
  return { v: 1, room, epoch, leaf, device, n, prev, id, heads: { installation, consultation, room: heads.room }, commitment };
}

function bodyJson(body: ContentBody, [size, root]: Seen): JsonObject {
  const seen = [size, root];
  if (body.kind === "text") return { kind: "text", text: body.text, reply_to: body.reply_to, seen };
  const { kind, blob, key, name: fileName, type, size: bytes, chunks, sha256: digest, reply_to } = body;
  return { kind, blob, key, name: fileName, type, size: bytes, chunks, sha256: digest, reply_to, seen };
}

function readBody(value: Json | undefined): { body: ContentBody; seen: Seen } {
  if (!isRecord(value)) throw new Refusal("malformed", "not a content body");
  const seen = readSeen(value["seen"]);
  if (value["kind"] === "text" && keysAre(value, ["kind", "reply_to", "seen", "text"])) {
    return { body: { kind: "text", text: words(value["text"]), reply_to: reply(value["reply_to"]) }, seen };
  }
  return { body: readPaper(value), seen };
}

function readPaper(value: JsonObject): PaperBody {
  const keys = ["blob", "chunks", "key", "kind", "name", "reply_to", "seen", "sha256", "size", "type"];
  if (value["kind"] !== "paper" || !keysAre(value, keys)) throw new Refusal("malformed", "an unknown kind of content");
  const { size, chunks } = value;
  if (!isCount(size, 0) || !isCount(chunks, 1)) throw new Refusal("malformed", "a count in the paper");
  const key = words(value["key"]);
  fromBase64(key, 32);
  return {
    kind: "paper",
    blob: name(value["blob"], HEX_16),
    key,
    name: words(value["name"]),
    type: words(value["type"]),
    size,
    chunks,
    sha256: name(value["sha256"], HEX_32),
    reply_to: reply(value["reply_to"]),
  };
}

/** A size and its root; of the empty record there is one root. */
function readSeen(value: Json | undefined): Seen {
  const [size, root, ...rest] = Array.isArray(value) ? (value as readonly Json[]) : [];
  if (!isCount(size, 0) || typeof root !== "string" || rest.length > 0) throw new Refusal("malformed", "not a head of the record");
  fromBase64(root, 32);
  if (size === 0 && root !== EMPTY_ROOT) throw new Refusal("malformed", "a root of nothing");
  return [size, root];
}

function reply(value: Json | undefined): string | null {
  return value === null ? null : name(value, HEX_16);
}

function words(value: Json | undefined): string {
  if (typeof value !== "string") throw new Refusal("malformed", "not text");
  return value;
}

function name(value: Json | undefined, pattern: RegExp): string {
  if (typeof value !== "string" || !pattern.test(value)) throw new Refusal("malformed", "not a name");
  return value;
}
