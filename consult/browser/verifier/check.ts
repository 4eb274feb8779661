/** Verifies a bundle in this browser, without a network. Twins: secure/log/bundle_checks.py, meetings/evidence.py, with the same numbers. */

import { sha256 } from "@noble/hashes/sha2.js";

import { kindOf } from "../crypto/acts.ts";
import { canonical, parseCanonical } from "../crypto/canonical.ts";
import { concat, equal, fromBase64, fromUtf8, toBase64, toHex, utf8 } from "../crypto/encoding.ts";
import { Refusal } from "../crypto/refusal.ts";
import { standVerified, type Chains } from "../crypto/roster.ts";
import { parseSigned, ROOT, type Signed } from "../crypto/statements.ts";
import { readArchive } from "./archive.ts";
import { readBundle, type Bundle } from "./bundle.ts";
import { certificateOf, Entries, parseEvent, type Absence, type Certificate, type EntryLeaf, type Event, type StateLeaf } from "./entries.ts";
import type { Fault } from "./faults.ts";
import { judge, parseKey, parsePolicy, type Judged, type Key, type Policy } from "./notes.ts";
import { inStateMap, leafHash, Opened } from "./tree.ts";

const SLACK = 120_000;
const LOG_SERIES = "log";
const DISPOSE = "consultation.dispose";
/** First words of the types of statements in chains of the whole installation: what stands under them is never withheld. */
const SHARED_ACTS: ReadonlyMap<string, readonly string[]> = new Map([["chairs.root", ["chairs", "party"]], ["account.card", ["account", "device"]]]);

export type Verdict = "verified" | "tampered" | "unanchored" | "incomplete";

/** One entry as verified. */
export interface Item {
  readonly index: number;
  readonly leaf: EntryLeaf;
  readonly event: Event | null;
  /** why there is no event; null also where there should be one */
  readonly absent: Absence | null;
  readonly names: ReadonlyMap<string, string>;
  readonly hidden: number;
  readonly signer: Uint8Array | null;
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly bundle: Bundle;
  readonly faults: readonly Fault[];
  readonly missing: readonly Fault[];
  readonly doubts: readonly Fault[];
  /** sentences about what this page could not check */
  readonly unchecked: readonly string[];
  readonly items: readonly Item[];
  readonly statements: ReadonlyMap<string, Signed>;
}

/** @throws Unreadable if the file is no bundle, Error if the policy is none */
export async function verifyBundle(file: Uint8Array, policyFile: string | null): Promise<Outcome> {
  const policy = policyFile === null ? null : parsePolicy(policyFile);
  return new Check(readBundle(readArchive(file)), policy).run();
}

class Check {
  readonly #bundle: Bundle;
  readonly #policy: Policy | null;
  readonly #faults: Fault[] = [];
  readonly #missing: Fault[] = [];
  readonly #doubts: Fault[] = [];
  readonly #unchecked: string[] = [];
  readonly #statements = new Map<string, Signed>();
  readonly #chains = new Map<string, readonly Signed[]>();
  #pruned: readonly Certificate[] = [];

  constructor(bundle: Bundle, policy: Policy | null) {
    this.#bundle = bundle;
    this.#policy = policy;
  }

  async run(): Promise<Outcome> {
    for (const name of this.#bundle.altered) this.#fault(27, name, "it is not the file that the manifest names");
    await this.#readChains();
    const items = this.#inOrder() ? await this.#log() : [];
    const rank = this.#faults.length > 0 ? "tampered" : this.#missing.length > 0 ? "incomplete" : this.#doubts.length > 0 ? "unanchored" : "verified";
    return {
      verdict: rank,
      bundle: this.#bundle,
      faults: this.#faults,
      missing: this.#missing,
      doubts: this.#doubts,
      unchecked: this.#unchecked,
      items,
      statements: this.#statements,
    };
  }

  async #log(): Promise<readonly Item[]> {
    const tree = this.#tree();
    const judged = await this.#checkpoints(tree);
    const items = await this.#entries(tree, judged);
    this.#anchor(judged);
    await this.#acts(items);
    return items;
  }

