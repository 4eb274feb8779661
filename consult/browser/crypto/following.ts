/** Follows the room from epoch to epoch. Every commit is judged before the state after it becomes ours. */

import type { LeafIdentity } from "./credential.ts";
import { equal, fromBase64, type Bytes } from "./encoding.ts";
import { judgeCommit, type CommitVerdict } from "./gate.ts";
import { fromOutside } from "./joining.ts";
import { bytes, count, list, members } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import type { AppliedCommit, Member, RemovedByCommit } from "./roomcrypto.ts";
import { leaveRows, readPending, readState, stepInto, type PendingRow, type RoomRow } from "./roomrow.ts";
import { credentialsOf, knowsHeads, notBehind, seatsAt } from "./seating.ts";
import { fetchRoom, frozenBy, readHeads, refreshVisit, seatsNow, tellRoom, type Visit } from "./visit.ts";

interface Handshake {
  readonly epoch: number;
  readonly commit: Bytes;
}

/**
 * Applies every commit since ours.
 * @returns undefined if this device was put out of the group, lawfully
 * @throws Failure `room_frozen` with an alarm
 */
export async function follow(visit: Visit, before: RoomRow): Promise<RoomRow | undefined> {
  let row = before;
  for (;;) {
    // The room may have moved on since we asked where it stands: only what the host says now counts against it.
    if (row.epoch > visit.served.epoch) visit.served = await fetchRoom(visit.context, visit.room);
    if (row.epoch > visit.served.epoch) throw await behind(visit, row);
    const handshakes = await fetchHandshakes(visit, row.epoch);
    const [next] = handshakes;
    if (next === undefined) return row;
    if (next.epoch !== row.epoch) return rejoin(visit, "a commit is missing");
    for (const handshake of handshakes) {
      const after = await applyOne(visit, row, handshake);
      if (after === undefined) return undefined;
      row = after;
    }
    tellRoom(visit.context, visit.room);
  }
}

/** A commit of ours whose acknowledgement was lost: adopted if it is what ended the epoch, dropped if it is not. */
export async function settleJoin(visit: Visit): Promise<RoomRow | undefined> {
  const pending = await readPending(visit.self.rows, visit.room);
  if (pending?.joining !== true) return undefined;
  const [winner] = await fetchHandshakes(visit, pending.endsEpoch);
  if (winner === undefined || winner.epoch !== pending.endsEpoch || !equal(winner.commit, fromBase64(pending.commit))) return undefined;
  return adopt(visit, undefined, pending);
}

async function fetchHandshakes(visit: Visit, from: number): Promise<readonly Handshake[]> {
  const answer = members(await visit.context.server.get(`/api/rooms/${visit.room}/handshakes?from=${String(from)}`));
  return list(answer["handshakes"], (value) => {
    const found = members(value);
    return { epoch: count(found["epoch"]), commit: bytes(found["commit"]) };
  });
}

async function applyOne(visit: Visit, row: RoomRow, { epoch, commit }: Handshake): Promise<RoomRow | undefined> {
  const { self, engine, room } = visit;
  if (epoch !== row.epoch) return rejoin(visit, "commits out of order");
  const pending = await readPending(self.rows, room);
  if (pending?.endsEpoch === epoch && equal(fromBase64(pending.commit), commit)) return adopt(visit, row, pending);
  const state = await readState(self.rows, engine, room);
  if (state === undefined) return rejoin(visit, "no state");
  let seen: AppliedCommit | RemovedByCommit;
  try {
    seen = await readCommit(visit, () => engine.rooms.processCommit({ state, commit, validate: credentialsOf(visit.view.standing) }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return unreadable(visit, row, error);
  }
  const heads = await judge(visit, row, seen);
  if (seen.kind === "removed") {
    await self.rows.write(leaveRows(room));
    tellRoom(visit.context, room);
    return undefined;
  }
  const changed = { added: identities(seen.added), removed: identities(seen.removed) };
  const { consultation } = row;
  return stepInto(self, engine, { room, consultation, state: seen.state, heads, before: row, confirmed: true, commit: changed });
}

/** The device it lets in may be newer than the chains we hold: they are brought up to date before anything is held against anybody. */
async function readCommit(visit: Visit, read: () => Promise<AppliedCommit | RemovedByCommit>): Promise<AppliedCommit | RemovedByCommit> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await refreshVisit(visit);
    return read();
  }
}

