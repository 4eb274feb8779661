import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Receipt } from "../bridge.ts";
import { allAlarms, evidenceFile } from "../crypto/alarms.ts";
import { canonical, type JsonObject } from "../crypto/canonical.ts";
import { sign } from "../crypto/ed25519.ts";
import { concat, randomBytes, sha256, toBase64, utf8, type Bytes } from "../crypto/encoding.ts";
import { receiptsKey } from "../crypto/genesis.ts";
import { newDeviceKey } from "../crypto/newkeys.ts";
import { followNewest, lastSeen, type RecordKeeper } from "../crypto/pin.ts";
import { holdReceipt, settleReceipts } from "../crypto/receipts.ts";
import { ORIGIN, TestLog, vkeyOf } from "./log.ts";
import { LogHost } from "./loghost.ts";

const ROOM = "ab".repeat(32);
const SECOND = 1000;
const DAY = 86_400 * SECOND;

const key = await newDeviceKey();
let log: TestLog;
let genesis: Bytes;
let host: LogHost;
let keeper: RecordKeeper;

beforeEach(async () => {
  ({ log, event: genesis } = await TestLog.begun(key));
  host = await LogHost.serving(log.grow(3));
  host.instead.set("/log/genesis", () => begins(log, genesis));
  keeper = await host.keeper();
});

afterEach(() => {
  host.close();
});

async function begins(served: TestLog, event: Bytes): Promise<JsonObject> {
  return { ...(await served.proof(toBase64(await sha256(event)))), event: toBase64(event) };
}

async function receiptOf(event: Bytes, by = key, said: JsonObject = {}): Promise<Receipt> {
  const t = 1_800_000_000_000;
  const message = canonical({ event: toBase64(await sha256(event)), mmd: 10_000, origin: ORIGIN, t, ...said });
  return { t, sig: toBase64(await sign(by.privateKey, concat(utf8("consult/receipt/v1\n"), message))) };
}

async function sent(receipt?: Receipt | null): Promise<{ id: string; event: Bytes }> {
  const event = randomBytes(40);
  const id = toBase64(randomBytes(16));
  const given = receipt === undefined ? await receiptOf(event) : receipt;
  await holdReceipt(keeper.self.rows, ROOM, { id, event: toBase64(await sha256(event)), receipt: given });
  return { id, event };
}

/** One look at the record, some time after everything was sent. */
async function look(later: number): Promise<void> {
  await followNewest(keeper);
  await settleReceipts(keeper, ROOM, Date.now() + later);
}

const asked = (): number => host.asked.filter((path) => path.includes("/proof?")).length;

async function kinds(): Promise<readonly string[]> {
  return (await allAlarms(keeper.self.rows)).map(({ kind }) => kind);
}

describe("the record's first entry", () => {
  test("names the key of receipts, and is asked for once", async () => {
    for (const time of [1, 2]) expect(await receiptsKey(keeper), String(time)).toBe(await vkeyOf(key, `${ORIGIN}/receipts`));
    expect(host.asked.filter((path) => path === "/log/genesis")).toHaveLength(1);
    expect(await kinds()).toEqual([]);
  });

  test("that is not there names nothing, and is no alarm", async () => {
    host.instead.set("/log/genesis", () => undefined);
    expect(await receiptsKey(keeper)).toBeUndefined();
    expect(await kinds()).toEqual([]);
  });

  test("of another place, another event or another record is an alarm", async () => {
    const second = await TestLog.begun(key);
    const foreign = canonical({ v: 1, type: "log.genesis", src: "host", data: { origin: ORIGIN, log: second.log.vkey, receipts: "" } });
    const wrong: [TestLog, Bytes, Bytes][] = [[log, genesis, foreign]];
    for (const changes of [{ type: "log.policy" }, { src: "client" }, { data: { origin: "elsewhere" } }]) {
      const event = canonical({ v: 1, type: "log.genesis", src: "host", data: {}, ...changes });
      wrong.push([await (await TestLog.grown(0)).enter(event), event, event]);
    }
    const late = await (await TestLog.grown(2)).enter(genesis);
    wrong.push([late, genesis, genesis]);
    for (const [served, placed, told] of wrong) {
      host.log = served;
      keeper = await host.keeper();
      host.instead.set("/log/genesis", async () => ({ ...(await served.proof(toBase64(await sha256(placed)))), event: toBase64(told) }));
      expect(await receiptsKey(keeper)).toBeUndefined();
      expect(await kinds()).toEqual(["record"]);
    }
  });

  test("under a note that is not the record's is an alarm", async () => {
    const note = await (await TestLog.grown(4)).note();
    host.instead.set("/log/genesis", async () => ({ ...(await begins(log, genesis)), note }));
    expect(await receiptsKey(keeper)).toBeUndefined();
    expect(new Set(await kinds())).toEqual(new Set(["record"]));
  });
});

