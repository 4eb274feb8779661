/** Each device's objects in a room form a line: `n` counts from 1 and `prev` names the one before. Here gaps and repetitions show. */

import type { Hex } from "../bridge.ts";
import { NO_PREVIOUS } from "./content.ts";
import { jsonRow, type Change } from "./keystore.ts";

interface Last {
  readonly seq: number;
  readonly n: number;
  readonly hash: Hex;
}

/** By device: the newest object seen of its line. */
export type TrailRow = Readonly<Record<Hex, Last>>;

export interface Step {
  readonly device: Hex;
  readonly n: number;
  readonly prev: Hex;
  readonly hash: Hex;
  readonly seq: number;
}

/** What was read in this worker, by room and device: `n` → header hash and number in the room's log. */
const read = new Map<string, Map<number, { readonly hash: Hex; readonly seq: number }>>();

export class Trail {
  readonly #room: Hex;
  readonly #last: Map<Hex, Last>;
  #changed = false;

  private constructor(room: Hex, last: Map<Hex, Last>) {
    this.#room = room;
    this.#last = last;
  }

  static from(room: Hex, row: TrailRow): Trail {
    return new Trail(room, new Map(Object.entries(row)));
  }

  static path(room: Hex): string {
    return `trail/${room}`;
  }

  /** @returns how many objects of the device are missing just before this one; `repeated` if this place was taken by another object */
  step({ device, n, prev, hash, seq }: Step): number | "repeated" {
    const line = this.#line(device);
    const there = line.get(n);
    if (there !== undefined && (there.hash !== hash || there.seq !== seq)) return "repeated";
    const last = this.#last.get(device);
    if (last?.n === n && last.hash !== hash) return "repeated";
    line.set(n, { hash, seq });
    const missing = this.#missingBefore({ device, n, prev, seq });
    if (last === undefined || seq > last.seq) {
      this.#last.set(device, { seq, n, hash });
      this.#changed = true;
    }
    return missing;
  }

  changes(): readonly Change[] {
    return this.#changed ? [jsonRow(Trail.path(this.#room), Object.fromEntries(this.#last))] : [];
  }

  #missingBefore({ device, n, prev, seq }: Omit<Step, "hash">): number {
    if (n === 1) return prev === NO_PREVIOUS ? 0 : 1;
    const line = this.#line(device);
    const before = line.get(n - 1);
    if (before !== undefined) return before.hash === prev ? 0 : 1;
    const last = this.#last.get(device);
    // Items we did not read in this session, and which the one we remember does not reach over, say nothing.
    if (last === undefined || last.seq >= seq) return 0;
    if (last.n === n - 1) return last.hash === prev ? 0 : 1;
    return Math.max(0, n - 1 - last.n);
  }

  #line(device: Hex): Map<number, { readonly hash: Hex; readonly seq: number }> {
    const key = `${this.#room}/${device}`;
    const found = read.get(key) ?? new Map<number, { readonly hash: Hex; readonly seq: number }>();
    read.set(key, found);
    return found;
  }
}
