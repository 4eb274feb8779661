/** Times in pairs: the reader's zone, then UTC. */

import { zoneWords } from "../zone.ts";

export interface Pair {
  readonly local: string;
  readonly utc: string;
  readonly iso: string;
}

export class Times {
  readonly #zone: string;
  readonly #clock: Intl.DateTimeFormat;
  readonly #utc = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
  readonly #day: Intl.DateTimeFormat;

  constructor(zone: string, language: string) {
    this.#zone = zone;
    this.#clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
    this.#day = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: zone });
  }

  /** @param at milliseconds since 1970 UTC */
  pair(at: number): Pair {
    const date = new Date(at);
    return { local: `${this.#clock.format(date)} ${zoneWords(this.#zone, date)}`, utc: `${this.#utc.format(date)} UTC`, iso: date.toISOString() };
  }

  day(at: number): string {
    return this.#day.format(new Date(at));
  }
}

const units = ["B", "KB", "MB"] as const;

/** 1,434,112 → "1.4 MB" */
export function sizeWords(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? "B"}`;
}