async function adopt(visit: Visit, before: RoomRow | undefined, pending: PendingRow): Promise<RoomRow> {
  const { self, engine, room, served } = visit;
  const state = engine.rooms.decodeState(fromBase64(pending.state));
  const leaves = engine.rooms.members(state).map(({ identity }) => identity);
  const former = before?.members ?? [];
  const commit = { added: difference(leaves, former), removed: difference(former, leaves) };
  const confirmed = before?.confirmed ?? false;
  return stepInto(self, engine, { room, consultation: served.consultation, state, heads: pending.heads, before, confirmed, commit });
}

/** The transition rule at the heads the commit names, which must be known to us and nowhere behind those of the commit before. */
async function judge(visit: Visit, row: RoomRow, seen: AppliedCommit | RemovedByCommit): Promise<RoomRow["heads"]> {
  const leaves = { sender: seen.sender.identity, added: identities(seen.added), removed: identities(seen.removed) };
  const evidence = { epoch: seen.endsEpoch, sender: leaves.sender.device };
  let heads;
  try {
    heads = readHeads(seen.authenticatedData);
  } catch (error) {
    if (error instanceof Refusal) throw await frozenBy(visit, { kind: "ghost", cards: [leaves.sender.card], devices: [leaves.sender.device], evidence });
    throw error;
  }
  if (!knowsHeads(visit.view, visit.room, heads)) await refreshVisit(visit);
  const seats = seatsAt(visit.view, visit.room, heads);
  // A commit which names a statement the host does not serve, or one older than before: somebody is hiding something.
  if (seats === undefined || !notBehind(visit.view, heads, row.heads)) {
    throw await frozenBy(visit, { kind: "rolled_back", devices: [leaves.sender.device], evidence: { ...evidence, ...heads } });
  }
  const verdict: CommitVerdict = judgeCommit(leaves, seats);
  if (verdict.kind === "lawful") return heads;
  const { kind, leaves: named } = verdict;
  throw await frozenBy(visit, { kind, cards: named.map(({ card }) => card), devices: named.map(({ device }) => device), evidence });
}

/** We cannot follow this commit. Somebody may have broken it for us, or we were removed: with a seat, come in again from outside. */
async function unreadable(visit: Visit, row: RoomRow, error: Refusal): Promise<RoomRow | undefined> {
  if (error.code === "credential_refused") {
    // A leaf whose key is not the one its own account signed: that is a ghost by any other name.
    throw await frozenBy(visit, { kind: "ghost", evidence: { epoch: row.epoch, reason: error.code } });
  }
  return rejoin(visit, error.code);
}

async function rejoin(visit: Visit, reason: string): Promise<RoomRow | undefined> {
  await visit.self.rows.write(leaveRows(visit.room));
  const { card, device } = visit.self;
  if (!seatsNow(visit).seated({ card, device })) return undefined;
  console.info("the room is joined again from outside:", reason);
  return fromOutside(visit);
}

async function behind(visit: Visit, row: RoomRow): Promise<Error> {
  return frozenBy(visit, { kind: "rolled_back", evidence: { epoch: row.epoch, served: visit.served.epoch } });
}

function identities(leaves: readonly Member[]): readonly LeafIdentity[] {
  return leaves.map(({ identity }) => identity);
}

function difference(left: readonly LeafIdentity[], right: readonly LeafIdentity[]): readonly LeafIdentity[] {
  const there = new Set(right.map(({ device }) => device));
  return left.filter(({ device }) => !there.has(device)).map(({ card, device }) => ({ card, device }));
}
