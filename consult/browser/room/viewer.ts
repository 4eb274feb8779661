/**
 * Shows a paper in a frame of an origin of its own which can reach nothing: no network, no cookies, no keys. The bytes go in by
 * message; nothing comes out but a word that it is ready or that the file cannot be shown.
 */

import { gettext } from "../gettext.ts";
import { saveFile } from "../saving.ts";

export interface ViewerPage {
  /** address of the frame's page */
  readonly address: string;
}

export function showPaper(blob: Blob, paper: { readonly name: string; readonly type: string }, page: ViewerPage): void {
  const dialog = document.createElement("dialog");
  dialog.className = "viewer";
  dialog.setAttribute("aria-label", paper.name);
  const bar = document.createElement("header");
  const title = document.createElement("b");
  title.textContent = paper.name;
  title.dir = "auto";
  const said = document.createElement("span");
  said.className = "quiet";
  said.setAttribute("role", "status");
  said.textContent = gettext("Opening…");
  bar.append(title, said, button(gettext("Save"), () => saveFile(blob, paper.name)), button(gettext("Close"), () => dialog.close()));
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = paper.name;
  const listen = (event: MessageEvent<unknown>): void => {
    if (event.source !== frame.contentWindow) return;
    if (event.data === "ready") {
      void blob.arrayBuffer().then((bytes) => {
        // an opaque origin has no name to aim at; the frame is our own page
        frame.contentWindow?.postMessage({ bytes, type: paper.type, pages: gettext("Page {n} of {all}") }, "*", [bytes]);
      });
    } else if (event.data === "shown") said.textContent = "";
    else if (event.data === "failed") said.textContent = gettext("This file cannot be shown. It can be saved.");
  };
  addEventListener("message", listen);
  dialog.addEventListener("close", () => {
    removeEventListener("message", listen);
    dialog.remove();
  });
  dialog.append(bar, frame);
  document.body.append(dialog);
  dialog.showModal();
  frame.src = page.address;
}

function button(words: string, act: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.addEventListener("click", act);
  return made;
}
