/**
 * Names of parties and people. A person's name is the host's word, and only decoration: who may sit and who wrote comes from cards
 * and parties, which are signed.
 */

import type { Hex, PartyCode } from "../bridge.ts";

interface Served {
  readonly parties: Readonly<Record<PartyCode, string>>;
  readonly people: Readonly<Record<Hex, string>>;
}

export class Names {
  #served: Served;
  readonly #address: string;
  readonly #asked = new Set<Hex>();

  constructor(served: Served, address: string) {
    this.#served = served;
    this.#address = address;
  }

  party(code: PartyCode): string {
    return this.#served.parties[code] ?? code;
  }

  /** Empty while the name is unknown. */
  person(card: Hex): string {
    return this.#served.people[card] ?? "";
  }

  /** Fetches the names of people who came since the page was made. Each is asked for once. */
  async learn(cards: readonly Hex[]): Promise<boolean> {
    const unknown = cards.filter((card) => this.#served.people[card] === undefined && !this.#asked.has(card));
    if (unknown.length === 0) return false;
    for (const card of unknown) this.#asked.add(card);
    const answer = await fetch(this.#address, { headers: { Accept: "application/json" } });
    if (!answer.ok) return false;
    this.#served = readServed(await answer.json());
    return true;
  }
}

export function namesFromPage(address: string): Names {
  const source = document.getElementById("names")?.textContent ?? "{}";
  return new Names(readServed(JSON.parse(source)), address);
}

function readServed(value: unknown): Served {
  const record = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  return { parties: strings(record["parties"]), people: strings(record["people"]) };
}

function strings(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}