describe("a receipt", () => {
  test("is kept until the message is proven to stand in the record", async () => {
    const { event } = await sent();
    await look(9 * SECOND);
    expect(asked(), "not before the promised time is over").toBe(0);
    await log.enter(event);
    log.grow(1);
    await look(11 * SECOND);
    await look(31 * SECOND);
    expect(asked(), "proven once, never asked again").toBe(1);
    expect(await kinds()).toEqual([]);
  });

  test("follows the record as far as the proof it is shown goes", async () => {
    const { event } = await sent();
    await followNewest(keeper);
    await log.enter(event);
    await settleReceipts(keeper, ROOM, Date.now() + 11 * SECOND);
    expect(await lastSeen(keeper.self.rows)).toEqual(await log.seen());
  });

  test("may come after the message itself has come back", async () => {
    const { id, event } = await sent(null);
    await holdReceipt(keeper.self.rows, ROOM, { id, event: undefined, receipt: await receiptOf(event) });
    await log.enter(event);
    await look(11 * SECOND);
    expect(asked()).toBe(1);
  });

  test("of a message that is left out while the record goes on is evidence, as it stands, against the host", async () => {
    const { id, event } = await sent();
    await look(11 * SECOND);
    await look(31 * SECOND);
    expect(await kinds(), "the record stands still: nothing is due yet").toEqual([]);
    const denied = await log.note();
    log.grow(2);
    await look(51 * SECOND);
    const [alarm] = await allAlarms(keeper.self.rows);
    expect([alarm?.kind, alarm?.room]).toEqual(["left_out", ROOM]);
    const whole = JSON.parse((await evidenceFile(keeper.self.rows, alarm?.id ?? "")).text) as JsonObject;
    expect(whole["evidence"]).toEqual({ message: id, event: toBase64(await sha256(event)) });
    expect(whole["kept"]).toMatchObject({
      log: log.vkey,
      receipts: await vkeyOf(key, `${ORIGIN}/receipts`),
      receipt: await receiptOf(event),
      denied: { note: denied },
      newest: { note: await log.note() },
    });
    await look(71 * SECOND);
    expect(asked(), "an alarm is raised once").toBe(3);
  });

  test("of a message that is not there after a day is evidence, though the record stands still", async () => {
    await sent();
    await look(11 * SECOND);
    await look(DAY - SECOND);
    expect(await kinds()).toEqual([]);
    await look(DAY + 60 * SECOND);
    expect(await kinds()).toEqual(["left_out"]);
  });

  test("with another entry in the place of ours is evidence too", async () => {
    await sent();
    const other = randomBytes(30);
    await log.enter(other);
    host.instead.set("/api/rooms/", async () => log.proof(toBase64(await sha256(other))));
    await look(11 * SECOND);
    expect(await kinds()).toEqual(["left_out"]);
  });

  test("that its key has not signed for this message is an alarm", async () => {
    const event = randomBytes(40);
    const good = await receiptOf(event);
    const wrong = [await receiptOf(event, await newDeviceKey()), await receiptOf(event, key, { mmd: 1 }), await receiptOf(randomBytes(9)), { ...good, t: 1.5 }, { ...good, sig: "" }];
    for (const receipt of wrong) {
      keeper = await host.keeper();
      await holdReceipt(keeper.self.rows, ROOM, { id: "1", event: toBase64(await sha256(event)), receipt });
      await look(11 * SECOND);
      expect(await kinds()).toEqual(["record"]);
    }
  });

  test("waits for a host that is out of reach", async () => {
    const { event } = await sent();
    await log.enter(event);
    host.instead.set("/api/rooms/", () => 503);
    await expect(look(11 * SECOND)).rejects.toMatchObject({ code: "offline" });
    host.instead.delete("/api/rooms/");
    await look(31 * SECOND);
    expect(asked()).toBe(2);
    expect(await kinds()).toEqual([]);
  });

  test("is needed: without the host's word nothing is asked, and nothing is kept for long", async () => {
    const { id, event } = await sent(null);
    await look(11 * SECOND);
    await sent();
    await look(61 * SECOND);
    await holdReceipt(keeper.self.rows, ROOM, { id, event: undefined, receipt: await receiptOf(event) });
    await look(81 * SECOND);
    expect(new Set(host.asked.filter((path) => path.includes("/proof?"))).size).toBe(1);
  });

  test("is one of the last hundred of its room", async () => {
    for (let more = 0; more < 130; more += 1) await sent();
    for (let time = 0; time < 14; time += 1) {
      host.instead.set("/api/rooms/", () => undefined);
      await look(11 * SECOND);
    }
    expect(new Set(host.asked.filter((path) => path.includes("/proof?"))).size).toBe(100);
  });
});
