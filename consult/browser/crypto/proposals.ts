/** Proposals: drafted for oneself, signed by one Co-Chair, then concurred, returned or withdrawn. */

import type { CompositionRow, Hex, Level, Proposal, ProposalDraftView, Signed, Urgency } from "../bridge.ts";
import { bodyOf } from "./acts.ts";
import { briefJson, makeText, readBrief, textKey, wrapKey } from "./briefs.ts";
import type { View } from "./book.ts";
import { canonical, parseCanonical, type Json, type JsonObject } from "./canonical.ts";
import type { Context, Self } from "./context.ts";
import { randomBytes, toBase64, toHex, type Bytes } from "./encoding.ts";
import { Failure } from "./failure.ts";
import { unwrap, wrap } from "./hpke.ts";
import { recipient } from "./people.ts";
import { bytes, choice, count, list, members, name, orNull, text } from "./reading.ts";
import { Refusal } from "./refusal.ts";
import { perform } from "./signing.ts";
import { chairCards, convened, inPlace, newest, type Standing } from "./standing.ts";

// ---------------------------------------------------------------------------------------------------------------- own drafts

export async function proposalDrafts(context: Context, self: Self): Promise<readonly ProposalDraftView[]> {
  const rows = list(await context.server.get("/api/proposal-drafts"), members);
  return Promise.all(
    rows.map(async (row) => ({ id: name(row["id"]), at: orNull(row["at"], count), proposal: await openDraft(self, bytes(row["box"])) })),
  );
}

async function openDraft(self: Self, box: Bytes): Promise<Proposal | null> {
  try {
    return readProposal(parseCanonical(await unwrap({ seed: self.xwingSeed, purpose: "draft", box })));
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

export async function saveProposalDraft(context: Context, self: Self, given: { id: Hex | null; proposal: Proposal }): Promise<{ id: Hex }> {
  const id = given.id ?? toHex(randomBytes(16));
  const box = await wrap({ publicKey: self.xwingKey, purpose: "draft", plaintext: canonical(proposalJson(given.proposal)) });
  await context.server.send("PUT", `/api/proposal-drafts/${id}`, { box: toBase64(box) });
  return { id };
}

export async function deleteProposalDraft(context: Context, id: Hex): Promise<void> {
  await context.server.send("DELETE", `/api/proposal-drafts/${id}`, undefined);
}

function proposalJson(proposal: Proposal): JsonObject {
  const { reference, level, urgency, brief } = proposal;
  const { subject, situation, agenda } = brief;
  return { reference, level, urgency, composition: rows(proposal.composition), subject, situation, agenda, options: optionsJson(proposal) };
}

function readProposal(value: Json): Proposal {
  const found = members(value);
  const options = members(found["options"]);
  const parts = { subject: text(found["subject"]), situation: text(found["situation"]), agenda: list(found["agenda"], text) };
  return {
    reference: text(found["reference"]),
    level: choice<Level>(found["level"], ["senior_officials", "ministers"]),
    urgency: choice<Urgency>(found["urgency"], ["routine", "urgent", "immediate"]),
    composition: list(found["composition"], readRow),
    brief: readBrief(parts),
    options: { marking: text(options["marking"]), retentionYears: count(options["retention_years"]), undertaking: text(options["undertaking"]) },
  };
}

function readRow(value: unknown): CompositionRow {
  const row = members(value);
  const capacity = choice<CompositionRow["capacity"]>(row["capacity"], ["chair", "steering_group", "affected", "invited", "observer"]);
  return { party: text(row["party"]), capacity, history: text(row["history"]) };
}

function rows(composition: readonly CompositionRow[]): readonly { party: string; capacity: CompositionRow["capacity"]; history: string }[] {
  const plain = composition.map(({ party, capacity, history }) => ({ party, capacity, history }));
  return plain.sort((left, right) => (left.party < right.party ? -1 : 1));
}

function optionsJson({ options }: Proposal): { marking: string; retention_years: number; undertaking: string } {
  return { marking: options.marking, retention_years: options.retentionYears, undertaking: options.undertaking };
}

// -------------------------------------------------------------------------------------------------------------------- the acts

export async function propose(context: Context, self: Self, given: { proposal: Proposal; draft: Hex | null }): Promise<{ consultation: Hex }> {
  const { proposal } = given;
  const done = await perform({
    context,
    self,
    consultation: null,
    type: "consultation.propose",
    compose: async ({ standing }) => {
      const made = await makeText(self, briefJson(proposal.brief), bothChairs(standing));
      const { reference, level, urgency } = proposal;
      const body = { reference, level, urgency, composition: rows(proposal.composition), brief: made.name, options: optionsJson(proposal) };
      return { body, enclosed: { brief: made.ciphertext, wraps: made.wraps } };
    },
  });
  if (given.draft !== null) await deleteProposalDraft(context, given.draft);
  return { consultation: done.scope };
}

/** Over exactly that proposal, and only after its brief has been opened here: nobody concurs with what cannot be read. */
export async function concur(context: Context, self: Self, consultation: Hex): Promise<Signed> {
  const { hash, n } = await perform({
    context,
    self,
    consultation,
    type: "consultation.concur",
    compose: async ({ standing }) => {
      const found = convened(standing);
      const key = await textKey(self, context.server, found.proposed.brief);
      const view = inPlace(newest(standing));
      const chairs = chairCards(view);
      const invited = [...view.focalPoints].filter(([party, card]) => found.composition.has(party) && !chairs.has(card));
      const wraps = await wrapKey(key, invited.map(([, card]) => recipient(standing, card)));
      return { body: { proposal: found.id }, enclosed: { wraps } };
    },
  });
  return { hash, n };
}

export async function endProposal(
  context: Context,
  self: Self,
  given: { consultation: Hex; reason: string; type: "consultation.return" | "consultation.withdraw" },
): Promise<Signed> {
  const { hash, n } = await perform({
    context,
    self,
    consultation: given.consultation,
    type: given.type,
    compose: async ({ standing }) => {
      const made = await makeText(self, { reason: given.reason }, bothChairs(standing));
      return { body: { proposal: convened(standing).id, reason: made.name }, enclosed: { reason: made.ciphertext, wraps: made.wraps } };
    },
  });
  return { hash, n };
}

function bothChairs(standing: Standing): readonly ReturnType<typeof recipient>[] {
  return [...chairCards(inPlace(newest(standing)))].map((card) => recipient(standing, card));
}

/** What the founding statement says, for the page. @throws Failure `not_yours` if there is no such consultation here */
export function proposalBody(view: View): ReturnType<typeof bodyOf<"consultation.propose">> {
  const founding = view.chains.consultation[0];
  if (founding === undefined) throw new Failure("not_yours", "no such consultation here");
  return bodyOf(founding.statement, "consultation.propose");
}
