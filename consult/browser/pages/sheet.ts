/** The recovery sheet: filled once, printed, and proven to be on paper by typing its end. Alone, this is the page of recovery codes. */

import type { Enrolled } from "../bridge.ts";
import { fill, gettext } from "../gettext.ts";
import { bindActs } from "./acts.ts";
import { put, part, showFingerprint } from "./fragments.ts";

const pinLength = 20;

/** Puts everything a person must keep onto the sheet. The recovery key is on the page from here until it is left. */
export function showSheet(root: HTMLElement, enrolled: Enrolled, signInName: string): void {
  put(root, "sheet-number", fill(gettext("number {number}"), { number: enrolled.sheetNumber }));
  put(root, "sign-in-name", signInName);
  put(root, "recovery-key", enrolled.recoveryKey);
  put(root, "inst", enrolled.inst === null ? gettext("not founded yet; both Co-Chairs sign it next") : inGroups(enrolled.inst.slice(0, pinLength)));
  showFingerprint(part(root, "fingerprint"), enrolled.fingerprint);
  const items = enrolled.recoveryCodes.map((code) => {
    const item = document.createElement("li");
    item.className = "code";
    item.textContent = code;
    return item;
  });
  part(root, "recovery-codes").replaceChildren(...items);
}

/** Whether these are the last two groups of the key (the very last may be one character), as a person types them. */
export function isEndOfKey(recoveryKey: string, typed: string): boolean {
  const end = recoveryKey.split(/[\s-]+/).slice(-2).join("");
  return end !== "" && plainly(typed) === plainly(end);
}

/** Crockford's alphabet has no I, L, O: who reads them means 1, 1 and 0. */
function plainly(text: string): string {
  return text.toUpperCase().replace(/[\s-]/g, "").replace(/[IL]/g, "1").replace(/O/g, "0");
}

function inGroups(text: string): string {
  return (text.match(/.{1,4}/g) ?? []).join(" ");
}

if (document.querySelector("[data-act]") === null) bindActs({});
