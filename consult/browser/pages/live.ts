/** Keeps a server-made part of the page (`data-live`, with an id) up to date while the page is open and nobody is in the middle of something. */

const interval = 15_000;

/** @param refreshed called with each renewed part */
export function keepLive(refreshed: (part: HTMLElement) => void): void {
  setInterval(() => {
    if (document.visibilityState === "visible" && !inTheMiddle()) void renew(refreshed);
  }, interval);
}

function inTheMiddle(): boolean {
  if (document.querySelector("dialog[open], [aria-busy='true'], [data-live] details[open]") !== null) return true;
  const focused = document.activeElement;
  return focused !== null && focused.closest("[data-live]") !== null;
}

async function renew(refreshed: (part: HTMLElement) => void): Promise<void> {
  const fresh = await load(location.href);
  if (fresh === null || inTheMiddle()) return;
  for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next === null || next.textContent === part.dataset["seen"]) continue;
    const seen = next.textContent;
    const renewed = document.importNode(next, true);
    renewed.dataset["seen"] = seen;
    part.replaceWith(renewed);
    refreshed(renewed);
  }
}

/** By XMLHttpRequest because it parses into an inert document where Trusted Types forbid parsing text. */
function load(address: string): Promise<Document | null> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.addEventListener("loadend", () => {
      const same = request.status === 200 && new URL(request.responseURL).pathname === location.pathname;
      resolve(same ? request.responseXML : null);
    });
    request.open("GET", address);
    request.setRequestHeader("X-Consult-Refresh", "1");
    request.send();
  });
}
