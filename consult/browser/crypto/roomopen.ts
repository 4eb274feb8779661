/** Opens the plenary: the signer of `room.open` makes the group at epoch 0. Of two openings at once one wins, and the other joins. */

import type { Hex } from "../bridge.ts";
import { refresh } from "./book.ts";
import type { Context, Self } from "./context.ts";
import { toBase64 } from "./encoding.ts";
import { engineFor } from "./engine.ts";
import { Failure, hasCode, ServerRefusal } from "./failure.ts";
import { makeKeyPackages } from "./keypackages.ts";
import { Refusal } from "./refusal.ts";
import { leaveRows, stepInto } from "./roomrow.ts";
import { credentialsOf } from "./seating.ts";
import { signedBy } from "./signing.ts";
import { encodeSigned } from "./statements.ts";
import { tellRoom } from "./visit.ts";

export async function openRoom(context: Context, self: Self, consultation: Hex): Promise<{ room: Hex }> {
  const view = await refresh(context, self, consultation);
  const [existing] = view.standing.rooms.keys();
  if (existing !== undefined) return { room: existing };
  const body = { consultation, kind: "plenary", parties: [], cards: [], disclosure: "all" } as const;
  const opening = await signedBy(self, view, "room.open", body);
  const room = opening.hash;
  const engine = await engineFor(self);
  const [keyPackage] = (await makeKeyPackages(self, 1)).changes;
  if (keyPackage?.value == null) throw new Refusal("join_refused", "no key package was made");
  const created = await engine.rooms.createRoom({ room, keyPackage: keyPackage.value, validate: credentialsOf(view.standing) });
  const heads = { installation: view.chains.installation.at(-1)?.hash ?? "", consultation: view.chains.consultation.at(-1)?.hash ?? "", room };
  // Stored before it leaves: if the answer is lost, the room may exist, and only this browser can be in it.
  await stepInto(self, engine, { room, consultation, state: created.state, heads, before: undefined, confirmed: false, commit: undefined });
  const enclosed = { group_info: toBase64(created.groupInfo), tree: toBase64(created.tree) };
  try {
    await context.server.post("/api/statements", { ...encodeSigned(opening), enclosed });
  } catch (error) {
    if (!(error instanceof ServerRefusal)) throw error;
    await self.rows.write(leaveRows(room));
    if (!hasCode(error, "room_exists")) throw error;
    return { room: await otherRoom(context, self, consultation) };
  }
  await refresh(context, self, consultation);
  tellRoom(context, room);
  return { room };
}

async function otherRoom(context: Context, self: Self, consultation: Hex): Promise<Hex> {
  const [room] = (await refresh(context, self, consultation)).standing.rooms.keys();
  if (room === undefined) throw new Failure("room_not_open", "somebody else is opening the room");
  return room;
}
