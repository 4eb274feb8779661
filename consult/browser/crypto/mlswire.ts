/** MLS bytes in and out of the library's objects: strict, without trailing bytes, and every failure is one of our refusals. */

import { decodeMlsMessage, encodeMlsMessage } from "ts-mls";
import type { KeyPackage, MLSMessage, PrivateKeyPackage, Proposal, ProposalAdd, ProposalExternalInit, ProposalRemove, Welcome } from "ts-mls";
import type { Commit } from "ts-mls/commit.js";
import type { FramedContentCommit } from "ts-mls/framedContent.js";
import type { GroupInfo } from "ts-mls/groupInfo.js";
import type { PrivateMessage } from "ts-mls/privateMessage.js";
import type { PublicMessage } from "ts-mls/publicMessage.js";
import { decodeRatchetTree, encodeRatchetTree, type RatchetTree } from "ts-mls/ratchetTree.js";

import { parseIdentity } from "./credential.ts";
import { concat, plain, readU32, toHex, u32, type Bytes } from "./encoding.ts";
import { Refusal, type RefusalCode } from "./refusal.ts";
import type { Member } from "./roomcrypto.ts";
import { SUITE_NAME } from "./suite.ts";

const DAY = 24 * 60 * 60;
/** Seconds; the same limit as the server's. */
export const MAX_LIFETIME = 35 * DAY;
const SECRET_VERSION = 1;
const HANDLE_LENGTH = 8;

export type PublicCommit = PublicMessage & { content: FramedContentCommit };

/** Runs one call of the library; what it throws becomes a refusal with this code. */
export async function refusing<T>(code: RefusalCode, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const message = error instanceof Error ? error.message : String(error);
    // The library says this to a device whose leaf somebody's external commit replaced.
    const missedOut = message.includes("No overlap between provided private keys and update path");
    throw new Refusal(missedOut ? "perhaps_removed" : code, message, { cause: error });
  }
}

/** Decodes with one of the library's decoders, which work on views: the copy keeps the result from changing under us. */
export function decodeWhole<T>(decode: (bytes: Uint8Array, offset: number) => [T, number] | undefined, bytes: Uint8Array): T {
  let result: [T, number] | undefined;
  try {
    result = decode(bytes.slice(), 0);
  } catch (error) {
    throw new Refusal("malformed", "not an MLS object", { cause: error });
  }
  if (result === undefined) throw new Refusal("malformed", "not an MLS object");
  if (result[1] !== bytes.length) throw new Refusal("malformed", "bytes after the MLS object");
  return result[0];
}

export function encodeMessage(message: MLSMessage): Bytes {
  return plain(encodeMlsMessage(message));
}

export function decodeCommit(bytes: Uint8Array): PublicCommit {
  const message = decodeWhole(decodeMlsMessage, bytes);
  if (message.wireformat !== "mls_public_message") throw new Refusal("malformed", "not a public message");
  const { publicMessage } = message;
  if (!isCommit(publicMessage)) throw new Refusal("malformed", "not a commit");
  return publicMessage;
}

function isCommit(message: PublicMessage): message is PublicCommit {
  return message.content.contentType === "commit";
}

export function decodeControl(bytes: Uint8Array): PrivateMessage {
  const message = decodeWhole(decodeMlsMessage, bytes);
  if (message.wireformat !== "mls_private_message") throw new Refusal("malformed", "not a private message");
  if (message.privateMessage.contentType !== "application") throw new Refusal("malformed", "not an application message");
  return message.privateMessage;
}

export function decodeWelcome(bytes: Uint8Array): Welcome {
  const message = decodeWhole(decodeMlsMessage, bytes);
  if (message.wireformat !== "mls_welcome") throw new Refusal("malformed", "not a Welcome");
  if (message.welcome.cipherSuite !== SUITE_NAME) throw new Refusal("malformed", "another ciphersuite");
  return message.welcome;
}

export function encodeGroupInfo(groupInfo: GroupInfo): Bytes {
  return encodeMessage({ version: "mls10", wireformat: "mls_group_info", groupInfo });
}

