/**
 * Acts of a page: a button or a form carries `data-act="name"`; the page binds the name to a function that asks the key worker.
 * While it runs the control is busy and says how far it has come; afterwards the page is loaded again and says what was done.
 */

import { onceBuildAccepted } from "../build.ts";
import { gettext } from "../gettext.ts";
import type { Progress } from "../bridge.ts";
import { codeOf, openKeys, type Keys } from "../keys.ts";
import { isAlarm, wordsFor } from "../words.ts";

export type Outcome =
  /** load the page again and say this on top of it */
  | { readonly kind: "again"; readonly said: string }
  /** go to another page and say it there */
  | { readonly kind: "go"; readonly to: string; readonly said: string }
  /** stay; the sentence appears beside the control */
  | { readonly kind: "stay"; readonly said: string }
  /** stay and say nothing */
  | { readonly kind: "quiet" };

export interface Asked {
  readonly keys: Keys;
  /** the button or form with `data-act` */
  readonly control: HTMLElement;
  /** pass this to a call that takes time */
  readonly progress: (progress: Progress) => void;
}

export type Act = (asked: Asked) => Promise<Outcome>;

const saidKey = "consult-said";

/** A required `data-` value of the act's control, or of what surrounds it. */
export function named(control: HTMLElement, name: string): string {
  const attribute = `data-${name}`;
  const value = control.closest(`[${attribute}]`)?.getAttribute(attribute);
  if (value === undefined || value === null) throw new Error(`the page lacks ${attribute}`);
  return value;
}

/** The trimmed text of a named form field; for radio buttons the chosen one. */
export function field(form: HTMLElement, name: string): string {
  if (!(form instanceof HTMLFormElement)) throw new Error("not a form");
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value.trim() : "";
}

export function bindActs(acts: Readonly<Record<string, Act>>): void {
  showSaid();
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-print]") !== null) globalThis.print();
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>("button[data-act]") : null;
    const act = button === null ? undefined : acts[button.dataset["act"] ?? ""];
    if (button === null || act === undefined) return;
    event.preventDefault();
    void perform(act, button);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    const act = acts[form.dataset["act"] ?? ""];
    if (act === undefined) return;
    event.preventDefault();
    void perform(act, form);
  });
}

/** Something that loads with the page and may fail: its failure is shown on top, in words. */
export function whenReady(load: (keys: Keys) => Promise<void>): void {
  openKeys()
    .then(load)
    .catch((error: unknown) => {
      if (codeOf(error) === "failed") console.warn(error);
      notice(wordsFor(codeOf(error)), "bad");
    });
}

/** A sentence on top of the page, announced to a screen reader. */
export function notice(words: string, tone: "good" | "bad" | "plain"): void {
  const box = document.createElement("output");
  box.className = tone === "plain" ? "notice" : `notice ${tone}`;
  box.textContent = words;
  document.getElementById("main")?.prepend(box);
}

async function perform(act: Act, control: HTMLElement): Promise<void> {
  // a page may send its form by itself, as enrolment does with the code in its address
  await new Promise<void>(onceBuildAccepted);
  if (control.getAttribute("aria-busy") === "true") return;
  const outcome = outcomeOf(control);
  busy(control, true);
  outcome.className = "outcome";
  outcome.textContent = gettext("Working…");
  try {
    const keys = await openKeys();
    const result = await act({ keys, control, progress: (progress) => showProgress(outcome, progress) });
    finish(result, outcome);
    if (result.kind === "stay" || result.kind === "quiet") busy(control, false);
  } catch (error: unknown) {
    const code = codeOf(error);
    if (code === "failed") console.warn(error);
    outcome.className = isAlarm(code) ? "outcome notice bad" : "outcome error";
    outcome.textContent = wordsFor(code);
    busy(control, false);
  }
}

function finish(result: Outcome, outcome: HTMLElement): void {
  outcome.textContent = result.kind === "stay" ? result.said : "";
  if (result.kind !== "again" && result.kind !== "go") return;
  sessionStorage.setItem(saidKey, result.said);
  if (result.kind === "go") location.assign(result.to);
  else location.reload();
}

/** The last act's sentence, carried over the page load. */
function showSaid(): void {
  const said = sessionStorage.getItem(saidKey);
  if (said === null) return;
  sessionStorage.removeItem(saidKey);
  if (said !== "") notice(said, "good");
}

function showProgress(outcome: HTMLElement, progress: Progress): void {
  let bar = outcome.querySelector("progress");
  if (bar === null) {
    bar = document.createElement("progress");
    bar.setAttribute("aria-label", gettext("How far it has come"));
    outcome.append(bar);
  }
  bar.max = Math.max(progress.total, 1);
  bar.value = progress.done;
}

function busy(control: HTMLElement, now: boolean): void {
  const buttons = control instanceof HTMLButtonElement ? [control] : [...control.querySelectorAll<HTMLButtonElement>("button")];
  control.setAttribute("aria-busy", String(now));
  for (const button of buttons) button.disabled = now;
}

/** The place beside a control where its outcome is said: its own, once made. */
function outcomeOf(control: HTMLElement): HTMLOutputElement {
  const scope = control instanceof HTMLFormElement ? control : (control.closest<HTMLElement>(".actions") ?? control);
  const inside = control instanceof HTMLFormElement ? scope.querySelector("output.outcome") : scope.nextElementSibling;
  if (inside instanceof HTMLOutputElement && inside.classList.contains("outcome")) return inside;
  const made = document.createElement("output");
  made.className = "outcome";
  if (control instanceof HTMLFormElement) scope.append(made);
  else scope.after(made);
  return made;
}
