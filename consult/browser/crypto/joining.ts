/** How this device comes into a room's group: by the Welcome somebody made for it, else from outside. */

import type { Heads } from "./content.ts";
import { toBase64 } from "./encoding.ts";
import { hasCode, ServerRefusal } from "./failure.ts";
import { makeKeyPackages, storedKeyPackages, usedKeyPackage } from "./keypackages.ts";
import { jsonRow, noRow, readJson } from "./keystore.ts";
import { bytes, count, members } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { noPending, pendingRow, stepInto, type RoomRow } from "./roomrow.ts";
import { credentialsOf } from "./seating.ts";
import { fetchRoom, headsBytes, headsNow, refreshVisit, tellRoom, type Visit } from "./visit.ts";

/** How long members who are online are given to add this device before it comes in by itself. */
const PATIENCE_MS = 8_000;
const ATTEMPTS = 4;

/** @returns undefined while a member who is online is expected to add us */
export async function joinRoom(visit: Visit): Promise<RoomRow | undefined> {
  const { engine, self, served, view } = visit;
  const roster = await engine.rooms.readPublicState({ groupInfo: served.groupInfo, tree: served.tree, validate: credentialsOf(view.standing) });
  const devices = roster.members.map(({ identity }) => identity.device);
  // A leaf of ours without a state here: somebody added us, and its Welcome waits; or this browser has lost what it had.
  const welcomed = devices.includes(self.device) ? await byWelcome(visit) : undefined;
  if (welcomed !== undefined) return welcomed;
  const others = devices.filter((device) => device !== self.device && served.online.includes(device));
  return (await somebodyWillAddUs(visit, others.length)) ? undefined : fromOutside(visit);
}

async function byWelcome(visit: Visit): Promise<RoomRow | undefined> {
  const { context, self, engine, room } = visit;
  let answer;
  try {
    answer = members(await context.server.get(`/api/rooms/${room}/welcome?device=${self.device}`));
  } catch (error) {
    if (hasCode(error, "not_found")) return undefined;
    throw error;
  }
  if (count(answer["epoch"]) > visit.served.epoch) visit.served = await fetchRoom(context, room);
  try {
    const { state, used } = await engine.rooms.join({
      room,
      welcome: bytes(answer["welcome"]),
      tree: bytes(answer["tree"]),
      keyPackages: await storedKeyPackages(self.rows),
      validate: credentialsOf(visit.view.standing),
    });
    const spent = [...(await usedKeyPackage(self.rows, used)), noRow(waitingPath(room))];
    const heads = foundingHeads(visit);
    const step = { room, consultation: visit.served.consultation, state, heads, before: undefined, confirmed: false, commit: undefined };
    const row = await stepInto(self, engine, step, spent);
    tellRoom(context, room);
    return row;
  } catch (error) {
    // A Welcome we cannot use (its key package is gone, or it is older than our removal) is no reason to stay outside.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** A Welcome names no heads, and commits made since may name older ones than ours: from here on they only must not go back. */
function foundingHeads({ view, room }: Visit): Heads {
  const { installation, consultation } = view.chains;
  return { installation: installation[0]?.hash ?? "", consultation: consultation[0]?.hash ?? "", room };
}

/** @param others devices of the group which are connected: by the host's word, so they are waited for, and not for long */
async function somebodyWillAddUs(visit: Visit, others: number): Promise<boolean> {
  const { context, self, room } = visit;
  const since = (await readJson<number>(self.rows, waitingPath(room))) ?? Date.now();
  await self.rows.write([jsonRow(waitingPath(room), since)]);
  if (others === 0 || Date.now() - since >= PATIENCE_MS) return false;
  context.wakeIn(room, PATIENCE_MS / 4);
  return true;
}

/** An external commit; it also takes out the stale leaf this device left behind. */
export async function fromOutside(visit: Visit): Promise<RoomRow> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await externalCommit(visit);
    } catch (error) {
      const raced = hasCode(error, "stale_epoch") || hasCode(error, "stale_head");
      if (!raced || attempt === ATTEMPTS) throw error;
      visit.served = await fetchRoom(visit.context, visit.room);
      await refreshVisit(visit);
    }
  }
}

async function externalCommit(visit: Visit): Promise<RoomRow> {
  const { context, self, engine, room, served, view } = visit;
  const validate = credentialsOf(view.standing);
  const own = { card: self.card, device: self.device };
  const roster = await engine.rooms.readPublicState({ groupInfo: served.groupInfo, tree: served.tree, validate });
  const stale = roster.members.some(({ identity }) => identity.device === self.device);
  const [keyPackage] = (await makeKeyPackages(self, 1)).changes;
  if (keyPackage?.value == null) throw new Refusal("join_refused", "no key package was made");
  const heads = headsNow(visit);
  const pending = await engine.rooms.externalJoin({
    room,
    groupInfo: served.groupInfo,
    tree: served.tree,
    keyPackage: keyPackage.value,
    replaces: stale ? own : null,
    authenticatedData: headsBytes(heads),
    validate,
  });
  const state = toBase64(engine.rooms.encodeState(pending.state));
  const commit = toBase64(pending.commit);
  await self.rows.write([pendingRow(room, { endsEpoch: pending.endsEpoch, commit, state, heads, joining: true })]);
  const { groupInfo, tree } = pending;
  try {
    await context.server.post(`/api/rooms/${room}/commits`, { epoch: pending.endsEpoch, commit, welcome: null, group_info: toBase64(groupInfo), tree: toBase64(tree) });
  } catch (error) {
    if (error instanceof ServerRefusal) await self.rows.write([noPending(room)]);
    throw error;
  }
  const changed = { added: [own], removed: pending.removed.map(({ identity }) => identity) };
  const step = { room, consultation: served.consultation, state: pending.state, heads, before: undefined, confirmed: false, commit: changed };
  const row = await stepInto(self, engine, step, [noRow(waitingPath(room))]);
  tellRoom(context, room);
  return row;
}

function waitingPath(room: string): string {
  return `waiting/${room}`;
}
