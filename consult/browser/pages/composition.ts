/** A composition in words: who will be invited, as what, and how far back each may read. */

import type { Answer, CompositionRow, DelegateCapacity, HistoryScope, Level, PartyCapacity, SeatCapacity, Urgency } from "../bridge.ts";
import { fill, gettext } from "../gettext.ts";
import { copyOf, listed, part, partyName, put } from "./fragments.ts";

const capacities: Readonly<Record<PartyCapacity | SeatCapacity, string>> = {
  chair: "Co-Chair",
  steering_group: "Steering Group",
  affected: "Affected party",
  invited: "Invited party",
  observer: "Observer",
  head: "Head of delegation",
  alternate: "Alternate",
  adviser: "Adviser",
  interpreter: "Interpreter",
  secretariat: "Secretariat",
  chair_staff: "Co-Chair’s staff",
};

const levels: Readonly<Record<Level, string>> = { senior_officials: "Senior Officials", ministers: "Ministers" };
const urgencies: Readonly<Record<Urgency, string>> = { routine: "Routine", urgent: "Urgent", immediate: "Immediate" };
const answers: Readonly<Record<Answer, string>> = { accept: "Accepted", decline: "Declined", awaiting_instructions: "Awaiting instructions" };

export function capacityWords(capacity: PartyCapacity | SeatCapacity | DelegateCapacity): string {
  return gettext(capacities[capacity]);
}

export function levelWords(level: Level): string {
  return gettext(levels[level]);
}

export function urgencyWords(urgency: Urgency): string {
  return gettext(urgencies[urgency]);
}

export function answerWords(answer: Answer): string {
  return gettext(answers[answer]);
}

export function historyWords(scope: HistoryScope): string {
  if (scope === "opening") return gettext("Everything since the opening");
  if (scope === "joining") return gettext("From the moment each person joins");
  return fill(gettext("From sitting {number}"), { number: scope.replace("sitting:", "") });
}

const order: readonly PartyCapacity[] = ["chair", "steering_group", "affected", "invited", "observer"];

/** One row per party from the template `composition-row`: Co-Chairs first, then the Steering Group, then the others by name. */
export function compositionRows(composition: readonly CompositionRow[]): readonly HTMLElement[] {
  const focalPoints = listed("focal-points");
  const sorted = [...composition].sort(
    (a, b) => order.indexOf(a.capacity) - order.indexOf(b.capacity) || partyName(a.party).localeCompare(partyName(b.party)),
  );
  return sorted.map((row) => {
    const element = copyOf("composition-row");
    put(element, "code", row.party);
    part(element, "code").classList.toggle("chair", row.capacity === "chair");
    put(element, "name", partyName(row.party));
    put(element, "capacity", capacityWords(row.capacity));
    put(element, "history", historyWords(row.history));
    const person = focalPoints.get(row.party);
    put(element, "focal-point", row.capacity === "chair" ? gettext("Sits as Co-Chair") : (person ?? gettext("No focal point yet: cannot be reached until one is in office")));
    return element;
  });
}
