/** The focal point's page of a consultation (answer, enrol, accredit, withdraw) and the delegate's undertaking. */

import type { Answer, ConsultationView, DelegateCapacity, InvitationView } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import type { Keys } from "../keys.ts";
import { bindActs, field, named, whenReady, type Act } from "./acts.ts";
import { answerWords } from "./composition.ts";
import { copyOf, only, part, put, showFingerprint, textOf } from "./fragments.ts";
import { invitationActs, invitationWords, invite, toneOf } from "./invitations.ts";
import { delegateRow, showRemovals } from "./people.ts";
import { consultationOf, ready } from "./ready.ts";
import { openSealed } from "./sealed.ts";

const page = (): HTMLElement => {
  const found = document.querySelector<HTMLElement>("[data-consultation-page]");
  if (found === null) throw new Error("the page lacks its consultation");
  return found;
};
const here = (): string => page().dataset["consultationPage"] ?? "";

const answers: readonly Answer[] = ["accept", "decline", "awaiting_instructions"];
const capacities: readonly DelegateCapacity[] = ["head", "alternate", "adviser", "observer", "interpreter"];

const answer: Act = async ({ keys, control }) => {
  const given = answers.find((each) => each === field(control, "answer"));
  if (given === undefined) return { kind: "stay", said: gettext("Choose an answer first.") };
  await keys.call("answer", { consultation: here(), answer: given });
  return { kind: "again", said: `${gettext("Your answer was signed and sent:")} ${answerWords(given)}.` };
};

const enrolDelegate: Act = (asked) =>
  invite(asked, { purpose: "delegate", party: named(asked.control, "party"), name: field(asked.control, "name") });

const accredit: Act = async ({ keys, control }) => {
  const capacity = capacities.find((each) => each === field(control, "capacity"));
  if (capacity === undefined) return { kind: "stay", said: gettext("Choose the capacity first.") };
  const card = control.dataset["card"] ?? field(control, "card");
  await keys.call("accredit", { consultation: here(), card, capacity, enrolment: control.dataset["enrolment"] ?? null });
  return { kind: "again", said: gettext("Accredited. The delegate is seated after signing the undertaking.") };
};

const withdrawDelegate: Act = async ({ keys, control }) => {
  await keys.call("withdrawDelegate", { consultation: here(), card: named(control, "card") });
  return { kind: "again", said: gettext("Withdrawn. From this moment the server gives this person nothing more.") };
};

const undertake: Act = async ({ keys }) => {
  await keys.call("undertake", { consultation: here(), text: textOf("undertaking-text") });
  return { kind: "go", to: `/consultations/${here()}`, said: gettext("Undertaking signed. You are seated.") };
};

/** A person who was invited by a code of ours and is not accredited yet. */
function invitedRow(invitation: InvitationView): HTMLElement {
  const row = copyOf("invitation");
  row.dataset["enrolment"] = invitation.enrolment;
  put(row, "name", invitation.name);
  const state = part(row, "state");
  state.textContent = invitationWords(invitation);
  state.className = `state ${toneOf(invitation)}`.trim();
  if (invitation.fingerprint !== null) showFingerprint(part(row, "fingerprint"), invitation.fingerprint);
  only(row, "withdraw", invitation.state === "waiting");
  const form = only(row, "accredit", invitation.card !== null && invitation.state !== "expired" && invitation.check === "matches");
  if (form === null) return row;
  form.dataset["enrolment"] = invitation.enrolment;
  form.dataset["card"] = invitation.card ?? "";
  put(form, "label", `${gettext("Accredit")} ${invitation.name}`);
  return row;
}

function showDelegates(view: ConsultationView, party: string): ReadonlySet<string> {
  const delegates = view.parties.find((each) => each.party === party)?.delegates ?? [];
  const rows = delegates.map((delegate) => delegateRow(party, delegate));
  document.querySelector<HTMLElement>("[data-people]")?.replaceChildren(...rows);
  for (const section of document.querySelectorAll<HTMLElement>("[data-has-people]")) section.hidden = rows.length === 0;
  for (const section of document.querySelectorAll<HTMLElement>("[data-no-people]")) section.hidden = rows.length > 0;
  return new Set(delegates.map((delegate) => delegate.card));
}

async function showInvited(keys: Keys, accredited: ReadonlySet<string>): Promise<void> {
  const place = document.querySelector<HTMLElement>("[data-invitations]");
  if (place === null) return;
  const own = (await keys.call("invitations", {})).filter((each) => each.purpose === "delegate");
  // whoever was accredited somewhere before is offered by name, below
  const open = own.filter((each) => each.state !== "confirmed" && (each.card === null || !accredited.has(each.card)));
  place.replaceChildren(...open.map(invitedRow));
  for (const section of document.querySelectorAll<HTMLElement>("[data-has-invitations]")) section.hidden = open.length === 0;
  hideKnown(new Set([...accredited, ...own.flatMap((each) => (each.card !== null && each.state === "enrolled" ? [each.card] : []))]));
}

/** Of the people the server knows in this party, only those who are not on the page already. */
function hideKnown(shown: ReadonlySet<string>): void {
  const choices = [...document.querySelectorAll<HTMLOptionElement>("[data-known] option")];
  for (const choice of choices) if (shown.has(choice.value)) choice.remove();
  for (const section of document.querySelectorAll<HTMLElement>("[data-has-known]")) section.hidden = section.querySelectorAll("option[value]:not([value=''])").length === 0;
}

function showActs(view: ConsultationView): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-when]")) {
    const wanted = place.dataset["when"] ?? "";
    place.hidden = !view.own.acts.some((allowed) => allowed === wanted);
  }
}

bindActs({
  ...invitationActs,
  answer,
  "enrol-delegate": enrolDelegate,
  accredit,
  "withdraw-delegate": withdrawDelegate,
  undertake,
});

whenReady(async (keys) => {
  if ((await ready(keys)) === null) return;
  const view = await consultationOf(keys, here());
  showActs(view);
  await openSealed(keys);
  const party = page().dataset["party"] ?? "";
  if (party === "") return;
  const accredited = showDelegates(view, party);
  await showInvited(keys, accredited);
  await showRemovals(keys, here());
});
