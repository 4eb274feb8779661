/** The room's own words: capacities, states of the connection, why something cannot be opened or sent. */

import type { Alarm, Entry, SeatCapacity, SendBlock } from "../bridge.ts";
import { gettext } from "../gettext.ts";
import { wordsFor } from "../words.ts";

export type Link = "connecting" | "connected" | "by_post" | "waiting" | "signed_out" | "no_seat";

const capacities: Readonly<Record<SeatCapacity, string>> = {
  chair: "Co-Chair",
  head: "Head of delegation",
  alternate: "Alternate",
  adviser: "Adviser",
  observer: "Observer",
  interpreter: "Interpreter",
  secretariat: "Secretariat",
  chair_staff: "Co-Chair's staff",
};

export function capacityWords(capacity: SeatCapacity | null): string {
  return capacity === null ? gettext("no longer seated") : gettext(capacities[capacity]);
}

/** The state of the line and of what waits, in one phrase. */
export function linkWords(link: Link, queued: number): string {
  const waiting = queued === 1 ? gettext("1 message waits") : gettext("{n} messages wait").replace("{n}", String(queued));
  switch (link) {
    case "connected":
      return queued === 0 ? gettext("Connected · everything sent") : `${gettext("Connected")} · ${gettext("sending")}`;
    case "by_post":
      return queued === 0 ? gettext("Connected the slow way · everything sent") : `${gettext("Connected the slow way")} · ${gettext("sending")}`;
    case "connecting":
      return gettext("Connecting…");
    case "waiting":
      return queued === 0 ? gettext("No connection · trying again") : `${gettext("No connection")} · ${waiting}`;
    case "signed_out":
      return gettext("Signed out");
    case "no_seat":
      return gettext("You no longer have a seat here");
  }
}

/** What is over for good on this page, and what to do; null while the line may come back by itself. */
export function endedWords(link: Link): string | null {
  switch (link) {
    case "signed_out":
      return gettext("You are signed out, so nothing is sent from here. What you have written stays in this browser: sign in and come back.");
    case "no_seat":
      return gettext("You no longer have a seat in this room: nothing more arrives here, and nothing is sent. Ask your focal point.");
    default:
      return null;
  }
}

export function blockWords(block: SendBlock): string {
  switch (block.kind) {
    case "getting_ready":
      return {
        welcome: gettext("Waiting to be let in: any seated delegate who is online lets you in, or this browser joins by itself in a moment."),
        opening: gettext("The room is being opened."),
        removal: gettext("Somebody is being removed. Sending goes on in a moment."),
        newest_list: gettext("Checking the newest list of people. Sending goes on in a moment."),
      }[block.waitingFor];
    case "confirm_key":
      return gettext("A party's key was replaced. Look at it once before you send.");
    case "not_seated":
      return gettext("You have no seat in this room, so nothing can be sent. Ask your focal point.");
    case "frozen":
      return gettext("The room is stopped: something did not hold. Nothing is sent from here. Call the Co-Chairs by telephone.");
  }
}

type Unopened = Extract<Entry, { kind: "unopened" }>;

const causes: Readonly<Record<Unopened["cause"], string>> = {
  before_history: "Written before the time your seat may read.",
  key_missing: "The key of this message is not in this browser yet.",
  wrong_key: "The key this browser was given does not open this message.",
  altered: "This message was altered on its way.",
  forged: "This message does not come from the person it names.",
  unseated: "This was written by somebody who had no seat.",
  malformed: "This message is not in a form this browser knows.",
};

const remedies: Readonly<Record<Unopened["remedy"], string>> = {
  none: "",
  ask_history: "A seated delegate who is online will pass it on; nothing to do.",
  ask_sender: "Ask the sender to send it again.",
  tell_chairs: "Show this to the Co-Chairs.",
};

export function unopenedWords(entry: Unopened): string {
  return `${gettext(causes[entry.cause])} ${gettext(remedies[entry.remedy])}`.trim();
}

/** Only some alarms stop a room; the others say that the host was caught, and the room may go on. */
const alarmCodes: Readonly<Partial<Record<Alarm["kind"], string>>> = {
  rolled_back: "host_rolled_back",
  chain_broken: "chain_broken",
  fork: "fork",
  wrong_installation: "wrong_installation",
};

export function alarmWords(alarm: Alarm): string {
  switch (alarm.kind) {
    case "record":
      return gettext("The record the server shows does not hold. Call the Co-Chairs and the secretariat by telephone.");
    case "record_forked":
      return gettext(
        "The server shows you another past than it showed before, or than it shows others: the record is being rewritten. Nothing more is sent from here, in any room. Save the evidence, keep it, and call both Co-Chairs by telephone.",
      );
    case "left_out":
      return gettext("The server took a message of yours and left it out of the record. Save the evidence, keep it, and tell both Co-Chairs by telephone.");
    case "removal_late":
      return gettext("Somebody who was removed may still be able to read. Send nothing confidential, and call the Co-Chairs by telephone.");
    default:
      return wordsFor(alarmCodes[alarm.kind] ?? "room_frozen");
  }
}
