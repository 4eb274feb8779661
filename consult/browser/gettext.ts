/** Words of the scripts, in the page's language. The catalogue is the one Django builds; without one the English source stands. */

interface Catalogue {
  readonly gettext?: (words: string) => string;
}

/** @param words the English source */
export function gettext(words: string): string {
  const catalogue = (globalThis as { django?: Catalogue }).django;
  return catalogue?.gettext?.(words) ?? words;
}

/** Puts values into the `{name}` places of a sentence; an unknown place stays as it is. */
export function fill(words: string, values: Readonly<Record<string, string | number>>): string {
  return words.replace(/\{([a-z_]+)\}/g, (place, name: string) => {
    const value = values[name];
    return value === undefined ? place : String(value);
  });
}
