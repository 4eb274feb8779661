/** The calls of a room: what each needs of the store, the chains and the server, and which of them take the account's lock. */

import type { Acknowledged, CallTable, Hex, NextFrame, Opened, Receipt, RoomItem, RoomView } from "../bridge.ts";
import { consultationOf, remembered, type View } from "./book.ts";
import { noteClaims, type Claim } from "./claims.ts";
import type { JsonObject } from "./canonical.ts";
import type { PaperBody } from "./content.ts";
import type { Context, Self } from "./context.ts";
import { describe, Failure, hasCode, ServerRefusal } from "./failure.ts";
import { jsonRow, noRow, readJson, type Rows } from "./keystore.ts";
import { paperPath, Reader } from "./opening.ts";
import { Outbox } from "./outbox.ts";
import { openPaper, paperView, uploadPaper } from "./papers.ts";
import { choice, count, list, members, name, orNull, text } from "./reading.ts";
import { holdReceipt } from "./receipts.ts";
import { removals, removalStatus } from "./removal.ts";
import { syncRoom } from "./roomsync.ts";
import { openRoom } from "./roomopen.ts";
import { confirmKeys, roomView } from "./roomview.ts";
import { recordKey } from "./seating.ts";
import { roomSealer } from "./sending.ts";

type RoomCalls =
  | "roomOpen" | "roomSync" | "roomView" | "roomOpenItems" | "roomItems" | "roomConfirmKeys"
  | "outboxAdd" | "outbox" | "outboxNext" | "outboxAcked" | "outboxRefused" | "outboxUnsent" | "outboxPost" | "outboxRetry" | "outboxDiscard"
  | "composerSave" | "composerRead" | "paperSend" | "paperOpen" | "removals" | "removalStatus";

export function roomCalls(context: Context): Pick<CallTable, RoomCalls> {
  const locked = <T>(work: (self: Self) => Promise<T>): Promise<T> => context.exclusive(async () => work(await context.self()));
  const changed = (room: Hex): void => {
    context.notify({ kind: "outbox_changed", room });
  };
  const withOutbox = <T>(room: Hex, work: (outbox: Outbox) => Promise<T>): Promise<T> =>
    locked(async ({ rows }) => {
      const result = await work(new Outbox(rows, room));
      changed(room);
      return result;
    });
  context.onWake((room) => lookAgain(context, room));
  return {
    roomOpen: ({ consultation }) => locked((self) => openRoom(context, self, consultation)),
    roomSync: ({ room }) => locked((self) => syncRoom(context, self, room)),
    roomView: async ({ room }) => viewOf(await context.self(), room),
    roomOpenItems: ({ room, items }) => locked((self) => openItems(context, self, room, { items, head: 0 })),
    roomItems: (args) => locked((self) => fetchItems(context, self, args)),
    roomConfirmKeys: ({ room, statements }) =>
      locked(async (self) => {
        await confirmKeys(self, room, statements);
        return viewOf(self, room);
      }),

    outboxAdd: async ({ room, text: words, replyTo }) =>
      withOutbox(room, async (outbox) => ({ id: await outbox.add({ kind: "text", text: words, reply_to: replyTo }, Date.now()) })),
    outbox: async ({ room }) => new Outbox((await context.self()).rows, room).queued(),
    outboxNext: ({ room }) => locked((self) => nextFrame(context, self, room)),
    outboxAcked: ({ room, id, receipt }) =>
      locked(async ({ rows }) => {
        await acknowledged(rows, room, { id, receipt: orNull(receipt, readReceipt) });
        changed(room);
        return {};
      }),
    outboxRefused: ({ room, id, code }) => withOutbox(room, (outbox) => outbox.refused(id, code)),
    outboxUnsent: ({ room }) => withOutbox(room, async (outbox) => nothing(outbox.unsent())),
    outboxPost: ({ room }) => locked((self) => postWaiting(context, self, room)),
    outboxRetry: ({ room, id }) => withOutbox(room, async (outbox) => nothing(outbox.retry(id))),
    outboxDiscard: ({ room, id }) => withOutbox(room, async (outbox) => nothing(outbox.discard(id))),

    composerSave: ({ room, text: words, replyTo }) =>
      locked(async ({ rows }) => nothing(rows.write([words === "" && replyTo === null ? noRow(composerPath(room)) : jsonRow(composerPath(room), { text: words, replyTo })]))),
    composerRead: async ({ room }) => (await readJson<{ text: string; replyTo: Hex | null }>((await context.self()).rows, composerPath(room))) ?? { text: "", replyTo: null },

    paperSend: async ({ room, file, replyTo }, control) => {
      const { rows } = await context.self();
      const body = await uploadPaper({ server: context.server, rows, room, file, replyTo, control });
      return withOutbox(room, async (outbox) => ({ id: await outbox.add(body, Date.now()) }));
    },
    paperOpen: async ({ room, id }, control) => {
      const body = await paperOf(await context.self(), room, id);
      return { blob: await openPaper(context.server, body, control), paper: paperView(body) };
    },

    removals: ({ consultation }) => locked((self) => removals(context, self, consultation)),
    removalStatus: ({ room, device }) => locked(async (self) => removalStatus(context, self, { room, device, consultation: await owning(self, room) })),
  };
}

async function nothing(work: Promise<unknown>): Promise<Record<string, never>> {
  await work;
  return {};
}

