/** A consultation: the other Co-Chair's review, the convening board, the room's opening, seats and exclusions. */

import type { ConsultationView, OfficerCapacity } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import { CallFailure, type Keys } from "../keys.ts";
import { bindActs, field, named, whenReady, type Act } from "./acts.ts";
import { compositionRows, levelWords, urgencyWords } from "./composition.ts";
import { keepLive } from "./live.ts";
import { only } from "./fragments.ts";
import { peopleRows, showRemovals } from "./people.ts";
import { consultationOf, ready } from "./ready.ts";
import { openSealed } from "./sealed.ts";

const here = (): string => document.querySelector<HTMLElement>("[data-consultation-page]")?.dataset["consultationPage"] ?? "";

const concur: Act = async ({ keys }) => {
  await keys.call("concur", { consultation: here() });
  return { kind: "again", said: gettext("Signed. Both Co-Chairs have convened: the invitations are out.") };
};

const returnProposal: Act = async ({ keys, control }) => {
  await keys.call("returnProposal", { consultation: here(), reason: field(control, "reason") });
  return { kind: "again", said: gettext("Returned with your reason. Only the two Co-Chairs can read it.") };
};

const withdrawProposal: Act = async ({ keys, control }) => {
  await keys.call("withdrawProposal", { consultation: here(), reason: field(control, "reason") });
  return { kind: "again", said: gettext("Withdrawn. Nobody was invited.") };
};

const openRoom: Act = async ({ keys }) => {
  await keys.call("roomOpen", { consultation: here() });
  return { kind: "again", said: gettext("The room is open. Delegates can enter as soon as they have signed the undertaking.") };
};

const seat: Act = async ({ keys, control }) => {
  const [capacity, card] = field(control, "person").split(":");
  if (card === undefined) return { kind: "stay", said: gettext("Choose a person first.") };
  const seatAs: OfficerCapacity = capacity === "chair_staff" ? "chair_staff" : "secretariat";
  await keys.call("seat", { consultation: here(), card, capacity: seatAs });
  return { kind: "again", said: gettext("Signed. The other Co-Chair finds it under Co-Chairs and signs it there.") };
};

const unseat: Act = async ({ keys, control }) => {
  await keys.call("unseat", { consultation: here(), card: named(control, "card") });
  return { kind: "again", said: gettext("Signed. The seat ends once the other Co-Chair has signed too.") };
};

const exclude: Act = async ({ keys, control }) => {
  await keys.call("exclude", { consultation: here(), card: named(control, "card"), device: null });
  return { kind: "again", said: gettext("Signed. The exclusion takes effect once the other Co-Chair has signed too.") };
};

/** A returned or withdrawn text, taken up again as a sealed draft of one's own. */
const redraft: Act = async ({ keys }) => {
  const view = await consultationOf(keys, here());
  if (view.brief.kind === "closed") throw new CallFailure({ code: view.brief.cause });
  const { reference, level, urgency, composition, options } = view;
  const proposal = { reference, level, urgency, composition, brief: view.brief.text, options };
  const draft = await keys.call("proposalDraftSave", { id: null, proposal });
  return { kind: "go", to: `/proposals/${draft.id}`, said: gettext("A new draft with the same text. Only you can open it.") };
};

/** Shows each part that needs a right the chains give the reader now. */
function showActs(view: ConsultationView): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-when]")) {
    const wanted = (place.dataset["when"] ?? "").split(" ");
    place.hidden = !wanted.some((act) => view.own.acts.some((allowed) => allowed === act));
  }
}

/** What was signed, read out of the statement itself, in the places `data-signed`. */
function showSigned(view: ConsultationView): void {
  const words: Readonly<Record<string, string>> = {
    reference: view.reference,
    level: levelWords(view.level),
    urgency: urgencyWords(view.urgency),
    marking: view.options.marking,
    retention: String(view.options.retentionYears),
  };
  for (const place of document.querySelectorAll<HTMLElement>("[data-signed]")) place.textContent = words[place.dataset["signed"] ?? ""] ?? "";
  for (const body of document.querySelectorAll<HTMLElement>("[data-composition]")) body.replaceChildren(...compositionRows(view.composition));
}

function showPeople(view: ConsultationView): void {
  const place = document.querySelector<HTMLElement>("[data-people]");
  if (place === null) return;
  const officers = new Set(view.officers.map((officer) => officer.card));
  const may = (act: "unseat" | "exclude"): boolean => view.own.acts.includes(act);
  const rows = peopleRows(view);
  for (const row of rows) {
    const card = row.dataset["card"] ?? "";
    if (row.querySelector("[data-part='unseat']") === null) continue;
    only(row, "unseat", may("unseat") && officers.has(card));
    only(row, "exclude", may("exclude") && card !== view.own.card);
  }
  place.replaceChildren(...rows);
  for (const section of document.querySelectorAll<HTMLElement>("[data-has-people]")) section.hidden = rows.length === 0;
}

async function load(keys: Keys): Promise<void> {
  if ((await ready(keys)) === null) return;
  const view = await consultationOf(keys, here());
  showSigned(view);
  showActs(view);
  showPeople(view);
  await openSealed(keys);
  if (view.state === "concurred") await showRemovals(keys, here());
}

bindActs({
  concur,
  "return-proposal": returnProposal,
  "withdraw-proposal": withdrawProposal,
  "open-room": openRoom,
  seat,
  unseat,
  exclude,
  redraft,
});
whenReady(load);
// The board's rows are the server's; what a signature decides is asked anew when the page is loaded.
keepLive(() => undefined);
