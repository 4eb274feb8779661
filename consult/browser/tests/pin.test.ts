import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Alarm } from "../bridge.ts";
import { allAlarms, evidenceFile } from "../crypto/alarms.ts";
import { noteClaims, settleClaims, type Claim } from "../crypto/claims.ts";
import type { Seen } from "../crypto/events.ts";
import { hasCode } from "../crypto/failure.ts";
import { jsonRow } from "../crypto/keystore.ts";
import { newDeviceKey } from "../crypto/newkeys.ts";
import { belongs, followNewest, lastSeen, readHead, readPin, type RecordKeeper } from "../crypto/pin.ts";
import { readFrozen } from "../crypto/roomrow.ts";
import { noteBy, ORIGIN, TestLog } from "./log.ts";
import { LogHost } from "./loghost.ts";
import { refused } from "./refusals.ts";

const ROOM = "ab".repeat(32);
const PEER = "e".repeat(64);

let log: TestLog;
let host: LogHost;
let keeper: RecordKeeper;

beforeEach(async () => {
  log = await TestLog.grown(6);
  host = await LogHost.serving(log);
  keeper = await host.keeper();
});

afterEach(() => {
  host.close();
});

async function alarms(): Promise<readonly Alarm[]> {
  return allAlarms(keeper.self.rows);
}

/** Sending has stopped in every room, once, for this reason; the evidence holds what was pinned and what was served. */
async function forked(reason: string, attempt: () => Promise<unknown>): Promise<Record<string, unknown>> {
  await expect(attempt()).rejects.toMatchObject({ code: "room_frozen" });
  const [alarm, ...more] = await alarms();
  expect([alarm?.kind, more.length]).toEqual(["record_forked", 0]);
  expect(JSON.parse(alarm?.evidence ?? "")).toMatchObject({ reason });
  expect((await readFrozen(keeper.self.rows, ROOM))?.id).toBe(alarm?.id);
  expect((await readFrozen(keeper.self.rows, "cd".repeat(32)))?.id).toBe(alarm?.id);
  const { kept } = JSON.parse((await evidenceFile(keeper.self.rows, alarm?.id ?? "")).text) as { kept: Record<string, unknown> };
  expect(kept).toMatchObject({ log: log.vkey, pinned: { note: (await readPin(keeper.self.rows))?.note } });
  return kept;
}

async function doubted(reason: string): Promise<void> {
  expect((await alarms()).map(({ kind, evidence }) => [kind, (JSON.parse(evidence) as { reason: string }).reason])).toEqual([["record", reason]]);
  expect(await readFrozen(keeper.self.rows, ROOM)).toBeUndefined();
}

function claim(seen: Seen, changes: Partial<Claim> = {}): Claim {
  return { room: ROOM, id: "12".repeat(16), device: PEER, header: "e30=", seen, sent: 1, read: 2, ...changes };
}

