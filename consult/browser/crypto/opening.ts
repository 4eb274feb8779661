/** Opens what the room's log brings: each object checked against its device, its seat and its place in the device's line. */

import type { Author, Entry, Hex, MembershipChange, Opened, RoomItem, UnopenedCause, Remedy } from "../bridge.ts";
import type { View } from "./book.ts";
import type { Claim } from "./claims.ts";
import type { Self } from "./context.ts";
import { openContent, readHeader, headerHash, type ContentBody, type ContentHeader, type Heads } from "./content.ts";
import type { LeafIdentity } from "./credential.ts";
import { fromBase64, type Bytes } from "./encoding.ts";
import { jsonRow, readJson, type Change } from "./keystore.ts";
import { Outbox } from "./outbox.ts";
import { paperView } from "./papers.ts";
import { holdReceipt } from "./receipts.ts";
import { Refusal } from "./refusal.ts";
import { readCommits, readRing, readRoom, readWanted, ringRow, roomPath, ringKey, wantedRow, type CommitRow, type Ring, type RoomRow } from "./roomrow.ts";
import { deviceOwner, knowsHeads, partyOf, roomSeats, seatsAt, type RoomSeats } from "./seating.ts";
import { Trail, type TrailRow } from "./trail.ts";

type ContentItem = Extract<RoomItem, { readonly kind: "content" }>;

const lookedFor = new Set<string>();

/** One batch of items, opened in order; what it learns is written once at the end. */
export class Reader {
  readonly #self: Self;
  readonly #view: View;
  readonly #room: Hex;
  readonly #row: RoomRow | undefined;
  readonly #seats: RoomSeats;
  readonly #commits: Readonly<Record<string, CommitRow>>;
  readonly #trail: Trail;
  readonly #outbox: Outbox;
  readonly #atHeads = new Map<string, RoomSeats | undefined>();
  readonly #papers: Change[] = [];
  readonly #unknownHeads: Heads[] = [];
  readonly #claims: Claim[] = [];
  #ring: Ring;
  #wrongKeys: number[] = [];
  #confirmed = false;
  #syncFirst = false;
  #outboxChanged = false;

  private constructor(given: { self: Self; view: View; room: Hex; row: RoomRow | undefined; ring: Ring; commits: Readonly<Record<string, CommitRow>>; trail: Trail }) {
    this.#self = given.self;
    this.#view = given.view;
    this.#room = given.room;
    this.#row = given.row;
    this.#ring = given.ring;
    this.#commits = given.commits;
    this.#trail = given.trail;
    this.#seats = roomSeats(given.view.standing, given.room);
    this.#outbox = new Outbox(given.self.rows, given.room);
  }

  static async over(self: Self, view: View, room: Hex): Promise<Reader> {
    const { rows } = self;
    const [row, ring, commits] = await Promise.all([readRoom(rows, room), readRing(rows, room), readCommits(rows, room)]);
    const trail = Trail.from(room, (await readJson<TrailRow>(rows, Trail.path(room))) ?? {});
    return new Reader({ self, view, room, row, ring, commits, trail });
  }

