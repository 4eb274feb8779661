/** What a reader is told, in plain words. English only: this page travels alone. */

import type { Verdict } from "./check.ts";

export const VERDICTS: Readonly<Record<Verdict | "unreadable", readonly [heading: string, meaning: string]>> = {
  verified: ["Verified", "Nothing was altered, left out, moved or dated back, and the witnesses of your list have signed."],
  tampered: ["Not what was signed", "Something in this file was altered. The first thing that does not hold is named below."],
  unanchored: ["Consistent, but not anchored", "Everything in it agrees with everything else. Whether it is the record that others see is not shown by what you gave."],
  incomplete: ["Incomplete", "What is there holds, and something that belongs to it is missing."],
  unreadable: ["Cannot be read", "This is no evidence file, or it was damaged on the way. Ask for it again."],
};

export const SOURCES: Readonly<Record<string, string>> = {
  state: "Signed by the people named",
  client: "Signed by a person’s device",
  host: "The host’s word",
};

export const ABSENT = {
  withheld: "withheld from the recipient of this file",
  pruned: "destroyed after the time for which it was kept; its place is proven",
  missing: "missing",
} as const;

const ACTS: Readonly<Record<string, string>> = {
  "log.genesis": "The record began, and named the keys that sign it",
  "log.policy": "A list of witnesses came into force",
  "chairs.root": "The two Co-Chairs founded the installation",
  "party.key": "A party’s focal point was named",
  "account.card": "A person enrolled with keys of their own",
  "device.add": "A person added a device",
  "device.revoke": "A person took a device out of use",
  "officer.confirmed": "A person became an officer of the secretariat",
  "subject.erased": "The host erased the details of a person",
  "consultation.propose": "The consultation was proposed",
  "consultation.concur": "The other Co-Chair concurred: the consultation is convened",
  "consultation.return": "The proposal was returned",
  "consultation.withdraw": "The proposal was withdrawn",
  "invitation.opened": "A party opened its invitation",
  "invitation.answer": "A party answered its invitation",
  accredit: "A party accredited a delegate",
  withdraw: "A party withdrew a delegate",
  undertaking: "A delegate gave the undertaking of confidentiality",
  seat: "Both Co-Chairs seated a person",
  unseat: "Both Co-Chairs ended a seat",
  exclude: "Both Co-Chairs excluded a person",
  "room.open": "The plenary’s room was opened",
  "room.epoch": "The room’s keys were brought in line with who is seated",
  "message.sent": "A message was sent; what it says is not known here",
  "document.uploaded": "A sealed paper was put into the room",
  "export.requested": "The evidence of the consultation was asked for",
  "export.approved": "A Co-Chair approved that somebody receives the evidence",
  "export.declined": "A Co-Chair declined that somebody receives the evidence",
  "export.withdrawn": "A request for the evidence was withdrawn",
  "export.created": "Somebody received the evidence, as one file",
  "build.deployed": "The host put another build into service",
  "disposal.requested": "The disposal of the consultation was asked for",
  "consultation.dispose": "Both Co-Chairs disposed of what was said and kept",
  "consultation.disposed": "What was said and kept was destroyed",
};

/** An act this page does not know is shown by its type, rather than left out. */
export function actIn(type: string): string {
  return ACTS[type] ?? type;
}

/** UTC, to the second. */
export function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
