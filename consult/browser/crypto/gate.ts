/**
 * The gate (docs/protocol.md, section 9): who may be in the group, judged by our own roster and never by the host.
 * Pure: leaves and seats in, a verdict out.
 */

import type { LeafIdentity } from "./credential.ts";

/** Seats at certain heads, as our own roster computes them. */
export interface Seating {
  /** the card has a seat in this room and the device is one of the card's own, neither revoked nor excluded */
  seated(leaf: LeafIdentity): boolean;
  /** the card has a seat and the device once was one of its own. Revocations have no place in the heads a commit names. */
  seatedOrRevoked(leaf: LeafIdentity): boolean;
}

export interface CommitLeaves {
  readonly sender: LeafIdentity;
  readonly added: readonly LeafIdentity[];
  readonly removed: readonly LeafIdentity[];
}

export type CommitVerdict =
  | { readonly kind: "lawful" }
  /** somebody without a seat was let in, or made the commit */
  | { readonly kind: "ghost"; readonly leaves: readonly LeafIdentity[] }
  /** somebody with a seat was put out */
  | { readonly kind: "unlawful_removal"; readonly leaves: readonly LeafIdentity[] };

/**
 * The transition rule. `atNamedHeads` are the seats at the heads the commit itself names.
 * 1. Every leaf it adds or changes is seated there: the sender's own leaf too, for a commit renews it.
 * 2. It removes only leaves which are not seated there, or are of the sender's own account.
 */
export function judgeCommit(commit: CommitLeaves, atNamedHeads: Seating): CommitVerdict {
  const ghosts = [commit.sender, ...commit.added].filter((leaf) => !atNamedHeads.seatedOrRevoked(leaf));
  if (ghosts.length > 0) return { kind: "ghost", leaves: ghosts };
  const wronged = commit.removed.filter((leaf) => leaf.card !== commit.sender.card && atNamedHeads.seated(leaf));
  if (wronged.length > 0) return { kind: "unlawful_removal", leaves: wronged };
  return { kind: "lawful" };
}

/** Leaves which have no seat at the newest heads: to be removed before anything is sealed. */
export function excessLeaves<L extends LeafIdentity>(leaves: readonly L[], newest: Seating): readonly L[] {
  return leaves.filter((leaf) => !newest.seated(leaf));
}

/** The sending rule: content is sealed only in an epoch whose every leaf is seated at the newest heads known. */
export function maySeal(leaves: readonly LeafIdentity[], newest: Seating): boolean {
  return leaves.length > 0 && excessLeaves(leaves, newest).length === 0;
}

/** Devices which have a seat and no leaf yet. */
export function missingDevices(leaves: readonly LeafIdentity[], seated: readonly LeafIdentity[]): readonly LeafIdentity[] {
  const present = new Set(leaves.map((leaf) => leaf.device));
  return seated.filter((leaf) => !present.has(leaf.device));
}
