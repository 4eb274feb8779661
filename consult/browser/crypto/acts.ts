/**
 * The closed table of statement types: which chain each stands in and the exact shape of its body (docs/protocol.md, section 2).
 * meetings/statements.py is the same table; tests/vectors/statements.json holds the two together.
 */

import type { Answer, DelegateCapacity, DisposalBasis, HistoryScope, Level, OfficerCapacity, PartyCapacity, Urgency } from "../bridge.ts";
import type { Json, JsonObject } from "./canonical.ts";
import { refuseWeakKey } from "./ed25519.ts";
import { fromBase64 } from "./encoding.ts";
import { Refusal } from "./refusal.ts";
import { isRecord, keysAre } from "./shape.ts";
import type { SealedName } from "./standing.ts";
import { isName, newNonce, ROOT, type Statement } from "./statements.ts";
import { convened, inPlace, known, newest, type Standing } from "./standing.ts";

/** The Regional Support Office: the party of officers' cards, though it is no party of any consultation. */
export const SECRETARIAT = "RSO";
export const ROOM_KINDS = ["plenary"] as const;

/** The bodies, by type. */
export interface Bodies {
  "chairs.root": { readonly chairs: readonly { readonly card: string; readonly party: string }[]; readonly log: string };
  "party.key": { readonly party: string; readonly card: string; readonly former: "retired" | "compromised" | null };
  "account.card": { readonly account_key: string; readonly xwing_key: string; readonly installation: string | null; readonly party: string };
  "device.add": { readonly signature_key: string };
  "device.revoke": { readonly device: string };
  "consultation.propose": {
    readonly reference: string;
    readonly level: Level;
    readonly urgency: Urgency;
    readonly composition: readonly { readonly party: string; readonly capacity: PartyCapacity; readonly history: HistoryScope }[];
    readonly brief: SealedName;
    readonly options: { readonly marking: string; readonly retention_years: number; readonly undertaking: string };
  };
  "consultation.return": { readonly proposal: string; readonly reason: SealedName };
  "consultation.withdraw": { readonly proposal: string; readonly reason: SealedName };
  "consultation.concur": { readonly proposal: string };
  "consultation.dispose": { readonly proposal: string; readonly basis: DisposalBasis; readonly manifest: string };
  "invitation.answer": { readonly party: string; readonly answer: Answer };
  accredit: { readonly party: string; readonly card: string; readonly capacity: DelegateCapacity };
  withdraw: { readonly party: string; readonly card: string };
  undertaking: { readonly card: string; readonly text: string };
  seat: { readonly card: string; readonly capacity: OfficerCapacity; readonly rooms: readonly string[] };
  unseat: { readonly card: string; readonly rooms: readonly string[] };
  exclude: { readonly card: string; readonly device: string | null };
  "room.open": {
    readonly consultation: string;
    readonly kind: "plenary";
    readonly parties: readonly string[];
    readonly cards: readonly string[];
    readonly disclosure: "all";
  };
}

export type ActType = keyof Bodies;
export type ChainKind = "installation" | "account" | "consultation" | "room";
type Check = (value: Json | undefined) => boolean;

/** One row of the table. */
export interface Kind {
  readonly chain: ChainKind;
  readonly body: Check;
  readonly founding: boolean;
  /** one body with two signatures: begins as a draft only the two see */
  readonly bothChairs: boolean;
  /** members of the body that are Ed25519 keys */
  readonly keys: readonly string[];
}

/**
 * The row for a statement whose form has been read, once its body has been found to fit.
 * @throws Refusal `unknown_type`, `malformed`, `weak_key`
 */
export function kindOf(statement: Statement): Kind {
  const kind = (TABLE as ReadonlyMap<string, Kind>).get(statement.type);
  if (kind === undefined) throw new Refusal("unknown_type", "a type outside the table");
  if (kind.founding !== (statement.n === 0) || !kind.body(statement.body)) throw new Refusal("malformed", "a body of another shape");
  for (const name of kind.keys) {
    const key = statement.body[name];
    if (typeof key === "string") refuseWeakKey(fromBase64(key, 32));
  }
  return kind;
}

