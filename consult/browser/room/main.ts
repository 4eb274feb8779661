/** The plenary's page: puts model, controller and drawing together. */

import { html, nothing, render, type TemplateResult } from "lit";

import type { Alarm, Hex } from "../bridge.ts";
import { changedBuild, onceBuildAccepted } from "../build.ts";
import { buildNotice } from "../buildnotice.ts";
import { gettext } from "../gettext.ts";
import { codeOf, openKeys, type Keys } from "../keys.ts";
import { saveEvidence, saveFile } from "../saving.ts";
import { wordsFor } from "../words.ts";
import { closed, composer, newWriting } from "./composer.ts";
import { Controller } from "./controller.ts";
import { emptyModel, type Model } from "./model.ts";
import { namesFromPage } from "./names.ts";
import { people, surroundings } from "./people.ts";
import { timeline, type PaperEntry, type Shown } from "./timeline.ts";
import { Times } from "./times.ts";
import { showPaper } from "./viewer.ts";
import { alarmWords, linkWords } from "./words.ts";

const root = document.querySelector<HTMLElement>("consult-room");
if (root === null) throw new Error("the page has no room");
const host = root;
// what the page showed while scripts were loading; Lit leaves alone what it has not drawn
host.replaceChildren();
const said = (name: string): string => host.dataset[name] ?? "";
const page = {
  room: said("room"),
  consultation: said("consultation"),
  consultationUrl: said("consultationUrl"),
  reference: said("reference"),
  marking: said("marking"),
  chair: said("chair") === "yes",
  viewer: { address: said("viewer") },
};
const readKey = `consult-read-${page.room}`;
const model: Model = emptyModel(lastRead());
const names = namesFromPage(said("names"));
const times = new Times(said("zone") || "UTC", readingLanguage());
const writing = newWriting();
let controller: Controller | undefined;
let drawing = false;
/** whether the reader is at the end, so that new entries may scroll in and count as read */
let atEnd = false;
const sized = new WeakSet<HTMLElement>();
let saving: ReturnType<typeof setTimeout> | undefined;

function lastRead(): number {
  return Number(localStorage.getItem(readKey) ?? 0);
}

/** The product's English is British. */
function readingLanguage(): string {
  const language = document.documentElement.lang || "en";
  return language === "en" ? "en-GB" : language;
}