export function decodeGroupInfo(bytes: Uint8Array): GroupInfo {
  const message = decodeWhole(decodeMlsMessage, bytes);
  if (message.wireformat !== "mls_group_info") throw new Refusal("malformed", "not a GroupInfo");
  const { groupContext, extensions } = message.groupInfo;
  if (groupContext.cipherSuite !== SUITE_NAME) throw new Refusal("malformed", "another ciphersuite");
  if (groupContext.extensions.length > 0) throw new Refusal("malformed", "a room has no group context extensions");
  if (extensions.some(({ extensionType }) => extensionType !== "external_pub")) throw new Refusal("malformed", "an unknown extension");
  return message.groupInfo;
}

export function encodeTree(tree: RatchetTree): Bytes {
  return plain(encodeRatchetTree(tree));
}

export function decodeTree(bytes: Uint8Array): RatchetTree {
  return decodeWhole(decodeRatchetTree, bytes);
}

export function encodeKeyPackage(keyPackage: KeyPackage): Bytes {
  return encodeMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage });
}

export function decodeKeyPackage(bytes: Uint8Array): KeyPackage {
  const message = decodeWhole(decodeMlsMessage, bytes);
  if (message.wireformat !== "mls_key_package") throw new Refusal("malformed", "not a key package");
  const { keyPackage } = message;
  refuseUnfit(keyPackage);
  return keyPackage;
}

/** The library never enforces its own limit on the total lifetime. Only the span counts here: a late reader must judge as we do. */
function refuseUnfit(keyPackage: KeyPackage): void {
  if (keyPackage.cipherSuite !== SUITE_NAME) throw new Refusal("malformed", "another ciphersuite");
  const { notBefore, notAfter } = keyPackage.leafNode.lifetime;
  if (notAfter <= notBefore || notAfter - notBefore > BigInt(MAX_LIFETIME)) throw new Refusal("bad_lifetime", "a key package lasts at most 35 days");
}

/** version(1) || public part || init key || leaf key || signer's handle; the three middle parts with u32 lengths. */
export function encodeKeyPackageSecret(publicBytes: Uint8Array, secret: PrivateKeyPackage): Bytes {
  const sized = [publicBytes, secret.initPrivateKey, secret.hpkePrivateKey].map((part) => concat(u32(part.length), part));
  return concat(Uint8Array.of(SECRET_VERSION), ...sized, secret.signaturePrivateKey);
}

export function decodeKeyPackageSecret(bytes: Uint8Array): { publicPackage: KeyPackage; privatePackage: PrivateKeyPackage } {
  if (bytes[0] !== SECRET_VERSION) throw new Refusal("malformed", "an unknown version of key package");
  let offset = 1;
  const next = (): Bytes => {
    const start = offset + 4;
    offset = start + readU32(bytes, offset);
    if (offset > bytes.length) throw new Refusal("malformed", "a key package that ends early");
    return plain(bytes.slice(start, offset));
  };
  const publicPackage = decodeKeyPackage(next());
  const privatePackage = { initPrivateKey: next(), hpkePrivateKey: next(), signaturePrivateKey: plain(bytes.slice(offset)) };
  if (privatePackage.signaturePrivateKey.length !== HANDLE_LENGTH) throw new Refusal("malformed", "a key package that ends early");
  return { publicPackage, privatePackage };
}

/** The leaves of a tree from left to right. Only basic credentials with our identity are lawful. */
export function membersOf(tree: RatchetTree): Member[] {
  return tree.flatMap((node, index) => {
    if (node?.nodeType !== "leaf") return [];
    const { credential, signaturePublicKey } = node.leaf;
    if (credential.credentialType !== "basic") throw new Refusal("credential_refused", "not a basic credential");
    return [{ leaf: index / 2, identity: parseIdentity(credential.identity), signatureKey: plain(signaturePublicKey.slice()) }];
  });
}

/** How one member is told from another: place aside, who it stands for and with which key. */
export function memberKey(member: Pick<Member, "identity" | "signatureKey">): string {
  return `${member.identity.card} ${member.identity.device} ${toHex(member.signatureKey)}`;
}

/**
 * What a commit changed. A leaf that was emptied and filled again in one commit counts as both removed and added, and so does one
 * whose identity or key the committer exchanged in place.
 */
