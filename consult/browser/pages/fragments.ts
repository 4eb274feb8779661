/** Pieces of a page made from its own `<template>` elements, and the lists the server sends along as JSON. */

/** A copy of the template's only element. */
export function copyOf(id: string): HTMLElement {
  const source = document.getElementById(id);
  if (!(source instanceof HTMLTemplateElement)) throw new Error(`the page lacks the template ${id}`);
  const first = source.content.firstElementChild?.cloneNode(true);
  if (!(first instanceof HTMLElement)) throw new Error(`the template ${id} is empty`);
  return first;
}

/** The element with `data-part="name"` inside a copy. */
export function part(root: ParentNode, name: string): HTMLElement {
  const found = root.querySelector<HTMLElement>(`[data-part="${name}"]`);
  if (found === null) throw new Error(`the page lacks the part ${name}`);
  return found;
}

/** Leaves the part only where it is wanted: what one cannot do is not on the page at all. */
export function only(root: ParentNode, name: string, wanted: boolean): HTMLElement | null {
  const found = part(root, name);
  if (wanted) return found;
  found.remove();
  return null;
}

export function put(root: ParentNode, name: string, text: string): void {
  part(root, name).textContent = text;
}

/** A JSON list of the server's (`json_script`): text by key. An absent one is empty. */
export function listed(id: string): ReadonlyMap<string, string> {
  const text = document.getElementById(id)?.textContent ?? "{}";
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error(`${id} is not a list`);
  return new Map(Object.entries(value).map(([key, entry]) => [key, String(entry)]));
}

/** One JSON string of the server's, byte for byte. */
export function textOf(id: string): string {
  const value: unknown = JSON.parse(document.getElementById(id)?.textContent ?? '""');
  return typeof value === "string" ? value : "";
}

/** A fingerprint in its groups of four, one element each, so that it can be read aloud and compared. */
export function showFingerprint(place: HTMLElement, fingerprint: string): void {
  const groups = fingerprint.split(/[\s-]+/).map((group) => {
    const piece = document.createElement("span");
    piece.textContent = group;
    return piece;
  });
  place.replaceChildren(...groups.flatMap((piece) => [piece, document.createTextNode(" ")]));
  place.classList.add("fingerprint");
}

/** The name of a party by its code; the code itself where the list does not know it. */
export function partyName(code: string): string {
  return listed("party-names").get(code) ?? code;
}

/** A person's name by card. Names are the host's word; fingerprints are not. */
export function personName(card: string, otherwise: string): string {
  return listed("people").get(card) ?? otherwise;
}
