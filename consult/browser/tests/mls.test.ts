import { describe, expect, test } from "vitest";

import { openContent, sealContent, newMessageId, NO_PREVIOUS } from "../crypto/content.ts";
import { fromUtf8, toHex, utf8 } from "../crypto/encoding.ts";
import { EMPTY_ROOT } from "../crypto/merkle.ts";
import { change, contentKeys, DAY, deliver, known, leafOf, makeDevice, nameOf, openRoom, ROOM, seatOf, type Device } from "./devices.ts";
import { refused } from "./refusals.ts";

const [ke, th, bd, mm, la] = await Promise.all(["ke", "th", "bd", "mm", "la"].map((card) => makeDevice(card)) as [Promise<Device>, Promise<Device>, Promise<Device>, Promise<Device>, Promise<Device>]);

const NOTHING = new Uint8Array(0);

describe("a room", () => {
  test("three who are added share key, list and authenticator with the one who added them", async () => {
    const room = await openRoom(ke, th, bd, mm);
    expect((await contentKeys(room)).size).toBe(1);
    const lists = [...room.seats.values()].map(({ device, state }) => device.rooms.members(state).map(({ identity }) => identity.card));
    for (const list of lists) expect(list).toEqual([ke, th, bd, mm].map(({ identity }) => identity.card));
    const authenticators = [...room.seats.values()].map(({ device, state }) => toHex(device.rooms.authenticator(state)));
    expect(new Set(authenticators).size).toBe(1);
    expect(authenticators[0]).toHaveLength(128);
    expect(ke.rooms.epoch(seatOf(room, ke).state)).toBe(1);
    expect(th.rooms.ownLeaf(seatOf(room, th).state).identity).toEqual(th.identity);
  });

  test("every epoch has another content key", async () => {
    const room = await openRoom(ke, th);
    const before = await contentKeys(room);
    await change(room, th, {});
    const after = await contentKeys(room);
    expect(after.size).toBe(1);
    expect(after).not.toEqual(before);
  });

  test("everybody sees who made a commit, what it changed and what was signed with it", async () => {
    const room = await openRoom(ke, th, bd);
    const [keyPackage] = await Promise.all([mm.keyPackage()]);
    const pending = await th.rooms.buildCommit({
      state: seatOf(room, th).state,
      adds: [keyPackage.publicBytes],
      removes: [leafOf(room, th, bd).leaf],
      authenticatedData: utf8("heads"),
      validate: known(ke, th, bd, mm),
    });
    const seen = await ke.rooms.processCommit({ state: seatOf(room, ke).state, commit: pending.commit, validate: known(ke, th, bd, mm) });
    expect(seen.kind).toBe("applied");
    expect(seen.sender.identity).toEqual(th.identity);
    expect(seen.added.map(({ identity }) => identity)).toEqual([mm.identity]);
    expect(seen.removed.map(({ identity }) => identity)).toEqual([bd.identity]);
    expect(fromUtf8(seen.authenticatedData)).toBe("heads");
    expect(seen.endsEpoch).toBe(1);
    expect(seen.external).toBe(false);
  });

  test("one commit may replace a device by another of the same card", async () => {
    const phone = await makeDevice("th", "phone");
    const room = await openRoom(ke, th, bd);
    await change(room, ke, { adds: [phone], removes: [th], validate: known(ke, th, bd, phone) });
    expect((await contentKeys(room)).size).toBe(1);
    expect(leafOf(room, ke, phone).identity.card).toBe(th.identity.card);
  });

  test("a state survives being stored, and its old copy too", async () => {
    const room = await openRoom(ke, th);
    const seat = seatOf(room, th);
    const stored = th.rooms.encodeState(seat.state);
    await change(room, ke, {});
    const restored = th.rooms.decodeState(stored);
    expect(th.rooms.epoch(restored)).toBe(1);
    const commit = room.commits[1] ?? NOTHING;
    const applied = await th.rooms.processCommit({ state: restored, commit, validate: room.validate });
    if (applied.kind !== "applied") throw new Error("removed");
    expect(toHex(await th.rooms.contentKey(applied.state))).toBe(toHex(await ke.rooms.contentKey(seatOf(room, ke).state)));
  });

  test("random comings and goings never leave anybody behind", async () => {
    const devices = await Promise.all(Array.from({ length: 9 }, (_, index) => makeDevice(`d${index}`)));
    const [first, ...rest] = devices;
    if (first === undefined) throw new Error("no devices");
    const validate = known(...devices);
    const room = await openRoom(first);
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    for (let round = 0; round < 25; round += 1) {
      const inside = [...room.seats.values()].map(({ device }) => device);
      const by = inside[random(inside.length)] ?? first;
      const adds = rest.filter((device) => !room.seats.has(device.name) && random(3) === 0);
      const removes = inside.filter((device) => device !== by && device !== first && random(4) === 0);
      await change(room, by, { adds, removes, validate });
      expect((await contentKeys(room)).size).toBe(1);
    }
  });
});

