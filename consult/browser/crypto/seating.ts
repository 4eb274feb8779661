/** Seats in one room as the chains say: now, or at the heads somebody else named. */

import type { Hex, PartyCode, SeatCapacity } from "../bridge.ts";
import type { View } from "./book.ts";
import type { Heads } from "./content.ts";
import type { LeafIdentity } from "./credential.ts";
import { equal, type Bytes } from "./encoding.ts";
import { Failure } from "./failure.ts";
import type { Seating } from "./gate.ts";
import { Refusal } from "./refusal.ts";
import type { ValidateCredential } from "./roomcrypto.ts";
import { chainsAt, seatedDevices, seats as seatsIn, stand } from "./roster.ts";
import { newest, type Standing } from "./standing.ts";

export interface RoomSeat {
  readonly party: PartyCode;
  readonly capacity: SeatCapacity;
}

export interface RoomSeats extends Seating {
  /** every device that belongs into the group */
  readonly leaves: readonly LeafIdentity[];
  readonly seats: ReadonlyMap<Hex, RoomSeat>;
}

export function roomSeats(standing: Standing, room: Hex): RoomSeats {
  const kind = standing.rooms.get(room)?.kind;
  if (kind === undefined) throw new Failure("room_not_open", "no such room in these chains");
  const leaves = seatedDevices(standing, kind);
  const now = new Set(leaves.map(nameOf));
  const ever = new Set(seatedDevices(standing, kind, "too").map(nameOf));
  return {
    leaves,
    seats: new Map([...seatsIn(standing)].filter(([, seat]) => seat.rooms.includes(kind))),
    seated: (leaf) => now.has(nameOf(leaf)),
    seatedOrRevoked: (leaf) => ever.has(nameOf(leaf)),
  };
}

function nameOf({ card, device }: LeafIdentity): string {
  return `${card}/${device}`;
}

/** The newest statement of each chain this room hangs on: what a commit or an object made now names. */
export function headsOf(view: View, room: Hex): Heads {
  const installation = view.chains.installation.at(-1)?.hash;
  const consultation = view.chains.consultation.at(-1)?.hash;
  const opened = view.chains.rooms.get(room)?.at(-1)?.hash;
  if (installation === undefined || consultation === undefined || opened === undefined) throw new Failure("room_not_open", "no such room in these chains");
  return { installation, consultation, room: opened };
}

/** Seats at heads somebody named; undefined if we do not know one of them. */
export function seatsAt(view: View, room: Hex, heads: Heads): RoomSeats | undefined {
  try {
    return roomSeats(stand(chainsAt(view.chains, heads)), room);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Whether every one of these heads is a statement we know, in the chain it should be in. */
export function knowsHeads(view: View, room: Hex, heads: Heads): boolean {
  const { installation, consultation, rooms } = view.chains;
  const has = (chain: readonly { readonly hash: string }[], hash: string): boolean => chain.some((signed) => signed.hash === hash);
  return has(installation, heads.installation) && has(consultation, heads.consultation) && has(rooms.get(room) ?? [], heads.room);
}

/** Whether `later` is nowhere behind `earlier`; both known. */
export function notBehind(view: View, later: Heads, earlier: Heads): boolean {
  const place = (chain: readonly { readonly hash: string }[], hash: string): number => chain.findIndex((signed) => signed.hash === hash);
  const { installation, consultation } = view.chains;
  return (
    place(installation, later.installation) >= place(installation, earlier.installation) &&
    place(consultation, later.consultation) >= place(consultation, earlier.consultation)
  );
}

/** The device's own key, whose device it is; undefined if no account we know has it. */
export function deviceOwner(standing: Standing, device: Hex): { readonly card: Hex; readonly signatureKey: Bytes } | undefined {
  for (const account of standing.accounts.values()) {
    const found = account.devices.get(device);
    if (found !== undefined) return { card: account.card, signatureKey: found.signatureKey };
  }
  return undefined;
}

/** A leaf's key is the one in the device's own statement. Never about seats: those are the gate's business. */
export function credentialsOf(standing: Standing): ValidateCredential {
  return ({ card, device }, signatureKey) => {
    const known = standing.accounts.get(card)?.devices.get(device);
    return Promise.resolve(known !== undefined && equal(known.signatureKey, signatureKey));
  };
}

export function partyOf(standing: Standing, card: Hex): PartyCode {
  return standing.accounts.get(card)?.party ?? "";
}

/** The record's verifier key; null before there is an installation. */
export function recordKey(standing: Standing): string | null {
  return newest(standing)?.log ?? null;
}
