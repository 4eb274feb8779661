/**
 * The pin: the newest head of the record that this browser has accepted. The first one is taken on its signature; every later one
 * only with a proof that its tree begins with the pinned tree, so whoever was here once cannot be shown another past.
 */

import type { Context, Self } from "./context.ts";
import { fromBase64 } from "./encoding.ts";
import type { Seen } from "./events.ts";
import { ServerRefusal } from "./failure.ts";
import { jsonRow, readJson, type Rows } from "./keystore.ts";
import { EMPTY_ROOT, hashesFrom, verifyConsistency } from "./merkle.ts";
import { list, members, text } from "./reading.ts";
import { readCheckpoint, readPolicyNumber, type Head } from "./record.ts";
import { evidenceOf, recordDoubted, stopForFork, type Served } from "./recordalarms.ts";
import { Refusal } from "./refusal.ts";

const PATH = "pin";
const NOTHING: Seen = [0, EMPTY_ROOT];
/** A policy changes a few times in a record's life. */
const ASK_POLICY_MS = 600_000;

export interface Pin extends Head {
  /** the highest policy number seen; 0 before there is any */
  readonly policy: number;
  /** by this browser's clock: when the head was pinned, and when the policy was last asked for */
  readonly at: number;
  readonly policyAt: number;
}

/** What the record's checks work with. `key`: the verifier key that `chairs.root` names. */
export interface RecordKeeper {
  readonly context: Context;
  readonly self: Self;
  readonly key: string;
}

export function readPin(rows: Rows): Promise<Pin | undefined> {
  return readJson<Pin>(rows, PATH);
}

/** What this device has seen of the record: what its events and its messages say. */
export async function lastSeen(rows: Rows): Promise<Seen> {
  const pin = await readPin(rows);
  return pin === undefined ? NOTHING : [pin.size, pin.root];
}

/**
 * Asks for the newest checkpoint and follows it. Unchanged, it costs one request.
 * @returns the pin; undefined before there is any checkpoint
 * @throws Failure `room_frozen` after a fork, with an alarm; Refusal if what was served is no checkpoint, with an alarm
 */
export async function followNewest(keeper: RecordKeeper): Promise<Pin | undefined> {
  const note = await served(keeper, "/log/checkpoint");
  if (note === undefined) return nothingServed(keeper);
  return followPolicy(keeper, await accept(keeper, await readHead(keeper, note)));
}

/** That a head served beside something else is of the pinned history: a newer one is followed, an older one must lead to the pin. */
export async function belongs(keeper: RecordKeeper, head: Head): Promise<void> {
  const pin = await readPin(keeper.self.rows);
  if (pin === undefined || head.size >= pin.size) await accept(keeper, head);
  else await prove(keeper, pin, { older: head, newer: pin, served: { head } });
}

/** @throws Refusal `malformed`, `bad_signature`, with an alarm */
export async function readHead(keeper: RecordKeeper, note: string): Promise<Head> {
  return doubted(keeper, note, () => readCheckpoint(note, keeper.key));
}

interface Proving {
  readonly older: Pick<Head, "size" | "root">;
  readonly newer: Pick<Head, "size" | "root">;
  readonly served: Served;
}

/** Fetches the proof that one tree continues the other and checks it. @throws Failure `room_frozen`; Failure `offline`; Refusal `bad_proof` if there was no answer */
export async function prove(keeper: RecordKeeper, pin: Pin, { older, newer, served: what }: Proving): Promise<void> {
  let answer: unknown = { hashes: [] };
  try {
    if (older.size !== newer.size) answer = await keeper.context.server.get(`/log/consistency/${String(older.size)}/${String(newer.size)}`);
  } catch (error) {
    if (!(error instanceof ServerRefusal) || error.status === 401 || error.status === 429) throw error;
    await recordDoubted(keeper, { reason: "no_proof", from: older.size }, { to: newer.size, code: error.code, ...evidenceOf(what) });
    throw new Refusal("bad_proof", "the host does not prove it", { cause: error });
  }
  try {
    const hashes = hashesFrom(list(members(answer)["hashes"], text));
    await verifyConsistency(treeOf(older), treeOf(newer), hashes);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const reason = older.size === newer.size ? "two_roots" : "bad_proof";
    throw await stopForFork(keeper, { reason, pin, served: { ...what, proof: { from: older.size, to: newer.size, answer } } });
  }
}

async function accept(keeper: RecordKeeper, head: Head): Promise<Pin> {
  const { rows } = keeper.self;
  const pin = await readPin(rows);
  if (pin !== undefined) {
    if (head.size === pin.size && head.root === pin.root) return pin;
    if (head.size < pin.size) throw await stopForFork(keeper, { reason: "shrunk", pin, served: { head } });
    await prove(keeper, pin, { older: pin, newer: head, served: { head } });
  }
  const { policy = 0, policyAt = 0 } = pin ?? {};
  const next: Pin = { ...head, policy, policyAt, at: Date.now() };
  await rows.write([jsonRow(PATH, next)]);
  return next;
}

/** Before the first checkpoint that is as it should be. */
async function nothingServed(keeper: RecordKeeper): Promise<Pin | undefined> {
  const pin = await readPin(keeper.self.rows);
  if (pin !== undefined) await recordDoubted(keeper, { reason: "gone" }, { pinned: { note: pin.note, at: pin.at } });
  return pin;
}

/** A lower number than before is somebody's attempt to bring back weaker rules. */
async function followPolicy(keeper: RecordKeeper, pin: Pin): Promise<Pin> {
  const now = Date.now();
  if (now - pin.policyAt < ASK_POLICY_MS) return pin;
  const note = await served(keeper, "/log/policy");
  const policy = note === undefined ? 0 : await doubted(keeper, note, () => readPolicyNumber(note, keeper.key));
  if (policy < pin.policy) await recordDoubted(keeper, { reason: "policy_back", pinned: pin.policy, served: policy }, { note: note ?? null });
  const next: Pin = { ...pin, policy: Math.max(policy, pin.policy), policyAt: now };
  await keeper.self.rows.write([jsonRow(PATH, next)]);
  return next;
}

async function doubted<T>(keeper: RecordKeeper, note: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Refusal) await recordDoubted(keeper, { reason: error.code }, { note });
    throw error;
  }
}

/** @returns undefined where there is none yet */
async function served({ context }: RecordKeeper, path: string): Promise<string | undefined> {
  try {
    return await context.server.getText(path);
  } catch (error) {
    if (error instanceof ServerRefusal && error.status === 404) return undefined;
    throw error;
  }
}

function treeOf({ size, root }: Pick<Head, "size" | "root">): { size: number; root: Uint8Array } {
  return { size, root: fromBase64(root, 32) };
}
