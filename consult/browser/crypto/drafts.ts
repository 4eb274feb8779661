/** Acts of both Co-Chairs which have one signature. What a page shows is read out of the very statement that would be signed. */

import type { DraftAct, DraftView, Hex, Signed as SignedView } from "../bridge.ts";
import { bodyOf } from "./acts.ts";
import { refresh, type View } from "./book.ts";
import type { Context, Self } from "./context.ts";
import { Failure } from "./failure.ts";
import { judge } from "./judging.ts";
import { cardView } from "./people.ts";
import { count, list, members, name, orNull } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { convened } from "./standing.ts";
import { cosign, encodeSignature, parseSigned, type Signed } from "./statements.ts";

interface Waiting {
  readonly draft: Hex;
  readonly signed: Signed;
  readonly at: number | null;
}

export async function drafts(context: Context, self: Self): Promise<readonly DraftView[]> {
  const found: DraftView[] = [];
  for (const waiting of await waitingDrafts(context)) {
    const view = await viewFor(context, self, waiting.signed);
    const act = actOf(view, waiting.signed);
    if (act !== undefined) found.push(await shown(self, view, waiting, act));
  }
  return found;
}

/** Signs exactly the draft of this hash. @throws Failure `superseded` if it is gone or its chain has moved on */
export async function signDraft(context: Context, self: Self, draft: Hex): Promise<SignedView> {
  const waiting = (await waitingDrafts(context)).find((each) => each.draft === draft);
  if (waiting === undefined) throw new Failure("superseded", "the draft is not there any more");
  const view = await viewFor(context, self, waiting.signed);
  const problem = await problemWith(view, waiting.signed);
  if (problem === "superseded") throw new Failure("superseded", "the chain has moved on since the draft was made");
  if (problem !== null) throw new Failure("not_due", problem);
  const both = await cosign(waiting.signed, { card: self.card, key: self.accountSigner });
  await judge(view.standing, both);
  const own = both.signatures.find(({ card }) => card === self.card);
  if (own === undefined) throw new Failure("not_yours", "no signature of ours");
  const answer = members(await context.server.post(`/api/drafts/${draft}/sign`, { signature: encodeSignature(own) }));
  await viewFor(context, self, waiting.signed);
  return { hash: name(answer["hash"]), n: count(answer["n"]) };
}

export async function discardDraft(context: Context, draft: Hex): Promise<void> {
  await context.server.send("DELETE", `/api/drafts/${draft}`, undefined);
}

async function waitingDrafts(context: Context): Promise<readonly Waiting[]> {
  const rows = list(await context.server.get("/api/drafts"), members);
  return Promise.all(
    rows.map(async (row) => {
      const signed = await parseSigned({ statement: row["statement"], signatures: row["signatures"] });
      // A draft is named by its own hash, whatever the host calls it.
      return { draft: signed.hash, signed, at: orNull(row["at"], count) };
    }),
  );
}

function viewFor(context: Context, self: Self, { statement, scope }: Signed): Promise<View> {
  const ofConsultation = ["seat", "unseat", "exclude", "consultation.dispose"].includes(statement.type);
  return refresh(context, self, ofConsultation ? scope : null);
}

async function shown(self: Self, view: View, { draft, signed, at }: Waiting, act: DraftAct): Promise<DraftView> {
  const cards = signed.signatures.map(({ card }) => card).filter((card) => view.standing.accounts.has(card));
  return {
    draft,
    act,
    signedBy: cards.map((card) => cardView(view.standing, card)),
    own: cards.includes(self.card),
    problem: await problemWith(view, signed),
    at,
  };
}

async function problemWith(view: View, signed: Signed): Promise<string | null> {
  try {
    await judge(view.standing, signed, { draft: true });
    return null;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === "head_moved") return "superseded";
    return error.code === "bad_signature" || error.code === "malformed" ? "chain_broken" : error.code;
  }
}

/** @returns undefined for what is no act of both Co-Chairs, or names a card that is not served: that cannot be shown, so not signed */
function actOf({ standing }: View, { statement, scope }: Signed): DraftAct | undefined {
  const concerning = (card: Hex) => ({ consultation: scope, reference: standing.consultation?.proposed.reference ?? "", ...cardView(standing, card) });
  try {
    switch (statement.type) {
      case "chairs.root": {
        const { chairs, log } = bodyOf(statement, "chairs.root");
        return { type: "chairs.root", chairs: chairs.map(({ card }) => cardView(standing, card)), log };
      }
      case "party.key": {
        const { party, card, former } = bodyOf(statement, "party.key");
        return { type: "party.key", party, card, fingerprint: cardView(standing, card).fingerprint, former };
      }
      case "seat": {
        const { card, capacity, rooms } = bodyOf(statement, "seat");
        return { type: "seat", ...concerning(card), capacity, rooms };
      }
      case "unseat": {
        const { card, rooms } = bodyOf(statement, "unseat");
        return { type: "unseat", ...concerning(card), rooms };
      }
      case "exclude": {
        const { card, device } = bodyOf(statement, "exclude");
        return { type: "exclude", ...concerning(card), device };
      }
      case "consultation.dispose": {
        const { basis, manifest } = bodyOf(statement, "consultation.dispose");
        return { type: "consultation.dispose", consultation: scope, reference: convened(standing).proposed.reference, basis, manifest };
      }
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof Refusal || error instanceof TypeError) return undefined;
    throw error;
  }
}
