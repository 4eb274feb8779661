/** Seals what waits in the outbox: content under the epoch's key, signed by the device, with the event for the record beside it. */

import type { Hex } from "../bridge.ts";
import { remembered, type View } from "./book.ts";
import type { Context, Self } from "./context.ts";
import { sealContent } from "./content.ts";
import { concat, fromBase64, toBase64 } from "./encoding.ts";
import { signMessageSent } from "./events.ts";
import { Failure } from "./failure.ts";
import type { AuthorPlace, Line, Message, Sealed, Sealer } from "./outbox.ts";
import { lastSeen } from "./pin.ts";
import { count, members, name, text } from "./reading.ts";
import { readRing, readRoom, ringKey, type RoomRow } from "./roomrow.ts";
import { blockOf } from "./roomview.ts";
import { headsOf } from "./seating.ts";

/** @throws Failure `not_seated` for a room this browser knows nothing of */
export async function roomSealer(context: Context, self: Self, room: Hex): Promise<Sealer> {
  const row = await readRoom(self.rows, room);
  if (row === undefined) return { epoch: () => Promise.resolve(null), seal: nothingToSeal, signEvent: nothingToSeal };
  const view = await remembered(self, row.consultation);
  return {
    epoch: async () => ((await blockOf(self, view, room)) === null ? row.epoch : null),
    seal: (message, line) => seal({ context, self, room, view, row }, message, line),
    signEvent: (message, sealed, line) => withEvent({ context, self, room, view, row }, message, sealed, line),
  };
}

interface Sealing {
  readonly context: Context;
  readonly self: Self;
  readonly room: Hex;
  readonly view: View;
  readonly row: RoomRow;
}

async function seal(sealing: Sealing, message: Message, line: Line): Promise<Sealed> {
  const { self, room, view, row } = sealing;
  const contentKey = ringKey(await readRing(self.rows, room), row.epoch);
  if (contentKey === undefined) throw new Failure("history_missing", "no content key of this epoch");
  const n = line.n + 1;
  const place = { room, epoch: row.epoch, leaf: row.leaf, device: self.device, n, prev: line.prev, id: message.id, heads: headsOf(view, room) };
  const { header, box, headerHash } = await sealContent({ contentKey, place, body: message.body, seen: await lastSeen(self.rows), signer: self.deviceSigner });
  const bare = { epoch: row.epoch, n, headerHash, header: toBase64(header), box: toBase64(box) };
  return withEvent(sealing, message, bare, line);
}

async function withEvent(sealing: Sealing, message: Message, sealed: Omit<Sealed, "event" | "author" | "eventHash">, line: Line): Promise<Sealed> {
  const { context, self, room } = sealing;
  const author = line.author ?? (await askPlace(context, self, room));
  const bytes = concat(fromBase64(sealed.header), fromBase64(sealed.box));
  const { event, eventHash } = await signMessageSent({
    message: { sealed: bytes, epoch: sealed.epoch, id: message.id },
    author,
    seen: await lastSeen(self.rows),
    signer: self.deviceSigner,
    publicKey: self.deviceKey,
    at: Date.now(),
  });
  const { epoch, n, headerHash, header, box } = sealed;
  return { epoch, n, headerHash, header, box, event: toBase64(event), author, eventHash };
}

async function askPlace(context: Context, self: Self, room: Hex): Promise<AuthorPlace> {
  const answer = members(await context.server.get(`/api/rooms/${room}/author?device=${self.device}`));
  return { ns: name(answer["ns"]), salt: text(answer["salt"]), dseq: count(answer["dseq"]), dprev: text(answer["dprev"]) };
}

function nothingToSeal(): Promise<never> {
  return Promise.reject(new Failure("not_seated", "not in the group"));
}
