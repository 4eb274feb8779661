/**
 * Which build this browser runs, and which one it last ran: a changed one waits until a person has accepted it. The memory is the
 * browser's, not an account's, because the pages that matter most come before there are keys. It notices an exchanged build; the
 * page that notices comes from the same host, so it prevents nothing (docs/threat-model.md).
 */

const memory = "consult-build";
const accepted = "consult-build-accepted";

export interface BuildChange {
  /** fingerprints, as at the foot of the pages */
  readonly former: string;
  readonly present: string;
}

/** The fingerprint that the page names: five groups to read aloud. */
export function presentBuild(): string {
  return document.head.querySelector<HTMLMetaElement>('meta[name="consult-build"]')?.content ?? "";
}

/** @returns null while the build is the one this browser knows; a browser that knows none learns it, and says nothing */
export function changedBuild(): BuildChange | null {
  const present = presentBuild();
  const former = localStorage.getItem(memory);
  if (present !== "" && former === null) localStorage.setItem(memory, present);
  return present === "" || former === null || former === present ? null : { former, present };
}

export function acceptBuild(): void {
  localStorage.setItem(memory, presentBuild());
  // The scripts of a page are built apart from each other and share nothing but the page.
  document.dispatchEvent(new Event(accepted));
}

/** Calls once the build has been accepted, here or in another tab. At once if nothing has changed. */
export function onceBuildAccepted(listener: () => void): void {
  if (changedBuild() === null) {
    listener();
    return;
  }
  const heard = new AbortController();
  const look = (): void => {
    if (heard.signal.aborted || changedBuild() !== null) return;
    heard.abort();
    listener();
  };
  document.addEventListener(accepted, look, { signal: heard.signal });
  globalThis.addEventListener("storage", look, { signal: heard.signal });
}
