/** Codes for people we invite. The secret stays in this browser, and with the paper; the host gets a locator. */

import type { DraftMade, Hex, InvitationMade, InvitationView, PartyCode, Purpose } from "../bridge.ts";
import { textKey, wrapKey } from "./briefs.ts";
import { refresh } from "./book.ts";
import { fingerprint, formatCode, locatorOf, macFits, newSecret } from "./codes.ts";
import type { Context, Self } from "./context.ts";
import { fromBase64, toBase64 } from "./encoding.ts";
import { Failure } from "./failure.ts";
import { jsonRow, noRow, readJson } from "./keystore.ts";
import { recipient } from "./people.ts";
import { choice, list, members, name, orNull, text } from "./reading.ts";
import { beginDraft } from "./signing.ts";
import { newest } from "./standing.ts";
import { parseSigned, type Signed } from "./statements.ts";

const PURPOSES = ["chair", "focal_point", "delegate", "secretariat"] as const;
const STATES = ["waiting", "enrolled", "confirmed", "expired"] as const;

interface Served {
  readonly enrolment: string;
  readonly locator: Hex;
  readonly name: string;
  readonly purpose: Purpose;
  readonly party: PartyCode;
  readonly state: InvitationView["state"];
  readonly card: Signed | null;
  readonly mac: string | null;
}

export async function createInvitation(context: Context, self: Self, asked: { purpose: Purpose; party: PartyCode; name: string }): Promise<InvitationMade> {
  // A chair's browser may not have seen yet that the other Co-Chair has signed, too.
  const inst = newest((await refresh(context, self, null)).standing)?.inst;
  if (inst === undefined) throw new Failure("not_due", "the installation is not founded yet");
  const secret = newSecret();
  const locator = await locatorOf(secret);
  // Kept first: without the secret nobody could check the card that comes back.
  await self.rows.write([jsonRow(path(locator), toBase64(secret))]);
  const { purpose, party, name: person } = asked;
  try {
    const enrolment = text(members(await context.server.post("/api/enrolments", { locator, purpose, party, name: person }))["enrolment"]);
    const code = await formatCode(secret, inst);
    return { enrolment, code, url: `${location.origin}/enrol#${code}` };
  } catch (error) {
    await self.rows.write([noRow(path(locator))]);
    throw error;
  }
}

export async function invitations(context: Context, self: Self): Promise<readonly InvitationView[]> {
  return Promise.all((await served(context)).map((each) => shown(self, each)));
}

export async function withdrawInvitation(context: Context, enrolment: string): Promise<void> {
  await context.server.send("DELETE", `/api/enrolments/${encodeURIComponent(enrolment)}`, undefined);
}

/** An officer of the secretariat: no statement follows, so the inviter says so to the server. */
export async function confirmInvitation(context: Context, self: Self, enrolment: string): Promise<{ card: Hex }> {
  const card = await checkedCard(context, self, enrolment);
  await context.server.post(`/api/enrolments/${encodeURIComponent(enrolment)}/confirm`, { card });
  return { card };
}

/** @throws Failure `not_due` (nobody enrolled yet), `code_not_here`, `key_differs` */
export async function checkedCard(context: Context, self: Self, enrolment: string): Promise<Hex> {
  const found = (await served(context)).find((each) => each.enrolment === enrolment);
  if (found?.card == null) throw new Failure("not_due", "nobody has enrolled with this code");
  const { check } = await shown(self, found);
  if (check === "not_here") throw new Failure("code_not_here", "the code was made in another browser");
  if (check !== "matches") throw new Failure("key_differs", "the card does not carry the mark of our code");
  return found.card.hash;
}

/** The enrolment of ours which this card came from, if it carries the mark; undefined if none of ours made it. */
export async function enrolmentOf(context: Context, self: Self, card: Hex): Promise<InvitationView | undefined> {
  return (await invitations(context, self)).find((each) => each.card === card);
}

/** Draft of `party.key`, with the briefs of the live consultations the party is in wrapped for the new focal point. */
export async function composePartyKey(
  context: Context,
  self: Self,
  given: { enrolment: string; former: "retired" | "compromised" | null },
): Promise<DraftMade> {
  const card = await checkedCard(context, self, given.enrolment);
  const { standing: now } = await refresh(context, self, null);
  const party = now.accounts.get(card)?.party;
  if (party === undefined) throw new Failure("not_due", "the card is not served");
  const wraps = await wrapsFor(context, self, { card, party });
  return beginDraft({
    context,
    self,
    consultation: null,
    type: "party.key",
    compose: () => Promise.resolve({ body: { party, card, former: given.former }, enclosed: { wraps } }),
  });
}

async function wrapsFor(context: Context, self: Self, given: { card: Hex; party: PartyCode }): Promise<readonly { consultation: Hex; card: Hex; box: string }[]> {
  const wraps: { consultation: Hex; card: Hex; box: string }[] = [];
  const ids = list(await context.server.get("/api/consultations"), (row) => name(members(row)["id"]));
  for (const consultation of ids) {
    const { standing } = await refresh(context, self, consultation);
    const found = standing.consultation;
    if (found?.state !== "concurred" || !found.composition.has(given.party)) continue;
    const key = await textKey(self, context.server, found.proposed.brief);
    const [made] = await wrapKey(key, [recipient(standing, given.card)]);
    if (made !== undefined) wraps.push({ consultation, card: given.card, box: made.box });
  }
  return wraps;
}

async function served(context: Context): Promise<readonly Served[]> {
  const rows = list(await context.server.get("/api/enrolments"), members);
  return Promise.all(
    rows.map(async (row) => ({
      enrolment: text(row["enrolment"]),
      locator: name(row["locator"]),
      name: text(row["name"]),
      purpose: choice(row["purpose"], PURPOSES),
      party: text(row["party"]),
      state: choice(row["state"], STATES),
      card: row["card"] == null ? null : await parseSigned(row["card"]),
      mac: orNull(row["mac"], text),
    })),
  );
}

async function shown(self: Self, each: Served): Promise<InvitationView> {
  const { enrolment, name: person, purpose, party, state } = each;
  const card = each.card?.hash ?? null;
  const about = { enrolment, name: person, purpose, party, state };
  if (card === null) return { ...about, card, fingerprint: null, check: "waiting" };
  const kept = await readJson<string>(self.rows, path(each.locator));
  if (kept === undefined) return { ...about, card, fingerprint: fingerprint(card), check: "not_here" };
  const fits = each.mac !== null && (await macFits(fromBase64(kept), card, each.mac));
  return { ...about, card, fingerprint: fingerprint(card), check: fits ? "matches" : "differs" };
}

function path(locator: Hex): string {
  return `invitation/${locator}`;
}
