/** Acts of both Co-Chairs with one signature: shown exactly as they will stand, read out of the very statement. */

import type { CardView, DraftAct, DraftView } from "../bridge.ts";
import { fill, gettext } from "../gettext.ts";
import type { Keys } from "../keys.ts";
import { wordsFor } from "../words.ts";
import type { Act } from "./acts.ts";
import { named } from "./acts.ts";
import { copyOf, only, part, partyName, personName, put, showFingerprint } from "./fragments.ts";

/** Fills `<div data-drafts>` from the templates `draft` and `draft-card`; says so if there is none. */
export async function showDrafts(keys: Keys): Promise<void> {
  const place = document.querySelector<HTMLElement>("[data-drafts]");
  if (place === null) return;
  const drafts = (await keys.call("drafts", {})).filter((draft) => draft.act.type !== "chairs.root");
  if (drafts.length > 0) place.replaceChildren(...drafts.map(panelOf));
  else for (const empty of place.querySelectorAll<HTMLElement>("[data-empty]")) empty.hidden = false;
  for (const waiting of place.querySelectorAll<HTMLElement>("[data-waiting]")) waiting.hidden = true;
}

export const draftActs: Readonly<Record<string, Act>> = {
  "sign-draft": async ({ keys, control }) => {
    await keys.call("draftSign", { draft: named(control, "draft") });
    return { kind: "again", said: gettext("Signed by both Co-Chairs. It is in force.") };
  },
  "discard-draft": async ({ keys, control }) => {
    await keys.call("draftDiscard", { draft: named(control, "draft") });
    return { kind: "again", said: gettext("The draft was taken back. Nothing was sent.") };
  },
};

function panelOf(draft: DraftView): HTMLElement {
  const panel = copyOf("draft");
  const { title, sentence, card } = wordsOf(draft.act);
  panel.dataset["draft"] = draft.draft;
  panel.setAttribute("aria-label", title);
  put(panel, "title", title);
  put(panel, "sentence", sentence);
  put(panel, "signed", fill(gettext("Signed so far by {parties}."), { parties: draft.signedBy.map((by) => partyName(by.party)).join(", ") }));
  showCard(part(panel, "card"), card);
  const waiting = draft.own || draft.problem !== null;
  // What destroys is read on its own page before it is signed.
  const read = only(panel, "read", draft.act.type === "consultation.dispose" && !waiting);
  if (read instanceof HTMLAnchorElement && draft.act.type === "consultation.dispose") read.href = `/consultations/${draft.act.consultation}/disposal`;
  only(panel, "sign", !waiting && draft.act.type !== "consultation.dispose");
  put(panel, "problem", problemWords(draft));
  part(panel, "problem").hidden = !waiting;
  panel.classList.add(draft.problem !== null && !draft.own ? "alarm" : draft.own ? "wait" : "next");
  return panel;
}

function problemWords(draft: DraftView): string {
  if (draft.problem !== null) return wordsFor(draft.problem);
  return draft.own ? gettext("You have signed. Nothing happens before the other Co-Chair has signed too.") : "";
}

function showCard(place: HTMLElement, concerned: CardView | null): void {
  place.hidden = concerned === null;
  if (concerned === null) return;
  put(place, "party", partyName(concerned.party));
  put(place, "person", personName(concerned.card, gettext("Name not known here")));
  showFingerprint(part(place, "fingerprint"), concerned.fingerprint);
}

/** What the draft does, in a title and a sentence. */
export function wordsOf(act: DraftAct): { readonly title: string; readonly sentence: string; readonly card: CardView | null } {
  switch (act.type) {
    case "chairs.root":
      return { title: gettext("The two Co-Chairs"), sentence: chairsSentence(act.chairs), card: null };
    case "party.key":
      return {
        title: fill(gettext("Focal point of {party}"), { party: partyName(act.party) }),
        sentence: fill(formerWords(act.former), { party: partyName(act.party) }),
        card: act,
      };
    case "seat":
      return {
        title: fill(gettext("A seat in the room of {reference}"), { reference: act.reference }),
        sentence:
          act.capacity === "secretariat"
            ? gettext("This officer of the secretariat sits in the plenary and can read what is said there. All parties see it.")
            : gettext("This member of a Co-Chair's staff sits in the plenary and can read what is said there. All parties see it."),
        card: act,
      };
    case "unseat":
      return { title: fill(gettext("A seat in the room of {reference} ends"), { reference: act.reference }), sentence: gettext("This person no longer sits in the plenary and can read nothing said afterwards."), card: act };
    case "exclude":
      return { title: fill(gettext("Exclusion from {reference}"), { reference: act.reference }), sentence: excludeWords(act.device), card: act };
    case "consultation.dispose":
      return { title: fill(gettext("Disposal of {reference}"), { reference: act.reference }), sentence: gettext("Everything said and kept in it is destroyed for good, and every seat ends."), card: null };
  }
}

function chairsSentence(chairs: readonly CardView[]): string {
  return fill(gettext("{parties} are the Co-Chairs of this installation."), { parties: chairs.map((chair) => partyName(chair.party)).join(gettext(" and ")) });
}

function formerWords(former: "retired" | "compromised" | null): string {
  if (former === "retired") return gettext("This person replaces the former focal point of {party}, who has retired in good order. Delegates stay accredited.");
  if (former === "compromised") return gettext("This person replaces the former focal point of {party}, whose key is lost or in wrong hands. Every delegate must be accredited again.");
  return gettext("This person answers invitations for {party} and accredits its delegates.");
}

function excludeWords(device: string | null): string {
  return device === null
    ? gettext("This person has no seat in this consultation any more. This is final and shown to all parties.")
    : gettext("One device of this person is shut out of this consultation. This is final and shown to all parties.");
}
