/** Brings the group in line with the seats: takes out who has none, adds whose devices are due. */

import type { Hex } from "../bridge.ts";
import type { LeafIdentity } from "./credential.ts";
import { equal, toBase64, type Bytes } from "./encoding.ts";
import { hasCode, ServerRefusal } from "./failure.ts";
import { follow } from "./following.ts";
import { excessLeaves, missingDevices } from "./gate.ts";
import { bytes, list, members, name } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { noPending, pendingRow, readState, stepInto, type RoomLeaf, type RoomRow } from "./roomrow.ts";
import { credentialsOf } from "./seating.ts";
import { fetchRoom, headsBytes, headsNow, refreshVisit, seatsNow, tellRoom, type Visit } from "./visit.ts";

const ATTEMPTS = 4;
/** Members online commit in turn, so that not all of them do the same work and claim the same key packages. */
const TURN_MS = 1_500;

const dueSince = new Map<Hex, number>();

/** @returns where the room is afterwards; undefined if this device was put out meanwhile */
export async function settleMembers(visit: Visit, before: RoomRow): Promise<RoomRow | undefined> {
  let row: RoomRow | undefined = before;
  const claimed = new Map<Hex, Bytes>();
  for (let attempt = 1; row !== undefined && attempt <= ATTEMPTS; attempt += 1) {
    const due = changesDue(visit, row);
    if (due.removes.length === 0 && due.adds.length === 0) {
      dueSince.delete(visit.room);
      return row;
    }
    if (!ourTurn(visit, row)) return row;
    const adds = await keyPackagesFor(visit, due.adds, claimed);
    if (adds.length === 0 && due.removes.length === 0) return row;
    const committed = await commit(visit, row, { adds, removes: due.removes });
    if (committed !== undefined) return committed;
    row = await lookAgain(visit, row);
  }
  return row;
}

interface Due {
  readonly adds: readonly LeafIdentity[];
  readonly removes: readonly RoomLeaf[];
}

/** By our own roster; the server's list of what is due decides nothing. */
function changesDue(visit: Visit, row: RoomRow): Due {
  const seats = seatsNow(visit);
  return { adds: missingDevices(row.members, seats.leaves), removes: excessLeaves(row.members, seats) };
}

function ourTurn(visit: Visit, row: RoomRow): boolean {
  const { context, self, room, served } = visit;
  const inGroup = new Set(row.members.map(({ device }) => device));
  const queue = [...new Set([...served.online, self.device])].filter((device) => inGroup.has(device)).sort();
  const wait = queue.indexOf(self.device) * TURN_MS;
  const since = dueSince.get(room) ?? Date.now();
  dueSince.set(room, since);
  const left = since + wait - Date.now();
  if (left <= 0) return true;
  context.wakeIn(room, left);
  return false;
}

async function keyPackagesFor(visit: Visit, due: readonly LeafIdentity[], claimed: Map<Hex, Bytes>): Promise<readonly Bytes[]> {
  const wanted = due.filter(({ device }) => !claimed.has(device)).map(({ device }) => device);
  if (wanted.length > 0) {
    const answer = members(await visit.context.server.post(`/api/rooms/${visit.room}/claims`, { devices: wanted }));
    for (const entry of list(answer["key_packages"], members)) claimed.set(name(entry["device"]), bytes(entry["key_package"]));
  }
  const found: Bytes[] = [];
  for (const leaf of due) {
    const keyPackage = claimed.get(leaf.device);
    if (keyPackage !== undefined && (await isOf(visit, leaf, keyPackage))) found.push(keyPackage);
  }
  return found;
}

/** The key package is that device's, signed with the key of its own statement; one that is not is left alone. */
async function isOf(visit: Visit, leaf: LeafIdentity, keyPackage: Bytes): Promise<boolean> {
  const known = visit.view.standing.accounts.get(leaf.card)?.devices.get(leaf.device);
  try {
    const { identity, signatureKey, notBefore, notAfter } = await visit.engine.rooms.readKeyPackage(keyPackage);
    const now = Date.now() / 1000;
    const same = identity.card === leaf.card && identity.device === leaf.device;
    return same && known !== undefined && equal(known.signatureKey, signatureKey) && notBefore <= now && now <= notAfter;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** @returns undefined if somebody else was first, or the heads have moved */
async function commit(visit: Visit, row: RoomRow, change: { adds: readonly Bytes[]; removes: readonly RoomLeaf[] }): Promise<RoomRow | undefined> {
  const { context, self, engine, room, view } = visit;
  const state = await readState(self.rows, engine, room);
  if (state === undefined) return undefined;
  const heads = headsNow(visit);
  const removes = change.removes.map(({ leaf }) => leaf);
  const made = await engine.rooms.buildCommit({ state, adds: change.adds, removes, authenticatedData: headsBytes(heads), validate: credentialsOf(view.standing) });
  const bytesOut = { commit: toBase64(made.commit), welcome: made.welcome === undefined ? null : toBase64(made.welcome) };
  const pending = { endsEpoch: made.endsEpoch, commit: bytesOut.commit, state: toBase64(engine.rooms.encodeState(made.state)), heads, joining: false };
  await self.rows.write([pendingRow(room, pending)]);
  try {
    const publicState = { group_info: toBase64(made.groupInfo), tree: toBase64(made.tree) };
    await context.server.post(`/api/rooms/${room}/commits`, { epoch: made.endsEpoch, ...bytesOut, ...publicState });
  } catch (error) {
    if (!(error instanceof ServerRefusal)) throw error;
    await self.rows.write([noPending(room)]);
    if (hasCode(error, "stale_epoch") || hasCode(error, "stale_head") || hasCode(error, "not_seated") || hasCode(error, "still_seated")) return undefined;
    throw error;
  }
  const leaves = engine.rooms.members(made.state).map(({ identity }) => identity);
  const entry = { added: missingDevices(row.members, leaves), removed: change.removes.map(({ card, device }) => ({ card, device })) };
  const step = { room, consultation: row.consultation, state: made.state, heads, before: row, confirmed: row.confirmed, commit: entry };
  const next = await stepInto(self, engine, step);
  dueSince.delete(room);
  tellRoom(context, room);
  return next;
}

async function lookAgain(visit: Visit, row: RoomRow): Promise<RoomRow | undefined> {
  visit.served = await fetchRoom(visit.context, visit.room);
  await refreshVisit(visit);
  return follow(visit, row);
}