describe("key packages", () => {
  test("say whose they are and how long they last", async () => {
    const made = await ke.keyPackage();
    const read = await th.rooms.readKeyPackage(made.publicBytes);
    expect(read.ref).toBe(made.ref);
    expect(read.identity).toEqual(ke.identity);
    expect(toHex(read.signatureKey)).toBe(toHex(ke.publicKey));
    expect(read.notAfter - read.notBefore).toBe(28 * DAY + 3600);
  });

  test("last at most 35 days", async () => {
    await refused("bad_lifetime", () => ke.keyPackage({ notBefore: 0, notAfter: 36 * DAY }));
  });

  test("are refused when any byte is changed", async () => {
    const { publicBytes } = await ke.keyPackage();
    for (let at = 0; at < publicBytes.length; at += 97) {
      const changed = publicBytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(th.rooms.readKeyPackage(changed)).rejects.toHaveProperty("name", "Refusal");
    }
    await refused("malformed", () => th.rooms.readKeyPackage(publicBytes.subarray(0, -1)));
    await refused("malformed", () => th.rooms.readKeyPackage(new Uint8Array([...publicBytes, 0])));
  });

  test("of a device whose key is not the one it was added with are refused", async () => {
    const room = await openRoom(ke, th);
    const impostor = { ...(await makeDevice("bd")), name: "impostor" };
    const { publicBytes } = await impostor.keyPackage();
    const acts = { state: seatOf(room, ke).state, adds: [publicBytes], removes: [], authenticatedData: NOTHING };
    await refused("credential_refused", () => ke.rooms.buildCommit({ ...acts, validate: known(ke, th, bd) }));
    const careless = await ke.rooms.buildCommit({ ...acts, validate: () => Promise.resolve(true) });
    await refused("credential_refused", () => th.rooms.processCommit({ state: seatOf(room, th).state, commit: careless.commit, validate: known(ke, th, bd) }));
  });

  test("whose time is over cannot be added", async () => {
    const room = await openRoom(ke);
    const old = await th.keyPackage({ notBefore: 1000, notAfter: 1000 + DAY });
    const acts = { state: seatOf(room, ke).state, adds: [old.publicBytes], removes: [], authenticatedData: NOTHING, validate: known(ke, th) };
    await refused("commit_refused", () => ke.rooms.buildCommit(acts));
  });

  test("of a device already in the room cannot be added again", async () => {
    const room = await openRoom(ke, th);
    const again = await th.keyPackage();
    const acts = { state: seatOf(room, ke).state, adds: [again.publicBytes], removes: [], authenticatedData: NOTHING, validate: room.validate };
    await refused("commit_refused", () => ke.rooms.buildCommit(acts));
  });
});

