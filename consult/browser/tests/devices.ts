/** Devices for tests: each has its own engine, as in its own browser. */

import { makeRoomCrypto } from "../crypto/mls.ts";
import { sha256, toHex, utf8, type Bytes } from "../crypto/encoding.ts";
import type { LeafIdentity } from "../crypto/credential.ts";
import type { KeyPackage, Member, PublicGroupState, RoomCrypto, RoomState, ValidateCredential } from "../crypto/roomcrypto.ts";
import { signerHandle, SignerRegistry } from "../crypto/suite.ts";

export const ROOM = "ab".repeat(32);
export const DAY = 24 * 60 * 60;

export interface Device {
  readonly name: string;
  readonly identity: LeafIdentity;
  readonly publicKey: Bytes;
  readonly privateKey: CryptoKey;
  readonly signer: Bytes;
  readonly rooms: RoomCrypto;
  readonly keyPackage: (lifetime?: { notBefore: number; notAfter: number }) => Promise<KeyPackage>;
}

export async function nameOf(text: string): Promise<string> {
  return toHex(await sha256(utf8(text)));
}

/** `card` "ke" and `device` "laptop" make the device "ke/laptop". */
export async function makeDevice(card: string, device = "laptop"): Promise<Device> {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const signers = new SignerRegistry();
  const signer = await signerHandle(publicKey);
  signers.register(signer, pair.privateKey, publicKey);
  const rooms = await makeRoomCrypto(signers);
  const identity = { card: await nameOf(card), device: await nameOf(`${card}/${device}`) };
  const now = Math.floor(Date.now() / 1000);
  const month = { notBefore: now - 3600, notAfter: now + 28 * DAY };
  return {
    name: `${card}/${device}`,
    identity,
    publicKey,
    privateKey: pair.privateKey,
    signer,
    rooms,
    keyPackage: (lifetime = month) => rooms.makeKeyPackage({ identity, signer, ...lifetime }),
  };
}

/** What the key worker asks its statements: whether the device was added with this key. */
export function known(...devices: readonly Device[]): ValidateCredential {
  const keys = new Map(devices.map(({ identity, publicKey }) => [`${identity.card} ${identity.device}`, toHex(publicKey)]));
  return (identity, key) => Promise.resolve(keys.get(`${identity.card} ${identity.device}`) === toHex(key));
}

export interface Seat {
  readonly device: Device;
  state: RoomState;
}

export interface TestRoom {
  readonly validate: ValidateCredential;
  readonly seats: Map<string, Seat>;
  /** public state of every epoch, from 0 */
  readonly published: PublicGroupState[];
  readonly commits: Bytes[];
}

/** A room which the first device opens and into which it adds the others in one commit. */
export async function openRoom(first: Device, ...others: readonly Device[]): Promise<TestRoom> {
  const validate = known(first, ...others);
  const created = await first.rooms.createRoom({ room: ROOM, keyPackage: (await first.keyPackage()).privateBytes, validate });
  const room: TestRoom = {
    validate,
    seats: new Map([[first.name, { device: first, state: created.state }]]),
    published: [{ groupInfo: created.groupInfo, tree: created.tree }],
    commits: [],
  };
  if (others.length > 0) await change(room, first, { adds: others });
  return room;
}

export function seatOf(room: TestRoom, device: Device): Seat {
  const seat = room.seats.get(device.name);
  if (seat === undefined) throw new Error(`${device.name} is not in the room`);
  return seat;
}

export function leafOf(room: TestRoom, by: Device, of: Device): Member {
  const found = by.rooms.members(seatOf(room, by).state).find(({ identity }) => identity.device === of.identity.device);
  if (found === undefined) throw new Error(`${of.name} has no leaf`);
  return found;
}

/** One commit which everybody in the room applies; those removed leave, those added join by Welcome. */
export async function change(
  room: TestRoom,
  by: Device,
  acts: { adds?: readonly Device[]; removes?: readonly Device[]; validate?: ValidateCredential },
): Promise<void> {
  const { adds = [], removes = [], validate = room.validate } = acts;
  const seat = seatOf(room, by);
  const packages = await Promise.all(adds.map((device) => device.keyPackage()));
  const removed = removes.map((device) => leafOf(room, by, device).leaf);
  const authenticatedData = utf8("heads");
  const pending = await by.rooms.buildCommit({ state: seat.state, adds: packages.map(({ publicBytes }) => publicBytes), removes: removed, authenticatedData, validate });
  for (const device of removes) room.seats.delete(device.name);
  await deliver(room, pending.commit, by, validate);
  seat.state = pending.state;
  for (const [index, device] of adds.entries()) {
    const keyPackage = packages[index];
    if (keyPackage === undefined || pending.welcome === undefined) throw new Error("no Welcome");
    const keyPackages = new Map([[keyPackage.ref, keyPackage.privateBytes]]);
    const joined = await device.rooms.join({ room: ROOM, welcome: pending.welcome, tree: pending.tree, keyPackages, validate });
    room.seats.set(device.name, { device, state: joined.state });
  }
  room.commits.push(pending.commit);
  room.published.push({ groupInfo: pending.groupInfo, tree: pending.tree });
}

export async function deliver(room: TestRoom, commit: Bytes, by: Device, validate = room.validate): Promise<void> {
  for (const seat of room.seats.values()) {
    if (seat.device === by) continue;
    const applied = await seat.device.rooms.processCommit({ state: seat.state, commit, validate });
    if (applied.kind === "removed") throw new Error(`${seat.device.name} was removed`);
    seat.state = applied.state;
  }
}

export async function contentKeys(room: TestRoom): Promise<Set<string>> {
  const keys = await Promise.all([...room.seats.values()].map(({ device, state }) => device.rooms.contentKey(state)));
  return new Set(keys.map(toHex));
}
