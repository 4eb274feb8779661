/**
 * Enrolment, step by step: code → who you are → sign-in → authenticator → keys made here → recovery sheet, confirmed → done.
 * The code is read from behind `#` and taken out of the address at once; the server gets only what the key worker derives from it.
 */

import type { Enrolled, EnrolmentOffer, Purpose } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import { CallFailure, codeOf, type Keys } from "../keys.ts";
import { wordsFor } from "../words.ts";
import { bindActs, field, notice, type Act } from "./acts.ts";
import { browserLabel } from "../browserlabel.ts";
import { listed, part } from "./fragments.ts";
import { isEndOfKey, showSheet } from "./sheet.ts";

type Stage = "code" | "who" | "sign-in" | "app" | "sheet";

/** What has been typed so far. It lives as long as the page. */
interface Enrolling {
  code: string;
  signInName: string;
  password: string;
  label: string;
  enrolled: Enrolled | null;
}

const enrolling: Enrolling = { code: "", signInName: "", password: "", label: "", enrolled: null };

const purposes: Readonly<Record<Purpose, string>> = {
  chair: "Co-Chair",
  focal_point: "focal point",
  delegate: "delegate",
  secretariat: "officer of the secretariat",
};

const openCode: Act = async ({ keys, control }) => {
  await open(keys, field(control, "code"));
  return { kind: "quiet" };
};

async function open(keys: Keys, code: string): Promise<void> {
  const offer = await keys.call("enrolOpen", { code });
  enrolling.code = code;
  showOffer(offer);
  showStage("who");
}

const signInDetails: Act = async ({ keys, control }) => {
  const password = passwordOf(control, "password");
  if (password !== passwordOf(control, "again")) return { kind: "stay", said: gettext("The two passwords differ. Type the same one twice.") };
  enrolling.signInName = field(control, "sign-in-name");
  enrolling.password = password;
  enrolling.label = field(control, "label");
  const { code, signInName } = enrolling;
  const { otpauth } = await keys.call("enrolSignInDetails", { code, signInName, password });
  await showAuthenticator(otpauth);
  showStage("app");
  return { kind: "quiet" };
};

const complete: Act = async ({ keys, control }) => {
  const { code, signInName, password, label } = enrolling;
  const totp = field(control, "totp").replace(/\s/g, "");
  const enrolled = await keys.call("enrolComplete", { code, signInName, password, totp, label }).catch(answerLost);
  enrolling.enrolled = enrolled;
  enrolling.password = "";
  enrolling.code = "";
  showSheet(document.body, enrolled, signInName.toLowerCase());
  globalThis.addEventListener("beforeunload", stopLeaving);
  showStage("sheet");
  return { kind: "quiet" };
};

/** An answer that got lost on the way may have been a yes: then the code is used up at the second try, and the keys are here. */
let lost = false;

function answerLost(error: unknown): never {
  const code = codeOf(error);
  if (code === "code_not_valid" && lost) throw new CallFailure({ code: "enrolled_perhaps" });
  lost ||= code === "offline";
  throw error;
}

const confirmSheet: Act = ({ control }) => {
  const key = enrolling.enrolled?.recoveryKey ?? "";
  if (!isEndOfKey(key, field(control, "last-group"))) {
    return Promise.resolve({ kind: "stay", said: gettext("Those are not the last two groups of the key. Print the sheet and type them from the paper.") });
  }
  globalThis.removeEventListener("beforeunload", stopLeaving);
  const said = gettext("You are enrolled, and your keys are in this browser. Lock the sheet away.");
  return Promise.resolve({ kind: "go", to: "/", said });
};

/** The key is nowhere else: the browser asks before the page is left without the sheet. */
function stopLeaving(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function passwordOf(form: HTMLElement, name: string): string {
  const input = form.querySelector<HTMLInputElement>(`input[name="${name}"]`);
  return input?.value ?? "";
}

function showOffer(offer: EnrolmentOffer): void {
  for (const place of document.querySelectorAll<HTMLElement>('[data-part="name"]')) place.textContent = offer.name;
  for (const place of document.querySelectorAll<HTMLElement>('[data-part="party"]')) place.textContent = offer.party;
  const name = listed("party-names").get(offer.party) ?? offer.party;
  for (const place of document.querySelectorAll<HTMLElement>('[data-part="party-name"]')) place.textContent = name;
  part(document, "purpose").textContent = gettext(purposes[offer.purpose]);
}

/** The server draws the picture from the address it has just given; it keeps nothing of it. */
async function showAuthenticator(otpauth: string): Promise<void> {
  part(document, "secret").textContent = (new URL(otpauth).searchParams.get("secret") ?? "").replace(/(.{4})(?=.)/g, "$1 ");
  const picture = part(document, "qr");
  if (!(picture instanceof HTMLImageElement)) throw new Error("the page lacks the picture");
  const csrf = document.head.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
  const answer = await fetch("/api/enrolments/qr", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
    body: JSON.stringify({ otpauth }),
  }).catch(() => {
    throw new CallFailure({ code: "offline" });
  });
  const drawn: unknown = answer.ok ? await answer.json() : null;
  const image = typeof drawn === "object" && drawn !== null && "image" in drawn ? drawn.image : null;
  picture.hidden = typeof image !== "string";
  if (typeof image === "string") picture.src = image;
}

function showStage(stage: Stage): void {
  for (const place of document.querySelectorAll<HTMLElement>("[data-stage]")) place.hidden = place.dataset["stage"] !== stage;
  for (const step of document.querySelectorAll<HTMLElement>("[data-step]")) {
    if (step.dataset["step"] === stage) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  }
  const shown = document.querySelector<HTMLElement>(`[data-stage="${stage}"]`);
  (shown?.querySelector<HTMLElement>("input, textarea, button") ?? shown)?.focus();
  document.getElementById("main")?.scrollIntoView();
}

function goForward(event: MouseEvent): void {
  const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-forward]") : null;
  if (button !== null) showStage(button.dataset["forward"] as Stage);
}

/** The code leaves the address bar and the browser's history before anything else happens. */
function codeFromAddress(): string {
  const code = decodeURIComponent(location.hash.slice(1));
  if (code !== "") history.replaceState(null, "", location.pathname);
  return code;
}

bindActs({ "open-code": openCode, "sign-in-details": signInDetails, complete, "confirm-sheet": confirmSheet });
document.addEventListener("click", goForward);
const label = document.getElementById("label");
if (label instanceof HTMLInputElement) label.value = browserLabel();

/** Nothing is asked of the server for a code that was on its way to another step. */
function openGiven(): void {
  const given = codeFromAddress();
  if (given === "" || enrolling.code !== "" || enrolling.enrolled !== null) return;
  const place = document.getElementById("code");
  if (place instanceof HTMLTextAreaElement) {
    place.value = given;
    place.form?.requestSubmit();
  } else notice(wordsFor("failed"), "bad");
}

openGiven();
// the address may be pasted where this page is open already: then nothing is loaded anew
globalThis.addEventListener("hashchange", openGiven);
