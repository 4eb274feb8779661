/** What focal points, delegates and both Co-Chairs do in a consultation that was concurred. */

import type { Answer, DelegateCapacity, DraftMade, Hex, OfficerCapacity, PartyCode, Signed } from "../bridge.ts";
import { bodyOf, ROOM_KINDS } from "./acts.ts";
import { textKey, wrapKey, type Wrapped } from "./briefs.ts";
import { knownConsultations, refresh, remembered, type View } from "./book.ts";
import type { Context, Self } from "./context.ts";
import { sha256, toHex, utf8 } from "./encoding.ts";
import { Failure } from "./failure.ts";
import { checkedCard, enrolmentOf } from "./invitations.ts";
import { focalPointOf, recipient } from "./people.ts";
import { beginDraft, perform } from "./signing.ts";
import { convened, type Standing } from "./standing.ts";

interface Here {
  readonly context: Context;
  readonly self: Self;
  readonly consultation: Hex;
}

export async function answerInvitation(here: Here, answer: Answer): Promise<Signed> {
  const compose = ({ standing }: View) => Promise.resolve({ body: { party: ownParty(standing, here.self), answer }, enclosed: {} });
  return signed(await perform({ ...here, type: "invitation.answer", compose }));
}

/** The card carries the mark of our own code, or was accredited by us before, or is our own: nobody is accredited on the host's word. */
export async function accredit(here: Here, given: { card: Hex; capacity: DelegateCapacity; enrolment: string | null }): Promise<Signed> {
  const { context, self } = here;
  const { card, capacity } = given;
  // The accounts of people we invited come with the chains outside any consultation.
  await refresh(context, self, null);
  await refuseUnchecked(here, given);
  const done = await perform({
    ...here,
    type: "accredit",
    compose: async ({ standing }) => {
      const party = ownParty(standing, self);
      return { body: { party, card, capacity }, enclosed: { wraps: await briefFor(here, standing, card) } };
    },
  });
  return signed(done);
}

async function refuseUnchecked({ context, self }: Here, given: { card: Hex; enrolment: string | null }): Promise<void> {
  if (given.enrolment !== null) {
    const card = await checkedCard(context, self, given.enrolment);
    if (card !== given.card) throw new Failure("key_differs", "another card than the one that was shown");
    return;
  }
  if (given.card === self.card || (await accreditedBefore(self, given.card))) return;
  const enrolment = await enrolmentOf(context, self, given.card);
  if (enrolment === undefined || enrolment.check === "not_here") throw new Failure("code_not_here", "the card cannot be checked in this browser");
  if (enrolment.check !== "matches") throw new Failure("key_differs", "the card does not carry the mark of our code");
}

async function accreditedBefore(self: Self, card: Hex): Promise<boolean> {
  for (const consultation of await knownConsultations(self)) {
    const { chains } = await remembered(self, consultation);
    const found = chains.consultation.some(
      ({ statement, signatures }) =>
        statement.type === "accredit" && bodyOf(statement, "accredit").card === card && signatures.some((signature) => signature.card === self.card),
    );
    if (found) return true;
  }
  return false;
}

export async function withdrawDelegate(here: Here, card: Hex): Promise<Signed> {
  const compose = ({ standing }: View) => Promise.resolve({ body: { party: ownParty(standing, here.self), card }, enclosed: {} });
  return signed(await perform({ ...here, type: "withdraw", compose }));
}

/** `text` is what was on the screen; it must be the one the proposal names. */
export async function undertake(here: Here, text: string): Promise<Signed> {
  const shown = toHex(await sha256(utf8(text)));
  const compose = ({ standing }: View) => {
    if (convened(standing).proposed.options.undertaking !== shown) throw new Failure("undertaking_differs", "the text shown is not the one the proposal names");
    return Promise.resolve({ body: { card: here.self.card, text: shown }, enclosed: {} });
  };
  return signed(await perform({ ...here, type: "undertaking", compose }));
}

/** A card of ours that carries another mark than our code's is refused; other cards both Co-Chairs compare by fingerprint. */
export async function seat(here: Here, given: { card: Hex; capacity: OfficerCapacity }): Promise<DraftMade> {
  const { context, self } = here;
  await refresh(context, self, null);
  const enrolment = await enrolmentOf(context, self, given.card);
  if (enrolment?.check === "differs") throw new Failure("key_differs", "the card does not carry the mark of our code");
  return beginDraft({
    ...here,
    type: "seat",
    compose: async ({ standing }) => {
      const body = { card: given.card, capacity: given.capacity, rooms: ROOM_KINDS };
      return { body, enclosed: { wraps: await briefFor(here, standing, given.card) } };
    },
  });
}

export function unseat(here: Here, card: Hex): Promise<DraftMade> {
  const compose = ({ standing }: View) => {
    const rooms = convened(standing).seated.get(card)?.rooms ?? ROOM_KINDS;
    return Promise.resolve({ body: { card, rooms }, enclosed: {} });
  };
  return beginDraft({ ...here, type: "unseat", compose });
}

export function exclude(here: Here, given: { card: Hex; device: Hex | null }): Promise<DraftMade> {
  const compose = () => Promise.resolve({ body: { card: given.card, device: given.device }, enclosed: {} });
  return beginDraft({ ...here, type: "exclude", compose });
}

async function briefFor({ context, self }: Here, standing: Standing, card: Hex): Promise<readonly Wrapped[]> {
  const key = await textKey(self, context.server, convened(standing).proposed.brief);
  return wrapKey(key, [recipient(standing, card)]);
}

function ownParty(standing: Standing, self: Self): PartyCode {
  const party = focalPointOf(standing, self.card);
  if (party === null) throw new Failure("not_yours", "only the party's focal point does this");
  return party;
}

function signed({ hash, n }: Signed): Signed {
  return { hash, n };
}
