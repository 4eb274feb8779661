/** What this browser keeps of a room: where it is in the group, the group's secret state, and the content keys it may use. */

import type { Alarm, Hex } from "../bridge.ts";
import type { Self } from "./context.ts";
import type { Heads } from "./content.ts";
import type { LeafIdentity } from "./credential.ts";
import { fromBase64, toBase64, toHex, type Bytes } from "./encoding.ts";
import type { Engine } from "./engine.ts";
import { jsonRow, noRow, readJson, type Change, type Rows } from "./keystore.ts";
import type { RoomState } from "./roomcrypto.ts";

export interface RoomLeaf extends LeafIdentity {
  readonly leaf: number;
}

/** The row `room/<id>`: this device is a member of the group at `epoch`. */
export interface RoomRow {
  readonly consultation: Hex;
  readonly epoch: number;
  readonly leaf: number;
  readonly members: readonly RoomLeaf[];
  /** the heads which the commit that began this epoch was judged at */
  readonly heads: Heads;
  /** hex; equal for all who share this epoch */
  readonly authenticator: string;
  /** another device has named this list since we came in */
  readonly confirmed: boolean;
  /** the epoch this browser came in with */
  readonly joined: number;
  /** the first epoch each card was seen in the group; not before `joined` */
  readonly since: Readonly<Record<Hex, number>>;
}

/** A commit of ours on its way: stored before it leaves, for if the answer is lost only this state can follow it. */
export interface PendingRow {
  readonly endsEpoch: number;
  readonly commit: string;
  readonly state: string;
  readonly heads: Heads;
  readonly joining: boolean;
}

export interface RingKey {
  readonly key: string;
  /** derived by this device itself; another's claim never replaces it */
  readonly own: boolean;
  readonly uploaded: boolean;
}

export type Ring = Readonly<Record<string, RingKey>>;

export interface CommitChange {
  readonly added: readonly LeafIdentity[];
  readonly removed: readonly LeafIdentity[];
}

export interface CommitRow extends CommitChange {
  /** cards with a device in the group before the commit and one after it: people who neither came nor went */
  readonly staying: readonly Hex[];
}

export const roomPath = (room: Hex): string => `room/${room}`;
const statePath = (room: Hex): string => `state/${room}`;
const pendingPath = (room: Hex): string => `pending/${room}`;
const ringPath = (room: Hex): string => `ring/${room}`;
const frozenPath = (room: Hex): string => `frozen/${room}`;
const ALL_FROZEN = frozenPath("all");
const commitsPath = (room: Hex): string => `commits/${room}`;
const wantedPath = (room: Hex): string => `wanted/${room}`;

export function readRoom(rows: Rows, room: Hex): Promise<RoomRow | undefined> {
  return readJson<RoomRow>(rows, roomPath(room));
}

export function readPending(rows: Rows, room: Hex): Promise<PendingRow | undefined> {
  return readJson<PendingRow>(rows, pendingPath(room));
}

export async function readRing(rows: Rows, room: Hex): Promise<Ring> {
  return (await readJson<Ring>(rows, ringPath(room))) ?? {};
}

export function ringRow(room: Hex, ring: Ring): Change {
  return jsonRow(ringPath(room), ring);
}

export async function readCommits(rows: Rows, room: Hex): Promise<Readonly<Record<string, CommitRow>>> {
  return (await readJson<Record<string, CommitRow>>(rows, commitsPath(room))) ?? {};
}

/** A frozen room stays so in this browser: nothing more is followed and nothing sent until people have looked. */
export async function readFrozen(rows: Rows, room: Hex): Promise<Alarm | undefined> {
  return (await readJson<Alarm>(rows, frozenPath(room))) ?? readJson<Alarm>(rows, ALL_FROZEN);
}

/** Every room of this browser, those it has never entered included. */
export function freezeAll(rows: Rows, alarm: Alarm): Promise<void> {
  return rows.write([jsonRow(ALL_FROZEN, alarm)]);
}

