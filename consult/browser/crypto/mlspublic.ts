/** What anybody can check of a room without being in it: a signed GroupInfo with its tree, and a commit from one such state to the next. */

import type { CiphersuiteImpl, ClientConfig } from "ts-mls";
import { nextEpochContext, throwIfDefined, validateLeafNodeUpdateOrCommit, validateRatchetTree } from "ts-mls/clientState.js";
import { verifyFramedContentSignature } from "ts-mls/framedContent.js";
import type { GroupContext } from "ts-mls/groupContext.js";
import { verifyGroupInfoSignature, type GroupInfo } from "ts-mls/groupInfo.js";
import { verifyKeyPackage } from "ts-mls/keyPackage.js";
import { verifyLeafNodeSignatureKeyPackage } from "ts-mls/leafNode.js";
import { findSignaturePublicKey } from "ts-mls/publicMessage.js";
import { addLeafNode, removeLeafNode, type RatchetTree } from "ts-mls/ratchetTree.js";
import { treeHashRoot } from "ts-mls/treeHash.js";
import { nodeToLeafIndex, toLeafIndex } from "ts-mls/treemath.js";
import { applyUpdatePath } from "ts-mls/updatePath.js";
import type { KeyPackage } from "ts-mls";

import { equal, plain, toHex } from "./encoding.ts";
import { decodeCommit, decodeGroupInfo, decodeTree, difference, membersOf, readCommitContent, refuseDoubles, refusing, type PublicCommit } from "./mlswire.ts";
import { Refusal } from "./refusal.ts";
import type { Member, PublicGroupState, PublicRoster, PublicTransition } from "./roomcrypto.ts";

interface Read {
  readonly groupInfo: GroupInfo;
  readonly tree: RatchetTree;
  readonly roster: PublicRoster;
}

/**
 * 1. both parse, our suite, no extension we do not know; 2. tree hash, parent hashes, every leaf's signature and credential;
 * 3. nobody is in it twice; 4. the GroupInfo is signed by a member of this very tree.
 * @throws Refusal `malformed` (1), `invalid_tree` (2, 3), `credential_refused` (2), `bad_signature` (4)
 */
export async function readPublic(options: { state: PublicGroupState; config: ClientConfig; suite: CiphersuiteImpl }): Promise<Read> {
  const { config, suite } = options;
  const groupInfo = decodeGroupInfo(options.state.groupInfo);
  const tree = decodeTree(options.state.tree);
  const { groupContext } = groupInfo;
  await refusing("invalid_tree", async () => {
    throwIfDefined(await validateRatchetTree(tree, groupContext, config.lifetimeConfig, config.authService, groupContext.treeHash, suite));
  });
  refuseDoubles(tree);
  const members = membersOf(tree);
  const signer = members.find(({ leaf }) => leaf === groupInfo.signer);
  if (signer === undefined) throw new Refusal("invalid_tree", "signed by a leaf that is empty");
  const genuine = await verifyGroupInfoSignature(groupInfo, signer.signatureKey, suite.signature);
  if (!genuine) throw new Refusal("bad_signature", "the GroupInfo is not signed by the leaf it names");
  const roster = { room: toHex(groupContext.groupId), epoch: Number(groupContext.epoch), members, signer, treeHash: toHex(groupContext.treeHash) };
  return { groupInfo, tree, roster };
}

/**
 * 1. both public states are sound, of one room, one epoch apart; 2. the commit is for the first; 3. its signature, proposals and path;
 * 4. the tree it makes is the second's; 5. transcript and confirmation tag of the second are those of this very commit.
 *
 * What a non-member cannot see: whether the members accepted the commit (the confirmation tag's key is theirs).
 * @throws Refusal `invalid_tree`, `bad_signature`, `credential_refused`, `forbidden_proposal`, `wrong_room`, `stale_epoch`, `future_epoch`, `commit_refused`
 */
export async function checkTransition(options: {
  before: PublicGroupState;
  commit: Uint8Array;
  after: PublicGroupState;
  config: ClientConfig;
  suite: CiphersuiteImpl;
}): Promise<PublicTransition> {
  const { config, suite } = options;
  const before = await readPublic({ state: options.before, config, suite });
  const after = await readPublic({ state: options.after, config, suite });
  const message = decodeCommit(options.commit);
  refuseElsewhere(message, before.roster.room, before.roster.epoch);
  if (after.roster.room !== before.roster.room || after.roster.epoch !== before.roster.epoch + 1) throw new Refusal("commit_refused", "not the epoch after");
  const context = before.groupInfo.groupContext;
  const step = await stepInPublic({ tree: before.tree, context, message, config, suite });
  const treeHash = await treeHashRoot(step.tree, suite.hash);
  if (!equal(treeHash, after.groupInfo.groupContext.treeHash)) throw new Refusal("commit_refused", "the commit makes another tree");
  const { auth } = message;
  if (auth.contentType !== "commit") throw new Refusal("malformed", "a commit without a confirmation tag");
  const next = await nextEpochContext(context, "mls_public_message", message.content, auth.signature, treeHash, before.groupInfo.confirmationTag, suite.hash);
  if (!equal(next.confirmedTranscriptHash, after.groupInfo.groupContext.confirmedTranscriptHash)) throw new Refusal("commit_refused", "another transcript");
  if (!equal(auth.confirmationTag, after.groupInfo.confirmationTag)) throw new Refusal("commit_refused", "another confirmation tag");
  return {
    before: before.roster,
    after: after.roster,
    sender: step.sender,
    external: step.external,
    authenticatedData: plain(message.content.authenticatedData),
    added: step.added,
    removed: step.removed,
  };
}

