/**
 * Everything a room needs of MLS (RFC 9420), behind one interface, so that the library below it can be replaced.
 *
 * States are values: every function returns a new one and leaves the old one usable. A commit is *pending* until the server accepted
 * it: then keep `state`, else drop it, apply the winner to the old state and build again. Save a state before its message is sent:
 * sending twice from one saved state would use one key generation twice.
 */

import type { LeafIdentity } from "./credential.ts";
import type { Bytes } from "./encoding.ts";

declare const opaque: unique symbol;

/** The state of one device in one room at one epoch. Opaque; `encodeState` makes bytes of it which hold secrets. */
export interface RoomState {
  readonly [opaque]: "room state";
}

/** A leaf of the group's tree. */
export interface Member {
  readonly leaf: number;
  readonly identity: LeafIdentity;
  /** 32 bytes, Ed25519; must be the key of the device's `device.add` */
  readonly signatureKey: Bytes;
}

/** Whether this signature key is the one the named device's `device.add` says. Asked for every leaf that is new to us; never about seats. */
export type ValidateCredential = (identity: LeafIdentity, signatureKey: Bytes) => Promise<boolean>;

export interface KeyPackage {
  /** KeyPackageRef (RFC 9420, 5.2), hex: how a Welcome names it */
  readonly ref: string;
  /** MLSMessage(mls_key_package), for the server */
  readonly publicBytes: Bytes;
  /** secret; also holds the public part, so it is all a join needs */
  readonly privateBytes: Bytes;
}

export interface KeyPackageContent {
  readonly ref: string;
  readonly identity: LeafIdentity;
  readonly signatureKey: Bytes;
  /** seconds since 1970 */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What the server stores beside a commit, so that others can join from outside and check the list. */
export interface PublicGroupState {
  /** MLSMessage(mls_group_info) with external_pub, without the tree */
  readonly groupInfo: Bytes;
  /** ratchet_tree (RFC 9420, 12.4.3.3) */
  readonly tree: Bytes;
}

/** A commit of ours which the server has not accepted yet. */
export interface PendingCommit extends PublicGroupState {
  /** the state after the commit; becomes ours once the server accepted it */
  readonly state: RoomState;
  /** MLSMessage(mls_public_message) */
  readonly commit: Bytes;
  /** MLSMessage(mls_welcome) when somebody is added */
  readonly welcome: Bytes | undefined;
  /** the epoch the commit ends: what the server compares and swaps */
  readonly endsEpoch: number;
}

interface SeenCommit {
  /** the epoch the commit ends */
  readonly endsEpoch: number;
  /** the bytes the sender signed with it */
  readonly authenticatedData: Bytes;
  /** who made it; for an external commit the leaf that came in with it */
  readonly sender: Member;
  /** true if the sender was not a member before */
  readonly external: boolean;
  /** leaves which are new, or whose identity or key is now another */
  readonly added: readonly Member[];
  /** leaves which are gone, or whose identity or key was another */
  readonly removed: readonly Member[];
}

export interface AppliedCommit extends SeenCommit {
  readonly kind: "applied";
  readonly state: RoomState;
}

/** This device was removed: there is no next state, and the confirmation tag cannot be checked by us. */
export interface RemovedByCommit extends SeenCommit {
  readonly kind: "removed";
}

/** What a non-member reads from a signed GroupInfo and its tree, once everything in them has been checked. */
export interface PublicRoster {
  readonly room: string;
  readonly epoch: number;
  readonly members: readonly Member[];
  /** the member who signed the GroupInfo */
  readonly signer: Member;
  /** hex */
  readonly treeHash: string;
}

/** A commit a non-member has checked against the epochs before and after it. */
export interface PublicTransition {
  readonly before: PublicRoster;
  readonly after: PublicRoster;
  readonly sender: Member;
  readonly external: boolean;
  readonly authenticatedData: Bytes;
  readonly added: readonly Member[];
  readonly removed: readonly Member[];
}

export interface OpenedControl {
  readonly state: RoomState;
  readonly plaintext: Bytes;
  readonly authenticatedData: Bytes;
  readonly sender: Member;
  readonly epoch: number;
}

/** All functions throw `Refusal`; the states passed in stay valid whatever happens. */
export interface RoomCrypto {
  /** A key package for others to add us by. `signer` must be registered. Seconds since 1970; at most 35 days. */
  makeKeyPackage(options: { identity: LeafIdentity; signer: Bytes; notBefore: number; notAfter: number }): Promise<KeyPackage>;

