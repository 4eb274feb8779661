/** What one synchronisation of a room works with. */

import type { Alarm, Hex } from "../bridge.ts";
import type { Cause } from "./alarms.ts";
import { refresh, type View } from "./book.ts";
import { canonical } from "./canonical.ts";
import type { Context, Self } from "./context.ts";
import type { Heads } from "./content.ts";
import type { Bytes } from "./encoding.ts";
import type { Engine } from "./engine.ts";
import { Failure } from "./failure.ts";
import { bytes, count, list, members, name } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { freeze } from "./roomrow.ts";
import { headsOf, roomSeats, type RoomSeats } from "./seating.ts";
import { isRecord, keysAre } from "./shape.ts";
import { parseCanonical } from "./canonical.ts";

/** `GET /api/rooms/<room>`; the host's word, used as material to check. */
export interface ServedRoom {
  readonly consultation: Hex;
  readonly epoch: number;
  readonly head: number;
  readonly groupInfo: Bytes;
  readonly tree: Bytes;
  readonly online: readonly Hex[];
}

export interface Visit {
  readonly context: Context;
  readonly self: Self;
  readonly engine: Engine;
  readonly room: Hex;
  served: ServedRoom;
  view: View;
}

export async function fetchRoom(context: Context, room: Hex): Promise<ServedRoom> {
  const answer = members(await context.server.get(`/api/rooms/${room}`));
  if (answer["room"] !== room) throw new Refusal("wrong_room", "the host answers for another room");
  return {
    consultation: name(answer["consultation"]),
    epoch: count(answer["epoch"]),
    head: count(answer["head"]),
    groupInfo: bytes(answer["group_info"]),
    tree: bytes(answer["tree"]),
    online: list(answer["online"], name),
  };
}

export async function refreshVisit(visit: Visit): Promise<void> {
  visit.view = await refresh(visit.context, visit.self, visit.served.consultation);
}

export function seatsNow(visit: Visit): RoomSeats {
  return roomSeats(visit.view.standing, visit.room);
}

export function headsNow(visit: Visit): Heads {
  return headsOf(visit.view, visit.room);
}

/** What every commit of ours carries as its authenticated data. */
export function headsBytes({ installation, consultation, room }: Heads): Bytes {
  return canonical({ installation, consultation, room });
}

/** @throws Refusal `malformed`, `not_canonical` */
export function readHeads(authenticated: Uint8Array): Heads {
  const value = parseCanonical(authenticated);
  if (!isRecord(value) || !keysAre(value, ["consultation", "installation", "room"])) throw new Refusal("malformed", "not heads");
  return { installation: name(value["installation"]), consultation: name(value["consultation"]), room: name(value["room"]) };
}

/** Stops the room in this browser. @returns what the caller throws */
export async function frozenBy(visit: Visit, cause: Cause): Promise<Failure> {
  const alarm: Alarm = await visit.context.alarm(visit.self.rows, { ...cause, room: visit.room });
  await freeze(visit.self.rows, visit.room, alarm);
  return new Failure("room_frozen", `the room is stopped: ${cause.kind}`);
}

/** Pages look again: after something changed, or when it is this tab's turn to act. */
export function tellRoom(context: Context, room: Hex): void {
  context.notify({ kind: "room_changed", room });
}
