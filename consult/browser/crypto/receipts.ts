/**
 * Receipts: the host's signed word, given with the acknowledgement, that it keeps a message's event and will have it in the record
 * within ten seconds. Kept until the event is proven to stand there. One that is not kept is evidence against the host.
 */

import type { Hex, Receipt } from "../bridge.ts";
import { canonical, type Json } from "./canonical.ts";
import { verify } from "./ed25519.ts";
import { concat, fromBase64, toHex, utf8 } from "./encoding.ts";
import { readProven } from "./entries.ts";
import { ServerRefusal } from "./failure.ts";
import { receiptsKey } from "./genesis.ts";
import { jsonRow, readJson, type Rows } from "./keystore.ts";
import { readPin, type RecordKeeper } from "./pin.ts";
import { parseVerifier } from "./record.ts";
import { recordDoubted } from "./recordalarms.ts";
import { Refusal } from "./refusal.ts";

/** ms: the promise; how long an acknowledgement may follow after the message itself; how long we go on asking. */
const MMD = 10_000;
const ACK_MS = 60_000;
const DAY = 86_400_000;
const MOST = 100;
const AT_ONCE = 10;

/** A message of ours that the host has numbered. */
export interface Held {
  readonly id: Hex;
  /** SHA-256 of the event's bytes, base64 */
  readonly event: string;
  /** our clock */
  readonly at: number;
  readonly receipt: Receipt | null;
  /** the first time the host said it was not there: the checkpoint that was newest then */
  readonly denied: { readonly at: number; readonly size: number; readonly note: string } | null;
}

const pathOf = (room: Hex): string => `receipts/${room}`;

async function heldIn(rows: Rows, room: Hex): Promise<readonly Held[]> {
  return (await readJson<readonly Held[]>(rows, pathOf(room))) ?? [];
}

function keep(rows: Rows, room: Hex, held: readonly Held[]): Promise<void> {
  return rows.write([jsonRow(pathOf(room), held.slice(-MOST))]);
}

/** The message came back in the room's log, or was acknowledged: `event` of what left the outbox, undefined if it had left before. */
export async function holdReceipt(rows: Rows, room: Hex, news: { id: Hex; event: string | undefined; receipt: Receipt | null }): Promise<void> {
  const { id, event, receipt } = news;
  const held = await heldIn(rows, room);
  if (event !== undefined) await keep(rows, room, [...held, { id, event, at: Date.now(), receipt, denied: null }]);
  else if (receipt !== null) await keep(rows, room, held.map((each) => (each.id === id ? { ...each, receipt } : each)));
}

/** After `followNewest`: asks for what is due. @throws Failure `room_frozen`, `offline` */
export async function settleReceipts(keeper: RecordKeeper, room: Hex, now = Date.now()): Promise<void> {
  const { rows } = keeper.self;
  const held = (await heldIn(rows, room)).filter(({ receipt, at }) => receipt !== null || now - at < ACK_MS);
  const waiting = held.filter(({ receipt, at }) => receipt !== null && now - at >= MMD);
  // Those never asked for come first, so that none waits behind others which the host denies.
  const due = new Set([...waiting.filter(({ denied }) => denied === null), ...waiting.filter(({ denied }) => denied !== null)].slice(0, AT_ONCE));
  if (due.size === 0) return;
  const key = await receiptsKey(keeper);
  const open: Held[] = [];
  for (const each of held) {
    const after = due.has(each) ? await settle({ keeper, room, key, now }, each) : each;
    if (after !== null) open.push(after);
  }
  await keep(rows, room, open);
}

interface Asking {
  readonly keeper: RecordKeeper;
  readonly room: Hex;
  readonly key: string | undefined;
  readonly now: number;
}

/** @returns what is still open; null once it is settled, either way */
async function settle(asking: Asking, held: Held): Promise<Held | null> {
  const { keeper, room, key } = asking;
  if (key !== undefined && !(await isReceipt(held, key))) {
    await recordDoubted(keeper, { reason: "receipt" }, { receipts: key, event: held.event, receipt: asJson(held.receipt) });
    return null;
  }
  let answer: unknown;
  try {
    answer = await keeper.context.server.get(`/api/rooms/${room}/proof?event=${toHex(fromBase64(held.event))}`);
  } catch (error) {
    if (!(error instanceof ServerRefusal) || error.status !== 404) throw error;
    return deniedAgain(asking, held);
  }
  if (!(await proves(keeper, held, answer))) await leftOut(asking, held, answer);
  return null;
}

/** A head signed after the first denial covers everything that was promised for a time before it; and no promise is a day long. */
async function deniedAgain(asking: Asking, held: Held): Promise<Held | null> {
  const { keeper, now } = asking;
  const { denied } = held;
  const { size = 0, note = "" } = (await readPin(keeper.self.rows)) ?? {};
  if (denied === null) return { ...held, denied: { at: now, size, note } };
  if (now - held.at <= DAY && (size <= denied.size || now - denied.at < MMD)) return held;
  await leftOut(asking, held, null);
  return null;
}

async function proves(keeper: RecordKeeper, held: Held, answer: unknown): Promise<boolean> {
  try {
    return (await readProven(keeper, answer)).evh === held.event;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

async function leftOut({ keeper, room, key, now }: Asking, held: Held, answer: unknown): Promise<void> {
  const { context, self } = keeper;
  const { id, event, at, receipt, denied } = held;
  const file = {
    log: keeper.key,
    receipts: key ?? null,
    receipt: asJson(receipt),
    event,
    at,
    denied: denied === null ? null : { at: denied.at, note: denied.note },
    newest: { at: now, note: (await readPin(self.rows))?.note ?? null },
    answer: (answer ?? null) as Json,
  };
  await context.alarm(self.rows, { kind: "left_out", room, evidence: { message: id, event }, file });
}

/** Signed over `consult/receipt/v1` and event, promise, origin and time. */
async function isReceipt({ event, receipt }: Held, key: string): Promise<boolean> {
  if (receipt === null) return false;
  try {
    const { name, publicKey } = await parseVerifier(key);
    const said = canonical({ event, mmd: MMD, origin: name.slice(0, -"/receipts".length), t: receipt.t });
    return await verify({ publicKey, message: concat(utf8("consult/receipt/v1\n"), said), signature: fromBase64(receipt.sig, 64) });
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

function asJson(receipt: Receipt | null): { t: number; sig: string } | null {
  return receipt === null ? null : { t: receipt.t, sig: receipt.sig };
}
