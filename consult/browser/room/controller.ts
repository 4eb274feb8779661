/**
 * The room's life on a page: bring the key worker up to date, open what comes, send what waits. Everything that touches the keys
 * goes through one queue, so that two frames never overtake each other.
 */

import type { Entry, Hex, Opened, RoomItem, RoomView } from "../bridge.ts";
import { codeOf, type Keys } from "../keys.ts";
import { merged, type Model } from "./model.ts";
import { RoomSocket, type ServerFrame } from "./socket.ts";
import { Transfers } from "./transfers.ts";

const page = 100;
/** Whoever was away long begins at the first-unread line, as far back as this; what is older comes by asking for it. */
const furthestBack = 1_000;
/** Seconds the room may be out of step before it looks again by itself. */
const lookAgain = 20_000;
/** How soon a block that passes by itself is looked at again. */
const passing = 1_500;

export interface Place {
  readonly room: Hex;
  readonly consultation: Hex;
}

export class Controller {
  readonly #keys: Keys;
  readonly #place: Place;
  readonly #model: Model;
  readonly #changed: () => void;
  readonly #transfers: Transfers;
  #socket: RoomSocket | undefined;
  #work: Promise<void> = Promise.resolve();
  #syncDue = false;
  #inFlight: Hex | undefined;
  /** the number of the first commit that was shown before the room had taken it in, so that its line could say nothing yet */
  #unsaid: number | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: { keys: Keys; place: Place; model: Model; changed: () => void }) {
    this.#keys = options.keys;
    this.#place = options.place;
    this.#model = options.model;
    this.#changed = options.changed;
    this.#transfers = new Transfers({ keys: options.keys, room: options.place.room, model: options.model, changed: options.changed });
  }

  async enter(): Promise<void> {
    const { room } = this.#place;
    this.#take(await this.#keys.call("roomSync", { room }));
    await this.#loadNewest();
    this.#model.queue = await this.#keys.call("outbox", { room });
    this.#model.stage = { kind: "open" };
    this.#changed();
    this.#socket = new RoomSocket(room, {
      frame: (frame) => this.#inOrder(() => this.#received(frame)),
      link: (link) => {
        this.#model.link = link;
        if (link !== "connected") this.#lineLost();
        if (link === "by_post") this.#inOrder(() => this.#byPost());
        this.#changed();
      },
      hello: () => ({ device: this.#model.view?.own.device ?? "", since: this.#model.head }),
    });
    this.#keys.onNotice((news) => {
      if (news.kind === "alarm") {
        this.#model.alarms = [...this.#model.alarms, news.alarm];
        this.#inOrder(() => this.#look());
      } else if (news.room === room && news.kind === "outbox_changed") {
        this.#inOrder(() => this.#queueChanged());
      } else if (news.room === room) this.#inOrder(() => this.#look());
    });
    setInterval(() => {
      if (this.#model.link === "by_post") this.#inOrder(() => this.#byPost());
      else this.sync();
    }, lookAgain);
    this.#inOrder(() => this.#extras());
  }

  /** Brings the group up to date soon; several wishes become one. */
  sync(): void {
    if (this.#syncDue) return;
    this.#syncDue = true;
    this.#inOrder(async () => {
      this.#syncDue = false;
      this.#take(await this.#keys.call("roomSync", { room: this.#place.room }));
      await this.#openAgain();
      await this.#pump();
    });
  }

  say(text: string): void {
    const { room } = this.#place;
    const replyTo = this.#model.replyTo;
    this.#model.replyTo = null;
    this.#inOrder(async () => {
      await this.#keys.call("outboxAdd", { room, text, replyTo });
      await this.#queueChanged();
    });
  }

  retry(id: Hex): void {
    this.#inOrder(async () => {
      await this.#keys.call("outboxRetry", { room: this.#place.room, id });
      await this.#queueChanged();
    });
  }

  discard(id: Hex): void {
    this.#inOrder(async () => {
      await this.#keys.call("outboxDiscard", { room: this.#place.room, id });
      await this.#queueChanged();
    });
  }

  confirmKeys(statements: readonly Hex[]): void {
    this.#inOrder(async () => {
      this.#take(await this.#keys.call("roomConfirmKeys", { room: this.#place.room, statements }));
      await this.#pump();
    });
  }

  async attach(file: File): Promise<void> {
    if (await this.#transfers.attach(file)) this.#inOrder(() => this.#queueChanged());
  }

  open(entry: Extract<Entry, { kind: "paper" }>): Promise<Blob | undefined> {
    return this.#transfers.open(entry);
  }

  async earlier(): Promise<void> {
    const first = this.#model.entries[0]?.seq ?? 1;
    const since = Math.max(0, first - 1 - page);
    const opened = await this.#keys.call("roomItems", { room: this.#place.room, since, limit: first - 1 - since });
    this.#model.entries = merged(this.#model.entries, opened.entries);
    this.#changed();
  }

  async #loadNewest(): Promise<void> {
    const { room } = this.#place;
    const probe = await this.#keys.call("roomItems", { room, since: 0, limit: 1 });
    const { readUpTo } = this.#model;
    const since = Math.min(probe.head - page, readUpTo === 0 ? Infinity : readUpTo - 1);
    await this.#fetch(Math.max(0, probe.head - furthestBack, since));
  }

  /** Fetches everything after `since`, page by page. */
  async #fetch(since: number): Promise<void> {
    let from = since;
    for (;;) {
      const opened = await this.#keys.call("roomItems", { room: this.#place.room, since: from, limit: page });
      this.#add(opened.entries);
      this.#noteUnsaid(opened);
      const reached = opened.entries.at(-1)?.seq ?? opened.head;
      if (opened.syncFirst) this.sync();
      if (reached >= opened.head || opened.entries.length === 0) {
        this.#model.head = Math.max(this.#model.head, reached);
        return;
      }
      from = reached;
    }
  }

  async #received(frame: ServerFrame): Promise<void> {
    switch (frame.t) {
      case "welcome":
        if (frame.head > this.#model.head) await this.#fetch(this.#model.head);
        await this.#pump();
        return;
      case "items":
        await this.#items(frame.items, frame.head);
        return;
      case "ack":
        this.#inFlight = undefined;
        await this.#keys.call("outboxAcked", { room: this.#place.room, id: frame.id, receipt: frame.receipt ?? null });
        if (this.#model.head < frame.seq) await this.#fetch(this.#model.head);
        await this.#queueChanged();
        return;
      case "error":
        await this.#refused(frame);
        return;
      case "due":
        this.sync();
        return;
      case "online":
        this.#model.online = new Set(frame.devices);
        this.#changed();
        return;
      case "pong":
        if (frame.head > this.#model.head) await this.#fetch(this.#model.head);
    }
  }

  async #items(items: readonly RoomItem[], head: number): Promise<void> {
    const fresh = items.filter((item) => item.seq > this.#model.head);
    const first = fresh[0];
    if (first === undefined) return;
    if (first.seq > this.#model.head + 1) {
      await this.#fetch(this.#model.head);
      return;
    }
    const opened = await this.#keys.call("roomOpenItems", { room: this.#place.room, items: fresh });
    this.#add(opened.entries);
    this.#noteUnsaid(opened);
    this.#model.head = fresh.at(-1)?.seq ?? this.#model.head;
    if (opened.syncFirst || fresh.some((item) => item.kind === "commit")) this.sync();
    else if (this.#model.view?.unconfirmed === true) this.#take(await this.#keys.call("roomView", { room: this.#place.room }));
    if (head > this.#model.head) await this.#fetch(this.#model.head);
  }

  async #refused(frame: Extract<ServerFrame, { t: "error" }>): Promise<void> {
    if (frame.ref === undefined || frame.ref === null) return;
    this.#inFlight = undefined;
    const { again, syncFirst } = await this.#keys.call("outboxRefused", {
      room: this.#place.room,
      id: frame.ref,
      code: frame.code,
      expected: frame.expected ?? null,
      epoch: frame.epoch ?? null,
    });
    if (syncFirst) this.sync();
    else if (again) await this.#pump();
    await this.#queueChanged();
  }

  /** Hands the next waiting message to the line. One is under way at a time, so that each is numbered in the order it was written. */
  async #pump(): Promise<void> {
    if (this.#inFlight !== undefined || this.#socket?.isOpen !== true) return;
    const next = await this.#keys.call("outboxNext", { room: this.#place.room });
    if (next === null) return;
    if (this.#socket.send(next.frame)) {
      this.#inFlight = next.id;
      this.#model.queue = await this.#keys.call("outbox", { room: this.#place.room });
      this.#changed();
    } else await this.#keys.call("outboxUnsent", { room: this.#place.room });
  }

  async #queueChanged(): Promise<void> {
    this.#model.queue = await this.#keys.call("outbox", { room: this.#place.room });
    this.#changed();
    if (this.#model.link === "by_post") await this.#byPost();
    else await this.#pump();
  }

  async #byPost(): Promise<void> {
    const { room } = this.#place;
    this.#take(await this.#keys.call("roomSync", { room }));
    await this.#keys.call("outboxPost", { room });
    await this.#fetch(this.#model.head);
    this.#model.queue = await this.#keys.call("outbox", { room });
    this.#changed();
  }

  #lineLost(): void {
    this.#inFlight = undefined;
    this.#model.online = new Set();
    this.#inOrder(async () => {
      await this.#keys.call("outboxUnsent", { room: this.#place.room });
      this.#model.queue = await this.#keys.call("outbox", { room: this.#place.room });
      this.#changed();
    });
  }

  async #look(): Promise<void> {
    this.#take(await this.#keys.call("roomView", { room: this.#place.room }));
    await this.#pump();
  }

  /** What could not be opened before may open now: the key came as history, the welcome arrived, the commit was taken in. */
  async #openAgain(): Promise<void> {
    const closed = this.#model.entries.find((entry) => entry.kind === "unopened" && entry.remedy === "ask_history");
    const first = Math.min(closed?.seq ?? Infinity, this.#unsaid ?? Infinity);
    this.#unsaid = undefined;
    if (first !== Infinity) await this.#fetch(first - 1);
  }

  #noteUnsaid({ entries, syncFirst }: Opened): void {
    const silent = entries.find((entry) => entry.kind === "membership" && entry.added === null);
    if (syncFirst && silent !== undefined) this.#unsaid = Math.min(this.#unsaid ?? Infinity, silent.seq);
  }

  #take(view: RoomView): void {
    this.#model.view = view;
    clearTimeout(this.#retry);
    if (view.block?.kind === "getting_ready") this.#retry = setTimeout(() => this.sync(), passing);
    this.#changed();
  }

  #add(entries: readonly Entry[]): void {
    this.#model.entries = merged(this.#model.entries, entries);
    this.#changed();
  }

  async #extras(): Promise<void> {
    const { consultation } = this.#place;
    const view = await this.#keys.call("consultation", { consultation });
    if (view.brief.kind === "open") this.#model.brief = view.brief.text;
    this.#model.alarms = (await this.#keys.call("alarms", {})).filter((alarm) => alarm.room === null || alarm.room === this.#place.room);
    this.#changed();
  }

  #fail(code: string): void {
    this.#model.said = code;
    this.#changed();
  }

  #inOrder(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch((error: unknown) => {
      const code = codeOf(error);
      if (code === "failed") console.warn(error);
      // out of reach is what the line's own words say already
      if (code !== "offline") this.#fail(code);
    });
  }
}
