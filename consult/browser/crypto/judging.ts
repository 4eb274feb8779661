/**
 * Judges statements: is this one lawful after those? (docs/protocol.md, section 2; meetings/judging.py.) `follow` asks, in this order:
 *
 * 1. the type is known and the body has its exact shape;
 * 2. it belongs to this installation;
 * 3. it continues its chain (`scope`, `n`, `prev`);
 * 4. `up` is in the enclosing chain and does not go back;
 * 5. exactly those signed who must;
 * 6. the act is due (rules.ts).
 *
 * `judge` asks two more of a statement that is about to be made or signed: 7. the signatures verify; 8. those who signed may still sign at
 * the newest head of the installation, so a former key cannot act by pointing at the past.
 */

import { kindOf, type ActType, type Kind } from "./acts.ts";
import { Refusal } from "./refusal.ts";
import { RULES, type Signers } from "./rules.ts";
import { inPlace, known, newest, put, type Account, type Consultation, type Installation, type Standing } from "./standing.ts";
import { ROOT, verifySignature, type Signed, type Statement } from "./statements.ts";

export interface Judged {
  /** one signature of several is enough */
  readonly draft?: boolean;
}

/**
 * What stands after this statement. Its signatures are for the caller to check (`checkSignatures`), unless they were checked before.
 * @throws Refusal if it is not lawful
 */
export function follow(standing: Standing, signed: Signed, how: Judged = {}): Standing {
  const { statement } = signed;
  const kind = kindOf(statement);
  rightInstallation(standing, statement, kind);
  nextPlace(standing, signed, kind);
  const seen = seenBy(standing, statement, kind);
  const { asks, rule } = RULES[statement.type as ActType];
  signedBy(asks(standing, signed, seen), signed, how);
  return placed(rule(standing, signed, seen), signed, kind);
}

/** What stands after a statement that is new; @throws Refusal if it is not lawful now */
export async function judge(standing: Standing, signed: Signed, how: Judged = {}): Promise<Standing> {
  const after = follow(standing, signed, how);
  await checkSignatures(after, signed);
  const view = newest(standing);
  if (view !== undefined) signedBy(RULES[signed.statement.type as ActType].asks(standing, signed, view), signed, how);
  return after;
}

/** @throws Refusal unless every signature verifies under the key of the card it names */
export async function checkSignatures(standing: Standing, signed: Signed): Promise<void> {
  for (const { card } of signed.signatures) await verifySignature(signed, { card, accountKey: known(standing, card).accountKey });
}

function rightInstallation(standing: Standing, statement: Statement, kind: Kind): void {
  let expected: string | null;
  if (statement.type === ROOT) expected = null;
  else if (kind.chain === "account") expected = accountInstallation(standing, statement);
  else expected = inPlace(newest(standing)).inst;
  if (statement.inst !== expected) throw new Refusal("foreign_installation", "of another installation");
}

/** A card says itself whether it was made for an installation; then it must be this one. */
function accountInstallation(standing: Standing, statement: Statement): string | null {
  if (statement.scope !== null) {
    const account = standing.accounts.get(statement.scope);
    return account === undefined ? statement.inst : account.installation;
  }
  if (statement.inst !== null && inPlace(newest(standing)).inst !== statement.inst) {
    throw new Refusal("foreign_installation", "a card of another installation");
  }
  return statement.inst;
}

function nextPlace(standing: Standing, signed: Signed, kind: Kind): void {
  const { statement } = signed;
  const places = placesOf(standing, signed, kind);
  if (statement.scope !== null && places.length === 0) throw new Refusal("no_such_chain", "continues nothing that is here");
  if (signed.scope !== chainName(standing, signed, kind)) throw new Refusal("wrong_scope", "of another chain");
  if (statement.n !== places.length || statement.prev !== (places.at(-1) ?? null)) throw new Refusal("head_moved", "not the next place of its chain");
}

function chainName(standing: Standing, signed: Signed, kind: Kind): string {
  const view = newest(standing);
  if (kind.chain === "installation" && view !== undefined) return view.inst;
  if (kind.chain === "consultation" && standing.consultation !== undefined && signed.statement.scope !== null) return standing.consultation.id;
  return signed.scope;
}

/** The statements which the chain already has, by place. */
function placesOf(standing: Standing, signed: Signed, kind: Kind): readonly string[] {
  switch (kind.chain) {
    case "installation":
      return standing.installation.map((view) => view.hash);
    case "account":
      return standing.accounts.get(signed.scope)?.places ?? [];
    case "consultation": {
      const found = standing.consultation;
      return found !== undefined && (signed.statement.scope !== null || found.id === signed.scope) ? found.places : [];
    }
    case "room":
      return standing.rooms.has(signed.scope) ? [signed.scope] : [];
  }
}

/** The installation as the signers saw it. */
function seenBy(standing: Standing, statement: Statement, kind: Kind): Installation | undefined {
  if (kind.chain === "installation") {
    nothingAbove(statement);
    return newest(standing);
  }
  if (kind.chain === "room") {
    if (statement.up === null || standing.consultation?.places.includes(statement.up) !== true) throw upUnknown();
    return newest(standing);
  }
  if (statement.inst === null) {
    nothingAbove(statement);
    return undefined;
  }
  return viewOf(standing, statement, before(standing, statement, kind));
}

function nothingAbove(statement: Statement): void {
  if (statement.up !== null) throw upUnknown();
}

function before(standing: Standing, statement: Statement, kind: Kind): Account | Consultation | undefined {
  if (statement.scope === null) return undefined;
  return kind.chain === "account" ? standing.accounts.get(statement.scope) : standing.consultation;
}

function viewOf(standing: Standing, statement: Statement, last: Account | Consultation | undefined): Installation {
  const places = standing.installation.map((view) => view.hash);
  const place = statement.up === null ? -1 : places.indexOf(statement.up);
  const view = standing.installation[place];
  if (view === undefined) throw upUnknown();
  if (last !== undefined && last.up !== null && place < places.indexOf(last.up)) throw new Refusal("up_back", "an older view than its predecessor's");
  return view;
}

function upUnknown(): Refusal {
  return new Refusal("up_unknown", "signed under a statement that is not here");
}

function signedBy(signers: Signers, signed: Signed, how: Judged): void {
  const cards = signed.signatures.map(({ card }) => card);
  const enough = how.draft === true ? cards.length >= 1 && cards.length <= signers.count : cards.length === signers.count;
  if (!enough || !cards.every((card) => signers.cards.has(card))) throw new Refusal("wrong_signer", "not signed by those who must");
}

/** The chain's own account of its places and of the view it was last signed under. */
function placed(after: Standing, signed: Signed, kind: Kind): Standing {
  const { scope, up } = signed.statement;
  if (scope === null) return after;
  if (kind.chain === "account") {
    const account = known(after, scope);
    return { ...after, accounts: put(after.accounts, scope, { ...account, places: [...account.places, signed.hash], up }) };
  }
  if (kind.chain === "consultation" && after.consultation !== undefined) {
    const { consultation } = after;
    return { ...after, consultation: { ...consultation, places: [...consultation.places, signed.hash], up } };
  }
  return after;
}