describe("order", () => {
  test("a commit for an epoch that is over is refused, and the loser commits again after the winner", async () => {
    const room = await openRoom(ke, th, bd);
    const base = { adds: [], removes: [], authenticatedData: NOTHING, validate: room.validate };
    const loser = await th.rooms.buildCommit({ ...base, state: seatOf(room, th).state });
    await change(room, ke, {});
    await refused("stale_epoch", () => ke.rooms.processCommit({ state: seatOf(room, ke).state, commit: loser.commit, validate: room.validate }));
    await change(room, th, {});
    expect((await contentKeys(room)).size).toBe(1);
  });

  test("a commit from further on is refused until those before it are known", async () => {
    const room = await openRoom(ke, th);
    const early = seatOf(room, th).state;
    await change(room, ke, {});
    await change(room, ke, {});
    const [, first = NOTHING, second = NOTHING] = room.commits;
    await refused("future_epoch", () => th.rooms.processCommit({ state: early, commit: second, validate: room.validate }));
    const applied = await th.rooms.processCommit({ state: early, commit: first, validate: room.validate });
    expect(applied.kind).toBe("applied");
  });

  test("our own commit, come back without the state we should have kept, is told from a broken one", async () => {
    const room = await openRoom(ke, th);
    const { state } = seatOf(room, ke);
    const pending = await ke.rooms.buildCommit({ state, adds: [], removes: [], authenticatedData: NOTHING, validate: room.validate });
    await refused("own_commit", () => ke.rooms.processCommit({ state, commit: pending.commit, validate: room.validate }));
  });

  test("a commit of another room is refused", async () => {
    const room = await openRoom(ke, th);
    const keyPackage = (await bd.keyPackage()).privateBytes;
    const elsewhere = await bd.rooms.createRoom({ room: "cd".repeat(32), keyPackage, validate: known(bd) });
    const pending = await bd.rooms.buildCommit({ state: elsewhere.state, adds: [], removes: [], authenticatedData: NOTHING, validate: known(bd) });
    await refused("wrong_room", () => th.rooms.processCommit({ state: seatOf(room, th).state, commit: pending.commit, validate: room.validate }));
  });

  test("a commit changed on the way is refused wherever the change is", async () => {
    const room = await openRoom(ke, th, bd);
    const { state } = seatOf(room, ke);
    const pending = await ke.rooms.buildCommit({ state, adds: [], removes: [], authenticatedData: utf8("heads"), validate: room.validate });
    for (let at = 4; at < pending.commit.length; at += Math.ceil(pending.commit.length / 60)) {
      const changed = pending.commit.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const attempt = th.rooms.processCommit({ state: seatOf(room, th).state, commit: changed, validate: room.validate });
      await expect(attempt).rejects.toHaveProperty("name", "Refusal");
    }
    await deliver(room, pending.commit, ke);
  });
});

describe("removal", () => {
  test("the removed device learns it, and cannot open the next object even with everything it had", async () => {
    const room = await openRoom(ke, th, bd);
    const old = seatOf(room, bd).state;
    const removed = leafOf(room, ke, bd).leaf;
    const acts = { adds: [], removes: [removed], authenticatedData: NOTHING, validate: room.validate };
    const pending = await ke.rooms.buildCommit({ ...acts, state: seatOf(room, ke).state });
    const learnt = await bd.rooms.processCommit({ state: old, commit: pending.commit, validate: room.validate });
    expect(learnt.kind).toBe("removed");
    expect(learnt.sender.identity).toEqual(ke.identity);
    expect(learnt.removed.map(({ identity }) => identity)).toEqual([bd.identity]);
    expect(learnt).not.toHaveProperty("state");

    const id = newMessageId();
    const heads = { installation: "00".repeat(32), consultation: "11".repeat(32), room: ROOM };
    const place = { room: ROOM, epoch: 2, leaf: 0, device: ke.identity.device, n: 1, prev: NO_PREVIOUS, id, heads };
    const contentKey = await ke.rooms.contentKey(pending.state);
    const sealed = await sealContent({ contentKey, place, body: { kind: "text", text: "After bd has left.", reply_to: null }, seen: [0, EMPTY_ROOT], signer: ke.privateKey });
    const opening = { ...sealed, expected: { room: ROOM, id, device: ke.identity.device }, signatureKey: ke.publicKey };
    await refused("wrong_key", async () => openContent({ ...opening, contentKey: await bd.rooms.contentKey(old) }));
    const { body } = await openContent({ ...opening, contentKey });
    expect(body).toHaveProperty("text", "After bd has left.");
  });

  test("the last one left does not commit with a secret that those who left could compute", async () => {
    const room = await openRoom(ke, th);
    const { state } = seatOf(room, ke);
    const acts = { adds: [], removes: [leafOf(room, ke, th).leaf], authenticatedData: NOTHING, validate: room.validate };
    const one = await ke.rooms.buildCommit({ ...acts, state });
    const other = await ke.rooms.buildCommit({ ...acts, state });
    expect(toHex(await ke.rooms.contentKey(one.state))).not.toBe(toHex(await ke.rooms.contentKey(other.state)));
    const { deriveKeySchedule } = await import("ts-mls/keySchedule.js");
    const { extractJoinerSecret } = await import("ts-mls/groupContext.js");
    const { makeSuite, SignerRegistry } = await import("../crypto/suite.ts");
    const { decodeGroupInfo } = await import("../crypto/mlswire.ts");
    const suite = await makeSuite(new SignerRegistry());
    const { keySchedule } = seatOf(room, th).state as unknown as { keySchedule: { initSecret: Uint8Array } };
    const { groupContext } = decodeGroupInfo(one.groupInfo);
    const zeros = new Uint8Array(suite.kdf.size);
    const joiner = await extractJoinerSecret(groupContext, keySchedule.initSecret, zeros, suite.kdf);
    const [guessed] = await deriveKeySchedule(joiner, zeros, groupContext, suite.kdf);
    expect(toHex(guessed.epochAuthenticator)).not.toBe(toHex(ke.rooms.authenticator(one.state)));
  });

  test("nobody can remove a leaf that is empty, or the own", async () => {
    const room = await openRoom(ke, th);
    const acts = { state: seatOf(room, ke).state, adds: [], authenticatedData: NOTHING, validate: room.validate };
    await refused("no_such_leaf", () => ke.rooms.buildCommit({ ...acts, removes: [5] }));
    await refused("commit_refused", () => ke.rooms.buildCommit({ ...acts, removes: [0] }));
  });
});

