/** Removal, proven: the signed public state of the room is checked here, and the device is not in it. The host's word counts for nothing. */

import type { Hex, RemovalView } from "../bridge.ts";
import { refresh, type View } from "./book.ts";
import type { Context, Self } from "./context.ts";
import type { LeafIdentity } from "./credential.ts";
import { engineFor } from "./engine.ts";
import { Failure } from "./failure.ts";
import { follow } from "./judging.ts";
import { jsonRow, readJson } from "./keystore.ts";
import { bytes, count, flag, members } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { seatedDevices, stand } from "./roster.ts";
import { credentialsOf, roomSeats } from "./seating.ts";
import type { Standing } from "./standing.ts";

/** With somebody seated online, a removal takes seconds; after this it is an alarm. */
const LATE_MS = 60_000;

interface Row {
  readonly since: number;
  readonly epoch: number | null;
  readonly state: RemovalView["state"];
}

export async function removals(context: Context, self: Self, consultation: Hex): Promise<readonly RemovalView[]> {
  const view = await refresh(context, self, consultation);
  const found: RemovalView[] = [];
  for (const room of view.chains.rooms.keys()) {
    for (const leaf of unseatedSince(view, room)) found.push(await removalOf(context, self, view, room, leaf));
  }
  return found;
}

export async function removalStatus(context: Context, self: Self, given: { room: Hex; consultation: Hex; device: Hex }): Promise<RemovalView> {
  const view = await refresh(context, self, given.consultation);
  const leaf = unseatedSince(view, given.room).find(({ device }) => device === given.device);
  if (leaf === undefined) throw new Failure("not_due", "the device has its seat, or never had one");
  return removalOf(context, self, view, given.room, leaf);
}

/** Devices which had a seat at some time since the room was opened, and have none now. */
function unseatedSince(view: View, room: Hex): readonly LeafIdentity[] {
  const kind = view.standing.rooms.get(room)?.kind;
  const opened = view.chains.rooms.get(room)?.[0]?.statement.up;
  const ever = new Map<Hex, LeafIdentity>();
  let standing = stand({ ...view.chains, consultation: [], rooms: new Map() });
  let open = false;
  for (const signed of view.chains.consultation) {
    standing = follow(standing, signed);
    open ||= signed.hash === opened;
    if (open) for (const leaf of seatedDevices(uncompromised(standing), kind, "too")) ever.set(leaf.device, leaf);
  }
  const seats = roomSeats(view.standing, room);
  return [...ever.values()].filter((leaf) => !seats.seated(leaf));
}

/** As it was before a focal point's key was called compromised: that takes seats too. */
function uncompromised(standing: Standing): Standing {
  return { ...standing, installation: standing.installation.map((view) => ({ ...view, compromised: new Set<string>() })) };
}

async function removalOf(context: Context, self: Self, view: View, room: Hex, leaf: LeafIdentity): Promise<RemovalView> {
  const path = `removal/${room}/${leaf.device}`;
  const before = (await readJson<Row>(self.rows, path)) ?? { since: Date.now(), epoch: null, state: "pending" };
  const row = before.state === "proven" ? before : await lookAgain(context, self, { view, room, leaf, before });
  await self.rows.write([jsonRow(path, row)]);
  return { room, ...leaf, state: row.state, epoch: row.epoch, since: row.since };
}

async function lookAgain(context: Context, self: Self, at: { view: View; room: Hex; leaf: LeafIdentity; before: Row }): Promise<Row> {
  const { room, leaf, before } = at;
  const answer = members(await context.server.get(`/api/rooms/${room}/removal?device=${leaf.device}`));
  const epoch = await provenAt(self, at.view, { room, leaf, groupInfo: bytes(answer["group_info"]), tree: bytes(answer["tree"]) });
  if (epoch !== undefined && flag(answer["removed"])) return { since: before.since, epoch, state: "proven" };
  const late = flag(answer["online"]) && Date.now() - before.since >= LATE_MS;
  if (!late) return { ...before, state: "pending" };
  const evidence = { epoch: count(answer["epoch"]), since: before.since };
  await context.alarm(self.rows, { kind: "removal_late", room, cards: [leaf.card], devices: [leaf.device], evidence });
  return { ...before, state: "alarm" };
}

/**
 * 1. every signature in the tree, the tree hash and the GroupInfo's signature verify; 2. it is this room; 3. whoever signed it has a
 * seat; 4. the device has no leaf. @returns the epoch, or undefined if that is not so (yet)
 */
async function provenAt(self: Self, view: View, given: { room: Hex; leaf: LeafIdentity; groupInfo: Uint8Array; tree: Uint8Array }): Promise<number | undefined> {
  const { rooms } = await engineFor(self);
  const { groupInfo, tree } = { groupInfo: Uint8Array.from(given.groupInfo), tree: Uint8Array.from(given.tree) };
  try {
    const roster = await rooms.readPublicState({ groupInfo, tree, validate: credentialsOf(view.standing) });
    if (roster.room !== given.room || !roomSeats(view.standing, given.room).seated(roster.signer.identity)) return undefined;
    return roster.members.some(({ identity }) => identity.device === given.leaf.device) ? undefined : roster.epoch;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
