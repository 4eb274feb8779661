/**
 * Who sits where: a pure function of chains, without a clock (docs/protocol.md, section 2; meetings/roster.py).
 * tests/vectors/roster.json holds the two together.
 */

import type { SeatCapacity } from "../bridge.ts";
import { ROOM_KINDS } from "./acts.ts";
import { checkSignatures, follow } from "./judging.ts";
import { Refusal } from "./refusal.ts";
import { deviceExcluded, known, newest, NOTHING, type Accreditation, type Consultation, type Standing } from "./standing.ts";
import type { Signed } from "./statements.ts";

export type Chain = readonly Signed[];

/** One card's seat: party before person, what the person is there, and the kinds of rooms, sorted. */
export interface Seat {
  readonly party: string;
  readonly capacity: SeatCapacity;
  readonly rooms: readonly string[];
}

/** Statement hashes: where the chains stood for somebody. `room` null: without any room. */
export interface Heads {
  readonly installation: string;
  readonly consultation: string;
  readonly room: string | null;
}

/** The chains one consultation needs: the installation, the accounts of every card named in them, the consultation, its rooms. */
export interface Chains {
  readonly installation: Chain;
  readonly accounts: ReadonlyMap<string, Chain>;
  readonly consultation: Chain;
  readonly rooms: ReadonlyMap<string, Chain>;
}

export interface DeviceOfCard {
  readonly card: string;
  readonly device: string;
}

/**
 * All statements in an order in which each finds what it needs. A card made for the installation names a place of it (`up`) and is
 * named by a later one, so the two are woven together.
 */
export function* ordered(chains: Chains): Generator<Signed> {
  const accounts = [...chains.accounts.values()];
  const founded = accounts.flatMap((chain) => chain.slice(0, 1));
  const late = founded.filter(({ statement }) => statement.inst !== null);
  const places = new Set(chains.installation.map(({ hash }) => hash));
  yield* founded.filter(({ statement }) => statement.inst === null);
  for (const signed of chains.installation) {
    yield signed;
    yield* late.filter(({ statement }) => statement.up === signed.hash);
  }
  yield* late.filter(({ statement }) => statement.up === null || !places.has(statement.up));
  for (const chain of accounts) yield* chain.slice(1);
  yield* chains.consultation;
  for (const chain of chains.rooms.values()) yield* chain;
}

/**
 * What the chains say, every statement judged in its place. Only for chains whose signatures were checked when they came in.
 * @throws Refusal if one is not lawful
 */
export function stand(chains: Chains): Standing {
  let standing = NOTHING;
  for (const signed of ordered(chains)) standing = follow(standing, signed);
  return standing;
}

/** The same for chains from outside: signatures too, of every statement that `isNew`. */
export async function standVerified(chains: Chains, isNew: (signed: Signed) => boolean = () => true): Promise<Standing> {
  let standing = NOTHING;
  for (const signed of ordered(chains)) {
    standing = follow(standing, signed);
    if (isNew(signed)) await checkSignatures(standing, signed);
  }
  return standing;
}

/** card → seat, sorted by card. Nobody sits before concurrence. */
export function seats(standing: Standing): ReadonlyMap<string, Seat> {
  const { consultation } = standing;
  const view = newest(standing);
  if (consultation === undefined || view === undefined || consultation.state !== "concurred") return new Map();
  const found: [string, Seat][] = [...view.chairs].map(([party, card]) => [card, { party, capacity: "chair", rooms: ROOM_KINDS }]);
  for (const [card, place] of consultation.accredited) {
    if (!counts(consultation, place, view.compromised) || !consultation.undertaken.has(card)) continue;
    found.push([card, { party: place.party, capacity: place.capacity, rooms: ROOM_KINDS }]);
  }
  for (const [card, { capacity, rooms }] of consultation.seated) {
    if (consultation.undertaken.has(card)) found.push([card, { party: known(standing, card).party, capacity, rooms }]);
  }
  return new Map(found.filter(([card]) => !consultation.excluded.has(card)).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/**
 * Every device whose leaf may stand in the tree of such a room.
 * @param revoked `too`: also devices which their owner has revoked; an account's chain has no place in the heads a commit names
 */
export function seatedDevices(standing: Standing, room = "plenary", revoked: "never" | "too" = "never"): readonly DeviceOfCard[] {
  const { consultation } = standing;
  if (consultation === undefined) return [];
  return [...seats(standing)]
    .filter(([, seat]) => seat.rooms.includes(room))
    .flatMap(([card]) => devicesOf(standing, card, revoked))
    .filter(({ card, device }) => !deviceExcluded(consultation, card, device));
}

/** The account's devices which were added and not revoked; with `too`, the revoked ones as well. */
export function devicesOf(standing: Standing, card: string, revoked: "never" | "too" = "never"): readonly DeviceOfCard[] {
  const devices = standing.accounts.get(card)?.devices ?? new Map<string, never>();
  return [...devices].filter(([, state]) => revoked === "too" || !state.revoked).map(([device]) => ({ card, device }));
}

/**
 * The same chains as they stood at these heads; accounts, which have no order relative to them, stay whole.
 * @throws Refusal `unknown_head`
 */
export function chainsAt(chains: Chains, heads: Heads): Chains {
  const installation = until(chains.installation, heads.installation);
  const consultation = until(chains.consultation, heads.consultation);
  if (heads.room === null) return { ...chains, installation, consultation, rooms: new Map() };
  const { room } = heads;
  const rooms = [...chains.rooms].filter(([, chain]) => chain.some(({ hash }) => hash === room));
  if (rooms.length === 0) throw unknownHead();
  return { ...chains, installation, consultation, rooms: new Map(rooms.map(([name, chain]) => [name, until(chain, room)])) };
}

/** An accreditation counts while its party accepts and the key which signed it has not been called compromised. */
function counts(consultation: Consultation, place: Accreditation, compromised: ReadonlySet<string>): boolean {
  return consultation.answers.get(place.party) === "accept" && !compromised.has(place.by);
}

function until(chain: Chain, head: string): Chain {
  const place = chain.findIndex(({ hash }) => hash === head);
  if (place < 0) throw unknownHead();
  return chain.slice(0, place + 1);
}

function unknownHead(): Refusal {
  return new Refusal("unknown_head", "a head that is not in the chain");
}
