/**
 * What is written and not yet acknowledged, per room. Stored before it counts as queued; one in flight; exactly once.
 *
 * An id is sent again unchanged while its fate is unknown: the server answers the first acknowledgement. Only after a certain refusal is
 * it sealed anew, and then under the same id only if the epoch is another one, because an id and an epoch make one key and one nonce.
 */

import type { Hex, NextFrame, Queued } from "../bridge.ts";
import { newMessageId, NO_PREVIOUS, type ContentBody } from "./content.ts";
import { Failure } from "./failure.ts";
import { jsonRow, readJson, type Rows } from "./keystore.ts";

const MOST = 200;
/** An answer takes less; after this another tab may take a message over whose tab is gone. */
const IN_FLIGHT_MS = 20_000;

/** Where this device's line of objects in the room stands: what its next object and next event carry. */
export interface Line {
  /** objects acknowledged so far */
  readonly n: number;
  /** header hash of the last of them */
  readonly prev: Hex;
  /** the record's counters; null means: ask the server first */
  readonly author: AuthorPlace | null;
}

export interface AuthorPlace {
  readonly ns: Hex;
  readonly salt: string;
  readonly dseq: number;
  readonly dprev: string;
}

/** One message ready for the wire: base64 of header, box and event. */
export interface Sealed {
  readonly epoch: number;
  readonly n: number;
  readonly headerHash: Hex;
  readonly header: string;
  readonly box: string;
  readonly event: string;
  readonly author: AuthorPlace;
  /** base64; the `dprev` of the event after this one */
  readonly eventHash: string;
}

export interface Message {
  readonly id: Hex;
  readonly body: ContentBody;
}

/** How a message is sealed now. Null: nothing may be sent at present. */
export interface Sealer {
  /** the epoch that would be used; null if nothing may be sent */
  epoch(): Promise<number | null>;
  seal(message: Message, line: Line): Promise<Sealed>;
  /** the same sealed object with a new event */
  signEvent(message: Message, sealed: Sealed, line: Line): Promise<Sealed>;
}

interface Row {
  readonly id: Hex;
  readonly at: number;
  readonly body: ContentBody;
  readonly state: "waiting" | "sending" | "failed";
  readonly code: string | null;
  readonly sealed: Sealed | null;
  /** it may have reached the server: only these very bytes may be sent until we know */
  readonly fateUnknown: boolean;
  readonly sentAt: number;
}

interface Box {
  readonly rows: readonly Row[];
  readonly line: Line;
}

const EMPTY: Box = { rows: [], line: { n: 0, prev: NO_PREVIOUS, author: null } };

/** Refusals after which the same message may be accepted once the client has looked again. */
const LOOK_AGAIN: ReadonlySet<string> = new Set(["stale_epoch", "removal_due"]);
const COUNTERS: ReadonlySet<string> = new Set(["dseq_expected", "seen_unknown"]);
const LATER: ReadonlySet<string> = new Set(["busy", "rate", "offline", "cancelled", "sign_in"]);

/** The outbox of one room. The caller holds the account's lock around every call that changes something. */
export class Outbox {
  readonly #rows: Rows;
  readonly #path: string;

  constructor(rows: Rows, room: Hex) {
    this.#rows = rows;
    this.#path = `outbox/${room}`;
  }

  /** @throws Failure `outbox_full` */
  async add(body: ContentBody, now: number): Promise<Hex> {
    const box = await this.#read();
    if (box.rows.length >= MOST) throw new Failure("outbox_full", "too many messages wait");
    const id = newMessageId();
    const row: Row = { id, at: now, body, state: "waiting", code: null, sealed: null, fateUnknown: false, sentAt: 0 };
    await this.#write({ ...box, rows: [...box.rows, row] });
    return id;
  }