function changed(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

function draw(): void {
  const before = model.below;
  render(model.stage.kind === "open" ? room() : waiting(), host);
  const list = host.querySelector<HTMLElement>(".timeline");
  if (list === null) return;
  keepAtEnd(list);
  const newest = model.entries.at(-1)?.seq ?? 0;
  if (atEnd && document.visibilityState === "visible" && newest > 0) localStorage.setItem(readKey, String(newest));
  const unread = atEnd ? 0 : model.entries.filter((entry) => entry.seq > lastRead()).length;
  if (unread !== before) {
    model.below = unread;
    changed();
  }
  void names.learn((model.view?.members ?? []).map((member) => member.card)).then((news) => {
    if (news) changed();
  });
}

/** Where a reader begins: at the end, or at the first-unread line where not everything below it fits on the screen. */
function beginReading(): void {
  draw();
  const list = host.querySelector<HTMLElement>(".timeline");
  const line = document.getElementById("first-unread");
  if (list === null) return;
  list.scrollTop = list.scrollHeight;
  atEnd = line === null || line.getBoundingClientRect().top >= list.getBoundingClientRect().top;
  if (!atEnd) line?.scrollIntoView({ block: "start" });
  changed();
}

/** Who looks away and comes back finds the line above what came meanwhile. */
function lookedAway(): void {
  if (document.visibilityState === "hidden") model.readUpTo = lastRead();
  else if (atEnd && model.stage.kind === "open") {
    atEnd = false;
    beginReading();
  }
}

/** The last words stay in view when the window turns, a keyboard opens or the composer grows. */
function keepAtEnd(list: HTMLElement): void {
  if (atEnd) list.scrollTop = list.scrollHeight;
  if (sized.has(list)) return;
  sized.add(list);
  new ResizeObserver(() => {
    if (atEnd) list.scrollTop = list.scrollHeight;
  }).observe(list);
}

function waiting(): TemplateResult {
  switch (model.stage.kind) {
    case "opening":
    case "open":
      return html`<div class="waiting-room" role="status"><p>${gettext("Checking who is seated and opening the room…")}</p><progress></progress></div>`;
    case "no_keys":
      return html`<div class="waiting-room panel"><p>${wordsFor("no_keys")}</p><p><a class="button primary" href="/restore">${gettext("Restore from the recovery sheet")}</a></p></div>`;
    case "not_open":
      return html`<div class="waiting-room panel"><p>${wordsFor("room_not_open")}</p><p><a href=${page.consultationUrl}>${gettext("Back to the consultation")}</a></p></div>`;
    case "failed":
      return html`<div class="waiting-room panel" role="alert">
        <p>${wordsFor(model.stage.code)}</p>
        <p><button type="button" @click=${() => location.reload()}>${gettext("Try again")}</button> <a href=${page.consultationUrl}>${gettext("Back to the consultation")}</a></p>
      </div>`;
  }
}

function room(): TemplateResult {
  const shown = shownWith();
  return html`
    <div class="room-strip">
      <h1 class="visually-hidden">${page.reference} · ${gettext("Plenary")}</h1>
      <span class="marking">${page.marking}</span><span class="space"></span>
      <span role="status" class=${`state ${model.link === "connected" ? "good" : "warn"}`}>${linkWords(model.link, model.queue.length)}</span>
    </div>
    <div class="tabs" role="tablist">${(["conversation", "people", "rooms"] as const).map(tab)}</div>
    <div class="room-columns" data-tab=${model.tab}>
      <nav class="room-side left" aria-label=${gettext("Rooms and agenda")}>${surroundings(model, page)}</nav>
      <main
        class="conversation"
        id="main"
        tabindex="-1"
        @dragover=${(event: DragEvent) => {
          event.preventDefault();
          host.querySelector(".conversation")?.classList.add("dropping");
        }}
        @dragleave=${stopDropping}
        @drop=${(event: DragEvent) => {
          event.preventDefault();
          stopDropping();
          attach([...(event.dataTransfer?.files ?? [])]);
        }}
      >
        <div class="timeline" role="log" aria-label=${gettext("Conversation")} tabindex="0" @scroll=${scrolled} @keydown=${walk}>
          ${model.alarms.map(warning)} ${timeline(shown)}
        </div>
        <div class="writing">
          ${model.below === 0 ? nothing : html`<button type="button" class="jump primary" @click=${toEnd}>${gettext("New messages below")} · ${model.below}</button>`}
          ${composer({ model, names, writing, acts: { send, typed, attach, stopReplying, confirmKeys, leaveUpwards: walk } })}
        </div>
      </main>
      <aside class="room-side right" aria-label=${gettext("Seated")}>${people(model, names)}</aside>
    </div>
  `;
}

function warning(alarm: Alarm): TemplateResult {
  const save = (): void => void openKeys().then((keys) => saveEvidence(keys, alarm)).catch((error: unknown) => console.warn(error));
  return html`<div class="panel alarm" role="alert">
    <p>${alarmWords(alarm)}</p>
    <p><button type="button" @click=${save}>${gettext("Save the evidence")}</button></p>
  </div>`;
}

function tab(name: Model["tab"]): TemplateResult {
  const words = { conversation: gettext("Conversation"), people: gettext("Seated"), rooms: gettext("Agenda") }[name];
  return html`<button
    type="button"
    role="tab"
    aria-selected=${model.tab === name ? "true" : "false"}
    @click=${() => {
      model.tab = name;
      changed();
    }}
  >
    ${words}
  </button>`;
}

function shownWith(): Shown {
  return {
    model,
    names,
    times,
    reply: (id) => {
      model.replyTo = id;
      keep();
      changed();
      writing.area.value?.focus();
    },
    openPaper: (entry) => void openPaper(entry),
    savePaper: (entry) => void controller?.open(entry).then((blob) => blob && saveFile(blob, entry.paper.name)),
    goTo: (id) => {
      const target = document.getElementById(`m-${id}`);
      target?.scrollIntoView({ block: "center" });
      target?.focus();
    },
    retry: (id) => controller?.retry(id),
    discard: (id) => controller?.discard(id),
    earlier: () => {
      atEnd = false;
      void controller?.earlier();
    },
  };
}

async function openPaper(entry: PaperEntry): Promise<void> {
  const blob = await controller?.open(entry);
  if (blob !== undefined) showPaper(blob, entry.paper, page.viewer);
}

function send(): void {
  const area = writing.area.value;
  const text = area?.value.trim() ?? "";
  if (area === undefined || text === "" || closed(model)) return;
  area.value = "";
  atEnd = true;
  model.said = "";
  controller?.say(text);
  keep();
  area.focus();
}

function typed(): void {
  clearTimeout(saving);
  saving = setTimeout(keep, 400);
}

/** What is being written lies with the keys, so that it survives a reload and never lies in the clear. */
function keep(): void {
  clearTimeout(saving);
  const text = writing.area.value?.value ?? "";
  void openKeys().then((keys) => keys.call("composerSave", { room: page.room, text, replyTo: model.replyTo })).catch((error: unknown) => console.warn(error));
}

function attach(files: readonly File[]): void {
  if (closed(model)) return;
  model.said = "";
  for (const file of files) void controller?.attach(file);
}

function stopReplying(): void {
  model.replyTo = null;
  keep();
  changed();
}

function confirmKeys(): void {
  const block = model.view?.block;
  if (block?.kind === "confirm_key") controller?.confirmKeys(block.notices.map((notice): Hex => notice.statement));
}

function stopDropping(): void {
  host.querySelector(".conversation")?.classList.remove("dropping");
}

function scrolled(event: Event): void {
  const list = event.currentTarget;
  if (!(list instanceof HTMLElement)) return;
  const was = atEnd;
  atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  if (atEnd && !was) changed();
}

function toEnd(): void {
  atEnd = true;
  changed();
}

/** Arrow keys go from message to message, from the newest down to where one writes, and from there back up. */
function walk(event: KeyboardEvent): void {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  const focused = document.activeElement;
  const messages = [...host.querySelectorAll<HTMLElement>(".message")];
  const at = messages.findIndex((message) => message === focused);
  const below = at < 0 ? undefined : (messages[at + 1] ?? writing.area.value);
  const next = event.key === "ArrowUp" ? messages[at < 0 ? messages.length - 1 : at - 1] : below;
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

async function restoreComposer(keys: Keys): Promise<void> {
  const kept = await keys.call("composerRead", { room: page.room });
  model.replyTo = kept.replyTo;
  draw();
  if (writing.area.value !== undefined && writing.area.value.value === "") writing.area.value.value = kept.text;
  changed();
}

async function begin(): Promise<void> {
  const keys = await openKeys();
  if ((await keys.call("status", {})).kind === "none") {
    model.stage = { kind: "no_keys" };
    return;
  }
  controller = new Controller({ keys, place: page, model, changed });
  await controller.enter();
  beginReading();
  await restoreComposer(keys);
}

const change = changedBuild();
if (change !== null) {
  model.build = buildNotice(change);
  onceBuildAccepted(() => {
    model.build = null;
    changed();
  });
}
changed();
document.addEventListener("visibilitychange", lookedAway);
begin()
  .catch((error: unknown) => {
    const code = codeOf(error);
    if (code === "failed") console.warn(error);
    model.stage = code === "room_not_open" ? { kind: "not_open", chair: page.chair } : { kind: "failed", code };
  })
  .finally(changed);
