/**
 * Writes tests/vectors/mls_flow.json: a room's story in real MLS bytes, for the server's tests. Run it by flow.gen.mjs, after
 * `python -m tests.room_story` has said who sits where (flow_world.json).
 *
 * MLS is random, so running it again gives other bytes of the same story.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";

import { canonical } from "../crypto/canonical.ts";
import type { LeafIdentity } from "../crypto/credential.ts";
import { concat, fromBase64, fromHex, toBase64, toHex, type Bytes } from "../crypto/encoding.ts";
import { makeRoomCrypto } from "../crypto/mls.ts";
import type { KeyPackage, PendingCommit, RoomCrypto, RoomState, ValidateCredential } from "../crypto/roomcrypto.ts";
import { signerHandle, SignerRegistry } from "../crypto/suite.ts";

/** 20 November 2026, 00:00 UTC: the tests' clock stands four days later. */
const NOT_BEFORE = 1_795_132_800;
const DAY = 24 * 60 * 60;
const PKCS8 = fromHex("302e020100300506032b657004220420");

type HeadsName = "seated" | "withdrawn";
type Heads = Readonly<Record<"installation" | "consultation" | "room", string>>;

interface World {
  readonly room: string;
  readonly devices: Readonly<Record<string, { readonly card: string; readonly device: string; readonly seed: string }>>;
  readonly heads: Readonly<Record<HeadsName, Heads>>;
}

interface Device {
  readonly name: string;
  readonly identity: LeafIdentity;
  readonly publicKey: Bytes;
  readonly rooms: RoomCrypto;
  readonly keyPackage: (lasts?: number) => Promise<KeyPackage>;
}

async function makeDevice(name: string, of: { card: string; device: string; seed: string }): Promise<Device> {
  const privateKey = await crypto.subtle.importKey("pkcs8", concat(PKCS8, fromBase64(of.seed, 32)), "Ed25519", true, ["sign"]);
  const { x } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicKey = new Uint8Array(Buffer.from(x ?? "", "base64url"));
  const signers = new SignerRegistry();
  const signer = await signerHandle(publicKey);
  signers.register(signer, privateKey, publicKey);
  const rooms = await makeRoomCrypto(signers);
  const identity = { card: of.card, device: of.device };
  const keyPackage = (lasts = 28 * DAY): Promise<KeyPackage> => rooms.makeKeyPackage({ identity, signer, notBefore: NOT_BEFORE, notAfter: NOT_BEFORE + lasts });
  return { name, identity, publicKey, rooms, keyPackage };
}

interface Step {
  readonly heads: HeadsName;
  readonly adds?: readonly Device[];
  readonly removes?: readonly Device[];
}

class Story {
  readonly world: World;
  readonly #validate: ValidateCredential;
  readonly #states = new Map<Device, RoomState>();

  constructor(world: World, devices: readonly Device[]) {
    this.world = world;
    const keys = new Map(devices.map(({ identity, publicKey }) => [identity.device, toHex(publicKey)]));
    this.#validate = (identity, key) => Promise.resolve(keys.get(identity.device) === toHex(key));
  }

  stateOf(device: Device): RoomState {
    const state = this.#states.get(device);
    if (state === undefined) throw new Error(`${device.name} is not in the room`);
    return state;
  }

