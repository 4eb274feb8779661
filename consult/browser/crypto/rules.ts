/**
 * Who must sign each act, when it is due, and what stands after it (docs/protocol.md, section 2): one small function each per row of the
 * table (meetings/signers.py, meetings/rules.py). A rule gets what stood before the statement and `seen`, the installation as its signers
 * saw it (`up`).
 */

import { bodyOf, SECRETARIAT, type ActType } from "./acts.ts";
import { equal, fromBase64 } from "./encoding.ts";
import { Refusal } from "./refusal.ts";
import {
  chairCards,
  concurred,
  convened,
  deviceExcluded,
  inPlace,
  invited,
  kept,
  known,
  memberOf,
  ofInstallation,
  put,
  withAccount,
  withConsultation,
  type Accreditation,
  type Installation,
  type Seating,
  type Standing,
} from "./standing.ts";
import { ROOT, type Signed } from "./statements.ts";

/** `count` of these cards, and nobody else. */
export interface Signers {
  readonly cards: ReadonlySet<string>;
  readonly count: number;
}

type Asks = (standing: Standing, signed: Signed, seen: Installation | undefined) => Signers;
type Rule = (standing: Standing, signed: Signed, seen: Installation | undefined) => Standing;

// ---------------------------------------------------------------------------------------------------------------- who must sign

const bothInBody: Asks = (_standing, { statement }) => both(bodyOf(statement, ROOT).chairs.map(({ card }) => card));
const bothChairs: Asks = (_standing, _signed, seen) => both(chairCards(inPlace(seen)));
const aChair: Asks = (_standing, _signed, seen) => one(chairCards(inPlace(seen)));
const proposer: Asks = (standing) => one([convened(standing).proposer]);
/** The card whose chain it is; the statement itself when it founds the chain. */
const ownCard: Asks = (_standing, { scope }) => one([scope]);
const namedCard: Asks = (_standing, { statement }) => one([bodyOf(statement, "undertaking").card]);

const otherChair: Asks = (standing, _signed, seen) => {
  const first = convened(standing).proposer;
  return one([...chairCards(inPlace(seen))].filter((card) => card !== first));
};

const focalPoint: Asks = (_standing, { statement }, seen) => {
  const card = inPlace(seen).focalPoints.get(bodyOf(statement, "invitation.answer", "accredit", "withdraw").party);
  return one(card === undefined ? [] : [card]);
};

function one(cards: Iterable<string>): Signers {
  return { cards: new Set(cards), count: 1 };
}

function both(cards: Iterable<string>): Signers {
  return { cards: new Set(cards), count: 2 };
}

// -------------------------------------------------------------------------------------------------- the installation and accounts

const root: Rule = (standing, signed) => {
  const { chairs, log } = bodyOf(signed.statement, ROOT);
  for (const { card, party } of chairs) {
    const account = known(standing, card);
    if (account.party !== party) throw new Refusal("wrong_party", "a chair's card of another party");
    if (account.installation !== null) throw new Refusal("foreign_installation", "a chair's card was made for another installation");
  }
  const cards = new Map(chairs.map(({ card, party }) => [party, card]));
  const first = { inst: signed.scope, hash: signed.hash, n: 0, chairs: cards, log, focalPoints: new Map(), compromised: new Set<string>() };
  return { ...standing, installation: [first] };
};

const partyKey: Rule = (standing, signed, seen) => {
  const { party, card, former } = bodyOf(signed.statement, "party.key");
  const before = inPlace(seen);
  const replaced = before.focalPoints.get(party);
  memberOf(standing, before, { card, party });
  if ((replaced === undefined) !== (former === null) || card === replaced || before.compromised.has(card)) {
    throw notDue("the former key is not as it says");
  }
  const compromised = new Set(before.compromised);
  if (replaced !== undefined && former === "compromised") compromised.add(replaced);
  const after = { ...before, hash: signed.hash, n: before.n + 1, focalPoints: put(before.focalPoints, party, card), compromised };
  return { ...standing, installation: [...standing.installation, after] };
};

const card: Rule = (standing, signed) => {
  const { account_key, xwing_key, installation, party } = bodyOf(signed.statement, "account.card");
  if (installation !== signed.statement.inst) throw new Refusal("foreign_installation", "a card made for another installation");
  const keys = { accountKey: fromBase64(account_key, 32), xwingKey: fromBase64(xwing_key) };
  return withAccount(standing, { card: signed.hash, party, installation, ...keys, places: [signed.hash], up: signed.statement.up, devices: new Map() });
};

