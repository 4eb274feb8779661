/** `RoomCrypto` over ts-mls 1.6.4 (patched, see patches.mjs). Handshakes are public messages; rooms have no group context extensions. */

import {
  createApplicationMessage,
  createCommit,
  createGroup,
  createGroupInfoWithExternalPub,
  decodeGroupState,
  emptyPskIndex,
  encodeGroupState,
  generateKeyPackageWithKey,
  joinGroup,
  joinGroupExternal,
  mlsExporter,
  processPrivateMessage,
  processPublicMessage,
  type CiphersuiteImpl,
  type ClientConfig,
  type ClientState,
  type GroupState,
  type Proposal,
} from "ts-mls";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { unprotectPublicMessage } from "ts-mls/messageProtectionPublic.js";
import { decryptSenderData } from "ts-mls/privateMessage.js";

import { encodeIdentity, parseIdentity, sameIdentity } from "./credential.ts";
import { concat, equal, fromHex, plain, toHex, type Bytes } from "./encoding.ts";
import { capabilities, configFor, EVERYBODY, replacing } from "./mlsconfig.ts";
import { checkAddition, checkTransition, readPublic, refuseElsewhere, stepInPublic } from "./mlspublic.ts";
import {
  decodeCommit,
  decodeControl,
  decodeKeyPackage,
  decodeKeyPackageSecret,
  decodeTree,
  decodeWelcome,
  decodeWhole,
  difference,
  encodeGroupInfo,
  encodeKeyPackage,
  encodeKeyPackageSecret,
  encodeMessage,
  encodeTree,
  MAX_LIFETIME,
  membersOf,
  readCommitContent,
  refuseDoubles,
  refusing,
} from "./mlswire.ts";
import { Refusal } from "./refusal.ts";
import type { AppliedCommit, Member, PublicGroupState, RemovedByCommit, RoomCrypto, RoomState, ValidateCredential } from "./roomcrypto.ts";
import { makeSuite, type SignerRegistry } from "./suite.ts";

const EXPORTER_LABEL = "consult content v1";
const STATE_VERSION = 1;