  /** @returns the entries, whether pages should look at the outbox again, and what the senders had seen of the record */
  async open(items: readonly RoomItem[], head: number): Promise<{ opened: Opened; outboxChanged: boolean; claims: readonly Claim[] }> {
    const entries: Entry[] = [];
    for (const item of items) entries.push(item.kind === "commit" ? this.#membership(item) : await this.#content(item));
    await this.#keep();
    const newest = Math.max(head, ...items.map(({ seq }) => seq));
    return { opened: { entries, head: newest, syncFirst: this.#syncFirst }, outboxChanged: this.#outboxChanged, claims: this.#claims };
  }

  #membership({ seq, at, epoch }: Extract<RoomItem, { readonly kind: "commit" }>): Entry {
    const known = this.#commits[String(epoch)];
    // A commit that ends our epoch, or a later one, is for the room's synchronisation to judge; it says nothing yet.
    if (known === undefined && this.#row !== undefined && epoch >= this.#row.epoch) this.#lookAgainFor(`commit ${String(epoch)}`);
    if (known === undefined) return { kind: "membership", seq, at, epoch, added: null, removed: null };
    return { kind: "membership", seq, at, epoch, added: this.#changes(known, known.added, known.removed), removed: this.#changes(known, known.removed, known.added) };
  }

  /** A device that went and came in one commit, to take its place anew, neither came nor went. */
  #changes({ staying }: CommitRow, leaves: readonly LeafIdentity[], others: readonly LeafIdentity[]): readonly MembershipChange[] {
    const both = new Set(others.map(({ device }) => device));
    return leaves
      .filter(({ device }) => !both.has(device))
      .map(({ card, device }) => ({ card, device, party: partyOf(this.#view.standing, card), stays: staying.includes(card) }));
  }

  async #content(item: ContentItem): Promise<Entry> {
    const { seq, id, at } = item;
    let header: ContentHeader | undefined;
    try {
      const bytes = fromBase64(item.header);
      header = readHeader(bytes);
      return await this.#checked(item, bytes, header);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.code === "wrong_key" && header !== undefined) return this.#wrongKey(item, header.epoch);
      const { cause, remedy } = meaningOf(error);
      return { kind: "unopened", seq, id, at, cause, remedy };
    }
  }

  async #checked(item: ContentItem, bytes: Bytes, header: ContentHeader): Promise<Entry> {
    const owner = deviceOwner(this.#view.standing, item.device);
    if (owner === undefined) {
      this.#lookAgainFor(item.device);
      return this.#unopened(item, "unseated", "tell_chairs");
    }
    const step = { device: header.device, n: header.n, prev: header.prev, hash: await headerHash(bytes), seq: item.seq };
    const contentKey = ringKey(this.#ring, header.epoch);
    if (contentKey === undefined) {
      this.#trail.step(step);
      return this.#keyMissing(item, header);
    }
    const expected = { room: this.#room, id: item.id, device: item.device };
    const found = await openContent({ contentKey, header: bytes, box: fromBase64(item.box), expected, signatureKey: owner.signatureKey });
    const missingBefore = this.#trail.step(step);
    if (missingBefore === "repeated") return this.#unopened(item, "forged", "tell_chairs");
    if (!knowsHeads(this.#view, this.#room, header.heads)) this.#wantHeads(header.heads);
    if (!this.#wasSeated(owner.card, item.device, header.heads)) return this.#unopened(item, "unseated", "tell_chairs");
    await this.#noteSender(item, header, found.headerHash);
    const { id, device, at: sent } = item;
    if (device !== this.#self.device) this.#claims.push({ room: this.#room, id, device, header: item.header, seen: found.seen, sent, read: Date.now() });
    return this.#entry(item, found.body, owner.card, missingBefore);
  }

  /** Seated at the heads its sender named. Heads we do not know are looked for first, and are no seat until they are here. */
  #wasSeated(card: Hex, device: Hex, heads: Heads): boolean {
    const key = Object.values(heads).join("/");
    if (!this.#atHeads.has(key)) this.#atHeads.set(key, seatsAt(this.#view, this.#room, heads));
    return (this.#atHeads.get(key) ?? this.#seats).seatedOrRevoked({ card, device });
  }

  async #noteSender(item: ContentItem, header: ContentHeader, hash: Hex): Promise<void> {
    if (item.device === this.#self.device) {
      // Our own message in the room's log is as good as its acknowledgement.
      const event = await this.#outbox.acked(item.id);
      if (event !== undefined) this.#outboxChanged = true;
      await holdReceipt(this.#self.rows, this.#room, { id: item.id, event, receipt: null });
      await this.#outbox.seenOwn(header.n, hash);
    } else if (header.epoch === this.#row?.epoch && knowsHeads(this.#view, this.#room, header.heads)) {
      this.#confirmed = true;
    }
  }

  #entry(item: ContentItem, body: ContentBody, card: Hex, missingBefore: number): Entry {
    const { seq, id, at } = item;
    const seat = this.#seats.seats.get(card);
    const party = seat?.party ?? partyOf(this.#view.standing, card);
    const author: Author = { card, device: item.device, party, capacity: seat?.capacity ?? null, own: card === this.#self.card };
    const common = { seq, id, at, author, replyTo: body.reply_to, missingBefore };
    if (body.kind === "text") return { kind: "text", text: body.text, ...common };
    this.#papers.push(jsonRow(paperPath(this.#room, id), body));
    return { kind: "paper", paper: paperView(body), ...common };
  }

  #keyMissing(item: ContentItem, header: ContentHeader): Entry {
    const row = this.#row;
    if (row === undefined || header.epoch > row.epoch) {
      this.#lookAgainFor(`epoch ${String(header.epoch)}`);
      return this.#unopened(item, "key_missing", "ask_history");
    }
    const mayRead = this.#readsFromOpening() || header.epoch >= row.joined;
    return mayRead ? this.#unopened(item, "key_missing", "ask_history") : this.#unopened(item, "before_history", "none");
  }

  #readsFromOpening(): boolean {
    const party = partyOf(this.#view.standing, this.#self.card);
    return this.#view.standing.consultation?.composition.get(party)?.history === "opening";
  }

  /** A key that somebody claimed and that is not the one: forgotten, so that the next claim can be the right one. */
  #wrongKey(item: ContentItem, epoch: number): Entry {
    if (this.#ring[String(epoch)]?.own === true) return this.#unopened(item, "wrong_key", "ask_sender");
    this.#wrongKeys.push(epoch);
    return this.#unopened(item, "wrong_key", "ask_history");
  }

  /** A signed object names a statement we have not seen: nothing is sealed before the host has served it. */
  #wantHeads(heads: Heads): void {
    this.#lookAgainFor(Object.values(heads).join("/"));
    this.#unknownHeads.push(heads);
  }

  /** Once for each thing: what is not there after looking will not be there for looking again at once. */
  #lookAgainFor(thing: string): void {
    const key = `${this.#room} ${thing}`;
    if (lookedFor.has(key)) return;
    lookedFor.add(key);
    this.#syncFirst = true;
  }

  #unopened({ seq, id, at }: ContentItem, cause: UnopenedCause, remedy: Remedy): Entry {
    return { kind: "unopened", seq, id, at, cause, remedy };
  }

  async #keep(): Promise<void> {
    const changes: Change[] = [...this.#papers, ...this.#trail.changes()];
    if (this.#wrongKeys.length > 0) {
      const wrong = new Set(this.#wrongKeys.map(String));
      this.#ring = Object.fromEntries(Object.entries(this.#ring).filter(([epoch]) => !wrong.has(epoch)));
      changes.push(ringRow(this.#room, this.#ring));
    }
    if (this.#confirmed && this.#row !== undefined && !this.#row.confirmed) changes.push(jsonRow(roomPath(this.#room), { ...this.#row, confirmed: true }));
    if (this.#unknownHeads.length > 0) {
      const wanted = [...(await readWanted(this.#self.rows, this.#room)), ...this.#unknownHeads];
      changes.push(wantedRow(this.#room, [...new Map(wanted.map((heads) => [Object.values(heads).join("/"), heads])).values()].slice(-20)));
    }
    if (changes.length > 0) await this.#self.rows.write(changes);
  }
}

export function paperPath(room: Hex, id: Hex): string {
  return `paper/${room}/${id}`;
}

function meaningOf(error: Refusal): { cause: UnopenedCause; remedy: Remedy } {
  switch (error.code) {
    case "altered":
      return { cause: "altered", remedy: "ask_sender" };
    case "bad_signature":
    case "relabelled":
    case "wrong_room":
      return { cause: "forged", remedy: "tell_chairs" };
    default:
      return { cause: "malformed", remedy: "ask_sender" };
  }
}
