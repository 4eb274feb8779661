/** The page: a bundle and a policy are chosen or dropped, and the outcome is shown. Nothing leaves this machine. */

import { toBase64 } from "../crypto/encoding.ts";
import { textOf, verifyBundle, type Item, type Outcome } from "./check.ts";
import { Unreadable, type Fault } from "./faults.ts";
import { ABSENT, actIn, moment, SOURCES, VERDICTS } from "./words.ts";

const MOST_SHOWN = 50;

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

function picker(id: string): HTMLInputElement {
  return element(id) as HTMLInputElement;
}

function make(tag: string, text = "", ...children: readonly Node[]): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  made.append(...children);
  return made;
}

async function verify(): Promise<void> {
  const bundle = picker("bundle").files?.[0];
  const policy = picker("policy").files?.[0];
  if (bundle === undefined) return;
  element("outcome").replaceChildren(make("p", "Verifying…"));
  try {
    const raw = new Uint8Array(await bundle.arrayBuffer());
    show(await verifyBundle(raw, policy === undefined ? null : await policy.text()));
  } catch (error) {
    const [heading, meaning] = error instanceof Unreadable ? VERDICTS.unreadable : ["The list of witnesses cannot be read", "Choose the list that you keep, as your own state gave it to you."];
    element("outcome").replaceChildren(verdictBox("unreadable", heading, meaning));
  }
}

function show(outcome: Outcome): void {
  const [heading, meaning] = VERDICTS[outcome.verdict];
  const sections = [verdictBox(outcome.verdict, heading, meaning)];
  for (const [title, faults] of [["What does not hold", outcome.faults], ["What is missing", outcome.missing], ["What is not shown", outcome.doubts]] as const) {
    if (faults.length > 0) sections.push(make("h2", title), listOf(faults));
  }
  sections.push(make("h2", "What this page could not check"), unchecked(outcome));
  sections.push(make("h2", "Entries"), table(outcome), make("h2", "Particulars"), particulars(outcome));
  element("outcome").replaceChildren(...sections);
}

function verdictBox(kind: string, heading: string, meaning: string): HTMLElement {
  const box = make("div", "", make("p", "", make("strong", `${heading}.`), document.createTextNode(` ${meaning}`)));
  box.className = `verdict ${kind}`;
  box.id = "verdict";
  return box;
}

function heading(word: string): HTMLElement {
  const made = make("th", word);
  made.setAttribute("scope", "col");
  return made;
}

function listOf(faults: readonly Fault[]): HTMLElement {
  const rows = faults.slice(0, MOST_SHOWN).map(({ check, where, what }) => make("li", `${where}: ${what} (check ${check}).`));
  if (faults.length > MOST_SHOWN) rows.push(make("li", `… and ${faults.length - MOST_SHOWN} more.`));
  return make("ul", "", ...rows);
}

function unchecked(outcome: Outcome): HTMLElement {
  const withheld = outcome.items.filter(({ absent }) => absent === "withheld").length;
  const hidden = outcome.items.reduce((sum, item) => sum + item.hidden, 0);
  const sentences = [
    ...outcome.unchecked,
    ...(withheld > 0 ? [`${withheld} entries of the host about the installation are withheld from the recipient of this file.`] : []),
    ...(hidden > 0 ? [`${hidden} names are withheld from the recipient, or were erased; their places in the record are proven all the same.`] : []),
    "Whether the host’s own word is true: it is shown only that it was not altered since.",
    "Whether this is the record you saw before: consult-verify.pyz compares it with the point you kept (--pin).",
  ];
  return make("ul", "", ...sentences.map((sentence) => make("li", sentence)));
}

function table(outcome: Outcome): HTMLElement {
  const head = make("tr", "", ...["Entry", "Numbered", "What happened", "Who", "Whose word"].map(heading));
  const devices = new Map([...outcome.statements.values()].filter(({ statement }) => statement.type === "device.add").map((signed) => [textOf(signed, "signature_key"), signed.scope]));
  const people = new Map(outcome.items.filter(({ event }) => event?.type === "account.card").map(({ event, names }) => [event?.statement ?? "", names.get("person") ?? ""]));
  const rows = outcome.items.map((item) => row(item, who(outcome, devices, people, item)));
  return make("table", "", make("thead", "", head), make("tbody", "", ...rows));
}

function row({ index, leaf, event, absent, names }: Item, by: string): HTMLElement {
  const about = [...names.values()].join(" · ");
  const what = event === null ? `${leaf.ty}: ${ABSENT[absent ?? "missing"]}` : actIn(event.type) + (about === "" ? "" : ` (${about})`);
  const made = make("tr", "", ...[String(index), moment(leaf.t), what, by, SOURCES[event?.src ?? ""] ?? ""].map((text) => make("td", text)));
  made.className = event?.src ?? "";
  return made;
}

/** Party before person of those who signed; the card’s beginning where no name is disclosed. Of the host’s entries the party, unless they are about a card. */
function who(outcome: Outcome, devices: ReadonlyMap<string, string>, people: ReadonlyMap<string, string>, { event, signer }: Item): string {
  const { party, card: about } = event?.data ?? {};
  if (event?.src === "host") return typeof party === "string" && about === undefined ? party : "";
  const device = signer === null ? undefined : devices.get(toBase64(signer));
  const cards = event?.statement == null ? [device ?? ""] : (outcome.statements.get(event.statement)?.signatures.map(({ card }) => card) ?? []);
  return cards
    .filter((card) => card !== "")
    .map((card) => `${textOf(outcome.statements.get(card), "party")} · ${people.get(card) || `card ${card.slice(0, 8)}`}`)
    .join("; ");
}

function particulars({ bundle, items, statements }: Outcome): HTMLElement {
  const rows = [
    ["Record of", bundle.origin],
    ["Its size", `${bundle.size} entries`],
    ["Consultation", bundle.consultation],
    ["In this file", `${items.length} entries, ${statements.size} signed acts`],
    ["Made for", bundle.recipient === null ? "the secretariat: all names kept" : `the card ${bundle.recipient.slice(0, 16)}: its own name alone`],
  ];
  return make("dl", "", ...rows.flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
}

/** Dropped files go where they belong: an archive is the bundle, anything else the policy. */
function drop(event: DragEvent): void {
  event.preventDefault();
  for (const file of event.dataTransfer?.files ?? []) {
    const held = new DataTransfer();
    held.items.add(file);
    picker(file.name.endsWith(".zip") ? "bundle" : "policy").files = held.files;
  }
  void verify();
}

for (const id of ["bundle", "policy"]) element(id).addEventListener("change", () => void verify());
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", drop);
