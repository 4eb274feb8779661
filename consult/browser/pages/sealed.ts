/**
 * Sealed text on a page. The server writes an empty place, `<span data-sealed="subject" data-consultation="…">`; the key worker opens the
 * text, checks it against what was signed, and only then does it appear.
 */

import type { BriefText, ConsultationView, SealedText } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import { codeOf, type Keys } from "../keys.ts";
import { isAlarm, wordsFor } from "../words.ts";
import { consultationOf } from "./ready.ts";

/** Fills every sealed place below `root`, consultation by consultation. */
export async function openSealed(keys: Keys, root: ParentNode = document): Promise<void> {
  const places = new Map<string, HTMLElement[]>();
  for (const place of root.querySelectorAll<HTMLElement>("[data-sealed]")) {
    const consultation = place.dataset["consultation"] ?? "";
    places.set(consultation, [...(places.get(consultation) ?? []), place]);
  }
  for (const [consultation, group] of places) {
    try {
      const view = await consultationOf(keys, consultation);
      for (const place of group) fillPlace(place, view);
    } catch (error: unknown) {
      for (const place of group) close(place, codeOf(error));
    }
  }
}

function fillPlace(place: HTMLElement, view: ConsultationView): void {
  const what = place.dataset["sealed"] ?? "";
  if (what === "reason") {
    if (view.reason === null) place.textContent = "";
    else if (view.reason.kind === "open") open(place, [view.reason.text]);
    else close(place, view.reason.cause);
    return;
  }
  fillBrief(place, what, view.brief);
}

function fillBrief(place: HTMLElement, what: string, brief: SealedText<BriefText>): void {
  if (brief.kind === "closed") {
    close(place, brief.cause);
    return;
  }
  if (what === "subject") open(place, [brief.text.subject]);
  else if (what === "situation") open(place, brief.text.situation.split(/\n{2,}/));
  else if (what === "agenda") open(place, brief.text.agenda);
}

/** One piece becomes text, several become paragraphs; in a list they become its items. */
export function open(place: HTMLElement, pieces: readonly string[]): void {
  place.classList.add("open");
  if (place.matches("ol, ul")) place.replaceChildren(...pieces.map((piece) => made("li", piece)));
  else if (place.matches("div")) place.replaceChildren(...pieces.map((piece) => made("p", piece)));
  else place.textContent = pieces.join("\n");
}

function close(place: HTMLElement, code: string): void {
  const short = code === "brief_not_here" ? gettext("sealed; not opened for you yet") : gettext("sealed; cannot be opened here");
  const words = place.matches("div, ol, ul, p") || isAlarm(code) ? wordsFor(code) : short;
  if (place.matches("ol, ul")) place.replaceChildren(made("li", words));
  else place.textContent = words;
  place.title = wordsFor(code);
  if (isAlarm(code)) place.classList.add("state", "bad");
}

function made(tag: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  element.dir = "auto";
  return element;
}