  /** Reads and checks a key package of somebody else: suite, lifetime span and both signatures. */
  readKeyPackage(publicBytes: Uint8Array): Promise<KeyPackageContent>;

  /** A new room at epoch 0 with one leaf: ours. `room` is the room's id, hex, and becomes the MLS group id. */
  createRoom(options: { room: string; keyPackage: Uint8Array; validate: ValidateCredential }): Promise<PublicGroupState & { state: RoomState }>;

  /** A commit that adds and removes; with neither, it renews our own leaf. `adds` are public key packages, `removes` leaf numbers. */
  buildCommit(options: {
    state: RoomState;
    adds: readonly Uint8Array[];
    removes: readonly number[];
    authenticatedData: Uint8Array;
    validate: ValidateCredential;
  }): Promise<PendingCommit>;

  /** Another's commit, checked and applied. The caller judges sender, added and removed before it keeps the new state. */
  processCommit(options: { state: RoomState; commit: Uint8Array; validate: ValidateCredential }): Promise<AppliedCommit | RemovedByCommit>;

  /** Joins by Welcome, with whichever of our key packages it names. `used` is to be deleted. */
  join(options: {
    room: string;
    welcome: Uint8Array;
    tree: Uint8Array;
    /** private bytes by ref */
    keyPackages: ReadonlyMap<string, Uint8Array>;
    validate: ValidateCredential;
  }): Promise<{ state: RoomState; used: string }>;

  /** Joins from outside. `replaces` names the stale leaf of our own which goes in the same commit, or null. */
  externalJoin(options: {
    room: string;
    groupInfo: Uint8Array;
    tree: Uint8Array;
    keyPackage: Uint8Array;
    replaces: LeafIdentity | null;
    authenticatedData: Uint8Array;
    validate: ValidateCredential;
  }): Promise<PendingCommit & { removed: readonly Member[] }>;

  /** RK of this epoch: MLS-Exporter("consult content v1", room id, 32). */
  contentKey(state: RoomState): Promise<Bytes>;

  room(state: RoomState): string;
  epoch(state: RoomState): number;
  /** Equal for all who share this epoch and its history; 64 bytes. */
  authenticator(state: RoomState): Bytes;
  ownLeaf(state: RoomState): Member;
  members(state: RoomState): readonly Member[];

  /** GroupInfo and tree of this state, to be stored again by the server. */
  publicState(state: RoomState): Promise<PublicGroupState>;

  /** Checks, without being a member: the GroupInfo's signature, the tree hash and every signature in the tree. */
  readPublicState(options: PublicGroupState & { validate: ValidateCredential }): Promise<PublicRoster>;

  /** Checks, without being a member, that `commit` leads from one public state to the next: its signature, the transcript and the leaves. */
  verifyTransition(options: {
    before: PublicGroupState;
    commit: Uint8Array;
    after: PublicGroupState;
    validate: ValidateCredential;
  }): Promise<PublicTransition>;

  /** Control messages (heartbeats) as MLS PrivateMessage. Save `state` before `message` leaves. */
  sealControl(options: { state: RoomState; plaintext: Uint8Array; authenticatedData: Uint8Array }): Promise<{ state: RoomState; message: Bytes }>;
  openControl(options: { state: RoomState; message: Uint8Array }): Promise<OpenedControl>;

  encodeState(state: RoomState): Bytes;
  decodeState(bytes: Uint8Array): RoomState;
}