/** When it is this browser's turn, or waiting has taken long enough. What goes wrong shows when the page asks next. */
async function lookAgain(context: Context, room: Hex): Promise<void> {
  try {
    await context.exclusive(async () => syncRoom(context, await context.self(), room));
    context.notify({ kind: "room_changed", room });
  } catch (error) {
    console.info("the room was not brought up to date:", describe(error).code);
  }
}

function composerPath(room: Hex): string {
  return `composer/${room}`;
}

async function owning(self: Self, room: Hex): Promise<Hex> {
  const consultation = await consultationOf(self, room);
  if (consultation === undefined) throw new Failure("not_seated", "this browser has not been in the room yet");
  return consultation;
}

async function chainsOf(self: Self, room: Hex): Promise<View> {
  return remembered(self, await owning(self, room));
}

async function viewOf(self: Self, room: Hex): Promise<RoomView> {
  return roomView(self, await chainsOf(self, room), room);
}

async function openItems(context: Context, self: Self, room: Hex, given: { items: readonly RoomItem[]; head: number }): Promise<Opened> {
  const view = await chainsOf(self, room);
  const reader = await Reader.over(self, view, room);
  const { opened, outboxChanged, claims } = await reader.open(given.items, given.head);
  if (outboxChanged) context.notify({ kind: "outbox_changed", room });
  await compare(context, self, view, claims);
  return opened;
}

/** What was said is shown also when the record turns out to be forked: the alarm stands beside it, and nothing more is sent. */
async function compare(context: Context, self: Self, view: View, claims: readonly Claim[]): Promise<void> {
  const key = recordKey(view.standing);
  if (key === null) return;
  try {
    await noteClaims({ context, self, key }, claims);
  } catch (error) {
    if (!hasCode(error, "room_frozen")) throw error;
  }
}

async function fetchItems(context: Context, self: Self, args: { room: Hex; since: number; limit: number }): Promise<Opened> {
  const { room, since, limit } = args;
  const answer = members(await context.server.get(`/api/rooms/${room}/items?since=${String(since)}&limit=${String(limit)}`));
  return openItems(context, self, room, { items: list(answer["items"], readItem), head: count(answer["head"]) });
}

function readItem(value: unknown): RoomItem {
  const item = members(value);
  const place = { seq: count(item["seq"]), at: count(item["at"]) };
  if (choice(item["kind"], ["content", "commit"]) === "commit") return { kind: "commit", ...place, epoch: count(item["epoch"]), commit: text(item["commit"]) };
  return { kind: "content", ...place, id: name(item["id"]), device: name(item["device"]), header: text(item["header"]), box: text(item["box"]) };
}

async function nextFrame(context: Context, self: Self, room: Hex): Promise<NextFrame | null> {
  const frame = await new Outbox(self.rows, room).next(await roomSealer(context, self, room), Date.now());
  if (frame !== null) context.notify({ kind: "outbox_changed", room });
  return frame;
}

async function acknowledged(rows: Rows, room: Hex, { id, receipt }: { id: Hex; receipt: Receipt | null }): Promise<void> {
  const event = await new Outbox(rows, room).acked(id);
  await holdReceipt(rows, room, { id, event, receipt });
}

/** What is no receipt is kept as one all the same: it will be found out when it is verified. */
function readReceipt(value: unknown): Receipt {
  const { t, sig } = Object(value) as Readonly<Record<string, unknown>>;
  return { t: typeof t === "number" ? t : -1, sig: typeof sig === "string" ? sig : "" };
}

/** One after the other by HTTP, each acknowledged before the next; stops at the first that has to wait. */
async function postWaiting(context: Context, self: Self, room: Hex): Promise<readonly Acknowledged[]> {
  const outbox = new Outbox(self.rows, room);
  const done: Acknowledged[] = [];
  await outbox.unsent();
  for (let next = await nextFrame(context, self, room); next !== null; next = await nextFrame(context, self, room)) {
    try {
      const frame = JSON.parse(next.frame) as JsonObject;
      const ack = members(await context.server.post(`/api/rooms/${room}/messages`, frame));
      await acknowledged(self.rows, room, { id: next.id, receipt: orNull(ack["receipt"], readReceipt) });
      done.push({ id: next.id, seq: count(ack["seq"]), at: count(ack["at"]) });
    } catch (error) {
      if (!(await goesOn(context, self, { room, outbox, id: next.id, error }))) break;
    }
  }
  context.notify({ kind: "outbox_changed", room });
  return done;
}

async function goesOn(context: Context, self: Self, at: { room: Hex; outbox: Outbox; id: Hex; error: unknown }): Promise<boolean> {
  if (!(at.error instanceof ServerRefusal)) {
    await at.outbox.unsent();
    if (hasCode(at.error, "offline")) return false;
    throw at.error;
  }
  const { again, syncFirst } = await at.outbox.refused(at.id, describe(at.error).code);
  if (again && syncFirst) await syncRoom(context, self, at.room);
  return again;
}

/** A paper is known by its opened message, or, before it was sent, by what waits in the outbox. */
async function paperOf(self: Self, room: Hex, id: Hex): Promise<PaperBody> {
  const found = (await readJson<PaperBody>(self.rows, paperPath(room, id))) ?? (await new Outbox(self.rows, room).body(id));
  if (found?.kind !== "paper") throw new Failure("history_missing", "the message of this paper was not opened here");
  return found;
}