/** The body of a statement which `kindOf` has read and which is of one of these types. */
export function bodyOf<T extends ActType>(statement: Statement, ...types: readonly T[]): Bodies[T] {
  if (!types.some((type) => type === statement.type)) throw new TypeError(`not one of ${types.join(", ")}`);
  return statement.body as unknown as Bodies[T];
}

/** The next statement of the chain that this type belongs to, unsigned; `card` names the account for types of an account's chain. */
export function draft<T extends ActType>(standing: Standing, type: T, body: Bodies[T], options: { card?: string; nonce?: string } = {}): Statement {
  return { type, ...place(standing, type, options.card ?? ""), nonce: options.nonce ?? newNonce(), body: body as unknown as JsonObject };
}

interface Place {
  readonly inst: string | null;
  readonly scope: string | null;
  readonly n: number;
  readonly prev: string | null;
  readonly up: string | null;
}

function place(standing: Standing, type: ActType, card: string): Place {
  const view = newest(standing);
  const kind = TABLE.get(type);
  const first = { scope: null, prev: null, n: 0 };
  if (type === ROOT || kind === undefined) return { inst: null, up: null, ...first };
  if (kind.chain === "installation") {
    const { inst, hash, n } = inPlace(view);
    return { inst, scope: inst, n: n + 1, prev: hash, up: null };
  }
  const inst = view?.inst ?? null;
  if (kind.chain === "room") return { inst, up: convened(standing).places.at(-1) ?? null, ...first };
  const up = view?.hash ?? null;
  if (kind.founding) return { inst, up, ...first };
  const before = kind.chain === "account" ? known(standing, card) : convened(standing);
  const next = { scope: before.places[0] ?? null, n: before.places.length, prev: before.places.at(-1) ?? null };
  const bound = !("installation" in before) || before.installation !== null;
  return bound ? { inst, up, ...next } : { inst: null, up: null, ...next };
}

// ------------------------------------------------------------------------------------------------------------- shapes of values

const MOST_PARTIES = 100;
const XWING_KEY_LENGTH = 1216;

function oneOf(...words: readonly string[]): Check {
  return (value) => typeof value === "string" && words.includes(value);
}

function base64(length: number): Check {
  return (value) => {
    if (typeof value !== "string") return false;
    try {
      return fromBase64(value, length).length === length;
    } catch {
      return false;
    }
  };
}

function matching(pattern: RegExp): Check {
  return (value) => typeof value === "string" && pattern.test(value);
}

/** One line of 1 to `most` characters (code points), without control characters. */
function text(most: number): Check {
  return (value) => {
    if (typeof value !== "string") return false;
    const points = Array.from(value, (character) => character.codePointAt(0) ?? 0);
    return points.length >= 1 && points.length <= most && points.every((point) => point >= 0x20 && point !== 0x7f);
  };
}

