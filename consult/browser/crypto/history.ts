/** Content keys of epochs one was not there for: given to newcomers as far as their seat says, and taken from what others gave. */

import type { Hex } from "../bridge.ts";
import { toBase64 } from "./encoding.ts";
import { hasCode, ServerRefusal } from "./failure.ts";
import { bytes, count, list, members, name } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { openHistory, openRingEntry, sealHistory, sealRingEntry, type EpochKey } from "./ring.ts";
import { readRing, ringKey, ringRow, type Ring, type RingKey, type RoomRow } from "./roomrow.ts";
import { partyOf } from "./seating.ts";
import { fetchRoom, frozenBy, seatsNow, type Visit } from "./visit.ts";

/** Entries in one request. */
const BATCH = 100;

/** Seals due slices to newcomers. The first member online does it; that is the server's choice and harms nobody. */
export async function giveHistory(visit: Visit, row: RoomRow): Promise<void> {
  const { context, self, room } = visit;
  if (!firstOnline(visit, row)) return;
  const due = members(await context.server.get(`/api/rooms/${room}/due`));
  const asked = list(due["history"], (value) => {
    const found = members(value);
    return { card: name(found["card"]), from: count(found["from"]), to: count(found["to"]) };
  });
  const ring = await readRing(self.rows, room);
  for (const { card, from, to } of asked) {
    const recipient = visit.view.standing.accounts.get(card);
    if (card === self.card || recipient === undefined || !seatsNow(visit).seats.has(card)) continue;
    const entries = slice(ring, Math.max(from, firstAllowed(visit, row, card)), to);
    const [first, last] = [entries[0], entries.at(-1)];
    if (first === undefined || last === undefined) continue;
    const box = toBase64(await sealHistory({ entries, publicKey: recipient.xwingKey }));
    await acceptRace(context.server.post(`/api/rooms/${room}/history`, { card, from: first.epoch, to: last.epoch, box }));
  }
}

function firstOnline(visit: Visit, row: RoomRow): boolean {
  const inGroup = new Set(row.members.map(({ device }) => device));
  const queue = [...new Set([...visit.served.online, visit.self.device])].filter((device) => inGroup.has(device)).sort();
  return queue[0] === visit.self.device;
}

/**
 * The first epoch this card may read. `opening`: all. `joining`, and a scope which begins with a sitting: from when its first device
 * came in, as far as we saw that. Who sits for no party of the composition was seated by both Co-Chairs and begins with its seat.
 */
function firstAllowed(visit: Visit, row: RoomRow, card: Hex): number {
  const { standing } = visit.view;
  const scope = standing.consultation?.composition.get(partyOf(standing, card))?.history;
  return scope === "opening" ? 0 : (row.since[card] ?? row.epoch);
}

/** The longest run of epochs without a gap that ends nearest to `to`. */
function slice(ring: Ring, from: number, to: number): EpochKey[] {
  const entries: EpochKey[] = [];
  for (let epoch = to; epoch >= from; epoch -= 1) {
    const key = ringKey(ring, epoch);
    if (key !== undefined) entries.unshift({ epoch, key });
    else if (entries.length > 0) break;
  }
  return entries;
}

/** Takes in what this account stored before, and what members granted it. A claim never replaces a key we hold. */
export async function takeHistory(visit: Visit, row: RoomRow): Promise<void> {
  const { self, room } = visit;
  const before = await readRing(self.rows, room);
  if (!gapsBelow(before, row.epoch)) return;
  const found = [...(await ownEntries(visit, row)), ...(await granted(visit))];
  const ring: Record<string, RingKey> = { ...before };
  for (const { epoch, key } of found) {
    if (ring[String(epoch)] === undefined && epoch < row.epoch) ring[String(epoch)] = { key: toBase64(key), own: false, uploaded: false };
  }
  if (Object.keys(ring).length > Object.keys(before).length) await self.rows.write([ringRow(room, ring)]);
}

function gapsBelow(ring: Ring, epoch: number): boolean {
  for (let each = 0; each < epoch; each += 1) if (ring[String(each)] === undefined) return true;
  return false;
}

/** What this account's browsers stored. An epoch beyond the served one was seen by one of them: the host has gone back. */
async function ownEntries(visit: Visit, row: RoomRow): Promise<readonly EpochKey[]> {
  const { context, self, room } = visit;
  const answer = members(await context.server.get(`/api/ring?room=${room}`));
  const entries = list(answer["entries"], (value) => {
    const found = members(value);
    return { epoch: count(found["epoch"]), box: bytes(found["box"]) };
  });
  const found = await whatOpens(entries, async ({ epoch, box }) => [await openRingEntry({ room, epoch, box, seed: self.xwingSeed })]);
  const newest = Math.max(-1, ...found.map(({ epoch }) => epoch));
  if (newest > row.epoch) visit.served = await fetchRoom(context, room);
  if (newest > Math.max(row.epoch, visit.served.epoch)) throw await frozenBy(visit, { kind: "rolled_back", evidence: { stored: newest, served: visit.served.epoch } });
  return found;
}

async function granted({ context, self, room }: Visit): Promise<readonly EpochKey[]> {
  const answer = members(await context.server.get(`/api/rooms/${room}/history`));
  const grants = list(answer["grants"], (value) => {
    const found = members(value);
    return { from: count(found["from"]), to: count(found["to"]), box: bytes(found["box"]) };
  });
  return whatOpens(grants, ({ from, to, box }) => openHistory({ from, to, box, seed: self.xwingSeed }));
}

/** One box which does not open costs its own epochs, not the others. */
async function whatOpens<T>(boxes: readonly T[], open: (box: T) => Promise<readonly EpochKey[]>): Promise<readonly EpochKey[]> {
  const found: EpochKey[] = [];
  for (const box of boxes) {
    try {
      found.push(...(await open(box)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return found;
}

/** Keeps the ring at the server, sealed to the own card, for the day this browser is wiped. */
export async function storeRing(visit: Visit): Promise<void> {
  const { context, self, room } = visit;
  const ring = await readRing(self.rows, room);
  const fresh = Object.entries(ring).filter(([, entry]) => !entry.uploaded);
  for (let start = 0; start < fresh.length; start += BATCH) {
    const entries = await Promise.all(fresh.slice(start, start + BATCH).map(([epoch]) => sealed(visit, ring, Number(epoch))));
    await context.server.post("/api/ring", { room, entries });
  }
  if (fresh.length === 0) return;
  const marked = Object.fromEntries(Object.entries(ring).map(([epoch, entry]) => [epoch, { ...entry, uploaded: true }]));
  await self.rows.write([ringRow(room, marked)]);
}

async function sealed({ self, room }: Visit, ring: Ring, epoch: number): Promise<{ epoch: number; box: string }> {
  const key = ringKey(ring, epoch);
  if (key === undefined) throw new Refusal("wrong_key", "no key of this epoch");
  return { epoch, box: toBase64(await sealRingEntry({ room, entry: { epoch, key }, publicKey: self.xwingKey })) };
}

/** Somebody else was first to give it: as good. */
async function acceptRace(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ServerRefusal) || !hasCode(error, "not_due")) throw error;
  }
}
