import { describe, expect, test } from "vitest";

import type { LeafIdentity } from "../crypto/credential.ts";
import { excessLeaves, judgeCommit, maySeal, missingDevices, type Seating } from "../crypto/gate.ts";

const leaf = (card: string, device = `${card}-laptop`): LeafIdentity => ({ card, device });
const [au, id, nz, ghost] = [leaf("au"), leaf("id"), leaf("nz"), leaf("ghost")];

/** Seats of whole devices; `revoked` are devices whose owner took them back although the card sits. */
function seats(seated: readonly LeafIdentity[], revoked: readonly LeafIdentity[] = []): Seating {
  const has = (among: readonly LeafIdentity[], { card, device }: LeafIdentity): boolean => among.some((each) => each.card === card && each.device === device);
  return { seated: (each) => has(seated, each), seatedOrRevoked: (each) => has(seated, each) || has(revoked, each) };
}

describe("a commit", () => {
  const rules = seats([au, id, nz]);

  test("may add whoever has a seat, and renew its sender's leaf", () => {
    expect(judgeCommit({ sender: au, added: [nz], removed: [] }, rules)).toEqual({ kind: "lawful" });
    expect(judgeCommit({ sender: au, added: [], removed: [] }, rules)).toEqual({ kind: "lawful" });
    expect(judgeCommit({ sender: nz, added: [nz], removed: [] }, rules)).toEqual({ kind: "lawful" });
  });

  test("that lets in somebody without a seat is a ghost, whoever made it", () => {
    expect(judgeCommit({ sender: au, added: [nz, ghost], removed: [] }, rules)).toEqual({ kind: "ghost", leaves: [ghost] });
    expect(judgeCommit({ sender: ghost, added: [ghost], removed: [] }, rules).kind).toBe("ghost");
  });

  test("by somebody without a seat is a ghost's, even if it adds nobody", () => {
    expect(judgeCommit({ sender: ghost, added: [], removed: [] }, rules)).toEqual({ kind: "ghost", leaves: [ghost] });
  });

  test("that lets in a strange device under a seated card is a ghost", () => {
    const stranger = leaf("nz", "unknown");
    expect(judgeCommit({ sender: au, added: [stranger], removed: [] }, rules)).toEqual({ kind: "ghost", leaves: [stranger] });
  });

  test("may take out whoever has no seat, and devices of its sender's own account", () => {
    expect(judgeCommit({ sender: au, added: [], removed: [ghost] }, rules)).toEqual({ kind: "lawful" });
    const own = leaf("au", "au-phone");
    expect(judgeCommit({ sender: au, added: [], removed: [own] }, seats([au, own, id]))).toEqual({ kind: "lawful" });
  });

  test("that takes out somebody who has a seat is refused", () => {
    expect(judgeCommit({ sender: au, added: [], removed: [id] }, rules)).toEqual({ kind: "unlawful_removal", leaves: [id] });
  });

  test("from before a device was revoked stays lawful, and its removal afterwards is too", () => {
    const lost = leaf("nz", "nz-lost");
    const now = seats([au, id, nz], [lost]);
    expect(judgeCommit({ sender: au, added: [lost], removed: [] }, now)).toEqual({ kind: "lawful" });
    expect(judgeCommit({ sender: au, added: [], removed: [lost] }, now)).toEqual({ kind: "lawful" });
  });
});

describe("sending", () => {
  test("needs every leaf to be seated at the newest heads known", () => {
    expect(maySeal([au, id], seats([au, id, nz]))).toBe(true);
    expect(maySeal([au, id, ghost], seats([au, id, nz]))).toBe(false);
    expect(maySeal([], seats([au]))).toBe(false);
  });

  test("waits for the removal of a device that was revoked", () => {
    const lost = leaf("nz", "nz-lost");
    expect(maySeal([au, lost], seats([au], [lost]))).toBe(false);
    expect(excessLeaves([au, lost], seats([au], [lost]))).toEqual([lost]);
  });

  test("waits for nobody who is seated and not in the group yet", () => {
    expect(missingDevices([au], [au, id, nz])).toEqual([id, nz]);
    expect(maySeal([au], seats([au, id, nz]))).toBe(true);
  });
});