function integer(least: number, most: number): Check {
  return (value) => typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

/** An object with exactly these members. */
function members(checks: Readonly<Record<string, Check>>): Check {
  const names = Object.keys(checks).sort();
  return (value) => isRecord(value) && keysAre(value, names) && Object.entries(checks).every(([name, check]) => check(value[name]));
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Words or party codes: sorted, none twice. */
function rising(values: readonly string[]): boolean {
  return values.every((value, index) => index === 0 || (values[index - 1] ?? "") < value);
}

function partyOf(row: Json): string {
  const code = isRecord(row) ? row["party"] : undefined;
  return typeof code === "string" ? code : "";
}

/** A list of such objects, sorted by party, no party twice. */
function rowsByParty(row: Check, least: number, most: number): Check {
  return (value) =>
    isList(value) && value.length >= least && value.length <= most && value.every(row) && rising(value.map(partyOf));
}

const name: Check = isName;
const party = matching(/^[A-Z][A-Z0-9-]{0,15}$/);
/** A party which can take part: everything but the secretariat. */
const member: Check = (value) => party(value) && value !== SECRETARIAT;
const sealed = members({ sha256: name, commitment: base64(32) });
const history = matching(/^(?:opening|joining|sitting:[1-9][0-9]{0,3})$/);
const row = members({ party: member, capacity: oneOf("chair", "steering_group", "affected", "invited", "observer"), history });
const options = members({ marking: text(40), retention_years: integer(1, 100), undertaking: name });
const reason = members({ proposal: name, reason: sealed });
const nothing: Check = (value) => isList(value) && value.length === 0;
/** Kinds of rooms: sorted, none twice, at least one. */
const rooms: Check = (value) => isList(value) && value.length > 0 && value.every(oneOf(...ROOM_KINDS)) && rising(value.map(String));

const chairs: Check = (value) => {
  if (!rowsByParty(members({ card: name, party: member }), 2, 2)(value) || !isList(value)) return false;
  const [first, second] = value;
  return isRecord(first) && isRecord(second) && first["card"] !== second["card"];
};

type Flags = Partial<Omit<Kind, "chain" | "body">>;

function kind(chain: ChainKind, body: Check, flags: Flags = {}): Kind {
  return { chain, body, founding: false, bothChairs: false, keys: [], ...flags };
}

export const TABLE: ReadonlyMap<ActType, Kind> = new Map<ActType, Kind>([
  [ROOT, kind("installation", members({ chairs, log: text(200) }), { founding: true, bothChairs: true })],
  [
    "party.key",
    kind("installation", members({ party: member, card: name, former: orNull(oneOf("retired", "compromised")) }), { bothChairs: true }),
  ],
  [
    "account.card",
    kind("account", members({ account_key: base64(32), xwing_key: base64(XWING_KEY_LENGTH), installation: orNull(name), party }), {
      founding: true,
      keys: ["account_key"],
    }),
  ],
  ["device.add", kind("account", members({ signature_key: base64(32) }), { keys: ["signature_key"] })],
  ["device.revoke", kind("account", members({ device: name }))],
  [
    "consultation.propose",
    kind(
      "consultation",
      members({
        reference: text(40),
        level: oneOf("senior_officials", "ministers"),
        urgency: oneOf("routine", "urgent", "immediate"),
        composition: rowsByParty(row, 2, MOST_PARTIES),
        brief: sealed,
        options,
      }),
      { founding: true },
    ),
  ],
  ["consultation.return", kind("consultation", reason)],
  ["consultation.withdraw", kind("consultation", reason)],
  ["consultation.concur", kind("consultation", members({ proposal: name }))],
  [
    "consultation.dispose",
    kind("consultation", members({ proposal: name, basis: oneOf("retention_over", "agreed_early", "legal_order"), manifest: name }), {
      bothChairs: true,
    }),
  ],
  [
    "invitation.answer",
    kind("consultation", members({ party, answer: oneOf("accept", "decline", "awaiting_instructions") })),
  ],
  [
    "accredit",
    kind("consultation", members({ party, card: name, capacity: oneOf("head", "alternate", "adviser", "observer", "interpreter") })),
  ],
  ["withdraw", kind("consultation", members({ party, card: name }))],
  ["undertaking", kind("consultation", members({ card: name, text: name }))],
  ["seat", kind("consultation", members({ card: name, capacity: oneOf("secretariat", "chair_staff"), rooms }), { bothChairs: true })],
  ["unseat", kind("consultation", members({ card: name, rooms }), { bothChairs: true })],
  ["exclude", kind("consultation", members({ card: name, device: orNull(name) }), { bothChairs: true })],
  [
    "room.open",
    kind("room", members({ consultation: name, kind: oneOf(...ROOM_KINDS), parties: nothing, cards: nothing, disclosure: oneOf("all") }), {
      founding: true,
    }),
  ],
]);
