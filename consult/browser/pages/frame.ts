/** What every page has: the two clocks, dialogs opened by a button, buttons that ask before harm, and the notice of a changed build. */

import { changedBuild, onceBuildAccepted } from "../build.ts";
import { buildNotice } from "../buildnotice.ts";
import { zoneWords } from "../zone.ts";

const ticks = 15_000;

function clockText(now: Date, zone: string): { local: string; utc: string } {
  const language = document.documentElement.lang || "en";
  const local = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  }).format(now);
  const utc = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: "UTC",
  }).format(now);
  return { local: `${local} ${zoneWords(zone, now)}`, utc: `${utc} UTC` };
}

function showClocks(): void {
  for (const clock of document.querySelectorAll<HTMLElement>("[data-clock]")) {
    const zone = clock.dataset["zone"] || Intl.DateTimeFormat().resolvedOptions().timeZone;
    const { local, utc } = clockText(new Date(), zone);
    const second = document.createElement("span");
    second.className = "utc";
    second.textContent = utc;
    clock.replaceChildren(`${local} · `, second);
  }
}

function openDialog(event: MouseEvent): void {
  const target = event.target;
  if (!(target instanceof Element)) return;
  const opener = target.closest<HTMLElement>("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset["opens"] ?? "");
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
  }
  const closer = target.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
}

function askFirst(event: SubmitEvent): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  const question = form.dataset["confirm"];
  if (question !== undefined && !globalThis.confirm(question)) event.preventDefault();
}

/** A page on which something is typed or signed stays out of reach until a changed build is accepted. The room does this by itself. */
function holdInputs(): void {
  const main = document.getElementById("main");
  const change = changedBuild();
  if (main === null || change === null || main.querySelector("form, [data-act]") === null) return;
  const notice = buildNotice(change);
  main.inert = true;
  main.before(notice);
  onceBuildAccepted(() => {
    notice.remove();
    main.inert = false;
    main.focus();
  });
}

showClocks();
holdInputs();
setInterval(showClocks, ticks);
document.addEventListener("click", openDialog);
document.addEventListener("submit", askFirst);
