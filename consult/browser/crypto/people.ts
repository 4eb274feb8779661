/** Cards, devices and parties as pages show them, and who may hold the key of a consultation's brief. */

import type { CardView, Hex } from "../bridge.ts";
import { fingerprint } from "./codes.ts";
import type { Recipient } from "./briefs.ts";
import { devicesOf } from "./roster.ts";
import { chairCards, deviceExcluded, known, newest, type Standing } from "./standing.ts";

export function cardView(standing: Standing, card: Hex): CardView {
  return { card, party: known(standing, card).party, fingerprint: fingerprint(card) };
}

export function recipient(standing: Standing, card: Hex): Recipient {
  return { card, xwingKey: known(standing, card).xwingKey };
}

/** Devices which count in this consultation: added, neither revoked nor excluded. */
export function devicesIn(standing: Standing, card: Hex): readonly Hex[] {
  const { consultation } = standing;
  const all = devicesOf(standing, card).map(({ device }) => device);
  return consultation === undefined ? all : all.filter((device) => !deviceExcluded(consultation, card, device));
}

export function isChair(standing: Standing, card: Hex): boolean {
  const view = newest(standing);
  return view !== undefined && chairCards(view).has(card);
}

/** The party this card is the present focal point of. */
export function focalPointOf(standing: Standing, card: Hex): string | null {
  for (const [party, holder] of newest(standing)?.focalPoints ?? []) if (holder === card) return party;
  return null;
}

/** The Co-Chairs, until it is disposed of; after concurrence focal points of the composition, and everybody accredited or seated (meetings/seating.py). */
export function mayHoldBrief(standing: Standing): ReadonlySet<Hex> {
  const view = newest(standing);
  const { consultation } = standing;
  if (view === undefined || consultation === undefined || consultation.state === "disposed") return new Set();
  const cards = new Set(chairCards(view));
  if (consultation.state !== "concurred") return cards;
  for (const [party, card] of view.focalPoints) if (consultation.composition.has(party)) cards.add(card);
  for (const card of [...consultation.accredited.keys(), ...consultation.seated.keys()]) cards.add(card);
  for (const card of consultation.excluded) cards.delete(card);
  return cards;
}
