/** The conversation: day marks, the first-unread line, messages with party before person, papers, what waits. */

import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import type { Author, Entry, Hex, MembershipChange, PartyCode, Queued, SeatCapacity } from "../bridge.ts";
import { fill, gettext } from "../gettext.ts";
import { wordsFor } from "../words.ts";
import type { Model } from "./model.ts";
import type { Names } from "./names.ts";
import { sizeWords, type Times } from "./times.ts";
import { capacityWords, unopenedWords } from "./words.ts";

export interface Shown {
  readonly model: Model;
  readonly names: Names;
  readonly times: Times;
  readonly reply: (id: Hex) => void;
  readonly openPaper: (entry: PaperEntry) => void;
  readonly savePaper: (entry: PaperEntry) => void;
  readonly goTo: (id: Hex) => void;
  readonly retry: (id: Hex) => void;
  readonly discard: (id: Hex) => void;
  readonly earlier: () => void;
}

export type PaperEntry = Extract<Entry, { kind: "paper" }>;
type Said = Extract<Entry, { kind: "text" | "paper" }>;

type Row =
  | { readonly kind: "day"; readonly key: string; readonly words: string }
  | { readonly kind: "new"; readonly key: string; readonly words: string }
  | { readonly kind: "history"; readonly key: string; readonly count: number }
  | { readonly kind: "entry"; readonly key: string; readonly entry: Entry };

export function timeline(shown: Shown): TemplateResult {
  const { model } = shown;
  const first = model.entries[0]?.seq ?? 1;
  const rows = rowsOf(shown);
  return html`
    ${first > 1 ? html`<p class="note"><button type="button" class="plain" @click=${shown.earlier}>${gettext("Show earlier messages")}</button></p>` : nothing}
    ${model.queue.length === 0 && model.entries.every((entry) => entry.kind === "membership") ? html`<p class="note">${gettext("Nothing has been said yet. What you write is sealed in this browser and opened only by the people listed as seated.")}</p>` : nothing}
    <ol>
      ${repeat(
        rows,
        (row) => row.key,
        (row) => rowTemplate(row, shown),
      )}
      ${repeat(
        model.queue.filter((queued) => !model.entries.some((entry) => "id" in entry && entry.id === queued.id)),
        (queued) => queued.id,
        (queued) => pending(queued, shown),
      )}
    </ol>
  `;
}

/** Entries with the rules between them. What is older than one's history shows as one line, however much it is. */
function rowsOf({ model, times }: Shown): readonly Row[] {
  const rows: Row[] = [];
  let day = "";
  let unread = false;
  let hidden = 0;
  for (const entry of model.entries) {
    if (entry.kind === "unopened" && entry.cause === "before_history") {
      hidden += 1;
      continue;
    }
    if (entry.kind === "membership" && (entry.added?.length ?? 0) + (entry.removed?.length ?? 0) === 0) continue;
    if (times.day(entry.at) !== day) {
      day = times.day(entry.at);
      rows.push({ kind: "day", key: `day-${day}`, words: day });
    }
    if (!unread && model.readUpTo > 0 && entry.seq > model.readUpTo && entry.kind !== "membership" && !isOwn(entry)) {
      unread = true;
      rows.push({ kind: "new", key: "new", words: fill(gettext("New since {time}"), { time: pairWords(entry.at, times) }) });
    }
    rows.push({ kind: "entry", key: `n${entry.seq}`, entry });
  }
  return hidden === 0 ? rows : [{ kind: "history", key: "history", count: hidden }, ...rows];
}

function pairWords(at: number, times: Times): string {
  const pair = times.pair(at);
  return `${pair.local} · ${pair.utc}`;
}

function isOwn(entry: Entry): boolean {
  return (entry.kind === "text" || entry.kind === "paper") && entry.author.own;
}