  /** Check 1. */
  #inOrder(): boolean {
    const { leaves, events, size } = this.#bundle;
    const rising = (row: readonly (readonly [number, Uint8Array])[]): boolean => row.every(([index], at) => at === 0 || index > (row[at - 1]?.[0] ?? 0));
    const places = new Set(leaves.map(([index]) => index));
    const good = rising(leaves) && rising(events) && events.every(([index]) => places.has(index)) && leaves.every(([index]) => index < size);
    if (!good) this.#fault(1, "the entries", "they are not in the order of the log, or one is there twice");
    return good;
  }

  #tree(): Opened | null {
    const { leaves, sizes, size, nodes } = this.#bundle;
    try {
      return new Opened(new Map(leaves.map(([index, raw]) => [index, leafHash(raw)])), sizes, size, nodes);
    } catch {
      this.#fault(11, "the proof", "hashes are missing from it, or there are too many");
      return null;
    }
  }

  /** Check 11; without a policy by the key that the bundle itself names, which anchors nothing. */
  async #checkpoints(tree: Opened | null): Promise<readonly Judged[]> {
    const policy = this.#policy ?? this.#own();
    const good: Judged[] = [];
    for (const [size, note] of [...this.#bundle.checkpoints].sort(([one], [other]) => one - other)) {
      const where = `the checkpoint at ${size}`;
      try {
        const judged = await judge(note, policy);
        if (judged.size !== size || judged.origin !== this.#bundle.origin) this.#fault(11, where, "it is another log’s, or of another size");
        else if (!judged.signed) this.#fault(11, where, "the log’s key has not signed it");
        else if (!equal(tree?.rootAt(size) ?? new Uint8Array(), judged.root)) this.#fault(11, where, "it was signed over other entries");
        else good.push(judged);
      } catch {
        this.#fault(11, where, "it is no checkpoint, or a signature on it does not hold");
      }
    }
    if (!this.#bundle.checkpoints.has(this.#bundle.size)) this.#fault(11, `the checkpoint at ${this.#bundle.size}`, "it is missing");
    return good;
  }

  #own(): Policy {
    const root = [...this.#statements.values()].find(({ statement }) => statement.type === ROOT);
    const logs = root === undefined ? null : keyOrNone(textOf(root, "log"));
    return { number: null, text: "", logs: logs === null ? [] : [logs], witnesses: [], groups: [], quorum: "none" };
  }

  async #entries(tree: Opened | null, judged: readonly Judged[]): Promise<readonly Item[]> {
    const bundle = this.#bundle;
    const added = [...this.#statements.values()].filter(({ statement }) => statement.type === "device.add");
    const keys = added.map((signed) => fromBase64(textOf(signed, "signature_key"), 32));
    const entries = new Entries({ keys, seen: (size) => tree?.rootAt(size) ?? null, withheld: bundle.withheld, disposed: this.#disposals() });
    const raws = new Map(bundle.events);
    const leaves = new Map<number, EntryLeaf | StateLeaf>();
    const events = new Map<number, Event>();
    for (const [index, raw] of bundle.leaves) {
      const leaf = entries.leaf(index, raw);
      if (leaf === null) continue;
      leaves.set(index, leaf);
      if ("map" in leaf) {
        if (raws.has(index)) entries.fault(5, index, "an event stands where there is none");
        continue;
      }
      const event = await entries.entry(index, leaf, leafHash(raw), raws.get(index));
      if (event !== null) events.set(index, event);
    }
    entries.settle();
    this.#pruned = entries.confirmed;
    this.#faults.push(...entries.faults);
    this.#missing.push(...entries.unlinked.map((index) => ({ check: 9, where: `entry ${index}`, what: "what its device had seen cannot be compared" })));
    this.#recorded(events);
    this.#map(entries, leaves);
    this.#times(leaves, judged);
    const names = this.#names(events);
    return [...leaves].flatMap(([index, leaf]) => {
      if ("map" in leaf) return [];
      const event = events.get(index) ?? null;
      const known = names.get(index) ?? new Map<string, string>();
      return [{ index, leaf, event, absent: entries.absent.get(index) ?? null, names: known, hidden: (event?.digests.length ?? 0) - known.size, signer: entries.signers.get(index) ?? null }];
    });
  }

  /** Certificates in the bundle, beforehand: a series whose first event is gone has its place in the state map from there. */
  #disposals(): readonly Certificate[] {
    return this.#bundle.events.flatMap(([, raw]) => {
      const event = parseEvent(raw);
      return (event === null ? null : certificateOf(event)) ?? [];
    });
  }

  /** Check 26: a certificate is the host’s word; the statement it names is not. */
  #signedAway(scopes: ReadonlyMap<string, string>): void {
    for (const { ns, first, last, basis, manifest, disposal } of this.#pruned) {
      const scope = scopes.get(ns) ?? "";
      const opening = this.#chains.get(scope)?.[0];
      const consultation = opening?.statement.type === "room.open" ? textOf(opening, "consultation") : scope;
      const signed = this.#statements.get(disposal);
      const good = signed?.statement.type === DISPOSE && signed.scope === consultation && textOf(signed, "basis") === basis && textOf(signed, "manifest") === manifest;
      if (!good) this.#fault(26, `the disposal of entries ${first} to ${last}`, "both Co-Chairs have not signed it");
    }
  }

  /** Check 21: policies in the bundle are those that were recorded; the one of the kept number is the one that is kept. */
  #recorded(events: ReadonlyMap<number, Event>): void {
    const recorded = new Map([...events.values()].filter(({ type }) => type === "log.policy").map(({ data }) => [data["number"], data["sha256"]]));
    for (const [number, raw] of this.#bundle.policies) {
      if (recorded.get(number) !== toHex(sha256(raw))) this.#fault(21, `policy ${number}`, "it is not the one that was recorded");
      if (number === this.#policy?.number && !fromUtf8(raw).startsWith(`${this.#policy.text}\n`)) this.#fault(21, `policy ${number}`, "it is not the one you keep");
      if (this.#policy?.number != null && number > this.#policy.number) {
        this.#unchecked.push(`Policy ${number} is newer than yours. This page does not follow it; consult-verify.pyz does.`);
      }
    }
  }

  /** Check 10. */
  #map(entries: Entries, leaves: ReadonlyMap<number, EntryLeaf | StateLeaf>): void {
    const last = leaves.get(this.#bundle.size - 1);
    if (last === undefined || !("map" in last)) {
      this.#fault(10, "the state map", "the tree does not end in it");
      return;
    }
    for (const series of this.#bundle.series) {
      const where = `the series of ${series.scope.slice(0, 16)}`;
      const found = entries.series.get(series.ns);
      if (!inStateMap(series, last.map)) this.#fault(10, where, "it is not in the state map as it stands here");
      if (found?.count !== series.count || !equal(found.head, series.head) || found.slot !== series.slot) {
        this.#fault(10, where, "entries are missing at its end, or there are too many");
      }
    }
    const proven = new Set(this.#bundle.series.map(({ ns }) => ns));
    for (const ns of entries.series.keys()) if (!proven.has(ns)) this.#fault(10, `the series ${ns}`, "it is not proven to be whole");
  }

  /** Check 23. */
  #times(leaves: ReadonlyMap<number, EntryLeaf | StateLeaf>, judged: readonly Judged[]): void {
    for (const { size, first, last } of judged) {
      if (first === null || last === null) continue;
      const rows = [...leaves];
      const where = `the checkpoint at ${size}`;
      if (rows.some(([index, { t }]) => index < size && t > first + SLACK)) this.#fault(23, where, "an entry under it bears a time after its witnesses had signed");
      if (rows.some(([index, { t }]) => index >= size && t < last - SLACK)) this.#fault(23, where, "an entry after it bears a time before its witnesses had signed");
    }
  }

  /** Check 17. */
  #names(events: ReadonlyMap<number, Event>): ReadonlyMap<number, Map<string, string>> {
    const names = new Map<number, Map<string, string>>();
    for (const { index, name, value, salt } of this.#bundle.disclosed) {
      const digest = toBase64(sha256(concat(utf8("consult/sd/v1\n"), canonical([salt, name, value]))));
      if (events.get(index)?.digests.includes(digest) !== true) {
        this.#fault(17, `entry ${index}`, `a name (${name}) is not the one that was recorded`);
        continue;
      }
      const known = names.get(index) ?? new Map<string, string>();
      if (known.has(name) && known.get(name) === value) this.#fault(17, `entry ${index}`, `a name (${name}) is there twice`);
      names.set(index, known.set(name, value));
    }
    return names;
  }

  /** Check 20: where the log names its own key, it is the one that both Co-Chairs named, or one of the policy’s. */
  #begins(items: readonly Item[]): void {
    const root = [...this.#statements.values()].find(({ statement }) => statement.type === ROOT);
    const logs = new Set([textOf(root, "log"), ...(this.#policy?.logs ?? []).map(({ name, id, type, publicKey }) => `${name}+${id}+${toBase64(concat(Uint8Array.of(type), publicKey))}`)]);
    for (const { event } of items) {
      const named = event?.type === "log.genesis" ? event.data["log"] : null;
      if (named !== null && !(typeof named === "string" && logs.has(named))) this.#fault(20, "the first entry", "it names another log’s key");
    }
  }

  /** Check 22, and what this page could not check. */
  #anchor(judged: readonly Judged[]): void {
    const newest = judged.find(({ size }) => size === this.#bundle.size);
    const where = `the checkpoint at ${this.#bundle.size}`;
    const unchecked = [...new Set(newest?.unchecked ?? [])];
    if (unchecked.length > 0) {
      this.#unchecked.push(`Signatures by ML-DSA-44 cannot be checked in a browser; those of ${unchecked.join(", ")} were not. consult-verify.pyz checks them.`);
    }
    if (this.#policy === null) this.#doubt(22, where, "no list of witnesses was given: whose record this is, it only says itself");
    else if (this.#policy.quorum === "none") this.#doubt(22, where, "the list asks for no witnesses: this is the host’s word alone");
    else if (newest === undefined || newest.first === null) this.#doubt(22, where, "fewer witnesses than the list asks for have signed it in a way this page can check");
  }

  /** Check 14. */
  async #readChains(): Promise<void> {
    for (const [scope, lines] of this.#bundle.chains) {
      const chain: Signed[] = [];
      for (const line of lines) {
        const signed = await parsed(line);
        const before = chain.at(-1)?.hash ?? null;
        if (signed?.scope !== scope || signed.statement.n !== chain.length || signed.statement.prev !== before) {
          this.#fault(14, `statement ${chain.length} of ${scope.slice(0, 16)}`, "it is not the statement that belongs there");
          break;
        }
        chain.push(signed);
        this.#statements.set(signed.hash, signed);
      }
      this.#chains.set(scope, chain);
    }
  }

  /** Checks 15, 16, 19, 24, 25. */
  async #acts(items: readonly Item[]): Promise<void> {
    const scopes = new Map(this.#bundle.series.map(({ ns, scope }) => [ns, scope]));
    this.#signedAway(scopes);
    this.#eachHasItsEntry(items, scopes);
    this.#onlySharedIsWithheld(items, scopes);
    this.#namesThisLog();
    this.#begins(items);
    if (!this.#isWhole()) return;
    try {
      await standVerified(this.#gathered());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const check = ["bad_signature", "weak_key", "unknown_card"].includes(error.code) ? 15 : 19;
      this.#fault(check, "the signed statements", check === 15 ? "a signature on one of them does not hold" : `the rules do not allow one of them (${error.code})`);
    }
  }

  #eachHasItsEntry(items: readonly Item[], scopes: ReadonlyMap<string, string>): void {
    const next = new Map<string, number>();
    const gone = new Set(this.#pruned.map(({ ns }) => ns));
    for (const { index, event } of items) {
      if (event?.statement == null) continue;
      const signed = this.#statements.get(event.statement);
      const place = next.get(event.ns) ?? (gone.has(event.ns) ? signed?.statement.n : 0) ?? 0;
      if (signed?.statement.type !== event.type || signed.scope !== scopes.get(event.ns) || signed.statement.n !== place) {
        this.#fault(16, `entry ${index}`, "its statement is missing, or is not the one in this place");
      }
      next.set(event.ns, place + 1);
    }
    const recorded = new Set(items.map(({ event }) => event?.statement));
    const disposed = new Set([...gone].map((ns) => scopes.get(ns)));
    for (const [hash, { scope, statement }] of this.#statements) {
      if (disposed.has(scope) && statement.type !== DISPOSE) continue;
      if (!recorded.has(hash)) this.#fault(16, `statement ${hash.slice(0, 16)}`, "it was accepted without an entry");
    }
  }

  #onlySharedIsWithheld(items: readonly Item[], scopes: ReadonlyMap<string, string>): void {
    for (const { index, leaf, event } of items) {
      if (event !== null || !this.#bundle.withheld.has(index)) continue;
      const founding = this.#chains.get(scopes.get(leaf.ns) ?? "")?.[0]?.statement.type ?? "";
      const acts = SHARED_ACTS.get(founding);
      if (acts === undefined || acts.includes(leaf.ty)) this.#fault(24, `entry ${index}`, "it is withheld, and may not be");
    }
  }

  #namesThisLog(): void {
    const root = [...this.#statements.values()].find(({ statement }) => statement.type === ROOT);
    if (root === undefined || this.#policy === null) return;
    const named = textOf(root, "log");
    const logs = this.#policy.logs.map(({ name, id }) => `${name}+${id}`);
    const rotated = (this.#policy.number ?? 1) > 1 && this.#policy.logs.some(({ name }) => name === named.split("+")[0]);
    if (!rotated && !logs.some((log) => named.startsWith(`${log}+`))) this.#fault(15, `statement ${root.hash.slice(0, 16)} (${ROOT})`, "the Co-Chairs named another log’s key");
  }

  #isWhole(): boolean {
    const gathered = this.#gathered();
    const scopes = new Set(this.#bundle.series.map(({ scope }) => scope));
    const cards = new Set([...this.#statements.values()].flatMap((signed) => [...signed.signatures.map(({ card }) => card), ...cardsIn(signed)]));
    const gone = [
      ...[...scopes].filter((scope) => scope !== LOG_SERIES && !this.#chains.has(scope)).map((scope) => `the chain ${scope.slice(0, 16)}`),
      ...[...this.#chains.keys()].filter((scope) => !scopes.has(scope)).map((scope) => `the series of ${scope.slice(0, 16)}`),
      ...[...cards].filter((card) => !gathered.accounts.has(card)).map((card) => `the card ${card.slice(0, 16)}`),
      ...(gathered.consultation.length === 0 ? ["the consultation"] : []),
      ...(gathered.installation.length === 0 ? ["the installation"] : []),
    ];
    this.#missing.push(...gone.map((where) => ({ check: 25, where, what: "it is not in the bundle" })));
    return gone.length === 0;
  }

  #gathered(): Chains {
    const founded = (type: string): [string, readonly Signed[]][] => [...this.#chains].filter(([, chain]) => chain[0]?.statement.type === type);
    return {
      installation: founded(ROOT)[0]?.[1] ?? [],
      accounts: new Map(founded("account.card")),
      consultation: this.#chains.get(this.#bundle.consultation) ?? [],
      rooms: new Map(founded("room.open")),
    };
  }

  #fault(check: number, where: string, what: string): void {
    this.#faults.push({ check, where, what });
  }

  #doubt(check: number, where: string, what: string): void {
    this.#doubts.push({ check, where, what });
  }
}

/** A member of a statement's body that is text; empty, and so good for nothing, if it is none. */
export function textOf(signed: Signed | undefined, member: string): string {
  const value = signed?.statement.body[member];
  return typeof value === "string" ? value : "";
}

function keyOrNone(vkey: string): Key | null {
  try {
    return parseKey(vkey);
  } catch {
    return null;
  }
}

async function parsed(line: Uint8Array): Promise<Signed | null> {
  try {
    const signed = await parseSigned(parseCanonical(line));
    kindOf(signed.statement);
    return signed;
  } catch {
    return null;
  }
}

function cardsIn({ statement }: Signed): readonly string[] {
  const { card, chairs } = statement.body;
  const rows = Array.isArray(chairs) ? (chairs as readonly { readonly card?: unknown }[]) : [];
  return [card, ...rows.map((row) => row.card)].filter((each): each is string => typeof each === "string");
}
