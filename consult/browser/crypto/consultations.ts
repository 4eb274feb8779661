/** A consultation as the chains say, down to the pinned installation: what is shown here is what would be signed. */

import type { Answer, ConsultationAct, ConsultationView, DelegateView, Hex, OfficerView, PartyView, SeatView } from "../bridge.ts";
import { readBrief, readReason, readText } from "./briefs.ts";
import { refresh } from "./book.ts";
import type { Context, Self } from "./context.ts";
import { fingerprint } from "./codes.ts";
import { cardView, devicesIn, focalPointOf, isChair } from "./people.ts";
import { proposalBody } from "./proposals.ts";
import { seats as seatsOf, type Seat } from "./roster.ts";
import { convened, newest, type Consultation, type Standing } from "./standing.ts";

type Seats = ReadonlyMap<Hex, Seat>;

export async function consultationView(context: Context, self: Self, id: Hex): Promise<ConsultationView> {
  const view = await refresh(context, self, id);
  const { standing } = view;
  const found = convened(standing);
  const { reference, level, urgency, composition, options } = proposalBody(view);
  const seats = seatsOf(standing);
  const read = { self, server: context.server };
  return {
    consultation: found.id,
    state: found.state,
    reference,
    level,
    urgency,
    options: { marking: options.marking, retentionYears: options.retention_years, undertaking: options.undertaking },
    composition,
    proposedBy: cardView(standing, found.proposer),
    brief: found.state === "disposed" ? { kind: "closed", cause: "disposed" } : await readText(read.self, read.server, found.proposed.brief, readBrief),
    reason: found.reason === null ? null : await readText(read.self, read.server, found.reason, readReason),
    parties: [...found.composition].map(([party, row]) => partyView(standing, found, seats, { party, ...row })),
    officers: [...found.seated].map(([card, { capacity }]): OfficerView => ({ card, capacity, undertaken: found.undertaken.has(card), seated: seats.has(card) })),
    seats: [...seats].map(([card, seat]): SeatView => ({ card, ...seat, devices: devicesIn(standing, card) })),
    excluded: excludedOf(found),
    rooms: [...standing.rooms.values()].map(({ id: room }) => ({ room, kind: "plenary" as const })),
    own: ownView(standing, found, seats, self),
  };
}

function partyView(standing: Standing, found: Consultation, seats: Seats, row: Pick<PartyView, "party" | "capacity" | "history">): PartyView {
  const delegates = [...found.accredited].filter(([, place]) => place.party === row.party);
  return {
    party: row.party,
    capacity: row.capacity,
    history: row.history,
    focalPoint: newest(standing)?.focalPoints.get(row.party) ?? null,
    answer: answerOf(found, row.party),
    delegates: delegates.map(([card, { capacity }]): DelegateView => ({
      card,
      capacity,
      fingerprint: fingerprint(card),
      undertaken: found.undertaken.has(card),
      seated: seats.has(card),
      devices: devicesIn(standing, card),
    })),
  };
}

function answerOf(found: Consultation, party: string): Answer | null {
  return found.answers.get(party) ?? null;
}

function excludedOf(found: Consultation): readonly { card: Hex; device: Hex | null }[] {
  const cards = [...found.excluded].map((card) => ({ card, device: null }));
  const devices = [...found.excludedDevices].map((name) => {
    const [card = "", device = ""] = name.split("/");
    return { card, device };
  });
  return [...cards, ...devices];
}

function ownView(standing: Standing, found: Consultation, seats: Seats, self: Self): ConsultationView["own"] {
  const { card, party } = self;
  const focal = focalPointOf(standing, card);
  const placed = found.accredited.has(card) || found.seated.has(card);
  const own = {
    card,
    party,
    chair: isChair(standing, card),
    focalPointOf: focal !== null && found.composition.has(focal) ? focal : null,
    accredited: found.accredited.get(card)?.capacity ?? null,
    undertakingDue: found.state === "concurred" && placed && !found.undertaken.has(card) && !found.excluded.has(card),
    seated: seats.has(card),
  };
  return { ...own, acts: [...actsOf(standing, found, own)] };
}

function* actsOf(standing: Standing, found: Consultation, own: Omit<ConsultationView["own"], "acts">): Generator<ConsultationAct> {
  if (found.state === "proposed" && own.chair) {
    if (own.card === found.proposer) yield "withdraw_proposal";
    else yield* ["concur", "return"] as const;
  }
  if (found.state !== "concurred") return;
  if (own.focalPointOf !== null) {
    yield* ["answer", "accredit"] as const;
    if ([...found.accredited.values()].some(({ party }) => party === own.focalPointOf)) yield "withdraw_delegate";
  }
  if (own.undertakingDue) yield "undertake";
  if (own.chair) {
    yield* ["seat", "exclude"] as const;
    if (found.seated.size > 0) yield "unseat";
    if (standing.rooms.size === 0) yield "open_room";
  }
  if (own.seated && standing.rooms.size > 0) yield "enter_room";
}
