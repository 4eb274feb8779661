import { describe, expect, test } from "vitest";

import type { View } from "../crypto/book.ts";
import { canonical } from "../crypto/canonical.ts";
import type { LeafIdentity } from "../crypto/credential.ts";
import { provesRemoval } from "../crypto/removal.ts";
import type { Member, PublicRoster, PublicTransition } from "../crypto/roomcrypto.ts";
import { follow } from "../crypto/judging.ts";
import { seatedDevices, stand } from "../crypto/roster.ts";
import { readChains, readPool, vectors, type ChainsByHash, type Pool } from "./vectors.ts";

const roster = vectors<{ pool: Pool; cases: readonly { readonly name: string; readonly chains: ChainsByHash }[] }>("roster");
const opened = vectors<{ pool: Pool; stages: Readonly<Record<string, ChainsByHash>> }>("statements");
const pool = new Map([...(await readPool(roster.pool)), ...(await readPool(opened.pool))]);

/** The chains of a roster case with a room beside them: its `up` is of no consequence here. */
function view(name: string): View {
  const found = roster.cases.find((each) => each.name === name);
  const rooms = roster.cases.find((each) => each.name === "at the newest heads")?.chains.rooms;
  if (found === undefined || rooms === undefined) throw new Error(`no case ${name}`);
  const chains = readChains({ ...found.chains, rooms }, pool);
  return { chains, standing: stand(chains) };
}

const withdrawn = view("withdrawn");
const room = [...withdrawn.chains.rooms.keys()][0] ?? "";
const places = withdrawn.chains.consultation;
const last = places.at(-2)?.hash ?? "";
const now = seatedDevices(withdrawn.standing);
const gone = goneSince(withdrawn);
const other = now[0] ?? gone;

/** Who sat under the last statement but one. */
function goneSince({ chains }: View): LeafIdentity {
  let standing = stand({ ...chains, consultation: [], rooms: new Map() });
  for (const signed of chains.consultation.slice(0, -1)) standing = follow(standing, signed);
  const still = new Set(now.map(({ device }) => device));
  const found = seatedDevices(standing).find(({ device }) => !still.has(device));
  if (found === undefined) throw new Error("nobody was withdrawn");
  return found;
}

const member = (identity: LeafIdentity, leaf: number): Member => ({ leaf, identity, signatureKey: new Uint8Array(32) });

/** A transition whose signatures have been checked. */
function transition(change: { at?: string; sender?: LeafIdentity; removed?: readonly LeafIdentity[]; inside?: readonly LeafIdentity[]; room?: string }): PublicTransition {
  const heads = { installation: withdrawn.chains.installation.at(-1)?.hash ?? "", consultation: change.at ?? places.at(-1)?.hash ?? "", room };
  const state = (members: readonly LeafIdentity[], epoch: number): PublicRoster => ({
    room: change.room ?? room,
    epoch,
    members: members.map(member),
    signer: member(other, 0),
    treeHash: "",
  });
  return {
    before: state([other, gone], 4),
    after: state(change.inside ?? [other], 5),
    sender: member(change.sender ?? other, 0),
    external: false,
    authenticatedData: canonical(heads),
    added: [],
    removed: (change.removed ?? [gone]).map(member),
  };
}

describe("a removal is proven", () => {
  const asked = { room, leaf: { ...gone, last } };

  test("by a commit that takes the device out after its seat was taken", () => {
    expect(provesRemoval(withdrawn, asked, transition({}))).toBe(true);
  });

  test("by nothing older than the statement that took the seat", () => {
    expect(provesRemoval(withdrawn, asked, transition({ at: last }))).toBe(false);
    expect(provesRemoval(withdrawn, asked, transition({ at: "0".repeat(64) }))).toBe(false);
  });

  test("by no list which merely lacks the device, nor one which has it still", () => {
    expect(provesRemoval(withdrawn, asked, transition({ removed: [] }))).toBe(false);
    expect(provesRemoval(withdrawn, asked, transition({ inside: [other, gone] }))).toBe(false);
  });

  test("by nobody without a seat, and in no other room", () => {
    expect(provesRemoval(withdrawn, asked, transition({ sender: gone }))).toBe(false);
    expect(provesRemoval(withdrawn, asked, transition({ room: "a".repeat(64) }))).toBe(false);
  });

  test("anew, for somebody who came back and lost the seat again", () => {
    const newest = places.at(-1)?.hash ?? "";
    expect(provesRemoval(withdrawn, { room, leaf: { ...gone, last: newest } }, transition({}))).toBe(false);
  });

  test("of a device that was revoked, by whatever commit took it out", () => {
    const revoked = view("a revoked device has no seat");
    const still = new Set(seatedDevices(revoked.standing).map(({ device }) => device));
    const lost = seatedDevices(revoked.standing, "plenary", "too").find(({ device }) => !still.has(device));
    if (lost === undefined) throw new Error("nothing was revoked");
    const change = transition({ removed: [lost], at: revoked.chains.consultation.at(-1)?.hash ?? "" });
    const heads = { installation: revoked.chains.installation.at(-1)?.hash ?? "", consultation: revoked.chains.consultation.at(-1)?.hash ?? "", room };
    expect(provesRemoval(revoked, { room, leaf: { ...lost, last: null } }, { ...change, authenticatedData: canonical(heads) })).toBe(true);
  });
});