describe("the pin", () => {
  test("is taken on the signature of the key both Co-Chairs fixed", async () => {
    expect((await lastSeen(keeper.self.rows))[0]).toBe(0);
    await followNewest(keeper);
    expect(await readPin(keeper.self.rows)).toMatchObject({ origin: ORIGIN, size: 6, root: await log.root(), policy: 0 });
    expect(await lastSeen(keeper.self.rows)).toEqual(await log.seen());
  });

  test("is not taken from anybody else's signature, and that is an alarm", async () => {
    host.instead.set("/log/checkpoint", () => "nothing signed\n");
    await refused("malformed", () => followNewest(keeper));
    const note = await noteBy(await newDeviceKey(), `${ORIGIN}\n6\n${await log.root()}\n`);
    host.instead.set("/log/checkpoint", () => note);
    await refused("bad_signature", () => followNewest(keeper));
    expect((await alarms()).map(({ kind }) => kind)).toEqual(["record", "record"]);
    expect(await readPin(keeper.self.rows)).toBeUndefined();
  });

  test("before the first checkpoint there is none, and nothing to alarm about", async () => {
    host.instead.set("/log/checkpoint", () => undefined);
    expect(await followNewest(keeper)).toBeUndefined();
    expect(await alarms()).toEqual([]);
  });

  test("moves to every later head by its proof", async () => {
    for (const more of [0, 1, 2, 7, 30]) {
      log.grow(more);
      await followNewest(keeper);
      expect(await lastSeen(keeper.self.rows)).toEqual(await log.seen());
    }
    expect(await alarms()).toEqual([]);
  });

  test("costs one request while the head stands", async () => {
    await followNewest(keeper);
    host.asked.length = 0;
    await followNewest(keeper);
    expect(host.asked).toEqual(["/log/checkpoint"]);
  });

  test("does not move to another history, whatever the proof, and the evidence is kept as it was served", async () => {
    await followNewest(keeper);
    const other = log.forked(3, 9);
    host.log = other;
    const kept = await forked("bad_proof", () => followNewest(keeper));
    expect(kept).toMatchObject({ served: await other.note(), proof: { from: 6, to: 12, answer: { hashes: await other.consistency(6, 12) } }, peer: null });
    expect(await lastSeen(keeper.self.rows)).toEqual(await log.seen());
  });

  test("does not move on an answer that is no proof", async () => {
    await followNewest(keeper);
    log.grow(3);
    host.instead.set("/log/consistency", () => ({ hashes: "all is well" }));
    await forked("bad_proof", () => followNewest(keeper));
  });

  test("of another root for the same size is a fork", async () => {
    await followNewest(keeper);
    host.log = log.forked(3, 3);
    expect(await forked("two_roots", () => followNewest(keeper))).toMatchObject({ served: await host.log.note() });
  });

  test("of a shrunk record is a fork", async () => {
    await followNewest(keeper);
    const before = await log.note(4);
    host.instead.set("/log/checkpoint", () => before);
    expect(await forked("shrunk", () => followNewest(keeper))).toMatchObject({ served: before });
  });

  test("stays where it is when the host does not prove, and people are told once", async () => {
    await followNewest(keeper);
    host.instead.set("/log/consistency", () => undefined);
    for (const more of [1, 1]) {
      log.grow(more);
      await refused("bad_proof", () => followNewest(keeper));
    }
    expect((await lastSeen(keeper.self.rows))[0]).toBe(6);
    await doubted("no_proof");
  });

  test("stays, with an alarm, when there is suddenly no record", async () => {
    await followNewest(keeper);
    host.instead.set("/log/checkpoint", () => undefined);
    expect((await followNewest(keeper))?.size).toBe(6);
    await doubted("gone");
  });

  test("waits, without an alarm, for a host that does not answer", async () => {
    await followNewest(keeper);
    log.grow(1);
    for (const status of [503, 429, 401]) {
      host.instead.set("/log/consistency", () => status);
      await expect(followNewest(keeper)).rejects.toThrow();
    }
    expect(await alarms()).toEqual([]);
    host.instead.clear();
    expect((await followNewest(keeper))?.size).toBe(7);
  });

  test("leads from older heads and to newer ones, and from no other", async () => {
    await followNewest(keeper);
    await belongs(keeper, await readHead(keeper, await log.note(4)));
    log.grow(3);
    await belongs(keeper, await readHead(keeper, await log.note()));
    expect((await lastSeen(keeper.self.rows))[0]).toBe(9);
    const other = await readHead(keeper, await log.forked(2, 3).note());
    await forked("bad_proof", () => belongs(keeper, other));
  });
});

