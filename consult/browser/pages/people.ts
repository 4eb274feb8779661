/** Who sits, who is accredited, and whether a removal is proven: from this browser's own check of the signatures. */

import type { ConsultationView, DelegateView, OfficerView, RemovalView } from "../bridge.ts";
import { fill, gettext } from "../gettext.ts";
import type { Keys } from "../keys.ts";
import { capacityWords } from "./composition.ts";
import { copyOf, part, partyName, personName, put, showFingerprint } from "./fragments.ts";

/** A row of the template `person`. The page decides which of its buttons apply. */
export function delegateRow(party: string, delegate: DelegateView): HTMLElement {
  const row = copyOf("person");
  row.dataset["card"] = delegate.card;
  put(row, "code", party);
  put(row, "party", partyName(party));
  put(row, "name", personName(delegate.card, gettext("Name not known here")));
  put(row, "capacity", capacityWords(delegate.capacity));
  showFingerprint(part(row, "fingerprint"), delegate.fingerprint);
  showState(part(row, "state"), delegate);
  return row;
}

export function officerRow(officer: OfficerView): HTMLElement {
  const row = copyOf("person");
  row.dataset["card"] = officer.card;
  const secretariat = officer.capacity === "secretariat";
  put(row, "code", secretariat ? "RSO" : "");
  part(row, "code").hidden = !secretariat;
  put(row, "party", secretariat ? gettext("Secretariat") : gettext("Co-Chair’s staff"));
  put(row, "name", personName(officer.card, gettext("Name not known here")));
  put(row, "capacity", capacityWords(officer.capacity));
  part(row, "fingerprint").hidden = true;
  showState(part(row, "state"), officer);
  return row;
}

function showState(place: HTMLElement, person: { readonly undertaken: boolean; readonly seated: boolean; readonly devices?: readonly string[] }): void {
  const [words, tone] = stateOf(person);
  place.textContent = words;
  place.className = `state ${tone}`.trim();
}

function stateOf(person: { readonly undertaken: boolean; readonly seated: boolean; readonly devices?: readonly string[] }): readonly [string, string] {
  if (person.devices?.length === 0) return [gettext("No device in use"), "warn"];
  if (person.seated) return [gettext("Seated"), "good"];
  if (!person.undertaken) return [gettext("Undertaking not signed yet"), "warn"];
  return [gettext("Not seated"), ""];
}

/** Everybody whom the chains know in this consultation, delegation by delegation. */
export function peopleRows(view: ConsultationView): readonly HTMLElement[] {
  const delegates = view.parties.flatMap((party) => party.delegates.map((delegate) => delegateRow(party.party, delegate)));
  return [...delegates, ...view.officers.map(officerRow)];
}

const removalWords: Readonly<Record<RemovalView["state"], string>> = {
  pending: "Removal under way: the server serves this person nothing more; waiting until a seated device has closed the room to them.",
  outside: "No seat any more. By the host’s account this device had not been let into the room, so there was nothing to remove.",
  proven: "Removed, proven: this browser has checked the signed change that took this device out of the room’s list.",
  alarm: "Not proven in time. Do not send anything confidential; call the other Co-Chair.",
};

const removalTones: Readonly<Record<RemovalView["state"], string>> = { pending: "warn", outside: "info", proven: "good", alarm: "bad" };
const again = 4_000;

/** Fills `<ul data-removals>` and keeps asking while something is pending. */
export async function showRemovals(keys: Keys, consultation: string): Promise<void> {
  const place = document.querySelector<HTMLElement>("[data-removals]");
  if (place === null) return;
  const removals = await keys.call("removals", { consultation });
  place.replaceChildren(...removals.map(removalItem));
  const section = place.closest<HTMLElement>("[data-has-removals]");
  if (section !== null) section.hidden = removals.length === 0;
  if (removals.some((removal) => removal.state !== "proven")) setTimeout(() => void showRemovals(keys, consultation).catch(console.warn), again);
}

function removalItem(removal: RemovalView): HTMLElement {
  const item = document.createElement("li");
  const who = document.createElement("b");
  who.textContent = personName(removal.card, gettext("A person"));
  const state = document.createElement("span");
  state.className = `state ${removalTones[removal.state]}`;
  state.textContent = gettext(removalWords[removal.state]);
  const device = document.createElement("small");
  device.textContent = fill(gettext("Device {device}"), { device: removal.device.slice(0, 8) });
  item.append(who, " ", device, " ", state);
  return item;
}