function rowTemplate(row: Row, shown: Shown): TemplateResult {
  switch (row.kind) {
    case "day":
      return html`<li class="rule">${row.words}</li>`;
    case "new":
      return html`<li class="rule new" id="first-unread">${row.words}</li>`;
    case "history":
      return html`<li class="note">
        ${row.count === 1
          ? gettext("One message before the time your seat may read is not shown.")
          : fill(gettext("{n} messages before the time your seat may read are not shown."), { n: row.count })}
      </li>`;
    case "entry":
      return entryTemplate(row.entry, shown);
  }
}

function entryTemplate(entry: Entry, shown: Shown): TemplateResult {
  switch (entry.kind) {
    case "text":
    case "paper":
      return said(entry, shown);
    case "unopened":
      return html`<li class="message unreadable" id="m-${entry.id}" tabindex="-1">
        <header><b>${gettext("Cannot be opened")}</b>${when(entry.at, shown)}</header>
        <p class="text">${unopenedWords(entry)}</p>
      </li>`;
    case "membership":
      return html`<li class="note">${membershipWords(entry, shown)} ${when(entry.at, shown)}</li>`;
  }
}

function said(entry: Said, shown: Shown): TemplateResult {
  const gap = entry.missingBefore > 0 ? html`<p class="reply-to">${gettext("A message of this device before this one has not arrived.")}</p>` : nothing;
  return html`<li class="message ${entry.author.own ? "own" : ""}" id="m-${entry.id}" tabindex="-1">
    ${head(entry.author, entry.at, shown)} ${gap} ${quoted(entry.replyTo, shown)}
    ${entry.kind === "text" ? html`<p class="text" dir="auto">${entry.text}</p>` : paper(entry, shown)}
    <footer>
      ${entry.author.own ? html`<span>${gettext("Sent")}</span>` : nothing}
      <button type="button" class="plain" @click=${() => shown.reply(entry.id)}>${gettext("Reply")}</button>
    </footer>
  </li>`;
}

function head(author: Author, at: number, shown: Shown): TemplateResult {
  const person = author.own ? gettext("you") : shown.names.person(author.card);
  return html`<header>
    ${partyTag(author.party, author.capacity)}<b>${shown.names.party(author.party)}</b>
    <span class="who">${capacityWords(author.capacity)}${person === "" ? nothing : html` · <bdi>${person}</bdi>`}</span>${when(at, shown)}
  </header>`;
}

/** Gold is the Co-Chairs' own. */
export function partyTag(party: PartyCode, capacity: SeatCapacity | null): TemplateResult {
  return html`<span class=${capacity === "chair" ? "tag chair" : "tag"}>${party}</span>`;
}

function when(at: number, { times }: Shown): TemplateResult {
  const pair = times.pair(at);
  return html`<time datetime=${pair.iso}>${pair.local} <i>· ${pair.utc}</i></time>`;
}

function quoted(id: Hex | null, shown: Shown): TemplateResult | typeof nothing {
  if (id === null) return nothing;
  const found = shown.model.entries.find((entry): entry is Said => (entry.kind === "text" || entry.kind === "paper") && entry.id === id);
  if (found === undefined) return html`<p class="reply-to">${gettext("Reply to a message that is not shown here")}</p>`;
  const words = `${shown.names.party(found.author.party)}: ${gist(found)}`;
  return html`<button type="button" class="reply-to" @click=${() => shown.goTo(id)}><bdi>${words}</bdi></button>`;
}

export function gist(entry: Said): string {
  const text = entry.kind === "text" ? entry.text : entry.paper.name;
  return text.length > 140 ? `${text.slice(0, 139)}…` : text;
}

const viewable = /^(application\/pdf|text\/plain|image\/(png|jpeg|gif|webp))$/;