const deviceAdd: Rule = (standing, signed) => {
  const account = known(standing, signed.scope);
  const signatureKey = fromBase64(bodyOf(signed.statement, "device.add").signature_key, 32);
  const taken = [account.accountKey, ...[...account.devices.values()].map((device) => device.signatureKey)];
  if (taken.some((key) => equal(key, signatureKey))) throw notDue("a key that is used already");
  return withAccount(standing, { ...account, devices: put(account.devices, signed.hash, { signatureKey, revoked: false }) });
};

const deviceRevoke: Rule = (standing, signed) => {
  const account = known(standing, signed.scope);
  const name = bodyOf(signed.statement, "device.revoke").device;
  const device = account.devices.get(name);
  if (device === undefined) throw new Refusal("unknown_device", "not a device of this account");
  if (device.revoked) throw notDue("revoked already");
  return withAccount(standing, { ...account, devices: put(account.devices, name, { ...device, revoked: true }) });
};

// ------------------------------------------------------------------------------------------------------------------ consultation

const propose: Rule = (standing, signed, seen) => {
  const { composition, ...proposed } = bodyOf(signed.statement, "consultation.propose");
  const chairing = composition.filter(({ capacity }) => capacity === "chair").map(({ party }) => party);
  const { chairs } = inPlace(seen);
  if (chairing.length !== chairs.size || !chairing.every((party) => chairs.has(party))) throw new Refusal("wrong_party", "the chairs are others");
  const consultation = {
    id: signed.hash,
    places: [signed.hash],
    up: signed.statement.up,
    proposer: signerOf(signed),
    proposed,
    composition: new Map(composition.map(({ party, capacity, history }) => [party, { capacity, history }])),
    state: "proposed" as const,
    reason: null,
    answers: new Map(),
    accredited: new Map(),
    undertaken: new Set<string>(),
    seated: new Map(),
    excluded: new Set<string>(),
    excludedDevices: new Set<string>(),
  };
  return { ...standing, consultation };
};

/** The second statement: it answers exactly this proposal, which nothing else has answered. */
function ends(state: "returned" | "withdrawn" | "concurred"): Rule {
  return (standing, { statement }) => {
    const consultation = convened(standing);
    if (consultation.state !== "proposed") throw notDue("answered already");
    const body = bodyOf(statement, "consultation.return", "consultation.withdraw", "consultation.concur");
    if (body.proposal !== consultation.id) throw new Refusal("wrong_scope", "another proposal");
    return withConsultation(standing, { state, reason: "reason" in body ? body.reason : null });
  };
}

const answer: Rule = (standing, { statement }) => {
  const body = bodyOf(statement, "invitation.answer");
  const consultation = concurred(standing);
  invited(consultation, body.party);
  return withConsultation(standing, { answers: put(consultation.answers, body.party, body.answer) });
};

const accredit: Rule = (standing, signed, seen) => {
  const { party, card, capacity } = bodyOf(signed.statement, "accredit");
  const consultation = concurred(standing);
  const view = inPlace(seen);
  invited(consultation, party);
  memberOf(standing, view, { card, party });
  if (consultation.excluded.has(card)) throw new Refusal("excluded", "an excluded card");
  if (chairCards(view).has(card) || consultation.seated.has(card)) throw new Refusal("already_seated", "the card sits otherwise");
  const replaces = (former: Accreditation): boolean => capacity === "head" && former.capacity === "head" && former.party === party;
  const remaining = kept(consultation.accredited, (_card, former) => !replaces(former));
  return withConsultation(standing, { accredited: put(remaining, card, { party, capacity, by: signerOf(signed) }) });
};

const withdraw: Rule = (standing, { statement }) => {
  const { party, card } = bodyOf(statement, "withdraw");
  const consultation = concurred(standing);
  invited(consultation, party);
  if (consultation.accredited.get(card)?.party !== party) throw notDue("not accredited");
  return withConsultation(standing, { accredited: kept(consultation.accredited, (other) => other !== card) });
};

const undertake: Rule = (standing, { statement }) => {
  const { card, text } = bodyOf(statement, "undertaking");
  const consultation = concurred(standing);
  if (text !== consultation.proposed.options.undertaking) throw new Refusal("undertaking_differs", "another text");
  if (!consultation.accredited.has(card) && !consultation.seated.has(card)) throw notDue("no place");
  if (consultation.undertaken.has(card) || consultation.excluded.has(card)) throw notDue("signed already, or excluded");
  return withConsultation(standing, { undertaken: new Set([...consultation.undertaken, card]) });
};

