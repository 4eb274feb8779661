/** Focal points and officers: make a code, check who used it, sign. */

import type { InvitationView, Purpose } from "../bridge.ts";
import { fill, gettext } from "../gettext.ts";
import { bindActs, field, named, whenReady, type Act } from "./acts.ts";
import { copyOf, listed, only, part, partyName, put, showFingerprint } from "./fragments.ts";
import { invitationActs, invitationWords, invite, toneOf } from "./invitations.ts";
import { ready } from "./ready.ts";

const purposeWords: Readonly<Record<Purpose, string>> = {
  chair: "Co-Chair",
  focal_point: "Focal point",
  delegate: "Delegate",
  secretariat: "Officer of the secretariat",
};

const inviteFocalPoint: Act = (asked) =>
  invite(asked, { purpose: "focal_point", party: field(asked.control, "party"), name: field(asked.control, "name") });

const inviteOfficer: Act = (asked) => invite(asked, { purpose: "secretariat", party: "RSO", name: field(asked.control, "name") });

/** The first of two signatures under a focal point whose card carries the mark of our code. */
const signPartyKey: Act = async ({ keys, control }) => {
  const former = field(control, "former");
  await keys.call("partyKey", {
    enrolment: named(control, "enrolment"),
    former: former === "retired" || former === "compromised" ? former : null,
  });
  return { kind: "again", said: gettext("Signed. The other Co-Chair finds it under Co-Chairs and signs it there.") };
};

const confirmOfficer: Act = async ({ keys, control }) => {
  await keys.call("invitationConfirm", { enrolment: named(control, "enrolment") });
  return { kind: "again", said: gettext("Confirmed. The officer can now use the register.") };
};

function rowOf(invitation: InvitationView, taken: ReadonlySet<string>): HTMLElement {
  const row = copyOf("invitation");
  row.dataset["enrolment"] = invitation.enrolment;
  put(row, "name", invitation.name);
  put(row, "purpose", gettext(purposeWords[invitation.purpose]));
  put(row, "party", invitation.party === "RSO" ? gettext("Secretariat") : partyName(invitation.party));
  const state = part(row, "state");
  state.textContent = invitationWords(invitation);
  state.className = `state ${toneOf(invitation)}`.trim();
  if (invitation.fingerprint !== null) showFingerprint(part(row, "fingerprint"), invitation.fingerprint);
  showNextStep(row, invitation, taken);
  return row;
}

function showNextStep(row: HTMLElement, invitation: InvitationView, taken: ReadonlySet<string>): void {
  const checked = invitation.state === "enrolled" && invitation.check === "matches";
  only(row, "withdraw", invitation.state === "waiting");
  only(row, "confirm", checked && invitation.purpose === "secretariat");
  const sign = only(row, "sign", checked && invitation.purpose === "focal_point");
  if (sign === null) return;
  const replaces = taken.has(invitation.party);
  const choice = only(sign, "former", replaces)?.querySelector("select");
  if (choice) choice.required = true;
  put(sign, "label", fill(gettext("Sign as focal point of {party}"), { party: partyName(invitation.party) }));
}

bindActs({
  ...invitationActs,
  "invite-focal-point": inviteFocalPoint,
  "invite-officer": inviteOfficer,
  "sign-party-key": signPartyKey,
  "confirm-officer": confirmOfficer,
});

/** The dialog for a focal point is one for all parties: the button that opens it names the party. */
document.addEventListener("click", (event) => {
  const opener = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-invite-party]") : null;
  if (opener === null) return;
  const code = opener.dataset["inviteParty"] ?? "";
  for (const input of document.querySelectorAll<HTMLInputElement>("#invite-focal-point input[name='party']")) input.value = code;
  for (const title of document.querySelectorAll<HTMLElement>("#invite-focal-point [data-part='party-name']")) title.textContent = partyName(code);
});

/** Narrows the list as one types; the server sent all of it. */
document.querySelector<HTMLInputElement>("[data-narrow]")?.addEventListener("input", (event) => {
  const sought = event.target instanceof HTMLInputElement ? event.target.value.trim().toLocaleLowerCase() : "";
  for (const row of document.querySelectorAll<HTMLElement>("[data-party-row]")) row.hidden = !(row.dataset["partyRow"] ?? "").toLocaleLowerCase().includes(sought);
});

whenReady(async (keys) => {
  if ((await ready(keys)) === null) return;
  const place = document.querySelector<HTMLElement>("[data-invitations]");
  if (place === null) return;
  const invitations = (await keys.call("invitations", {})).filter((each) => each.purpose !== "delegate");
  const taken = new Set(listed("focal-points").keys());
  place.replaceChildren(...invitations.map((each) => rowOf(each, taken)));
  for (const section of document.querySelectorAll<HTMLElement>("[data-has-invitations]")) section.hidden = invitations.length === 0;
});

