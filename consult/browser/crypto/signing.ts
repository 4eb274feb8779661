/** Makes a statement, judges it by our own roster, and submits it. Nothing is signed that our own client would refuse from others. */

import type { DraftMade, Hex, Signed as SignedView } from "../bridge.ts";
import { draft, TABLE, type ActType, type Bodies } from "./acts.ts";
import { refresh, type View } from "./book.ts";
import type { JsonObject } from "./canonical.ts";
import type { Context, Self } from "./context.ts";
import { Failure, hasCode } from "./failure.ts";
import { judge } from "./judging.ts";
import { count, members, name } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { encodeSigned, signStatement, type Signed } from "./statements.ts";

const ATTEMPTS = 4;

/** What an act says and what travels beside it, from chains that have just been verified. Throws if it should not be signed. */
export interface Composed<T extends ActType> {
  readonly body: Bodies[T];
  readonly enclosed: JsonObject;
}

export interface Act<T extends ActType> {
  readonly context: Context;
  readonly self: Self;
  /** the consultation whose chains the act hangs on; null for the installation and the own account */
  readonly consultation: Hex | null;
  readonly type: T;
  readonly compose: (view: View) => Promise<Composed<T>>;
}

/** An act of one person. @throws Failure `superseded`, `not_yours`; Refusal `not_due` and others of the rules */
export async function perform<T extends ActType>(act: Act<T>): Promise<SignedView & { readonly scope: Hex }> {
  const answer = members(await submitted(act, "/api/statements"));
  const done = { hash: name(answer["hash"]), n: count(answer["n"]), scope: name(answer["scope"]) };
  await refresh(act.context, act.self, act.consultation);
  return done;
}

/** An act of both Co-Chairs: our signature makes a draft. */
export async function beginDraft<T extends ActType>(act: Act<T>): Promise<DraftMade> {
  return { draft: name(members(await submitted(act, "/api/drafts"))["draft"]) };
}

async function submitted<T extends ActType>(act: Act<T>, door: string): Promise<unknown> {
  const { context, self } = act;
  let before: View | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const view = await refresh(context, self, act.consultation);
    const { body, enclosed } = await act.compose(view);
    if (before !== undefined) refuseIfSuperseded(before, view, body as unknown as JsonObject);
    const signed = await signedBy(self, view, act.type, body);
    try {
      return await context.server.post(door, { ...encodeSigned(signed), enclosed });
    } catch (error) {
      if (!hasCode(error, "head_moved") || attempt === ATTEMPTS) throw error;
      before = view;
    }
  }
}

/** Signed, and lawful after what this view shows. */
export async function signedBy<T extends ActType>(self: Self, view: View, type: T, body: Bodies[T]): Promise<Signed> {
  const statement = draft(view.standing, type, body, { card: self.card });
  const signed = await signStatement(statement, { card: self.card, key: self.accountSigner });
  try {
    await judge(view.standing, signed, { draft: TABLE.get(type)?.bothChairs === true });
  } catch (error) {
    if (error instanceof Refusal && error.code === "wrong_signer") throw new Failure("not_yours", "this act is somebody else's", {}, { cause: error });
    throw error;
  }
  return signed;
}

/** Somebody was first. If it was about the same party, person or proposal, people look again before they sign. */
function refuseIfSuperseded(before: View, after: View, body: JsonObject): void {
  const known = new Set([...before.chains.installation, ...before.chains.consultation].map(({ hash }) => hash));
  const news = [...after.chains.installation, ...after.chains.consultation].filter(({ hash }) => !known.has(hash));
  const ours = subjects(body);
  if (news.some(({ statement }) => subjects(statement.body).some((subject) => ours.includes(subject)))) {
    throw new Failure("superseded", "somebody acted on the same subject first");
  }
}

function subjects(body: JsonObject): readonly string[] {
  return ["party", "card", "device", "proposal"].flatMap((member) => {
    const value = body[member];
    return typeof value === "string" ? [value] : [];
  });
}