export function freeze(rows: Rows, room: Hex, alarm: Alarm): Promise<void> {
  return rows.write([jsonRow(frozenPath(room), alarm)]);
}

/** Heads that others named and the host has not served: nothing is sealed until they are here. */
export async function readWanted(rows: Rows, room: Hex): Promise<readonly Heads[]> {
  return (await readJson<readonly Heads[]>(rows, wantedPath(room))) ?? [];
}

export function wantedRow(room: Hex, wanted: readonly Heads[]): Change {
  return wanted.length === 0 ? noRow(wantedPath(room)) : jsonRow(wantedPath(room), wanted);
}

export function pendingRow(room: Hex, pending: PendingRow): Change {
  return jsonRow(pendingPath(room), pending);
}

export function noPending(room: Hex): Change {
  return noRow(pendingPath(room));
}

/** @returns undefined if this device is not in the group */
export async function readState(rows: Rows, engine: Engine, room: Hex): Promise<RoomState | undefined> {
  const bytes = await rows.read(statePath(room));
  return bytes === undefined ? undefined : engine.rooms.decodeState(bytes);
}

/** This device is out of the group: its old state can open nothing new and is not needed for what it may still read. */
export function leaveRows(room: Hex): readonly Change[] {
  return [noRow(roomPath(room)), noRow(statePath(room)), noPending(room)];
}

export interface Step {
  readonly room: Hex;
  readonly consultation: Hex;
  readonly state: RoomState;
  readonly heads: Heads;
  readonly before: RoomRow | undefined;
  /** whether somebody else stands for this list */
  readonly confirmed: boolean;
  readonly commit: CommitChange | undefined;
}

/** One epoch further, or in: group state, row, content key and what the commit did, in one write. */
export async function stepInto(self: Self, engine: Engine, step: Step, more: readonly Change[] = []): Promise<RoomRow> {
  const { room, state, before } = step;
  const epoch = engine.rooms.epoch(state);
  const members = engine.rooms.members(state).map(({ leaf, identity }) => ({ leaf, ...identity }));
  const row: RoomRow = {
    consultation: step.consultation,
    epoch,
    leaf: engine.rooms.ownLeaf(state).leaf,
    members,
    heads: step.heads,
    authenticator: toHex(engine.rooms.authenticator(state)),
    confirmed: step.confirmed,
    joined: before?.joined ?? epoch,
    since: sinceOf(members, before?.since ?? {}, epoch),
  };
  const ring = { ...(await readRing(self.rows, room)) };
  ring[String(epoch)] = { key: toBase64(await engine.rooms.contentKey(state)), own: true, uploaded: false };
  const commits = { ...(await readCommits(self.rows, room)) };
  if (step.commit !== undefined) commits[String(epoch - 1)] = { ...step.commit, staying: stayingCards(step.commit, members) };
  await self.rows.write([
    jsonRow(roomPath(room), row),
    { path: statePath(room), value: engine.rooms.encodeState(state) },
    ringRow(room, ring),
    jsonRow(commitsPath(room), commits),
    noPending(room),
    ...more,
  ]);
  return row;
}

function sinceOf(members: readonly RoomLeaf[], before: Readonly<Record<Hex, number>>, epoch: number): Record<Hex, number> {
  const since: Record<Hex, number> = {};
  for (const { card } of members) since[card] = before[card] ?? epoch;
  return since;
}

/** @param after everybody in the group after the commit; who was there before follows */
export function stayingCards({ added, removed }: CommitChange, after: readonly LeafIdentity[]): readonly Hex[] {
  const came = new Set(added.map(({ device }) => device));
  const before = new Set([...after.filter(({ device }) => !came.has(device)), ...removed].map(({ card }) => card));
  return [...new Set(after.map(({ card }) => card))].filter((card) => before.has(card));
}

export function ringKey(ring: Ring, epoch: number): Bytes | undefined {
  const found = ring[String(epoch)];
  return found === undefined ? undefined : fromBase64(found.key, 32);
}
