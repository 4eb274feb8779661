/** The calm words about a changed build: both names, since when, what to do, and the button that goes on. */

import { acceptBuild, type BuildChange } from "./build.ts";
import { fill, gettext } from "./gettext.ts";
import { Times } from "./room/times.ts";

const pauses = [1000, 3000, 6000, 0] as const;

export function buildNotice(change: BuildChange): HTMLElement {
  const box = document.createElement("section");
  box.className = "panel wait build-changed";
  box.setAttribute("role", "status");
  const since = paragraph(gettext("Asking the record since when…"));
  box.append(
    heading(gettext("This site has changed since you were last here")),
    paragraph(gettext("New versions are an ordinary thing, and so is looking twice. What you type goes through the new one.")),
    names(change),
    since,
    paragraph(gettext("Read the new line to a colleague in another capital: it stands at the foot of their pages too. Or ask your IT team to run “consult verify-build”. If nobody expected a change, type nothing here and telephone the secretariat.")),
    actions(),
  );
  void sayWhen(change, since);
  return box;
}

function heading(words: string): HTMLElement {
  const title = document.createElement("h2");
  title.textContent = words;
  return title;
}

function paragraph(words: string): HTMLElement {
  const line = document.createElement("p");
  line.textContent = words;
  return line;
}

function names({ former, present }: BuildChange): HTMLElement {
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [label, name] of [
    [gettext("Build until now"), former],
    [gettext("Build now"), present],
  ] as const) {
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    term.textContent = label;
    value.textContent = name;
    value.className = "code";
    list.append(term, value);
  }
  return list;
}

function actions(): HTMLElement {
  const line = document.createElement("p");
  line.className = "actions";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "primary";
  button.textContent = gettext("I have looked at it; go on");
  button.addEventListener("click", acceptBuild);
  const more = document.createElement("a");
  more.href = "/about/host#build";
  more.textContent = gettext("What a build is");
  line.append(button, " ", more);
  return line;
}

/** The record's word comes from the host as well; the Register has it with its proof. Just after a start it may take a moment. */
async function sayWhen(change: BuildChange, place: HTMLElement): Promise<void> {
  for (const pause of pauses) {
    const answer = await fetch("/api/build").catch(() => null);
    const said: unknown = answer?.ok === true ? await answer.json() : null;
    place.textContent = since(said, change);
    if (isInService(said, change)) return;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function isInService(said: unknown, change: BuildChange): said is { deployed: number } {
  if (typeof said !== "object" || said === null || !("fingerprint" in said) || !("deployed" in said)) return false;
  return said.fingerprint === change.present && typeof said.deployed === "number";
}

function since(said: unknown, change: BuildChange): string {
  if (said === null) return gettext("The record could not be asked since when.");
  if (isInService(said, change)) return fill(gettext("The record says: in service since {time}."), { time: inWords(said.deployed) });
  return gettext("The record does not say that this build was put into service. If it stays so, type nothing here and telephone the secretariat.");
}

function inWords(at: number): string {
  const zone = document.querySelector<HTMLElement>("[data-clock]")?.dataset["zone"] || Intl.DateTimeFormat().resolvedOptions().timeZone;
  const language = document.documentElement.lang || "en";
  const times = new Times(zone, language === "en" ? "en-GB" : language);
  const { local, utc } = times.pair(at);
  return `${times.day(at)}, ${local} · ${utc}`;
}
