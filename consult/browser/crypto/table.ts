/** The closed table: every call of bridge.ts, and the one function that answers it. State changes run one at a time, under the lock. */

import type { CallTable } from "../bridge.ts";
import { devices, keepReady, revokeDevice, status } from "./account.ts";
import { allAlarms, evidenceFile } from "./alarms.ts";
import { consultationView } from "./consultations.ts";
import type { Context, Self } from "./context.ts";
import { accredit, answerInvitation, exclude, seat, undertake, unseat, withdrawDelegate } from "./delegations.ts";
import { dispose, requestDisposal } from "./disposals.ts";
import { discardDraft, drafts, signDraft } from "./drafts.ts";
import { checkEntry } from "./entries.ts";
import { completeEnrolment, openCode, reserveSecondFactor } from "./enrol.ts";
import { composeRoot, installation } from "./installation.ts";
import { composePartyKey, confirmInvitation, createInvitation, invitations, withdrawInvitation } from "./invitations.ts";
import { concur, deleteProposalDraft, endProposal, proposalDrafts, propose, saveProposalDraft } from "./proposals.ts";
import { restoreAccount } from "./restore.ts";
import { roomCalls } from "./roomcalls.ts";

export function callTable(context: Context): CallTable {
  const locked = <T>(work: (self: Self) => Promise<T>): Promise<T> => context.exclusive(async () => work(await context.self()));
  const within = <T>(consultation: string, work: (here: { context: Context; self: Self; consultation: string }) => Promise<T>): Promise<T> =>
    locked((self) => work({ context, self, consultation }));
  return {
    status: () => status(context),
    keepReady: () => locked((self) => keepReady(context, self)),
    enrolOpen: ({ code }) => openCode(context, code),
    enrolSignInDetails: (args) => reserveSecondFactor(context, args),
    enrolComplete: (args) => context.exclusive(() => completeEnrolment(context, args)),
    restore: (args) => context.exclusive(() => restoreAccount(context, args)),
    devices: () => locked((self) => devices(context, self)),
    revokeDevice: ({ device }) => locked((self) => revokeDevice(context, self, device)),
    alarms: async () => allAlarms((await context.self()).rows),
    alarmEvidence: async ({ id }) => evidenceFile((await context.self()).rows, id),
    entryProof: (entry) => context.exclusive(() => checkEntry(context, entry)),

    installation: () => locked((self) => installation(context, self)),
    composeRoot: (args) => locked((self) => composeRoot(context, self, args)),
    drafts: () => locked((self) => drafts(context, self)),
    draftSign: ({ draft }) => locked((self) => signDraft(context, self, draft)),
    draftDiscard: async ({ draft }) => nothing(discardDraft(context, draft)),

    invitationCreate: (args) => locked((self) => createInvitation(context, self, args)),
    invitations: async () => invitations(context, await context.self()),
    invitationWithdraw: async ({ enrolment }) => nothing(withdrawInvitation(context, enrolment)),
    invitationConfirm: ({ enrolment }) => locked((self) => confirmInvitation(context, self, enrolment)),
    partyKey: (args) => locked((self) => composePartyKey(context, self, args)),

    proposalDrafts: async () => proposalDrafts(context, await context.self()),
    proposalDraftSave: (args) => locked((self) => saveProposalDraft(context, self, args)),
    proposalDraftDelete: async ({ id }) => nothing(deleteProposalDraft(context, id)),
    propose: (args) => locked((self) => propose(context, self, args)),
    concur: ({ consultation }) => locked((self) => concur(context, self, consultation)),
    returnProposal: (args) => locked((self) => endProposal(context, self, { ...args, type: "consultation.return" })),
    withdrawProposal: (args) => locked((self) => endProposal(context, self, { ...args, type: "consultation.withdraw" })),
    consultation: ({ consultation }) => locked((self) => consultationView(context, self, consultation)),

    answer: ({ consultation, answer }) => within(consultation, (here) => answerInvitation(here, answer)),
    accredit: ({ consultation, card, capacity, enrolment }) => within(consultation, (here) => accredit(here, { card, capacity, enrolment })),
    withdrawDelegate: ({ consultation, card }) => within(consultation, (here) => withdrawDelegate(here, card)),
    undertake: ({ consultation, text }) => within(consultation, (here) => undertake(here, text)),
    seat: ({ consultation, card, capacity }) => within(consultation, (here) => seat(here, { card, capacity })),
    unseat: ({ consultation, card }) => within(consultation, (here) => unseat(here, card)),
    exclude: ({ consultation, card, device }) => within(consultation, (here) => exclude(here, { card, device })),
    disposalRequest: async (args) => nothing(requestDisposal(context, args)),
    dispose: ({ consultation, basis }) => within(consultation, (here) => dispose(here, basis)),

    ...roomCalls(context),
  };
}

async function nothing(work: Promise<unknown>): Promise<Record<string, never>> {
  await work;
  return {};
}