/** `signers` holds the device's key; register it before anything here has to sign. One long function: each method is short, and all share the suite. */
export async function makeRoomCrypto(signers: SignerRegistry): Promise<RoomCrypto> {
  const suite = await makeSuite(signers);

  const publicState = async (state: RoomState): Promise<PublicGroupState> => {
    const groupInfo = await createGroupInfoWithExternalPub(attach(state, EVERYBODY), [], suite);
    return { groupInfo: encodeGroupInfo(groupInfo), tree: encodeTree(inner(state).ratchetTree) };
  };

  return {
    async makeKeyPackage({ identity, signer, notBefore, notAfter }) {
      if (notAfter <= notBefore || notAfter - notBefore > MAX_LIFETIME) throw new Refusal("bad_lifetime", "a key package lasts at most 35 days");
      const credential = { credentialType: "basic" as const, identity: encodeIdentity(identity) };
      const lifetime = { notBefore: BigInt(notBefore), notAfter: BigInt(notAfter) };
      const keys = { signKey: signer, publicKey: signers.publicKey(signer) };
      const made = await generateKeyPackageWithKey(credential, capabilities(), lifetime, [], keys, suite);
      const publicBytes = encodeKeyPackage(made.publicPackage);
      const ref = toHex(await makeKeyPackageRef(made.publicPackage, suite.hash));
      return { ref, publicBytes, privateBytes: encodeKeyPackageSecret(publicBytes, made.privatePackage) };
    },

    async readKeyPackage(publicBytes) {
      const keyPackage = decodeKeyPackage(publicBytes);
      await refusing("malformed", () => checkAddition(keyPackage, configFor(EVERYBODY), suite));
      const { credential, signaturePublicKey, lifetime } = keyPackage.leafNode;
      if (credential.credentialType !== "basic") throw new Refusal("credential_refused", "not a basic credential");
      return {
        ref: toHex(await makeKeyPackageRef(keyPackage, suite.hash)),
        identity: parseIdentity(credential.identity),
        signatureKey: plain(signaturePublicKey.slice()),
        notBefore: Number(lifetime.notBefore),
        notAfter: Number(lifetime.notAfter),
      };
    },

    async createRoom({ room, keyPackage, validate }) {
      const { publicPackage, privatePackage } = decodeKeyPackageSecret(keyPackage);
      const config = configFor(validate);
      await refusing("credential_refused", () => checkAddition(publicPackage, config, suite));
      const created = await refusing("join_refused", () => createGroup(fromHex(room, 32), publicPackage, privatePackage, [], suite, config));
      const state = detach(created);
      return { state, ...(await publicState(state)) };
    },

    async buildCommit({ state, adds, removes, authenticatedData, validate }) {
      const context = { state: attach(state, validate), cipherSuite: suite };
      const extraProposals: Proposal[] = [
        ...removes.map((removed) => ({ proposalType: "remove" as const, remove: { removed } })),
        ...adds.map((bytes) => ({ proposalType: "add" as const, add: { keyPackage: decodeKeyPackage(bytes) } })),
      ];
      const members = membersOf(inner(state).ratchetTree);
      if (removes.some((removed) => !members.some(({ leaf }) => leaf === removed))) throw new Refusal("no_such_leaf", "nobody there to remove");
      const made = await refusing("commit_refused", () => createCommit(context, { extraProposals, wireAsPublicMessage: true, authenticatedData }));
      refuseDoubles(made.newState.ratchetTree);
      const welcome = made.welcome && encodeMessage({ version: "mls10", wireformat: "mls_welcome", welcome: made.welcome });
      const next = detach(made.newState);
      return { state: next, commit: encodeMessage(made.commit), welcome, endsEpoch: epochOf(state), ...(await publicState(next)) };
    },

    processCommit: (options) => processCommit({ ...options, suite }),

    async join({ room, welcome: bytes, tree, keyPackages, validate }) {
      const welcome = decodeWelcome(bytes);
      const used = welcome.secrets.map(({ newMember }) => toHex(newMember)).find((ref) => keyPackages.has(ref));
      const secret = used === undefined ? undefined : keyPackages.get(used);
      if (used === undefined || secret === undefined) throw new Refusal("no_matching_key_package", "the Welcome names none of our key packages");
      const { publicPackage, privatePackage } = decodeKeyPackageSecret(secret);
      const joined = await refusing("join_refused", () =>
        joinGroup(welcome, publicPackage, privatePackage, emptyPskIndex, suite, decodeTree(tree), undefined, configFor(validate)),
      );
      refuseOtherRoom(joined, room);
      refuseDoubles(joined.ratchetTree);
      return { state: detach(joined), used };
    },

    async externalJoin({ room, groupInfo: bytes, tree, keyPackage, replaces, authenticatedData, validate }) {
      const { groupInfo, roster, tree: decoded } = await readPublic({ state: { groupInfo: plain(bytes), tree: plain(tree) }, config: configFor(validate), suite });
      if (roster.room !== room) throw new Refusal("wrong_room", "the state of another room");
      const removed = roster.members.filter(({ identity }) => replaces !== null && sameIdentity(identity, replaces));
      if (replaces !== null && removed.length === 0) throw new Refusal("no_such_leaf", "no leaf matches the one to be replaced");
      const { publicPackage, privatePackage } = decodeKeyPackageSecret(keyPackage);
      const made = await refusing("join_refused", () =>
        joinGroupExternal(groupInfo, publicPackage, privatePackage, replaces !== null, suite, decoded, replacing(configFor(validate), replaces), authenticatedData),
      );
      refuseOtherRoom(made.newState, room);
      refuseDoubles(made.newState.ratchetTree);
      const state = detach(made.newState);
      const commit = encodeMessage({ version: "mls10", wireformat: "mls_public_message", publicMessage: made.publicMessage });
      return { state, commit, welcome: undefined, endsEpoch: roster.epoch, removed, ...(await publicState(state)) };
    },

    async contentKey(state) {
      const { keySchedule, groupContext } = inner(state);
      return plain(await mlsExporter(keySchedule.exporterSecret, EXPORTER_LABEL, groupContext.groupId, 32, suite));
    },

    room: roomOf,
    epoch: epochOf,
    authenticator: (state) => plain(inner(state).keySchedule.epochAuthenticator.slice()),
    ownLeaf: (state) => leafOf(inner(state), inner(state).privatePath.leafIndex),
    members: (state) => membersOf(inner(state).ratchetTree),
    publicState,

    async readPublicState({ groupInfo, tree, validate }) {
      return (await readPublic({ state: { groupInfo, tree }, config: configFor(validate), suite })).roster;
    },

    verifyTransition: ({ before, commit, after, validate }) => checkTransition({ before, commit, after, config: configFor(validate), suite }),

    async sealControl({ state, plaintext, authenticatedData }) {
      const sealed = await refusing("control_refused", () => createApplicationMessage(attach(state, EVERYBODY), plaintext, suite, authenticatedData));
      const message = encodeMessage({ version: "mls10", wireformat: "mls_private_message", privateMessage: sealed.privateMessage });
      return { state: detach(sealed.newState), message };
    },

    openControl: (options) => openControl({ ...options, suite }),

    encodeState: (state) => concat(Uint8Array.of(STATE_VERSION), encodeGroupState(inner(state))),

    decodeState(bytes) {
      if (bytes[0] !== STATE_VERSION) throw new Refusal("malformed", "an unknown version of room state");
      return seal(decodeWhole(decodeGroupState, bytes.subarray(1)));
    },
  };
}