function paper(entry: PaperEntry, shown: Shown): TemplateResult {
  const transfer = shown.model.transfers.get(entry.id);
  const opens = viewable.test(entry.paper.type);
  return html`<div class="paper">
    <b dir="auto">${entry.paper.name}</b>
    <span class="quiet">${kindWords(entry.paper.type)} · ${sizeWords(entry.paper.size)}${opens ? nothing : html` · ${gettext("can only be saved: its kind is not shown here, and it may be unsafe to open")}`}</span>
    <div class="actions">
      ${opens ? html`<button type="button" ?disabled=${transfer !== undefined} @click=${() => shown.openPaper(entry)}>${gettext("Open")}</button>` : nothing}
      <button type="button" ?disabled=${transfer !== undefined} @click=${() => shown.savePaper(entry)}>${gettext("Save")}</button>
    </div>
    ${transfer === undefined ? nothing : bar(transfer.progress)}
  </div>`;
}

export function bar(progress: { readonly done: number; readonly total: number } | null): TemplateResult {
  return progress === null
    ? html`<progress aria-label=${gettext("How far it has come")}></progress>`
    : html`<progress aria-label=${gettext("How far it has come")} max=${Math.max(1, progress.total)} .value=${progress.done}></progress>`;
}

function kindWords(type: string): string {
  if (type === "application/pdf") return "PDF";
  if (type.startsWith("image/")) return gettext("Image");
  if (type === "text/plain") return gettext("Text");
  return gettext("File");
}

function membershipWords({ added, removed }: Extract<Entry, { kind: "membership" }>, shown: Shown): string {
  const lines: readonly (readonly [string, readonly MembershipChange[]])[] = [
    [gettext("{who} can read from here on."), (added ?? []).filter(({ stays }) => !stays)],
    [gettext("{who} can read in one more browser from here on."), (added ?? []).filter(({ stays }) => stays)],
    [gettext("{who} can no longer read."), (removed ?? []).filter(({ stays }) => !stays)],
    [gettext("{who} can no longer read in one of their browsers."), (removed ?? []).filter(({ stays }) => stays)],
  ];
  return lines.flatMap(([words, changes]) => (changes.length === 0 ? [] : [fill(words, { who: whoWords(changes, shown) })])).join(" ");
}

function whoWords(changes: readonly MembershipChange[], { names }: Shown): string {
  const people = new Map(changes.map(({ card, party }) => [card, party]));
  return [...people].map(([card, party]) => `${names.party(party)}, ${names.person(card) || gettext("a delegate")}`).join("; ");
}

function pending(queued: Queued, shown: Shown): TemplateResult {
  const state = { waiting: gettext("Waiting to be sent"), sending: gettext("Sending…"), failed: gettext("Not sent") }[queued.state];
  const own = shown.model.view?.members.find((member) => member.own);
  return html`<li class="message own pending" id="m-${queued.id}" tabindex="-1">
    <header>
      ${own === undefined ? html`<span class="who">${gettext("you")}</span>` : html`${partyTag(own.party, own.capacity)}<b>${shown.names.party(own.party)}</b> <span class="who">${capacityWords(own.capacity)} · ${gettext("you")}</span>`}${when(queued.at, shown)}
    </header>
    ${quoted(queued.replyTo, shown)}
    ${queued.content.kind === "text" ? html`<p class="text" dir="auto">${queued.content.text}</p>` : html`<div class="paper"><b dir="auto">${queued.content.paper.name}</b><span class="quiet">${sizeWords(queued.content.paper.size)}</span></div>`}
    <footer class="shown">
      <span class=${queued.state === "failed" ? "state bad" : ""}>${state}${queued.code === null ? nothing : html` · ${wordsFor(queued.code)}`}</span>
      ${queued.state === "failed"
        ? html`<button type="button" class="plain" @click=${() => shown.retry(queued.id)}>${gettext("Send again")}</button>
            <button type="button" class="plain" @click=${() => shown.discard(queued.id)}>${gettext("Take back")}</button>`
        : nothing}
    </footer>
  </li>`;
}