interface Step {
  readonly tree: RatchetTree;
  readonly sender: Member;
  readonly external: boolean;
  readonly added: readonly Member[];
  readonly removed: readonly Member[];
}

/** The tree after a commit, without any secret. The path's encrypted secrets and the confirmation tag are for members only. */
export async function stepInPublic(options: {
  tree: RatchetTree;
  context: GroupContext;
  message: PublicCommit;
  config: ClientConfig;
  suite: CiphersuiteImpl;
}): Promise<Step> {
  const { tree, context, message, config, suite } = options;
  const before = membersOf(tree);
  const content = readCommitContent(message, before);
  await refuseForged(message, tree, context, suite);
  return refusing("commit_refused", async () => {
    for (const keyPackage of content.adds) await checkAddition(keyPackage, config, suite);
    const removed = [...content.emptied].reduce((kept, leaf) => removeLeafNode(kept, toLeafIndex(leaf)), tree);
    const added = content.adds.reduce((grown, { leafNode }) => addLeafNode(grown, leafNode)[0], removed);
    const { tree: next, senderLeaf } = await applyPath({ ...options, tree: added });
    refuseDoubles(next);
    const after = membersOf(next);
    const sender = after.find(({ leaf }) => leaf === senderLeaf);
    if (sender === undefined) throw new Refusal("commit_refused", "the sender's leaf is empty");
    return { tree: next, sender, external: content.external, ...difference(before, after, content.emptied) };
  });
}

async function refuseForged(message: PublicCommit, tree: RatchetTree, context: GroupContext, suite: CiphersuiteImpl): Promise<void> {
  const genuine = await refusing("commit_refused", () => {
    const key = findSignaturePublicKey(tree, context, message.content);
    return verifyFramedContentSignature(key, "mls_public_message", message.content, message.auth, context, suite.signature);
  });
  if (!genuine) throw new Refusal("bad_signature", "the commit is not signed by its sender");
}

async function applyPath(options: {
  tree: RatchetTree;
  context: GroupContext;
  message: PublicCommit;
  config: ClientConfig;
  suite: CiphersuiteImpl;
}): Promise<{ tree: RatchetTree; senderLeaf: number }> {
  const { context, message, config, suite } = options;
  const { sender } = message.content;
  const { path, proposals } = message.content.commit;
  if (path === undefined) {
    const onlyAdds = proposals.length > 0 && proposals.every((entry) => entry.proposalOrRefType === "proposal" && entry.proposal.proposalType === "add");
    if (sender.senderType !== "member" || !onlyAdds) throw new Refusal("commit_refused", "a commit without the path it needs");
    return { tree: options.tree, senderLeaf: sender.leafIndex };
  }
  const external = sender.senderType !== "member";
  const [tree, leaf] = external ? enter(options.tree, path.leafNode) : [options.tree, toLeafIndex(sender.leafIndex)];
  throwIfDefined(await validateLeafNodeUpdateOrCommit(path.leafNode, leaf, context, config.authService, suite.signature));
  return { tree: await applyUpdatePath(tree, leaf, path, suite.hash, external), senderLeaf: leaf };
}

function enter(tree: RatchetTree, leafNode: Parameters<typeof addLeafNode>[1]): [RatchetTree, ReturnType<typeof toLeafIndex>] {
  const [grown, node] = addLeafNode(tree, leafNode);
  return [grown, nodeToLeafIndex(node)];
}

/** Suite and lifetime span were checked when it was decoded. @throws Refusal `bad_signature`, `commit_refused`, `credential_refused` */
export async function checkAddition(keyPackage: KeyPackage, config: ClientConfig, suite: CiphersuiteImpl): Promise<void> {
  const whole = await verifyKeyPackage(keyPackage, suite.signature);
  const leaf = await verifyLeafNodeSignatureKeyPackage(keyPackage.leafNode, suite.signature);
  if (!whole || !leaf) throw new Refusal("bad_signature", "a key package that is not signed by its device");
  if (equal(keyPackage.initKey, keyPackage.leafNode.hpkePublicKey)) throw new Refusal("commit_refused", "one key for two purposes");
  const { credential, signaturePublicKey } = keyPackage.leafNode;
  if (!(await config.authService.validateCredential(credential, signaturePublicKey))) throw new Refusal("credential_refused", "not the device it names");
}

export function refuseElsewhere(message: PublicCommit, room: string, epoch: number): void {
  const { groupId, epoch: ends } = message.content;
  if (toHex(groupId) !== room) throw new Refusal("wrong_room", "a commit of another room");
  if (ends < BigInt(epoch)) throw new Refusal("stale_epoch", "this epoch is over");
  if (ends > BigInt(epoch)) throw new Refusal("future_epoch", "commits in between are missing");
}
