/** Brings one room up to date: chains, group, seats, history, keys at the server. In this order, under the account's lock. */

import type { Hex, RoomView } from "../bridge.ts";
import { refresh, remembered, consultationOf, type View } from "./book.ts";
import type { Context, Self } from "./context.ts";
import { engineFor } from "./engine.ts";
import { Failure, hasCode, ServerRefusal } from "./failure.ts";
import { follow, settleJoin } from "./following.ts";
import { giveHistory, storeRing, takeHistory } from "./history.ts";
import { joinRoom } from "./joining.ts";
import { refill } from "./keypackages.ts";
import { settleClaims } from "./claims.ts";
import { settleMembers } from "./membership.ts";
import { followNewest } from "./pin.ts";
import { settleReceipts } from "./receipts.ts";
import { Refusal } from "./refusal.ts";
import { leaveRows, readFrozen, readRoom, readWanted, wantedRow, type RoomRow } from "./roomrow.ts";
import { roomView } from "./roomview.ts";
import { knowsHeads, recordKey, roomSeats } from "./seating.ts";
import { fetchRoom, type Visit } from "./visit.ts";

/** @throws Failure `not_seated`, `chain_broken`, `host_rolled_back`, `fork`; a frozen room is shown as frozen */
export async function syncRoom(context: Context, self: Self, room: Hex): Promise<RoomView> {
  const visit = await arrive(context, self, room);
  if (visit === undefined) return notSeated(context, self, room);
  const own = { card: self.card, device: self.device };
  if (!roomSeats(visit.view.standing, room).seated(own)) {
    await self.rows.write(leaveRows(room));
    return roomView(self, visit.view, room);
  }
  if ((await readFrozen(self.rows, room)) === undefined) await bringUpToDate(visit);
  return roomView(self, visit.view, room);
}

async function arrive(context: Context, self: Self, room: Hex): Promise<Visit | undefined> {
  try {
    const served = await fetchRoom(context, room);
    const view = await refresh(context, self, served.consultation);
    // The host names the consultation; the room's own founding statement decides.
    if (!view.chains.rooms.has(room)) throw new Failure("chain_broken", "the room is not one of that consultation");
    return { context, self, engine: await engineFor(self), room, served, view };
  } catch (error) {
    if (error instanceof ServerRefusal && hasCode(error, "not_found")) return undefined;
    throw error;
  }
}

/** The host says there is nothing for us here. If our own chains still seat us, it says so against them: it may, and we say that. */
async function notSeated(context: Context, self: Self, room: Hex): Promise<RoomView> {
  const consultation = await consultationOf(self, room);
  if (consultation === undefined) throw new Failure("not_seated", "no seat in this room");
  let view: View;
  try {
    view = await refresh(context, self, consultation);
  } catch (error) {
    if (!hasCode(error, "not_found")) throw error;
    view = await remembered(self, consultation);
  }
  return { ...(await roomView(self, view, room)), block: { kind: "not_seated" } };
}

async function bringUpToDate(visit: Visit): Promise<void> {
  const { self, room } = visit;
  try {
    const row = await comeIn(visit);
    const settled = row === undefined ? undefined : await settleMembers(visit, row);
    if (settled !== undefined) await afterwards(visit, settled);
  } catch (error) {
    // The view says that the room is frozen, and why; everything else is for the caller.
    if (!hasCode(error, "room_frozen")) throw error;
  }
  const wanted = await readWanted(self.rows, room);
  const missing = wanted.filter((heads) => !knowsHeads(visit.view, room, heads));
  if (missing.length !== wanted.length) await self.rows.write([wantedRow(room, missing)]);
}

async function comeIn(visit: Visit): Promise<RoomRow | undefined> {
  const known = (await readRoom(visit.self.rows, visit.room)) ?? (await settleJoin(visit)) ?? (await joinRoom(visit));
  if (known === undefined) return undefined;
  const row = await follow(visit, known);
  // Put out although seated, as when another device of ours made room: come in again.
  return row ?? joinRoom(visit);
}

/** What can wait, and must not keep anybody from speaking if it fails. */
async function afterwards(visit: Visit, row: RoomRow): Promise<void> {
  for (const work of [takeHistory, giveHistory, storeRing, topUp, lookAtRecord]) {
    try {
      await work(visit, row);
    } catch (error) {
      if (!(error instanceof Failure || error instanceof ServerRefusal || error instanceof Refusal)) throw error;
      console.info("after the room's synchronisation:", error.code);
    }
  }
}

async function topUp({ self, context }: Visit): Promise<void> {
  await refill(self, context.server);
}

/** The newest checkpoint continues the one pinned here, what others have seen is of the same history, and our own messages stand in it. */
async function lookAtRecord({ context, self, view, room }: Visit): Promise<void> {
  const key = recordKey(view.standing);
  if (key === null) return;
  const keeper = { context, self, key };
  await followNewest(keeper);
  await settleClaims(keeper);
  await settleReceipts(keeper, room);
}