const seat: Rule = (standing, { statement }, seen) => {
  const { card, capacity, rooms } = bodyOf(statement, "seat");
  const consultation = concurred(standing);
  const view = inPlace(seen);
  const { party } = ofInstallation(standing, view, card);
  if (capacity === "secretariat" ? party !== SECRETARIAT : !view.chairs.has(party)) throw new Refusal("wrong_party", "not of that party");
  if (consultation.excluded.has(card)) throw new Refusal("excluded", "an excluded card");
  const held = consultation.seated.get(card)?.rooms ?? [];
  if (chairCards(view).has(card) || consultation.accredited.has(card) || rooms.every((kind) => held.includes(kind))) {
    throw new Refusal("already_seated", "the card sits there already");
  }
  const seating: Seating = { capacity, rooms: [...new Set([...held, ...rooms])].sort() };
  return withConsultation(standing, { seated: put(consultation.seated, card, seating) });
};

const unseat: Rule = (standing, { statement }) => {
  const { card, rooms } = bodyOf(statement, "unseat");
  const consultation = concurred(standing);
  const seating = consultation.seated.get(card);
  if (seating === undefined || !rooms.every((kind) => seating.rooms.includes(kind))) throw notDue("not seated there");
  const left = seating.rooms.filter((kind) => !rooms.includes(kind));
  const others = kept(consultation.seated, (other) => other !== card);
  return withConsultation(standing, { seated: left.length === 0 ? others : put(others, card, { ...seating, rooms: left }) });
};

/** A device need not be known here: an account's own chain has no fixed order relative to this one. */
const exclude: Rule = (standing, { statement }, seen) => {
  const { card, device } = bodyOf(statement, "exclude");
  const consultation = concurred(standing);
  known(standing, card);
  if (consultation.excluded.has(card)) throw notDue("excluded already");
  if (device !== null) {
    if (deviceExcluded(consultation, card, device)) throw notDue("excluded already");
    return withConsultation(standing, { excludedDevices: new Set([...consultation.excludedDevices, `${card}/${device}`]) });
  }
  if (chairCards(inPlace(seen)).has(card)) throw notDue("a chair sits as long as it is one");
  return withConsultation(standing, { excluded: new Set([...consultation.excluded, card]) });
};

/** The last statement of its chain: every seat ends, nothing more is due. */
const dispose: Rule = (standing, { statement }) => {
  const consultation = concurred(standing);
  if (bodyOf(statement, "consultation.dispose").proposal !== consultation.id) throw new Refusal("wrong_scope", "another proposal");
  return withConsultation(standing, { state: "disposed" });
};

/** A room of a consultation that was disposed of since was lawful when it was opened: its `up` is an earlier place. */
const open: Rule = (standing, signed) => {
  const body = bodyOf(signed.statement, "room.open");
  const consultation = convened(standing);
  const disposed = consultation.state === "disposed";
  if (!disposed) concurred(standing);
  if (body.consultation !== consultation.id) throw new Refusal("wrong_scope", "another consultation");
  // Place 1 of a consultation that was concurred is the concurrence; before it there is nothing to open, nor after the disposal.
  const place = consultation.places.indexOf(signed.statement.up ?? "");
  if (place < 1 || (disposed && place === consultation.places.length - 1)) throw notDue("not concurred, or disposed of");
  const kind: string = body.kind;
  if ([...standing.rooms.values()].some((room) => room.kind === kind)) throw new Refusal("room_exists", "the room is there");
  return { ...standing, rooms: put(standing.rooms, signed.hash, { id: signed.hash, kind: body.kind }) };
};

function signerOf(signed: Signed): string {
  return signed.signatures[0]?.card ?? "";
}

function notDue(message: string): Refusal {
  return new Refusal("not_due", message);
}

export const RULES: Readonly<Record<ActType, { readonly asks: Asks; readonly rule: Rule }>> = {
  "chairs.root": { asks: bothInBody, rule: root },
  "party.key": { asks: bothChairs, rule: partyKey },
  "account.card": { asks: ownCard, rule: card },
  "device.add": { asks: ownCard, rule: deviceAdd },
  "device.revoke": { asks: ownCard, rule: deviceRevoke },
  "consultation.propose": { asks: aChair, rule: propose },
  "consultation.return": { asks: otherChair, rule: ends("returned") },
  "consultation.withdraw": { asks: proposer, rule: ends("withdrawn") },
  "consultation.concur": { asks: otherChair, rule: ends("concurred") },
  "invitation.answer": { asks: focalPoint, rule: answer },
  accredit: { asks: focalPoint, rule: accredit },
  withdraw: { asks: focalPoint, rule: withdraw },
  undertaking: { asks: namedCard, rule: undertake },
  seat: { asks: bothChairs, rule: seat },
  unseat: { asks: bothChairs, rule: unseat },
  exclude: { asks: bothChairs, rule: exclude },
  "consultation.dispose": { asks: bothChairs, rule: dispose },
  "room.open": { asks: aChair, rule: open },
};