  async open(first: Device): Promise<unknown> {
    const keyPackage = (await first.keyPackage()).privateBytes;
    const { state, groupInfo, tree } = await first.rooms.createRoom({ room: this.world.room, keyPackage, validate: this.#validate });
    this.#states.set(first, state);
    return { group_info: toBase64(groupInfo), tree: toBase64(tree) };
  }

  /** A commit which nobody has applied: it may still lose. */
  async draft(by: Device, step: Step): Promise<{ pending: PendingCommit; packages: readonly KeyPackage[] }> {
    const packages = await Promise.all((step.adds ?? []).map((device) => device.keyPackage()));
    const members = by.rooms.members(this.stateOf(by));
    const removes = (step.removes ?? []).map((device) => members.find(({ identity }) => identity.device === device.identity.device)?.leaf ?? -1);
    const adds = packages.map(({ publicBytes }) => publicBytes);
    const authenticatedData = canonical(this.world.heads[step.heads]);
    return { pending: await by.rooms.buildCommit({ state: this.stateOf(by), adds, removes, authenticatedData, validate: this.#validate }), packages };
  }

  async loser(by: Device, step: Step): Promise<unknown> {
    return written(by, (await this.draft(by, step)).pending);
  }

  async commit(by: Device, step: Step): Promise<unknown> {
    const { pending, packages } = await this.draft(by, step);
    for (const device of step.removes ?? []) this.#states.delete(device);
    await this.#apply(by, pending);
    for (const [index, device] of (step.adds ?? []).entries()) {
      const held = packages[index];
      if (held === undefined || pending.welcome === undefined) throw new Error("no Welcome");
      const keyPackages = new Map([[held.ref, held.privateBytes]]);
      const { state } = await device.rooms.join({ room: this.world.room, welcome: pending.welcome, tree: pending.tree, keyPackages, validate: this.#validate });
      this.#states.set(device, state);
    }
    return written(by, pending);
  }

  /** Comes in from outside with a new device in the place of an old one. */
  async replace(by: Device, stale: Device, heads: HeadsName): Promise<unknown> {
    const member = [...this.#states.keys()].find((device) => device !== stale);
    if (member === undefined) throw new Error("nobody is in the room");
    const { groupInfo, tree } = await member.rooms.publicState(this.stateOf(member));
    const keyPackage = (await by.keyPackage()).privateBytes;
    const authenticatedData = canonical(this.world.heads[heads]);
    const joined = await by.rooms.externalJoin({ room: this.world.room, groupInfo, tree, keyPackage, replaces: stale.identity, authenticatedData, validate: this.#validate });
    this.#states.delete(stale);
    await this.#apply(by, joined);
    return written(by, joined);
  }

  async #apply(by: Device, pending: PendingCommit): Promise<void> {
    for (const [device, state] of this.#states) {
      if (device === by) continue;
      const applied = await device.rooms.processCommit({ state, commit: pending.commit, validate: this.#validate });
      if (applied.kind === "removed") throw new Error(`${device.name} was removed`);
      this.#states.set(device, applied.state);
    }
    this.#states.set(by, pending.state);
  }
}

function written(by: Device, pending: PendingCommit): Record<string, unknown> {
  return {
    by: by.name,
    leaf: by.rooms.ownLeaf(pending.state).leaf,
    epoch: pending.endsEpoch,
    commit: toBase64(pending.commit),
    welcome: pending.welcome === undefined ? null : toBase64(pending.welcome),
    group_info: toBase64(pending.groupInfo),
    tree: toBase64(pending.tree),
  };
}

async function main(worldPath: string, outPath: string): Promise<void> {
  const world = JSON.parse(readFileSync(worldPath, "utf8")) as World;
  const devices = new Map<string, Device>();
  for (const [name, of] of Object.entries(world.devices)) devices.set(name, await makeDevice(name, of));
  const device = (name: string): Device => {
    const found = devices.get(name);
    if (found === undefined) throw new Error(`the world has no ${name}`);
    return found;
  };
  const [indonesia, australia, thai, thaiSecond] = [device("indonesia 1"), device("australia 1"), device("thai_head 1"), device("thai_head 2")];
  const [bangladesh, bangladeshSecond, outsider] = [device("bangladesh_head 1"), device("bangladesh_head 2"), device("outsider 1")];
  const packages: Record<string, unknown> = {};
  for (const each of devices.values()) {
    const made = [await each.keyPackage(), await each.keyPackage(), await each.keyPackage(35 * DAY)];
    packages[each.name] = made.map(({ ref, publicBytes }) => ({ ref, body: toBase64(publicBytes) }));
  }
  const story = new Story(world, [...devices.values()]);
  const opening = await story.open(indonesia);
  const steps = [
    await story.commit(indonesia, { heads: "seated", adds: [australia, thai] }),
    await story.commit(australia, { heads: "seated" }),
    await story.commit(thai, { heads: "seated", adds: [thaiSecond, bangladesh] }),
  ];
  const refused = {
    ghost: await story.loser(australia, { heads: "seated", adds: [outsider] }),
    still_seated: await story.loser(indonesia, { heads: "seated", removes: [bangladesh] }),
    stale_head: await story.loser(indonesia, { heads: "seated", removes: [thai, thaiSecond] }),
    too_late: await story.loser(indonesia, { heads: "withdrawn" }),
  };
  steps.push(await story.commit(australia, { heads: "withdrawn", removes: [thai, thaiSecond] }));
  steps.push(await story.replace(bangladeshSecond, bangladesh, "withdrawn"));
  const source = "consult/browser/tests/flow.gen.ts";
  writeFileSync(outPath, `${JSON.stringify({ source, not_before: NOT_BEFORE, ...world, key_packages: packages, opening, steps, refused }, null, 1)}\n`);
}

const [, , worldPath, outPath] = argv;
if (worldPath === undefined || outPath === undefined) throw new Error("flow.gen.ts <world.json> <out.json>");
await main(worldPath, outPath);