  async queued(): Promise<readonly Queued[]> {
    return (await this.#read()).rows.map(view);
  }

  async count(): Promise<number> {
    return (await this.#read()).rows.length;
  }

  async body(id: Hex): Promise<ContentBody | undefined> {
    return (await this.#read()).rows.find((row) => row.id === id)?.body;
  }

  /** The next frame, stored as in flight before it is given out; null if there is none to send now. */
  async next(sealer: Sealer, now: number): Promise<NextFrame | null> {
    const box = await this.#read();
    if (box.rows.some((row) => row.state === "sending" && now - row.sentAt < IN_FLIGHT_MS)) return null;
    // The oldest whose fate is open comes first, for the line of objects hangs on it.
    const row = box.rows.find((each) => each.state === "sending" || each.fateUnknown) ?? box.rows.find((each) => each.state === "waiting");
    if (row === undefined) return null;
    const ready = row.sealed !== null && (row.fateUnknown || row.state === "sending") ? row : await this.#sealed(row, box.line, sealer);
    if (ready?.sealed == null) return null;
    const sending: Row = { ...ready, state: "sending", code: null, fateUnknown: true, sentAt: now };
    await this.#write({ ...box, rows: box.rows.map((each) => (each.id === row.id ? sending : each)) });
    return { id: sending.id, frame: frameOf(sending.id, ready.sealed) };
  }

  async #sealed(row: Row, line: Line, sealer: Sealer): Promise<Row | null> {
    const epoch = await sealer.epoch();
    if (epoch === null) return null;
    const { sealed } = row;
    if (sealed !== null && sealed.epoch === epoch && sealed.n === line.n + 1) {
      return { ...row, sealed: await sealer.signEvent(row, sealed, line) };
    }
    // Never two objects under one id in one epoch.
    const id = sealed !== null && sealed.epoch === epoch ? newMessageId() : row.id;
    return { ...row, id, sealed: await sealer.seal({ id, body: row.body }, line) };
  }

  /**
   * It is durable and numbered: by an `ack`, or because it came back in the room's log.
   * @returns the hash of its event, base64; undefined if it was not waiting here
   */
  async acked(id: Hex): Promise<string | undefined> {
    const box = await this.#read();
    const row = box.rows.find((each) => each.id === id);
    if (row?.sealed == null) return undefined;
    const { n, headerHash, author, eventHash } = row.sealed;
    const next: AuthorPlace = { ...author, dseq: author.dseq + 1, dprev: eventHash };
    const line: Line = n > box.line.n ? { n, prev: headerHash, author: next } : { ...box.line, author: null };
    await this.#write({ rows: box.rows.filter((each) => each.id !== id), line });
    return eventHash;
  }

  /** An object of this device was seen in the room's log: the line is at least that long. */
  async seenOwn(n: number, headerHash: Hex): Promise<void> {
    const box = await this.#read();
    if (n > box.line.n) await this.#write({ ...box, line: { n, prev: headerHash, author: null } });
  }

  /** The server certainly refused it. */
  async refused(id: Hex, code: string): Promise<{ again: boolean; syncFirst: boolean }> {
    const box = await this.#read();
    const row = box.rows.find((each) => each.id === id);
    if (row === undefined) return { again: false, syncFirst: false };
    const line: Line = { ...box.line, author: null };
    if (COUNTERS.has(code) || LOOK_AGAIN.has(code)) {
      await this.#write({ rows: replaced(box.rows, { ...row, state: "waiting", fateUnknown: false }), line });
      return { again: true, syncFirst: LOOK_AGAIN.has(code) };
    }
    if (LATER.has(code)) {
      await this.#write({ ...box, rows: replaced(box.rows, { ...row, state: "waiting" }) });
      return { again: false, syncFirst: false };
    }
    await this.#write({ rows: replaced(box.rows, { ...row, state: "failed", code, fateUnknown: false }), line });
    return { again: true, syncFirst: false };
  }

  /** The connection ended with a message in flight: its fate is unknown, the same bytes go again. */
  async unsent(): Promise<void> {
    const box = await this.#read();
    if (!box.rows.some((row) => row.state === "sending")) return;
    await this.#write({ ...box, rows: box.rows.map((row) => (row.state === "sending" ? { ...row, state: "waiting" } : row)) });
  }

  /** @throws Failure `not_due` unless it failed */
  async retry(id: Hex): Promise<void> {
    const box = await this.#read();
    const row = box.rows.find((each) => each.id === id);
    if (row?.state !== "failed") throw new Failure("not_due", "only what failed is tried again");
    await this.#write({ ...box, rows: replaced(box.rows, { ...row, state: "waiting", code: null }) });
  }

  /** @throws Failure `not_due` if it may have been sent */
  async discard(id: Hex): Promise<void> {
    const box = await this.#read();
    const row = box.rows.find((each) => each.id === id);
    if (row === undefined) return;
    if (row.state === "sending" || row.fateUnknown) throw new Failure("not_due", "it may have been sent already");
    await this.#write({ ...box, rows: box.rows.filter((each) => each.id !== id) });
  }

  async #read(): Promise<Box> {
    return (await readJson<Box>(this.#rows, this.#path)) ?? EMPTY;
  }

  #write(box: Box): Promise<void> {
    return this.#rows.write([jsonRow(this.#path, box)]);
  }
}

/** The `send` frame of docs/protocol.md, section 6. */
function frameOf(id: Hex, { header, box, event }: Sealed): string {
  return JSON.stringify({ t: "send", id, object: { header, box }, event });
}

function replaced(rows: readonly Row[], row: Row): readonly Row[] {
  return rows.map((each) => (each.id === row.id ? row : each));
}

function view({ id, at, body, state, code, fateUnknown }: Row): Queued {
  const content: Queued["content"] =
    body.kind === "text" ? { kind: "text", text: body.text } : { kind: "paper", paper: { name: body.name, type: body.type, size: body.size } };
  // What may have been sent is shown as being sent, so that nobody thinks it can be taken back.
  return { id, at, replyTo: body.reply_to, content, state: state === "waiting" && fateUnknown ? "sending" : state, code };
}
