import { beforeEach, describe, expect, test } from "vitest";

import type { NextFrame } from "../bridge.ts";
import { NO_PREVIOUS, openContent, readHeader, sealContent, type ContentHeader } from "../crypto/content.ts";
import { concat, fromBase64, fromUtf8, randomBytes, toBase64, toHex, type Bytes } from "../crypto/encoding.ts";
import { signMessageSent } from "../crypto/events.ts";
import { EMPTY_ROOT } from "../crypto/merkle.ts";
import { Outbox, type AuthorPlace, type Sealer } from "../crypto/outbox.ts";
import type { SealedRows } from "../crypto/keystore.ts";
import { makeDevice, ROOM, type Device } from "./devices.ts";
import { freshRows, type MapShelf } from "./shelf.ts";

const NOW = 1_800_000_000_000;
const heads = { installation: "1".repeat(64), consultation: "2".repeat(64), room: "3".repeat(64) };
const text = (words: string) => ({ kind: "text" as const, text: words, reply_to: null });

/** One device's sealing in a room, without the network: real keys, real seals, and a place in the record that the test sets. */
class Desk implements Sealer {
  readonly device: Device;
  readonly keys = new Map<number, Bytes>();
  now: number | null = 1;
  place: AuthorPlace = { ns: "ab".repeat(16), salt: toBase64(new Uint8Array(16)), dseq: 1, dprev: toBase64(new Uint8Array(32)) };
  asked = 0;

  constructor(device: Device) {
    this.device = device;
  }

  key(epoch: number): Bytes {
    const found = this.keys.get(epoch) ?? randomBytes(32);
    this.keys.set(epoch, found);
    return found;
  }

  epoch(): Promise<number | null> {
    return Promise.resolve(this.now);
  }

  async seal(...[message, line]: Parameters<Sealer["seal"]>): ReturnType<Sealer["seal"]> {
    const epoch = this.now ?? 0;
    const place = { room: ROOM, epoch, leaf: 0, device: this.device.identity.device, n: line.n + 1, prev: line.prev, id: message.id, heads };
    const { header, box, headerHash } = await sealContent({ contentKey: this.key(epoch), place, body: message.body, seen: [0, EMPTY_ROOT], signer: this.device.privateKey });
    return this.#event(message, { epoch, n: place.n, headerHash, header: toBase64(header), box: toBase64(box) }, line);
  }

  signEvent(...[message, sealed, line]: Parameters<Sealer["signEvent"]>): ReturnType<Sealer["signEvent"]> {
    const { epoch, n, headerHash, header, box } = sealed;
    return this.#event(message, { epoch, n, headerHash, header, box }, line);
  }

  async #event(...[message, sealed, line]: [Parameters<Sealer["seal"]>[0], Pick<Awaited<ReturnType<Sealer["seal"]>>, "epoch" | "n" | "headerHash" | "header" | "box">, Parameters<Sealer["seal"]>[1]]): ReturnType<Sealer["seal"]> {
    if (line.author === null) this.asked += 1;
    const author = line.author ?? this.place;
    const { privateKey: signer, publicKey } = this.device;
    const bytes = concat(fromBase64(sealed.header), fromBase64(sealed.box));
    const made = await signMessageSent({ message: { sealed: bytes, epoch: sealed.epoch, id: message.id }, author, seen: [0, ""], signer, publicKey, at: NOW });
    return { ...sealed, event: toBase64(made.event), author, eventHash: made.eventHash };
  }
}

interface Sent {
  readonly id: string;
  readonly header: ContentHeader;
  readonly frame: string;
  readonly dseq: number;
}

function read(next: NextFrame | null): Sent {
  if (next === null) throw new Error("nothing to send");
  const frame = JSON.parse(next.frame) as { t: string; id: string; object: { header: string; box: string }; event: string };
  const event = JSON.parse(fromUtf8(fromBase64(frame.event))) as { author: { dseq: number }; data: { seq_id: string } };
  expect([frame.t, frame.id, event.data.seq_id]).toEqual(["send", next.id, next.id]);
  return { id: next.id, header: readHeader(fromBase64(frame.object.header)), frame: next.frame, dseq: event.author.dseq };
}

let shelf: MapShelf;
let rows: SealedRows;
let outbox: Outbox;
let desk: Desk;

beforeEach(async () => {
  ({ shelf, rows } = await freshRows());
  outbox = new Outbox(rows, ROOM);
  desk = new Desk(await makeDevice("nz"));
});

const take = async (now = NOW): Promise<Sent> => read(await outbox.next(desk, now));

