/**
 * Writes tests/vectors/hpke.json (what the browser's code wraps) and content.json (content objects, where nothing is random).
 *
 *   npx esbuild tests/make_vectors.ts --bundle --platform=node --format=esm --outfile=/tmp/make_vectors.mjs && node /tmp/make_vectors.mjs ../../tests/vectors
 *
 * Wraps hold fresh randomness, so running it again gives other boxes which must open just the same.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";

import { sealContent, NO_PREVIOUS, type ContentBody, type Place } from "../crypto/content.ts";
import { concat, fromHex, sha256, toBase64, utf8, type Bytes } from "../crypto/encoding.ts";
import type { Seen } from "../crypto/events.ts";
import { wrap, xwingPublicKey } from "../crypto/hpke.ts";
import { EMPTY_ROOT } from "../crypto/merkle.ts";
import { sealHistory, sealRingEntry } from "../crypto/ring.ts";

const ROOM = "ab".repeat(32);

/** Fixed bytes that are nobody's key. */
function octets(label: string): Promise<Bytes> {
  return sha256(utf8(`consult test ${label}`));
}

async function hpkeVectors(): Promise<unknown> {
  const seed = await octets("hpke card");
  const publicKey = await xwingPublicKey(seed);
  const plaintext = await octets("hpke plaintext");
  const entries = [
    { epoch: 1, key: await octets("epoch 1") },
    { epoch: 2, key: await octets("epoch 2") },
  ];
  const [entry] = entries;
  if (entry === undefined) throw new Error("no entry");
  return {
    source: "consult/browser/tests/make_vectors.ts",
    seed: toBase64(seed),
    public_key: toBase64(publicKey),
    brief: { plaintext: toBase64(plaintext), box: toBase64(await wrap({ publicKey, purpose: "brief", plaintext })) },
    ring: { room: ROOM, epoch: 1, key: toBase64(entry.key), box: toBase64(await sealRingEntry({ room: ROOM, entry, publicKey })) },
    history: {
      from: 1,
      to: 2,
      keys: entries.map(({ epoch, key }) => ({ epoch, key: toBase64(key) })),
      box: toBase64(await sealHistory({ entries, publicKey })),
    },
  };
}

async function contentVectors(): Promise<unknown> {
  const deviceSeed = await octets("device");
  const pkcs8 = concat(fromHex("302e020100300506032b657004220420"), deviceSeed);
  const signer = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", signer);
  const contentKey = await octets("content key");
  const heads = { installation: "11".repeat(32), consultation: "22".repeat(32), room: ROOM };
  const first: Place = { room: ROOM, epoch: 4, leaf: 2, device: "33".repeat(32), n: 1, prev: NO_PREVIOUS, id: "44".repeat(16), heads };
  const text: ContentBody = { kind: "text", text: "สวัสดี — good morning", reply_to: null };
  const nothing: Seen = [0, EMPTY_ROOT];
  const seen: Seen = [184_212, toBase64(await octets("root"))];
  const sealed = await sealContent({ contentKey, place: first, body: text, seen: nothing, signer });
  const second: Place = { ...first, n: 2, prev: sealed.headerHash, id: "55".repeat(16) };
  const paper: ContentBody = {
    kind: "paper",
    blob: "66".repeat(16),
    key: toBase64(await octets("file")),
    name: "Draft summary.pdf",
    type: "application/pdf",
    size: 300_000,
    chunks: 2,
    sha256: "77".repeat(32),
    reply_to: first.id,
  };
  const next = await sealContent({ contentKey, place: second, body: paper, seen, signer });
  const objects = [
    { place: first, body: { ...text, seen: nothing }, header: toBase64(sealed.header), box: toBase64(sealed.box), header_hash: sealed.headerHash },
    { place: second, body: { ...paper, seen }, header: toBase64(next.header), box: toBase64(next.box), header_hash: next.headerHash },
  ];
  return {
    source: "consult/browser/tests/make_vectors.ts",
    content_key: toBase64(contentKey),
    device_seed: toBase64(deviceSeed),
    device_key: Buffer.from(x ?? "", "base64url").toString("base64"),
    objects,
  };
}

const folder = argv[2];
if (folder === undefined) throw new Error("name the folder of the vectors");
writeFileSync(join(folder, "hpke.json"), `${JSON.stringify(await hpkeVectors(), null, 1)}\n`);
writeFileSync(join(folder, "content.json"), `${JSON.stringify(await contentVectors(), null, 1)}\n`);
