/** Codes for people who are to enrol: made here, shown once, carried outside the host. */

import type { InvitationView, PartyCode, Purpose } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import { wordsFor } from "../words.ts";
import { named, type Act, type Asked, type Outcome } from "./acts.ts";

/** Makes the code and shows it in the page's `<dialog id="code">`, once. The page loads again when the dialog is closed. */
export async function invite(asked: Asked, whom: { readonly purpose: Purpose; readonly party: PartyCode; readonly name: string }): Promise<Outcome> {
  const made = await asked.keys.call("invitationCreate", whom);
  const sheet = document.getElementById("code");
  if (!(sheet instanceof HTMLDialogElement)) throw new Error("the page lacks the code's dialog");
  const say = (name: string, text: string): void => {
    for (const place of sheet.querySelectorAll<HTMLElement>(`[data-part="${name}"]`)) place.textContent = text;
  };
  say("name", whom.name);
  say("code", made.code);
  say("url", made.url);
  asked.control.closest("dialog")?.close();
  // Escape must not lose what is shown only once.
  sheet.addEventListener("cancel", (event) => event.preventDefault());
  sheet.addEventListener("close", () => {
    location.reload();
  });
  sheet.showModal();
  return { kind: "quiet" };
}

export const invitationActs: Readonly<Record<string, Act>> = {
  "withdraw-code": async ({ keys, control }) => {
    await keys.call("invitationWithdraw", { enrolment: named(control, "enrolment") });
    return { kind: "again", said: gettext("The code was withdrawn. It works no more.") };
  },
};

/** How far an invited person has come, and whether the card is really theirs. */
export function invitationWords(invitation: InvitationView): string {
  switch (invitation.state) {
    case "waiting":
      return gettext("Code not used yet");
    case "expired":
      return gettext("Code expired; make a new one");
    case "confirmed":
      return gettext("In office");
    case "enrolled":
      return checkWords(invitation);
  }
}

function checkWords(invitation: InvitationView): string {
  switch (invitation.check) {
    case "matches":
      return gettext("Enrolled with your code: check mark holds");
    case "differs":
      return wordsFor("key_differs");
    case "not_here":
      return wordsFor("code_not_here");
    case "waiting":
      return gettext("Enrolled; the check mark has not arrived yet");
  }
}

export function toneOf(invitation: InvitationView): "good" | "warn" | "bad" | "" {
  if (invitation.state === "expired") return "warn";
  if (invitation.state === "waiting") return "";
  if (invitation.state === "confirmed") return "good";
  return invitation.check === "matches" ? "good" : invitation.check === "differs" ? "bad" : "warn";
}