describe("joining", () => {
  test("a Welcome for others is refused", async () => {
    const room = await openRoom(ke, th);
    const { state } = seatOf(room, ke);
    const adds = [(await bd.keyPackage()).publicBytes];
    const pending = await ke.rooms.buildCommit({ state, adds, removes: [], authenticatedData: NOTHING, validate: known(ke, th, bd) });
    const other = await bd.keyPackage();
    const joining = { room: ROOM, welcome: pending.welcome ?? NOTHING, tree: pending.tree, validate: known(ke, th, bd) };
    await refused("no_matching_key_package", () => bd.rooms.join({ ...joining, keyPackages: new Map([[other.ref, other.privateBytes]]) }));
  });

  test("a Welcome with another tree, or for another room, is refused", async () => {
    const room = await openRoom(ke, th);
    const keyPackage = await bd.keyPackage();
    const validate = known(ke, th, bd);
    const pending = await ke.rooms.buildCommit({ state: seatOf(room, ke).state, adds: [keyPackage.publicBytes], removes: [], authenticatedData: NOTHING, validate });
    const joining = { room: ROOM, welcome: pending.welcome ?? NOTHING, keyPackages: new Map([[keyPackage.ref, keyPackage.privateBytes]]), validate };
    await refused("join_refused", () => bd.rooms.join({ ...joining, tree: room.published[1]?.tree ?? NOTHING }));
    await refused("wrong_room", () => bd.rooms.join({ ...joining, room: "cd".repeat(32), tree: pending.tree }));
    await refused("credential_refused", () => bd.rooms.join({ ...joining, tree: pending.tree, validate: known(ke, bd) }));
  });

  test("from outside, with a new device of a card", async () => {
    const room = await openRoom(ke, th);
    const phone = await makeDevice("th", "phone");
    const validate = known(ke, th, phone);
    const published = await ke.rooms.publicState(seatOf(room, ke).state);
    const keyPackage = (await phone.keyPackage()).privateBytes;
    const joined = await phone.rooms.externalJoin({ room: ROOM, ...published, keyPackage, replaces: null, authenticatedData: utf8("heads"), validate });
    expect(joined.removed).toEqual([]);
    expect(joined.endsEpoch).toBe(1);
    const seen = await ke.rooms.processCommit({ state: seatOf(room, ke).state, commit: joined.commit, validate });
    if (seen.kind !== "applied") throw new Error("removed");
    expect(seen.external).toBe(true);
    expect(seen.sender.identity).toEqual(phone.identity);
    expect(seen.added.map(({ identity }) => identity)).toEqual([phone.identity]);
    expect(toHex(await phone.rooms.contentKey(joined.state))).toBe(toHex(await ke.rooms.contentKey(seen.state)));
  });

  test("from outside after a wiped browser: the stale leaf goes in the same commit, and its device learns it", async () => {
    const room = await openRoom(ke, th, bd);
    const fresh = await makeDevice("th", "new laptop");
    const validate = known(ke, th, bd, fresh);
    const published = await ke.rooms.publicState(seatOf(room, ke).state);
    const keyPackage = (await fresh.keyPackage()).privateBytes;
    const joined = await fresh.rooms.externalJoin({ room: ROOM, ...published, keyPackage, replaces: th.identity, authenticatedData: NOTHING, validate });
    expect(joined.removed.map(({ identity }) => identity)).toEqual([th.identity]);
    const seen = await bd.rooms.processCommit({ state: seatOf(room, bd).state, commit: joined.commit, validate });
    if (seen.kind !== "applied") throw new Error("removed");
    expect(seen.removed.map(({ identity }) => identity)).toEqual([th.identity]);
    expect(toHex(await fresh.rooms.contentKey(joined.state))).toBe(toHex(await bd.rooms.contentKey(seen.state)));
    const learnt = await th.rooms.processCommit({ state: seatOf(room, th).state, commit: joined.commit, validate });
    expect(learnt.kind).toBe("removed");
  });

  test("from outside with the same device and key, replacing its own leaf, also when alone", async () => {
    const room = await openRoom(ke);
    const published = await ke.rooms.publicState(seatOf(room, ke).state);
    const keyPackage = (await ke.keyPackage()).privateBytes;
    const joined = await ke.rooms.externalJoin({ room: ROOM, ...published, keyPackage, replaces: ke.identity, authenticatedData: NOTHING, validate: room.validate });
    expect(ke.rooms.members(joined.state)).toHaveLength(1);
    expect(ke.rooms.epoch(joined.state)).toBe(1);
    const after = { groupInfo: joined.groupInfo, tree: joined.tree };
    const transition = await th.rooms.verifyTransition({ before: published, commit: joined.commit, after, validate: room.validate });
    expect(transition.removed.map(({ identity }) => identity)).toEqual([ke.identity]);
    await change({ ...room, seats: new Map([[ke.name, { device: ke, state: joined.state }]]) }, ke, { adds: [th], validate: known(ke, th) });
  });

  test("replacing a leaf that is not there is refused, and does not hang", async () => {
    const room = await openRoom(ke, th);
    const published = await ke.rooms.publicState(seatOf(room, ke).state);
    const keyPackage = (await bd.keyPackage()).privateBytes;
    const validate = known(ke, th, bd);
    const joining = { room: ROOM, ...published, keyPackage, authenticatedData: NOTHING, validate };
    await refused("no_such_leaf", () => bd.rooms.externalJoin({ ...joining, replaces: bd.identity }));
  });

  test("from outside over somebody else's leaf is refused by everybody", async () => {
    const room = await openRoom(ke, th, bd);
    const published = await ke.rooms.publicState(seatOf(room, ke).state);
    const keyPackage = (await mm.keyPackage()).privateBytes;
    const validate = known(ke, th, bd, mm);
    const joined = await mm.rooms.externalJoin({ room: ROOM, ...published, keyPackage, replaces: th.identity, authenticatedData: NOTHING, validate });
    await refused("forbidden_proposal", () => ke.rooms.processCommit({ state: seatOf(room, ke).state, commit: joined.commit, validate }));
  });

  test("from outside with the tree of another epoch, or a forged GroupInfo, is refused", async () => {
    const room = await openRoom(ke, th);
    await change(room, ke, {});
    const [, earlier, now] = room.published;
    if (earlier === undefined || now === undefined) throw new Error("not published");
    const keyPackage = (await bd.keyPackage()).privateBytes;
    const joining = { room: ROOM, keyPackage, replaces: null, authenticatedData: NOTHING, validate: known(ke, th, bd) };
    await refused("invalid_tree", () => bd.rooms.externalJoin({ ...joining, groupInfo: now.groupInfo, tree: earlier.tree }));
    const forged = now.groupInfo.slice();
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    await refused("bad_signature", () => bd.rooms.externalJoin({ ...joining, groupInfo: forged, tree: now.tree }));
  });
});