async function processCommit(options: {
  state: RoomState;
  commit: Uint8Array;
  validate: ValidateCredential;
  suite: CiphersuiteImpl;
}): Promise<AppliedCommit | RemovedByCommit> {
  const { state, validate, suite } = options;
  const before = inner(state);
  const message = decodeCommit(options.commit);
  refuseElsewhere(message, roomOf(state), epochOf(state));
  const members = membersOf(before.ratchetTree);
  const content = readCommitContent(message, members);
  const { sender } = message.content;
  const own = before.privatePath.leafIndex;
  if (sender.senderType === "member" && sender.leafIndex === own) throw new Refusal("own_commit", "a commit of ours whose state was not kept");
  const seen = { endsEpoch: epochOf(state), authenticatedData: plain(message.content.authenticatedData), external: content.external };
  if (content.emptied.has(own)) {
    const { membershipKey } = before.keySchedule;
    await refusing("commit_refused", () => unprotectPublicMessage(membershipKey, before.groupContext, before.ratchetTree, message, suite));
    const step = await stepInPublic({ tree: before.ratchetTree, context: before.groupContext, message, config: configFor(validate), suite });
    return { kind: "removed", ...seen, sender: step.sender, added: step.added, removed: step.removed };
  }
  const { newState } = await refusing("commit_refused", () => processPublicMessage(attach(state, validate), message, emptyPskIndex, suite));
  refuseDoubles(newState.ratchetTree);
  const after = membersOf(newState.ratchetTree);
  const entered = message.content.commit.path?.leafNode.signaturePublicKey;
  const author = after.find(({ leaf, signatureKey }) =>
    sender.senderType === "member" ? leaf === sender.leafIndex : entered !== undefined && equal(signatureKey, entered),
  );
  if (author === undefined) throw new Refusal("commit_refused", "the sender's leaf is empty");
  return { kind: "applied", state: detach(newState), ...seen, sender: author, ...difference(members, after, content.emptied) };
}

async function openControl(options: { state: RoomState; message: Uint8Array; suite: CiphersuiteImpl }): Promise<{
  state: RoomState;
  plaintext: Bytes;
  authenticatedData: Bytes;
  sender: Member;
  epoch: number;
}> {
  const { state, suite } = options;
  const current = inner(state);
  const message = decodeControl(options.message);
  if (toHex(message.groupId) !== roomOf(state)) throw new Refusal("wrong_room", "a message of another room");
  if (message.epoch > current.groupContext.epoch) throw new Refusal("future_epoch", "commits in between are missing");
  const now = { senderDataSecret: current.keySchedule.senderDataSecret, ratchetTree: current.ratchetTree };
  const then = message.epoch === current.groupContext.epoch ? now : current.historicalReceiverData.get(message.epoch);
  if (then === undefined) throw new Refusal("stale_epoch", "the keys of this epoch are gone");
  const opened = await refusing("control_refused", () => processPrivateMessage(attach(state, EVERYBODY), message, emptyPskIndex, suite));
  const senderData = await refusing("control_refused", () => decryptSenderData(message, then.senderDataSecret, suite));
  if (opened.kind !== "applicationMessage" || senderData === undefined) throw new Refusal("control_refused", "not an application message");
  return {
    state: detach(opened.newState),
    plaintext: plain(opened.message),
    authenticatedData: plain(message.authenticatedData),
    sender: leafOf(then, senderData.leafIndex),
    epoch: Number(message.epoch),
  };
}

function refuseOtherRoom(state: GroupState, room: string): void {
  if (toHex(state.groupContext.groupId) !== room) throw new Refusal("wrong_room", "the state of another room");
  if (state.groupContext.extensions.length > 0) throw new Refusal("join_refused", "a room has no group context extensions");
}

function leafOf(state: Pick<GroupState, "ratchetTree">, leaf: number): Member {
  const member = membersOf(state.ratchetTree).find((candidate) => candidate.leaf === leaf);
  if (member === undefined) throw new Refusal("no_such_leaf", "nobody at this leaf");
  return member;
}

function roomOf(state: RoomState): string {
  return toHex(inner(state).groupContext.groupId);
}

function epochOf(state: RoomState): number {
  return Number(inner(state).groupContext.epoch);
}

// The one place where the opaque state is opened: outside this file nobody can.
function inner(state: RoomState): GroupState {
  return state as unknown as GroupState;
}

function seal(state: GroupState): RoomState {
  return state as unknown as RoomState;
}

function attach(state: RoomState, validate: ValidateCredential): ClientState {
  return { ...inner(state), clientConfig: configFor(validate) };
}

function detach(state: ClientState): RoomState {
  const kept: GroupState & { clientConfig?: ClientConfig } = { ...state };
  delete kept.clientConfig;
  return seal(kept);
}

