/**
 * Removal, proven: a signed commit took the device out of the room's list, after the statement which took its seat. Checked here, from
 * the public states around that commit; an older list without the device proves nothing.
 */

import type { Hex, RemovalView } from "../bridge.ts";
import { refresh, type View } from "./book.ts";
import type { Context, Self } from "./context.ts";
import type { LeafIdentity } from "./credential.ts";
import { engineFor } from "./engine.ts";
import { Failure } from "./failure.ts";
import { follow } from "./judging.ts";
import { jsonRow, readJson } from "./keystore.ts";
import { bytes, count, flag, members, type Members } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import type { Member, PublicGroupState, PublicTransition } from "./roomcrypto.ts";
import { seatedDevices, stand } from "./roster.ts";
import { credentialsOf, roomSeats, seatsAt } from "./seating.ts";
import type { Standing } from "./standing.ts";
import { readHeads } from "./visit.ts";

/** With somebody seated online, a removal takes seconds; after this it is an alarm. */
const LATE_MS = 60_000;

interface Row {
  readonly since: number;
  readonly epoch: number | null;
  readonly state: RemovalView["state"];
}

/** A device without a seat; `last`: the newest statement under which it had one, null if no statement of the consultation took it. */
interface Unseated extends LeafIdentity {
  readonly last: Hex | null;
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
function unseatedSince(view: View, room: Hex): readonly Unseated[] {
  const kind = view.standing.rooms.get(room)?.kind;
  const opened = view.chains.rooms.get(room)?.[0]?.statement.up;
  const ever = new Map<Hex, LeafIdentity & { readonly last: Hex }>();
  let standing = stand({ ...view.chains, consultation: [], rooms: new Map() });
  let open = false;
  for (const signed of view.chains.consultation) {
    standing = follow(standing, signed);
    open ||= signed.hash === opened;
    if (open) for (const leaf of seatedDevices(uncompromised(standing), kind, "too")) ever.set(leaf.device, { ...leaf, last: signed.hash });
  }
  const seats = roomSeats(view.standing, room);
  const newest = view.chains.consultation.at(-1)?.hash;
  return [...ever.values()].filter((leaf) => !seats.seated(leaf)).map((leaf) => ({ ...leaf, last: leaf.last === newest ? null : leaf.last }));
}

/** As it was before a focal point's key was called compromised: that takes seats too. */
function uncompromised(standing: Standing): Standing {
  return { ...standing, installation: standing.installation.map((view) => ({ ...view, compromised: new Set<string>() })) };
}

async function removalOf(context: Context, self: Self, view: View, room: Hex, leaf: Unseated): Promise<RemovalView> {
  // Somebody who got the seat back and lost it again has to be proven out again.
  const path = `removal/${room}/${leaf.device}/${leaf.last ?? "account"}`;
  const before = (await readJson<Row>(self.rows, path)) ?? { since: Date.now(), epoch: null, state: "pending" };
  const row = before.state === "proven" ? before : await lookAgain(context, self, { view, room, leaf, before });
  await self.rows.write([jsonRow(path, row)]);
  return { room, card: leaf.card, device: leaf.device, state: row.state, epoch: row.epoch, since: row.since };
}

async function lookAgain(context: Context, self: Self, at: { view: View; room: Hex; leaf: Unseated; before: Row }): Promise<Row> {
  const { room, leaf, before } = at;
  const answer = members(await context.server.get(`/api/rooms/${room}/removal?device=${leaf.device}`));
  const removed = flag(answer["removed"]);
  if (removed && answer["proof"] === null) return { ...before, state: "outside" };
  if (removed && (await proven(self, at.view, { room, leaf, proof: members(answer["proof"]) }))) {
    return { since: before.since, epoch: count(members(answer["proof"])["epoch"]) + 1, state: "proven" };
  }
  const late = flag(answer["online"]) && Date.now() - before.since >= LATE_MS;
  if (!late) return { ...before, state: "pending" };
  const evidence = { epoch: count(answer["epoch"]), since: before.since };
  await context.alarm(self.rows, { kind: "removal_late", room, cards: [leaf.card], devices: [leaf.device], evidence });
  return { ...before, state: "alarm" };
}

async function proven(self: Self, view: View, given: { room: Hex; leaf: Unseated; proof: Members }): Promise<boolean> {
  const { rooms } = await engineFor(self);
  const { proof } = given;
  try {
    const transition = await rooms.verifyTransition({
      before: publicState(members(proof["before"])),
      commit: bytes(proof["commit"]),
      after: publicState(members(proof["after"])),
      validate: credentialsOf(view.standing),
    });
    return provesRemoval(view, given, transition);
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/**
 * Of a transition whose signatures, trees and transcript hold: 1. it is this room's; 2. it takes the device out; 3. it names heads we
 * know, later than the last statement under which the device sat; 4. whoever made it sits there, and the device does not.
 */
export function provesRemoval(view: View, { room, leaf }: { room: Hex; leaf: Unseated }, transition: PublicTransition): boolean {
  const out = ({ identity }: Member): boolean => identity.device === leaf.device;
  if (transition.after.room !== room || !transition.removed.some(out) || transition.after.members.some(out)) return false;
  const heads = readHeads(transition.authenticatedData);
  const seats = seatsAt(view, room, heads);
  if (seats === undefined) return false;
  const place = (hash: Hex): number => view.chains.consultation.findIndex((signed) => signed.hash === hash);
  const later = leaf.last === null || place(heads.consultation) > place(leaf.last);
  return later && seats.seatedOrRevoked(transition.sender.identity) && !seats.seated(leaf);
}

function publicState(state: Members): PublicGroupState {
  return { groupInfo: Uint8Array.from(bytes(state["group_info"])), tree: Uint8Array.from(bytes(state["tree"])) };
}