export function difference(before: readonly Member[], after: readonly Member[], emptied: ReadonlySet<number>): { added: Member[]; removed: Member[] } {
  const old = new Map(before.map((member) => [member.leaf, member]));
  const now = new Map(after.map((member) => [member.leaf, member]));
  const kept = (left: Member | undefined, right: Member | undefined): boolean =>
    left !== undefined && right !== undefined && memberKey(left) === memberKey(right) && !emptied.has(left.leaf);
  return {
    added: after.filter((member) => !kept(old.get(member.leaf), member)),
    removed: before.filter((member) => !kept(member, now.get(member.leaf))),
  };
}

/** Nobody is in a group twice: one leaf for a device, one signature key for a leaf, no encryption key in two places. */
export function refuseDoubles(tree: RatchetTree): void {
  const seen = new Set<string>();
  const once = (name: string): void => {
    if (seen.has(name)) throw new Refusal("invalid_tree", "something is in the group twice");
    seen.add(name);
  };
  for (const { identity, signatureKey } of membersOf(tree)) {
    once(`device ${identity.device}`);
    once(`signature ${toHex(signatureKey)}`);
  }
  for (const node of tree) {
    if (node === undefined) continue;
    once(`encryption ${toHex(node.nodeType === "leaf" ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey)}`);
  }
}

export interface CommitContent {
  readonly adds: readonly KeyPackage[];
  /** leaves */
  readonly emptied: ReadonlySet<number>;
  readonly external: boolean;
}

/**
 * Rooms allow Add and Remove by value, and one external init from outside, which may replace one leaf of the same card. Everything else
 * RFC 9420 knows is refused before it is applied.
 */
export function readCommitContent(message: PublicCommit, members: readonly Member[]): CommitContent {
  const { sender, commit } = message.content;
  if (sender.senderType !== "member" && sender.senderType !== "new_member_commit") throw new Refusal("forbidden_proposal", "an outside sender");
  const external = sender.senderType === "new_member_commit";
  const adds: KeyPackage[] = [];
  const emptied = new Set<number>();
  let initials = 0;
  for (const proposal of byValue(commit)) {
    if (proposal.proposalType === "add") {
      refuseUnfit(proposal.add.keyPackage);
      adds.push(proposal.add.keyPackage);
    } else if (proposal.proposalType === "remove") {
      const { removed } = proposal.remove;
      if (emptied.has(removed)) throw new Refusal("forbidden_proposal", "one leaf removed twice");
      if (!members.some(({ leaf }) => leaf === removed)) throw new Refusal("no_such_leaf", "removes a leaf that is empty");
      emptied.add(removed);
    } else {
      initials += 1;
    }
  }
  if (initials !== (external ? 1 : 0)) throw new Refusal("forbidden_proposal", "external init belongs to an external commit, once");
  if (sender.senderType === "member" && emptied.has(sender.leafIndex)) throw new Refusal("forbidden_proposal", "nobody removes the own leaf");
  if (external) refuseUnlawfulEntry(commit, adds, members.filter(({ leaf }) => emptied.has(leaf)));
  return { adds, emptied, external };
}

function refuseUnlawfulEntry(commit: Commit, adds: readonly KeyPackage[], replaced: readonly Member[]): void {
  if (adds.length > 0 || replaced.length > 1) throw new Refusal("forbidden_proposal", "an external commit replaces one leaf at most");
  const credential = commit.path?.leafNode.credential;
  if (credential?.credentialType !== "basic") throw new Refusal("forbidden_proposal", "an external commit without a leaf of ours");
  const { card } = parseIdentity(credential.identity);
  if (replaced.some(({ identity }) => identity.card !== card)) throw new Refusal("forbidden_proposal", "an external commit replaces a leaf of its own card");
}

type LawfulProposal = ProposalAdd | ProposalRemove | ProposalExternalInit;

function byValue(commit: Commit): readonly LawfulProposal[] {
  return commit.proposals.map((entry) => {
    if (entry.proposalOrRefType !== "proposal") throw new Refusal("forbidden_proposal", "a proposal by reference");
    const { proposal } = entry;
    if (!isLawful(proposal)) throw new Refusal("forbidden_proposal", "only additions and removals");
    return proposal;
  });
}

function isLawful(proposal: Proposal): proposal is LawfulProposal {
  return proposal.proposalType === "add" || proposal.proposalType === "remove" || proposal.proposalType === "external_init";
}
