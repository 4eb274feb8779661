/** A room as a page may show it, and whether anything can be sent: from what this browser has verified, without asking the server. */

import type { Hex, KeyNotice, RoomMember, RoomView, SendBlock } from "../bridge.ts";
import { fingerprint } from "./codes.ts";
import { bodyOf } from "./acts.ts";
import type { View } from "./book.ts";
import type { Self } from "./context.ts";
import { concat, fromHex, sha256, utf8 } from "./encoding.ts";
import { Failure } from "./failure.ts";
import { maySeal } from "./gate.ts";
import { jsonRow, readJson } from "./keystore.ts";
import { Outbox } from "./outbox.ts";
import { readFrozen, readRing, readRoom, readWanted, type RoomRow } from "./roomrow.ts";
import { knowsHeads, roomSeats, type RoomSeats } from "./seating.ts";

export async function roomView(self: Self, view: View, room: Hex): Promise<RoomView> {
  const consultation = view.chains.consultation[0]?.hash;
  if (consultation === undefined) throw new Failure("not_seated", "no such room");
  const seats = roomSeats(view.standing, room);
  const row = await readRoom(self.rows, room);
  const epochs = Object.keys(await readRing(self.rows, room)).map(Number);
  return {
    room,
    consultation,
    epoch: row?.epoch ?? null,
    members: membersView(self, view, seats, row),
    block: await blockOf(self, view, room),
    unconfirmed: row !== undefined && !row.confirmed,
    roomNumber: row === undefined ? null : await roomNumber(row.authenticator),
    opensFrom: epochs.length === 0 ? null : Math.min(...epochs),
    queued: await new Outbox(self.rows, room).count(),
    own: { card: self.card, device: self.device },
  };
}

/** Why nothing can be sealed now; null if it can. The one place where this is decided. */
export async function blockOf(self: Self, view: View, room: Hex): Promise<SendBlock | null> {
  const seats = roomSeats(view.standing, room);
  const alarm = await readFrozen(self.rows, room);
  if (alarm !== undefined) return { kind: "frozen", alarm };
  if (!seats.seated({ card: self.card, device: self.device })) return { kind: "not_seated" };
  const row = await readRoom(self.rows, room);
  if (row === undefined) return { kind: "getting_ready", waitingFor: "welcome" };
  if (!maySeal(row.members, seats)) return { kind: "getting_ready", waitingFor: "removal" };
  const wanted = await readWanted(self.rows, room);
  if (wanted.some((heads) => !knowsHeads(view, room, heads))) return { kind: "getting_ready", waitingFor: "newest_list" };
  const notices = await keyNotices(self, view, room);
  return notices.length > 0 ? { kind: "confirm_key", notices } : null;
}

function membersView(self: Self, view: View, seats: RoomSeats, row: RoomRow | undefined): readonly RoomMember[] {
  const inside = row?.members ?? [];
  const cards = new Set([...seats.seats.keys(), ...inside.map(({ card }) => card)]);
  return [...cards].map((card) => {
    const seat = seats.seats.get(card);
    const here = new Set(inside.filter((leaf) => leaf.card === card).map(({ device }) => device));
    const due = new Set(seats.leaves.filter((leaf) => leaf.card === card).map(({ device }) => device));
    const devices = [...new Set([...due, ...here])].map((device) => ({
      device,
      own: device === self.device,
      state: !due.has(device) ? ("leaving" as const) : here.has(device) ? ("in" as const) : ("joining" as const),
    }));
    const party = seat?.party ?? view.standing.accounts.get(card)?.party ?? "";
    return { card, party, capacity: seat?.capacity ?? "observer", own: card === self.card, devices };
  });
}

/** Fifteen digits in groups of five, from the epoch's authenticator: equal for all who share the epoch. */
async function roomNumber(authenticator: string): Promise<string> {
  const digest = await sha256(concat(utf8("consult/room-number/v1\n"), fromHex(authenticator)));
  let number = 0n;
  for (const byte of digest.subarray(0, 10)) number = (number << 8n) | BigInt(byte);
  const digits = (number % 10n ** 15n).toString().padStart(15, "0");
  return (digits.match(/.{5}/g) ?? []).join(" ");
}

/**
 * Focal points' keys that were replaced after this consultation was proposed, without the former key's word: the reader looks once.
 * Whoever signed the replacement has looked already.
 */
async function keyNotices(self: Self, view: View, room: Hex): Promise<readonly KeyNotice[]> {
  const confirmed = new Set((await readJson<readonly Hex[]>(self.rows, confirmedPath(room))) ?? []);
  const { installation, consultation } = view.chains;
  const began = installation.findIndex(({ hash }) => hash === consultation[0]?.statement.up);
  const composition = view.standing.consultation?.composition;
  const holders = new Map<string, Hex>();
  const notices: KeyNotice[] = [];
  for (const [place, signed] of installation.entries()) {
    if (signed.statement.type !== "party.key") continue;
    const { party, card, former } = bodyOf(signed.statement, "party.key");
    const before = holders.get(party) ?? null;
    holders.set(party, card);
    const looked = confirmed.has(signed.hash) || signed.signatures.some((signature) => signature.card === self.card);
    if (former === null || place <= began || looked || composition?.has(party) !== true || card === self.card) continue;
    notices.push({ statement: signed.hash, party, former: before, card, fingerprint: fingerprint(card) });
  }
  return notices;
}

export async function confirmKeys(self: Self, room: Hex, statements: readonly Hex[]): Promise<void> {
  const before = (await readJson<readonly Hex[]>(self.rows, confirmedPath(room))) ?? [];
  await self.rows.write([jsonRow(confirmedPath(room), [...new Set([...before, ...statements])])]);
}

function confirmedPath(room: Hex): string {
  return `keysconfirmed/${room}`;
}
