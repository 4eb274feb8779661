/**
 * What a set of chains says: the installation, accounts, one consultation and its rooms, as values (meetings/standing.py).
 * judging.ts makes one from chains, rules.ts says how each act changes it.
 */

import type { Answer, DelegateCapacity, HistoryScope, Level, OfficerCapacity, PartyCapacity, Urgency } from "../bridge.ts";
import type { Bytes } from "./encoding.ts";
import { Refusal } from "./refusal.ts";

/** The installation as of one place of its chain. */
export interface Installation {
  readonly inst: string;
  readonly hash: string;
  readonly n: number;
  /** party → card */
  readonly chairs: ReadonlyMap<string, string>;
  readonly log: string;
  /** party → card */
  readonly focalPoints: ReadonlyMap<string, string>;
  /** former focal points' cards whose accreditations are void */
  readonly compromised: ReadonlySet<string>;
}

export interface Device {
  readonly signatureKey: Bytes;
  readonly revoked: boolean;
}

export interface Account {
  readonly card: string;
  readonly party: string;
  readonly installation: string | null;
  readonly accountKey: Bytes;
  readonly xwingKey: Bytes;
  /** the statement at each place */
  readonly places: readonly string[];
  readonly up: string | null;
  readonly devices: ReadonlyMap<string, Device>;
}

/** A party in a composition. */
export interface Row {
  readonly capacity: PartyCapacity;
  readonly history: HistoryScope;
}

export interface Accreditation {
  readonly party: string;
  readonly capacity: DelegateCapacity;
  /** the focal point's card which signed it */
  readonly by: string;
}

/** A place given by both Co-Chairs. */
export interface Seating {
  readonly capacity: OfficerCapacity;
  readonly rooms: readonly string[];
}

/** A sealed text as statements name it: SHA-256 (hex) of its ciphertext, commitment (base64, 32 bytes) to its key. */
export interface SealedName {
  readonly sha256: string;
  readonly commitment: string;
}

export interface Proposed {
  readonly reference: string;
  readonly level: Level;
  readonly urgency: Urgency;
  readonly brief: SealedName;
  readonly options: { readonly marking: string; readonly retention_years: number; readonly undertaking: string };
}

export interface Consultation {
  readonly id: string;
  /** the statement at each place */
  readonly places: readonly string[];
  readonly up: string | null;
  readonly proposer: string;
  readonly proposed: Proposed;
  readonly composition: ReadonlyMap<string, Row>;
  readonly state: "proposed" | "returned" | "withdrawn" | "concurred" | "disposed";
  /** of a return or a withdrawal */
  readonly reason: SealedName | null;
  readonly answers: ReadonlyMap<string, Answer>;
  readonly accredited: ReadonlyMap<string, Accreditation>;
  readonly undertaken: ReadonlySet<string>;
  readonly seated: ReadonlyMap<string, Seating>;
  readonly excluded: ReadonlySet<string>;
  /** `card/device` */
  readonly excludedDevices: ReadonlySet<string>;
}

export interface Room {
  readonly id: string;
  readonly kind: "plenary";
}

/** The installation at each of its places, the accounts, one consultation, its rooms. */
export interface Standing {
  readonly installation: readonly Installation[];
  readonly accounts: ReadonlyMap<string, Account>;
  readonly consultation: Consultation | undefined;
  readonly rooms: ReadonlyMap<string, Room>;
}

export const NOTHING: Standing = { installation: [], accounts: new Map(), consultation: undefined, rooms: new Map() };

export function newest(standing: Standing): Installation | undefined {
  return standing.installation.at(-1);
}

export function chairCards(installation: Installation): ReadonlySet<string> {
  return new Set(installation.chairs.values());
}

export function inPlace(seen: Installation | undefined): Installation {
  if (seen === undefined) throw new Refusal("no_installation", "the Co-Chairs have not founded the installation");
  return seen;
}

export function known(standing: Standing, card: string): Account {
  const account = standing.accounts.get(card);
  if (account === undefined) throw new Refusal("unknown_card", "a card that is not here");
  return account;
}

/** A card made for this installation; the chairs' were made before it existed. */
export function ofInstallation(standing: Standing, seen: Installation, card: string): Account {
  const account = known(standing, card);
  if (account.installation !== seen.inst && !chairCards(seen).has(card)) throw new Refusal("foreign_installation", "a card of another installation");
  return account;
}

export function memberOf(standing: Standing, seen: Installation, who: { card: string; party: string }): void {
  if (ofInstallation(standing, seen, who.card).party !== who.party) throw new Refusal("wrong_party", "a card of another party");
}

export function convened(standing: Standing): Consultation {
  if (standing.consultation === undefined) throw new Refusal("no_such_chain", "no such consultation");
  return standing.consultation;
}

export function concurred(standing: Standing): Consultation {
  const consultation = convened(standing);
  if (consultation.state !== "concurred") throw new Refusal("not_due", "not concurred");
  return consultation;
}

export function invited(consultation: Consultation, party: string): void {
  if (!consultation.composition.has(party)) throw new Refusal("not_in_composition", "a party that is not in the composition");
}

export function deviceExcluded(consultation: Consultation, card: string, device: string): boolean {
  return consultation.excludedDevices.has(`${card}/${device}`);
}

export function withAccount(standing: Standing, account: Account): Standing {
  return { ...standing, accounts: put(standing.accounts, account.card, account) };
}

export function withConsultation(standing: Standing, change: Partial<Consultation>): Standing {
  return { ...standing, consultation: { ...convened(standing), ...change } };
}

/** A copy of the map with one entry more. */
export function put<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map([...map, [key, value]]);
}

/** A copy of the map with the entries that pass. */
export function kept<K, V>(map: ReadonlyMap<K, V>, passes: (key: K, value: V) => boolean): ReadonlyMap<K, V> {
  return new Map([...map].filter(([key, value]) => passes(key, value)));
}