describe("seen from outside", () => {
  test("a ghost is visible in the tree, and its commit is told as what it is", async () => {
    const room = await openRoom(ke, th);
    const ghost = await makeDevice("ghost");
    const validate = known(ke, th, ghost);
    const pending = await ke.rooms.buildCommit({ state: seatOf(room, ke).state, adds: [(await ghost.keyPackage()).publicBytes], removes: [], authenticatedData: NOTHING, validate });
    const after = { groupInfo: pending.groupInfo, tree: pending.tree };
    const roster = await bd.rooms.readPublicState({ ...after, validate });
    expect(roster.members.map(({ identity }) => identity.card)).toContain(await nameOf("ghost"));
    const seen = await th.rooms.processCommit({ state: seatOf(room, th).state, commit: pending.commit, validate });
    expect(seen.added.map(({ identity }) => identity.card)).toEqual([await nameOf("ghost")]);
    expect(th.rooms.members(seatOf(room, th).state)).toHaveLength(2);
  });

  test("a removal is proven to somebody who was never in the room", async () => {
    const room = await openRoom(ke, th, bd, mm);
    await change(room, th, { removes: [bd] });
    const [, before, after] = room.published;
    const [, commit] = room.commits;
    if (before === undefined || after === undefined || commit === undefined) throw new Error("not published");
    const seen = await la.rooms.verifyTransition({ before, commit, after, validate: room.validate });
    expect(seen.removed.map(({ identity }) => identity)).toEqual([bd.identity]);
    expect(seen.added).toEqual([]);
    expect(seen.sender.identity).toEqual(th.identity);
    expect(seen.after.epoch).toBe(2);
    expect(seen.after.members.map(({ identity }) => identity.card)).not.toContain(bd.identity.card);
    expect(fromUtf8(seen.authenticatedData)).toBe("heads");
  });

  test("lies about a transition are found out", async () => {
    const room = await openRoom(ke, th, bd);
    await change(room, ke, {});
    await change(room, th, { removes: [bd] });
    const [zero, first, second, third] = room.published;
    const [opening, renewal, removal] = room.commits;
    if (!zero || !first || !second || !third || !opening || !renewal || !removal) throw new Error("not published");
    const { validate } = room;
    const lie = (code: Parameters<typeof refused>[0], before: typeof first, commit: typeof opening, after: typeof first): Promise<void> =>
      refused(code, () => la.rooms.verifyTransition({ before, commit, after, validate }));
    await lie("stale_epoch", second, renewal, third);
    await lie("future_epoch", first, removal, third);
    await lie("commit_refused", first, renewal, third);
    await lie("invalid_tree", second, removal, { groupInfo: third.groupInfo, tree: second.tree });
    await lie("commit_refused", second, removal, second);
    // A commit by the same member for the same epoch which removes nobody, published beside the state which shows the removal.
    const other = await openRoom(ke, th, bd);
    const kept = await th.rooms.buildCommit({ state: seatOf(other, th).state, adds: [], removes: [], authenticatedData: NOTHING, validate });
    const [, start] = other.published;
    if (start === undefined) throw new Error("not published");
    const gone = await th.rooms.buildCommit({ state: seatOf(other, th).state, adds: [], removes: [leafOf(other, th, bd).leaf], authenticatedData: NOTHING, validate });
    await lie("commit_refused", start, kept.commit, { groupInfo: gone.groupInfo, tree: gone.tree });
    await lie("commit_refused", start, gone.commit, { groupInfo: kept.groupInfo, tree: kept.tree });
    const forged = removal.slice();
    const at = forged.length - 200;
    forged[at] = (forged[at] ?? 0) ^ 1;
    await expect(la.rooms.verifyTransition({ before: second, commit: forged, after: third, validate })).rejects.toHaveProperty("name", "Refusal");
    await refused("credential_refused", () => la.rooms.verifyTransition({ before: second, commit: removal, after: third, validate: known(ke, th) }));
  });

  test("a public state says room, epoch, members and who signed it", async () => {
    const room = await openRoom(ke, th);
    const roster = await la.rooms.readPublicState({ ...(await th.rooms.publicState(seatOf(room, th).state)), validate: room.validate });
    expect(roster.room).toBe(ROOM);
    expect(roster.epoch).toBe(1);
    expect(roster.signer.identity).toEqual(th.identity);
    expect(roster.members).toEqual(th.rooms.members(seatOf(room, th).state));
  });
});

describe("control messages", () => {
  test("open for the others with their sender, once, and not for outsiders' rooms", async () => {
    const room = await openRoom(ke, th, bd);
    const sealed = await ke.rooms.sealControl({ state: seatOf(room, ke).state, plaintext: utf8("I am here"), authenticatedData: utf8("n=1") });
    const opened = await th.rooms.openControl({ state: seatOf(room, th).state, message: sealed.message });
    expect(fromUtf8(opened.plaintext)).toBe("I am here");
    expect(fromUtf8(opened.authenticatedData)).toBe("n=1");
    expect(opened.sender.identity).toEqual(ke.identity);
    await refused("control_refused", () => th.rooms.openControl({ state: opened.state, message: sealed.message }));
    await change(room, bd, {});
    const late = await th.rooms.openControl({ state: seatOf(room, th).state, message: sealed.message });
    expect(late.epoch).toBe(1);
    await change(room, bd, {});
    await refused("stale_epoch", () => th.rooms.openControl({ state: seatOf(room, th).state, message: sealed.message }));
  });
});
