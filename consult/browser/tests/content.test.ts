import { describe, expect, test } from "vitest";

import { openContent, readHeader, sealContent, MAX_BOX, newMessageId, NO_PREVIOUS, type ContentBody, type Place } from "../crypto/content.ts";
import { canonical, parseCanonical, type Json } from "../crypto/canonical.ts";
import { decrypt, encrypt } from "../crypto/aead.ts";
import { concat, fromBase64, fromHex, fromUtf8, hkdf, randomBytes, sha256, toBase64, utf8, type Bytes } from "../crypto/encoding.ts";
import { sign } from "../crypto/ed25519.ts";
import type { Seen } from "../crypto/events.ts";
import { pad, unpad } from "../crypto/padding.ts";
import { makeDevice, ROOM } from "./devices.ts";
import { refused } from "./refusals.ts";
import vectors from "../../../tests/vectors/content.json" with { type: "json" };

const th = await makeDevice("th");
const bd = await makeDevice("bd");
const contentKey = randomBytes(32);
const heads = { installation: "11".repeat(32), consultation: "22".repeat(32), room: ROOM };
const seen: Seen = [184_212, toBase64(new Uint8Array(32).fill(7))];
const text: ContentBody = { kind: "text", text: "Good morning.", reply_to: null };

function place(changes: Partial<Place> = {}): Place {
  return { room: ROOM, epoch: 3, leaf: 1, device: th.identity.device, n: 1, prev: NO_PREVIOUS, id: newMessageId(), heads, ...changes };
}

async function sealed(changes: Partial<Place> = {}, body: ContentBody = text) {
  const at = place(changes);
  const { header, box } = await sealContent({ contentKey, place: at, body, seen, signer: th.privateKey });
  const expected = { room: at.room, id: at.id, device: at.device };
  return { contentKey, header, box, expected, signatureKey: th.publicKey };
}

/** The header with one member changed, in canonical form again. */
function altered(header: Bytes, changes: Record<string, Json>): Bytes {
  return canonical({ ...(parseCanonical(header) as Record<string, Json>), ...changes });
}

describe("a content object", () => {
  test("opens to the same text and place", async () => {
    const object = await sealed();
    const opened = await openContent(object);
    expect(opened.body).toEqual(text);
    expect(opened.seen).toEqual(seen);
    expect(opened.header).toMatchObject({ v: 1, room: ROOM, epoch: 3, leaf: 1, n: 1, heads });
  });

  test("chains to the one before it", async () => {
    const first = await sealContent({ contentKey, place: place(), body: text, seen, signer: th.privateKey });
    const second = await sealed({ n: 2, prev: first.headerHash });
    expect((await openContent(second)).header.prev).toBe(first.headerHash);
  });

  test("is a size class, not a size", async () => {
    const short = await sealed({}, { ...text, text: "No." });
    const longer = await sealed({}, { ...text, text: "No, and these are the reasons." });
    expect(short.box.length).toBe(longer.box.length);
    expect(short.box.length).toBe(256 + 16);
    const long = await sealed({}, { ...text, text: "x".repeat(5000) });
    expect(long.box.length).toBe(8192 + 16);
  });

  test("that would not fit a frame is refused", async () => {
    await refused("too_large", () => sealed({}, { ...text, text: "x".repeat(33_000) }));
    expect((await sealed({}, { ...text, text: "x".repeat(32_000) })).box.length).toBe(MAX_BOX);
  });

  test("with a lone surrogate is refused before it is signed", async () => {
    await refused("not_canonical", () => sealed({}, { ...text, text: "\ud800" }));
  });

  test("does not open with another epoch's key", async () => {
    const object = await sealed();
    await refused("wrong_key", () => openContent({ ...object, contentKey: randomBytes(32) }));
  });

  test("does not open in another room", async () => {
    const object = await sealed();
    await refused("wrong_room", () => openContent({ ...object, expected: { ...object.expected, room: "cd".repeat(32) } }));
  });

  test("does not open under another message's or device's name", async () => {
    const object = await sealed();
    await refused("relabelled", () => openContent({ ...object, expected: { ...object.expected, device: bd.identity.device } }));
    await refused("relabelled", () => openContent({ ...object, expected: { ...object.expected, id: newMessageId() } }));
  });

  test("relabelled by the host, header and all, is refused", async () => {
    const object = await sealed();
    const header = altered(object.header, { device: bd.identity.device });
    const relabelled = { ...object, header, expected: { ...object.expected, device: bd.identity.device }, signatureKey: bd.publicKey };
    await refused("altered", () => openContent(relabelled));
  });

  test("relabelled by a member, who holds the key, is refused", async () => {
    const object = await sealed();
    const okm = await hkdf({ ikm: contentKey, salt: fromHex(object.expected.id), info: "consult/content/v1", length: 76 });
    const sealing = { key: okm.slice(0, 32), nonce: okm.slice(32, 44) };
    const inner = await decrypt({ ...sealing, aad: object.header }, object.box);
    const header = altered(object.header, { device: bd.identity.device });
    const box = await encrypt({ ...sealing, aad: header }, inner);
    const forged = { ...object, header, box, expected: { ...object.expected, device: bd.identity.device } };
    await refused("bad_signature", () => openContent({ ...forged, signatureKey: bd.publicKey }));
    const moved = altered(object.header, { n: 2 });
    const movedBox = await encrypt({ ...sealing, aad: moved }, inner);
    await refused("bad_signature", () => openContent({ ...object, header: moved, box: movedBox }));
  });

  test("with any member of its header changed is refused", async () => {
    const object = await sealed();
    const changes: Record<string, Json>[] = [{ epoch: 4 }, { leaf: 2 }, { n: 2 }, { prev: "99".repeat(32) }, { heads: { ...heads, room: "88".repeat(32) } }];
    for (const change of changes) await refused("altered", () => openContent({ ...object, header: altered(object.header, change) }));
    const commitment = toBase64(randomBytes(32));
    await refused("wrong_key", () => openContent({ ...object, header: altered(object.header, { commitment }) }));
  });

  test("with a changed or cut box is refused", async () => {
    const object = await sealed();
    for (const at of [0, 100, object.box.length - 1]) {
      const box = object.box.slice();
      box[at] = (box[at] ?? 0) ^ 1;
      await refused("altered", () => openContent({ ...object, box }));
    }
    await refused("altered", () => openContent({ ...object, box: object.box.subarray(0, 100) }));
    await refused("altered", () => openContent({ ...object, box: new Uint8Array(0) }));
  });

  test("of a kind we do not know, or with surplus members, is refused although signed", async () => {
    const good: Record<string, Json> = { kind: "text", text: "yes", reply_to: null, seen: [...seen] };
    const changes: Record<string, Json>[] = [{ kind: "reaction" }, { colour: "red" }, { reply_to: "not an id" }, { text: 7 }];
    const root = seen[1];
    for (const other of [null, [], [7], [-1, root], [7, "AAAA"], [7, root, 1], ["7", root], { size: 7, root }, [0, root]]) changes.push({ seen: other });
    const bodies = [...changes.map((change) => ({ ...good, ...change })), { kind: "text", text: "yes", reply_to: null }];
    for (const body of bodies) {
      const object = await sealed();
      const okm = await hkdf({ ikm: contentKey, salt: fromHex(object.expected.id), info: "consult/content/v1", length: 76 });
      const sealing = { key: okm.slice(0, 32), nonce: okm.slice(32, 44), aad: object.header };
      const signature = await sign(th.privateKey, concat(utf8("consult/content/v1\n"), object.header, await sha256(canonical(body))));
      const box = await encrypt(sealing, pad(canonical({ body, sig: toBase64(signature) })));
      await refused("malformed", () => openContent({ ...object, box }));
    }
  });

  test("carries a paper's whole description", async () => {
    const paper: ContentBody = {
      kind: "paper",
      blob: "66".repeat(16),
      key: toBase64(randomBytes(32)),
      name: "ร่างสรุป.pdf",
      type: "application/pdf",
      size: 300_000,
      chunks: 2,
      sha256: "77".repeat(32),
      reply_to: newMessageId(),
    };
    expect((await openContent(await sealed({}, paper))).body).toEqual(paper);
  });
});

