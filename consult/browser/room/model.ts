/** What the room's page knows, in one place; `Room` changes it and asks for a new drawing. */

import type { Alarm, BriefText, Entry, Hex, Progress, Queued, RemovalView, RoomView } from "../bridge.ts";
import type { Link } from "./words.ts";

export type Stage =
  | { readonly kind: "opening" }
  | { readonly kind: "no_keys" }
  | { readonly kind: "not_open"; readonly chair: boolean }
  | { readonly kind: "failed"; readonly code: string }
  | { readonly kind: "open" };

export interface Transfer {
  readonly name: string;
  readonly direction: "up" | "down";
  readonly progress: Progress | null;
  readonly cancel: () => void;
}

export interface Model {
  stage: Stage;
  link: Link;
  view: RoomView | null;
  /** by number, ascending */
  entries: readonly Entry[];
  /** the newest number of the room this page has */
  head: number;
  queue: readonly Queued[];
  online: ReadonlySet<Hex>;
  brief: BriefText | null;
  removals: readonly RemovalView[];
  alarms: readonly Alarm[];
  transfers: ReadonlyMap<string, Transfer>;
  /** the last number read when the page was opened: the line stands after it */
  readUpTo: number;
  /** new entries below what is on screen */
  below: number;
  replyTo: Hex | null;
  tab: "conversation" | "people" | "rooms";
  /** the notice of a changed build; while it stands nothing is written */
  build: HTMLElement | null;
  /** a sentence for the reader about the last thing that failed */
  said: string;
}

export function emptyModel(readUpTo: number): Model {
  return {
    stage: { kind: "opening" },
    link: "connecting",
    view: null,
    entries: [],
    head: 0,
    queue: [],
    online: new Set(),
    brief: null,
    removals: [],
    alarms: [],
    transfers: new Map(),
    readUpTo,
    below: 0,
    replyTo: null,
    tab: "conversation",
    build: null,
    said: "",
  };
}

/** Entries by number, the newer opening of the same number wins. */
export function merged(old: readonly Entry[], fresh: readonly Entry[]): readonly Entry[] {
  if (fresh.length === 0) return old;
  const byNumber = new Map(old.map((entry) => [entry.seq, entry]));
  for (const entry of fresh) byNumber.set(entry.seq, entry);
  return [...byNumber.values()].sort((a, b) => a.seq - b.seq);
}
