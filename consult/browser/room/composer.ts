/** Where one writes. The text is kept while it is written; sending is a deliberate act: the button, or Ctrl and Enter. */

import { html, nothing, type TemplateResult } from "lit";
import { createRef, ref, type Ref } from "lit/directives/ref.js";

import { fill, gettext } from "../gettext.ts";
import { wordsFor } from "../words.ts";
import type { Model } from "./model.ts";
import type { Names } from "./names.ts";
import { bar, gist } from "./timeline.ts";
import { blockWords, endedWords } from "./words.ts";

/** A message of this many characters still fits a frame after it is sealed. */
export const longest = 12_000;

export interface Writing {
  readonly area: Ref<HTMLTextAreaElement>;
  readonly picker: Ref<HTMLInputElement>;
}

export function newWriting(): Writing {
  return { area: createRef(), picker: createRef() };
}

export interface ComposerActs {
  readonly send: () => void;
  readonly typed: () => void;
  readonly attach: (files: readonly File[]) => void;
  readonly stopReplying: () => void;
  readonly confirmKeys: () => void;
  /** the arrow key left an empty composer for the newest message */
  readonly leaveUpwards: (event: KeyboardEvent) => void;
}

export function composer(options: { model: Model; names: Names; writing: Writing; acts: ComposerActs }): TemplateResult {
  const { model, writing, acts } = options;
  return html`<form
    class="composer"
    @submit=${(event: SubmitEvent) => {
      event.preventDefault();
      acts.send();
    }}
  >
    <div>
      ${model.build ?? nothing} ${notices(options)} ${transfers(model)} ${replying(options)}
      <textarea
        ${ref(writing.area)}
        id="writing"
        rows="2"
        maxlength=${longest}
        aria-label=${gettext("Message")}
        placeholder=${writeAs(options)}
        dir="auto"
        ?disabled=${model.build !== null}
        @input=${acts.typed}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === "ArrowUp" && writing.area.value?.value === "") acts.leaveUpwards(event);
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) acts.send();
          if (event.key === "Escape" && model.replyTo !== null) acts.stopReplying();
        }}
        @paste=${(event: ClipboardEvent) => {
          const files = [...(event.clipboardData?.files ?? [])];
          if (files.length === 0) return;
          event.preventDefault();
          acts.attach(files);
        }}
      ></textarea>
      <div class="row">
        <input
          ${ref(writing.picker)}
          type="file"
          hidden
          multiple
          aria-label=${gettext("Papers to attach")}
          @change=${() => {
            const input = writing.picker.value;
            if (input === undefined) return;
            acts.attach([...(input.files ?? [])]);
            input.value = "";
          }}
        />
        <button type="button" ?disabled=${closed(model)} @click=${() => writing.picker.value?.click()}>${gettext("Attach a paper")}</button>
        <span class="space"></span>
        <span class="quiet hint">${gettext("Ctrl + Enter sends. What is sent cannot be taken back.")}</span>
        <button type="submit" class="primary" ?disabled=${closed(model)}>${gettext("Send")}</button>
      </div>
    </div>
  </form>`;
}

/** Nothing is written or sent: for good, or until the reader has looked at a changed build. */
export function closed(model: Model): boolean {
  return model.build !== null || ended(model);
}

/** Nothing will go out of this room from here any more; waiting does not help. */
export function ended(model: Model): boolean {
  const kind = model.view?.block?.kind;
  return kind === "frozen" || kind === "not_seated" || endedWords(model.link) !== null;
}

function signInHere(): string {
  return `/sign-in?${new URLSearchParams({ next: location.pathname }).toString()}`;
}

function writeAs({ model, names }: { model: Model; names: Names }): string {
  const own = model.view?.members.find((member) => member.own);
  return own === undefined ? gettext("Write a message") : fill(gettext("Write as {party}"), { party: names.party(own.party) });
}

function notices({ model, names, acts }: { model: Model; names: Names; acts: ComposerActs }): TemplateResult {
  const over = endedWords(model.link);
  const block = over === null ? (model.view?.block ?? null) : null;
  return html`
    <div role="status">
      ${model.said === "" ? nothing : html`<p class="error">${wordsFor(model.said)}</p>`}
      ${over === null ? nothing : html`<p class="notice">${over}${model.link === "signed_out" ? html` <a href=${signInHere()}>${gettext("Sign in")}</a>` : nothing}</p>`}
      ${block === null ? nothing : html`<p class=${block.kind === "frozen" ? "notice bad" : "quiet"}>${blockWords(block)}</p>`}
    </div>
    ${block?.kind !== "confirm_key"
      ? nothing
      : html`<ul>
            ${block.notices.map((notice) => html`<li><b>${names.party(notice.party)}</b> <span class="code">${notice.fingerprint}</span></li>`)}
          </ul>
          <p><button type="button" @click=${acts.confirmKeys}>${gettext("I have checked this by telephone")}</button></p>`}
  `;
}

function transfers(model: Model): TemplateResult {
  const up = [...model.transfers.values()].filter((transfer) => transfer.direction === "up");
  return html`${up.map(
    (transfer) =>
      html`<div class="paper">
        <b dir="auto">${transfer.name}</b><span class="quiet">${gettext("Sealing and sending")}</span>
        <div class="actions"><button type="button" @click=${transfer.cancel}>${gettext("Stop")}</button></div>
        ${bar(transfer.progress)}
      </div>`,
  )}`;
}

function replying({ model, names, acts }: { model: Model; names: Names; acts: ComposerActs }): TemplateResult {
  const found = model.entries.find((entry) => (entry.kind === "text" || entry.kind === "paper") && entry.id === model.replyTo);
  if (found === undefined || (found.kind !== "text" && found.kind !== "paper")) return html`${nothing}`;
  return html`<div class="replying">
    <span>${gettext("Reply to")} <b>${names.party(found.author.party)}</b>: <bdi>${gist(found)}</bdi></span>
    <button type="button" class="plain" @click=${acts.stopReplying}>${gettext("Not a reply")}</button>
  </div>`;
}
