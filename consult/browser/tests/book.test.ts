import { createServer, type Server as Host } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Alarm, Notice } from "../bridge.ts";
import { allAlarms } from "../crypto/alarms.ts";
import { Server } from "../crypto/api.ts";
import { consultationOf, knownConsultations, refresh, remembered } from "../crypto/book.ts";
import { ACCOUNT, Context, type Self } from "../crypto/context.ts";
import { jsonRow, readJson } from "../crypto/keystore.ts";
import { newDeviceKey } from "../crypto/newkeys.ts";
import { seats, type Chain, type Chains } from "../crypto/roster.ts";
import { encodeSigned } from "../crypto/statements.ts";
import { freshRows } from "./shelf.ts";
import { readChains, readPool, vectors, type ChainsByHash, type Pool } from "./vectors.ts";

const file = vectors<{ pool: Pool; stages: Readonly<Record<string, ChainsByHash>> }>("statements");
const pool = await readPool(file.pool);

function stage(name: string): Map<string, Chain> {
  const found = file.stages[name];
  if (found === undefined) throw new Error(`no stage ${name}`);
  const chains: Chains = readChains(found, pool);
  const named = [chains.installation, chains.consultation].flatMap((chain): [string, Chain][] => (chain[0] === undefined ? [] : [[chain[0].scope, chain]]));
  return new Map([...named, ...chains.accounts, ...chains.rooms]);
}

const opened = stage("opened");
const founded = (type: string): Chain => [...opened.values()].find((chain) => chain[0]?.statement.type === type) ?? [];
const inst = founded("chairs.root")[0]?.scope ?? "";
const consultation = founded("consultation.propose")[0]?.scope ?? "";
const room = founded("room.open")[0]?.scope ?? "";
const chair = founded("chairs.root")[0]?.signatures[0]?.card ?? "";

/** A host over HTTP which serves the chains it is told to, from the places asked for. */
let serving: ReadonlyMap<string, Chain> = opened;
let host: Host;
let context: Context;
let self: Self;
let notices: Notice[];

beforeEach(async () => {
  serving = opened;
  host = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { have } = JSON.parse(Buffer.concat(parts).toString()) as { have: Record<string, number> };
      const statements = [...serving].map(([scope, chain]) => [scope, chain.slice(have[scope] ?? 0).map(encodeSigned)] as const);
      const heads = [...serving].map(([scope, chain]) => [scope, chain.length] as const);
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ statements: Object.fromEntries(statements), heads: Object.fromEntries(heads) }));
    });
  });
  await new Promise<void>((listening) => host.listen(0, "127.0.0.1", listening));
  const server = new Server("token", `http://127.0.0.1:${String((host.address() as AddressInfo).port)}`);
  notices = [];
  context = new Context({ csrf: "token", card: null }, (notice) => notices.push(notice), server);
  const { rows } = await freshRows();
  const { privateKey, publicKey } = await newDeviceKey();
  const none = new Uint8Array(0);
  self = { card: chair, party: "AU", inst, device: "d".repeat(64), deviceKey: publicKey, xwingSeed: none, xwingKey: none, accountSigner: privateKey, deviceSigner: privateKey, rows };
  await rows.write([jsonRow(ACCOUNT, { card: chair, inst: null })]);
});

afterEach(() => {
  host.close();
});

async function refusedWith(code: string, kind: Alarm["kind"]): Promise<void> {
  await expect(refresh(context, self, consultation)).rejects.toMatchObject({ code });
  expect((await allAlarms(self.rows)).map((alarm) => alarm.kind)).toEqual([kind]);
  expect(notices.map((notice) => notice.kind)).toEqual(["alarm"]);
}

describe("chains from the host", () => {
  test("are verified, kept, and there again without the host", async () => {
    const view = await refresh(context, self, consultation);
    host.close();
    const again = await remembered(self, consultation);
    expect(seats(again.standing)).toEqual(seats(view.standing));
    expect(await knownConsultations(self)).toEqual([consultation]);
    expect(await consultationOf(self, room)).toBe(consultation);
    expect(await allAlarms(self.rows)).toEqual([]);
  });

  test("that grow are followed from where we are", async () => {
    serving = stage("concurred");
    const before = await refresh(context, self, consultation);
    serving = opened;
    const after = await refresh(context, self, consultation);
    expect(after.chains.consultation.length).toBeGreaterThan(before.chains.consultation.length);
  });

  test("that shrink raise an alarm, and what was seen stays", async () => {
    const seen = (await refresh(context, self, consultation)).chains.consultation.length;
    serving = new Map([...opened].map(([scope, chain]) => [scope, scope === consultation ? chain.slice(0, -1) : chain]));
    await refusedWith("host_rolled_back", "rolled_back");
    expect((await remembered(self, consultation)).chains.consultation.length).toBe(seen);
    // The same cause is one alarm, however often it is met.
    await expect(refresh(context, self, consultation)).rejects.toMatchObject({ code: "host_rolled_back" });
    expect(await allAlarms(self.rows)).toHaveLength(1);
  });

  test("that leave out the own account raise an alarm", async () => {
    await refresh(context, self, consultation);
    serving = new Map([...opened].filter(([scope]) => scope !== chair));
    await refusedWith("host_rolled_back", "rolled_back");
  });

  test("with a forged signature raise an alarm, and nothing of them is kept", async () => {
    const spoil = (chain: Chain): Chain =>
      chain.map((signed) => ({ ...signed, signatures: signed.signatures.map((each) => ({ ...each, signature: each.signature.map((byte, at) => (at === 5 ? byte ^ 1 : byte)) })) }));
    serving = new Map([...opened].map(([scope, chain]) => [scope, scope === consultation ? spoil(chain) : chain]));
    await refusedWith("chain_broken", "chain_broken");
    expect(await knownConsultations(self)).toEqual([]);
  });

  test("of another installation than the pinned one raise an alarm", async () => {
    self = { ...self, inst: "f".repeat(64) };
    await refusedWith("wrong_installation", "wrong_installation");
  });

  test("pin the installation for a chair who has signed its founding, and for nobody else", async () => {
    self = { ...self, inst: null };
    await refresh(context, self, null);
    expect(await readJson<{ inst: string }>(self.rows, ACCOUNT)).toMatchObject({ inst });
    const { rows } = await freshRows();
    const stranger = [...opened.values()].find((chain) => chain[0]?.statement.type === "account.card" && chain[0].statement.inst !== null)?.[0]?.scope ?? "";
    self = { ...self, card: stranger, rows };
    await refusedWith("wrong_installation", "wrong_installation");
  });

  test("that do not come are no alarm", async () => {
    host.close();
    host.closeAllConnections();
    await expect(refresh(context, self, consultation)).rejects.toMatchObject({ code: "offline" });
    expect(await allAlarms(self.rows)).toEqual([]);
  });
});