describe("the outbox", () => {
  test("sends in order, one at a time, each line continued", async () => {
    for (const words of ["one", "two", "three"]) await outbox.add(text(words), NOW);
    const first = await take();
    expect([first.header.n, first.header.prev, first.dseq]).toEqual([1, NO_PREVIOUS, 1]);
    expect(await outbox.next(desk, NOW + 1)).toBeNull();
    expect(await outbox.acked(first.id)).toHaveLength(44);
    const second = await take();
    expect([second.header.n, second.dseq]).toEqual([2, 2]);
    expect(second.header.prev).not.toBe(NO_PREVIOUS);
    expect(desk.asked).toBe(1);
    expect((await outbox.queued()).map(({ state }) => state)).toEqual(["sending", "waiting"]);
  });

  test("survives a reload: another worker over the same store sends the very same bytes", async () => {
    await outbox.add(text("once"), NOW);
    const before = await take();
    const reloaded = new Outbox(rows, ROOM);
    await reloaded.unsent();
    const again = read(await reloaded.next(desk, NOW + 1));
    expect(again.frame).toBe(before.frame);
    await reloaded.acked(again.id);
    expect(await reloaded.count()).toBe(0);
    expect(await reloaded.next(desk, NOW + 2)).toBeNull();
  });

  test("keeps what it holds sealed", async () => {
    await outbox.add(text("canary"), NOW);
    await take();
    for (const bytes of shelf.rows.values()) expect(Buffer.from(bytes).toString("latin1")).not.toContain("canary");
  });

  test("sends unchanged while the fate is unknown, even when the epoch has moved on", async () => {
    await outbox.add(text("hello"), NOW);
    const first = await take();
    await outbox.unsent();
    desk.now = 2;
    expect((await take()).frame).toBe(first.frame);
  });

  test("seals anew under the same id after a certain refusal, in the new epoch", async () => {
    await outbox.add(text("hello"), NOW);
    const first = await take();
    desk.now = 2;
    expect(await outbox.refused(first.id, "stale_epoch")).toEqual({ again: true, syncFirst: true });
    const second = await take();
    expect(second.id).toBe(first.id);
    expect([second.header.epoch, second.header.n]).toEqual([2, 1]);
    const { object } = JSON.parse(second.frame) as { object: { header: string; box: string } };
    const opened = await openContent({
      contentKey: desk.key(2),
      header: fromBase64(object.header),
      box: fromBase64(object.box),
      expected: { room: ROOM, id: second.id, device: desk.device.identity.device },
      signatureKey: desk.device.publicKey,
    });
    expect(opened.body).toEqual(text("hello"));
  });

  test("signs only the event again when the record's count was refused: no nonce is used for two objects", async () => {
    await outbox.add(text("hello"), NOW);
    const first = await take();
    desk.place = { ...desk.place, dseq: 7 };
    expect(await outbox.refused(first.id, "dseq_expected")).toEqual({ again: true, syncFirst: false });
    const second = await take();
    expect(second.dseq).toBe(7);
    expect(second.id).toBe(first.id);
    expect(second.header).toEqual(first.header);
  });

  test("never seals two objects under one id in one epoch", async () => {
    await outbox.add(text("refused"), NOW);
    await outbox.add(text("accepted"), NOW);
    const first = await take();
    expect(await outbox.refused(first.id, "object_too_large")).toEqual({ again: true, syncFirst: false });
    const second = await take();
    await outbox.acked(second.id);
    await outbox.retry(first.id);
    const third = await take();
    expect(third.id).not.toBe(first.id);
    expect([second.header.n, third.header.n]).toEqual([1, 2]);
  });

  test("waits, without losing anything, where nothing may be sealed", async () => {
    await outbox.add(text("later"), NOW);
    desk.now = null;
    expect(await outbox.next(desk, NOW)).toBeNull();
    expect((await outbox.queued()).map(({ state }) => state)).toEqual(["waiting"]);
    desk.now = 3;
    expect((await take()).header.epoch).toBe(3);
  });

  test("takes a message over whose tab has died", async () => {
    await outbox.add(text("hello"), NOW);
    const first = await take(NOW);
    expect(await outbox.next(desk, NOW + 5_000)).toBeNull();
    expect((await take(NOW + 60_000)).frame).toBe(first.frame);
  });

  test("counts its own object in the room's log as acknowledged, exactly once", async () => {
    await outbox.add(text("hello"), NOW);
    await outbox.add(text("again"), NOW);
    const first = await take();
    expect(await outbox.acked(first.id)).toHaveLength(44);
    expect(await outbox.acked(first.id)).toBeUndefined();
    await outbox.seenOwn(1, first.header.prev);
    expect((await take()).header.n).toBe(2);
  });

  test("takes back only what has certainly not been sent", async () => {
    const kept = await outbox.add(text("sent"), NOW);
    const dropped = await outbox.add(text("not sent"), NOW);
    await take();
    await outbox.unsent();
    await expect(outbox.discard(kept)).rejects.toMatchObject({ code: "not_due" });
    await outbox.discard(dropped);
    expect((await outbox.queued()).map(({ id }) => id)).toEqual([kept]);
  });

  test("refuses more than it can hold, and a retry of what has not failed", async () => {
    const id = await outbox.add(text("first"), NOW);
    await expect(outbox.retry(id)).rejects.toMatchObject({ code: "not_due" });
    for (let added = 1; added < 200; added += 1) await outbox.add(text("more"), NOW);
    await expect(outbox.add(text("too many"), NOW)).rejects.toMatchObject({ code: "outbox_full" });
  });

  test("keeps rooms apart", async () => {
    await outbox.add(text("here"), NOW);
    expect(await new Outbox(rows, toHex(randomBytes(32))).count()).toBe(0);
  });
});