describe("the policy's number", () => {
  const policy = (number: number): Promise<string> => noteBy(log.key, `# consult policy ${number} ${ORIGIN}\nquorum none\n`);

  test("is pinned, and one that goes back is an alarm", async () => {
    const [second, first] = [await policy(2), await policy(1)];
    host.instead.set("/log/policy", () => second);
    expect(await followNewest(keeper)).toMatchObject({ policy: 2 });
    host.instead.set("/log/policy", () => first);
    expect(await followNewest(keeper)).toMatchObject({ policy: 2 });
    expect(await alarms(), "it is not asked for each time").toEqual([]);
    await askedLongAgo();
    expect(await followNewest(keeper)).toMatchObject({ policy: 2 });
    await doubted("policy_back");
  });

  test("that is suddenly missing is an alarm too", async () => {
    const first = await policy(1);
    host.instead.set("/log/policy", () => first);
    await followNewest(keeper);
    host.instead.clear();
    await askedLongAgo();
    await followNewest(keeper);
    await doubted("policy_back");
  });

  async function askedLongAgo(): Promise<void> {
    const pin = await readPin(keeper.self.rows);
    await keeper.self.rows.write([jsonRow("pin", { ...pin, policyAt: 0 })]);
  }
});

describe("what another device has seen", () => {
  beforeEach(async () => {
    await followNewest(keeper);
  });

  test("is settled at once where it is what we have seen", async () => {
    host.asked.length = 0;
    await noteClaims(keeper, [claim(await log.seen())]);
    await settleClaims(keeper);
    expect(host.asked).toEqual([]);
    expect(await alarms()).toEqual([]);
  });

  test("of the same size and another root is a fork at once", async () => {
    const seen = await log.forked(2, 4).seen();
    const kept = await forked("two_roots", () => noteClaims(keeper, [claim(seen)]));
    expect(kept).toMatchObject({ peer: { device: PEER, room: ROOM, seen, header: "e30=" }, served: null });
    expect((await alarms())[0]?.devices).toEqual([PEER]);
  });

  test("earlier or later leads to our pin once we have looked, and is asked once", async () => {
    const earlier = claim(await log.seen(3), { device: "1".repeat(64) });
    log.grow(4);
    await noteClaims(keeper, [earlier, claim(await log.seen(8))]);
    await followNewest(keeper);
    host.asked.length = 0;
    await settleClaims(keeper);
    expect(host.asked).toEqual(["/log/consistency/3/10", "/log/consistency/8/10"]);
    await settleClaims(keeper);
    expect(host.asked).toHaveLength(2);
    expect(await alarms()).toEqual([]);
  });

  test("earlier or later in another history is a fork", async () => {
    const other = log.forked(2, 9);
    await noteClaims(keeper, [claim(await other.seen(4))]);
    await forked("bad_proof", () => settleClaims(keeper));
    keeper = await host.keeper();
    await followNewest(keeper);
    log.grow(9);
    await noteClaims(keeper, [claim(await other.seen(8))]);
    await followNewest(keeper);
    await forked("bad_proof", () => settleClaims(keeper));
  });

  test("beyond what the host shows us is a fork", async () => {
    const longer = log.forked(6, 3);
    await noteClaims(keeper, [claim(await longer.seen())]);
    await followNewest(keeper);
    await forked("ahead", () => settleClaims(keeper));
  });

  test("counts by its newest word, device by device, and nothing seen yet says nothing", async () => {
    await noteClaims(keeper, [claim(await log.seen(2)), claim([0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="], { device: "2".repeat(64) })]);
    await noteClaims(keeper, [claim(await log.seen(3))]);
    host.asked.length = 0;
    await settleClaims(keeper);
    expect(host.asked).toEqual(["/log/consistency/3/6"]);
  });

  test("stays open while the host is out of reach", async () => {
    await noteClaims(keeper, [claim(await log.forked(2, 3).seen())]);
    host.instead.set("/log/consistency", () => 503);
    await expect(settleClaims(keeper)).rejects.toSatisfy((error) => hasCode(error, "offline"));
    expect(await alarms()).toEqual([]);
    host.instead.clear();
    await forked("bad_proof", () => settleClaims(keeper));
  });
});