describe("a header", () => {
  test("that is not canonical, or has other members, is refused", async () => {
    const { header } = await sealed();
    await refused("not_canonical", () => readHeader(utf8(` ${fromUtf8(header)}`)));
    await refused("malformed", () => readHeader(utf8("{")));
    await refused("malformed", () => readHeader(utf8("[]")));
    const changes: Record<string, Json>[] = [{ v: 2 }, { extra: 1 }, { n: 0 }, { epoch: -1 }, { leaf: "1" }, { device: "AB".repeat(32) }, { commitment: "AA==" }, { heads: {} }];
    for (const change of changes) await refused("malformed", () => readHeader(altered(header, change)));
  });
});

describe("padding", () => {
  test("fills to the next power of two, and takes back nothing else", async () => {
    for (const [length, size] of [[0, 256], [252, 256], [253, 512], [508, 512], [509, 1024]] as const) {
      const padded = pad(new Uint8Array(length).fill(7));
      expect(padded.length).toBe(size);
      expect(unpad(padded).length).toBe(length);
    }
    await refused("malformed", () => unpad(new Uint8Array(3)));
    await refused("malformed", () => unpad(new Uint8Array(512)));
    const dirty = pad(utf8("a"));
    dirty[255] = 1;
    await refused("malformed", () => unpad(dirty));
    await refused("malformed", () => unpad(concat(new Uint8Array([0xff, 0xff, 0xff, 0xff]), new Uint8Array(252))));
  });
});

describe("the shared vectors", () => {
  test("come out the same, byte for byte", async () => {
    const pkcs8 = concat(fromHex("302e020100300506032b657004220420"), fromBase64(vectors.device_seed, 32));
    const signer = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
    for (const object of vectors.objects) {
      const { seen: head, ...body } = object.body;
      const said: Seen = [Number(head[0]), String(head[1])];
      const made = await sealContent({ contentKey: fromBase64(vectors.content_key), place: object.place, body: body as ContentBody, seen: said, signer });
      expect(toBase64(made.header)).toBe(object.header);
      expect(toBase64(made.box)).toBe(object.box);
      expect(made.headerHash).toBe(object.header_hash);
      const { room, id, device } = object.place;
      const opened = await openContent({ ...made, contentKey: fromBase64(vectors.content_key), expected: { room, id, device }, signatureKey: fromBase64(vectors.device_key) });
      expect(opened.body).toEqual(body);
      expect(opened.seen).toEqual(said);
    }
  });
});
