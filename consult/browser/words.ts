/**
 * What a person reads when an act did not go through: one sentence for what happened, one for what to do.
 * Every code of bridge.ts has its words here, and so have the server's codes that a person can meet.
 */

import { gettext } from "./gettext.ts";

const alarm = "Stop here, do not sign anything, and call the Co-Chairs and the secretariat by telephone.";

const sentences: Readonly<Record<string, string>> = {
  // the browser and the line
  browser_too_old: "This browser is too old to keep your keys. Use a current Firefox, Chrome, Edge or Safari.",
  offline: "The server did not answer. Nothing was lost; look at your connection and try again.",
  cancelled: "Stopped, as you asked. Nothing was changed.",
  failed: "Something went wrong in this page. Load it again; if it happens twice, tell the secretariat what you were doing.",
  sign_in: "You are no longer signed in. Sign in and do it again.",
  csrf: "This page was open too long. Load it again and repeat the act.",
  too_many: "Too many attempts in a short time. Wait a minute, then try again.",
  too_large: "This is above the size limit; a paper may have up to 50 MB. Choose a smaller file.",
  bad_input: "The server could not read this. Load the page again and repeat the act.",
  not_canonical: "The server could not read this. Load the page again and repeat the act.",
  not_found: "This is not here, or not for you. Go back to the first page.",
  forbidden: "This is not yours to do. Ask whoever sent you here.",

  // keys, codes, sheets
  no_keys: "This browser holds no keys for your account. Restore them with your recovery sheet, or use the browser in which you enrolled.",
  code_mistyped: "The code has a typing error. Compare it with the paper, letter by letter.",
  code_not_valid: "This code is unknown, was used already, or is older than 14 days. Ask for a new one.",
  code_not_here: "This code was made in another browser, so the card cannot be checked here. Use the browser in which you made it, or make a new code.",
  recovery_key_wrong: "This recovery key does not open your backup. Compare it with your newest sheet, letter by letter.",
  key_differs: `The person who enrolled did not hold your code: somebody else may have used it. ${alarm}`,
  weak_key: `A key was refused because it is not a sound one. ${alarm}`,
  bad_signature: `A signature does not hold. ${alarm}`,
  wrong_installation: `This is not the installation you are bound to. ${alarm}`,
  host_rolled_back: `The server shows less than this browser has already seen. ${alarm}`,
  chain_broken: `A signed act that the server shows does not hold. ${alarm}`,
  fork: `Two different acts carry the same number. Sending has stopped and the evidence is kept. ${alarm}`,

  // signing in and enrolling
  sign_in_name: "Choose a sign-in name of small letters, digits, dots and dashes, at least three.",
  sign_in_name_taken: "This sign-in name is taken. Choose another one.",
  password_weak: "Choose another password: at least 15 characters, not a common one, and without your name.",
  password_too_long: "Choose a password of at most 1,024 characters.",
  code_wrong: "These six digits are wrong or were used already. Wait for the next ones in your app and type those.",
  second_factor_expired: "This took more than half an hour. Go back one step and let your app read the new picture.",
  enrolled_perhaps:
    "The first try went through and its answer was lost. You can sign in, and your keys are in this browser, but without a recovery sheet. Ask for a new code and enrol again.",
  sheet_outdated: "A newer recovery sheet exists. Use that one.",

  // acts
  superseded: "Somebody acted on the same matter before you. Load the page again and look before you decide.",
  head_moved: "Somebody acted at the same moment. Load the page again and repeat the act if it still makes sense.",
  not_yours: "This act belongs to somebody else. Load the page again to see what waits for you.",
  not_due: "This is no longer open. Load the page again to see how things stand.",
  undertaking_differs: "The undertaking shown here is not the one both Co-Chairs signed. Do not sign it; tell the Co-Chairs.",
  brief_not_here: "The text has not been sealed to you yet. It opens by itself once somebody who holds it comes online; any Co-Chair or your focal point can do that by signing in.",
  brief_altered: `The text is not the one that was signed. ${alarm}`,
  wraps_missing: "Somebody who must be able to read this was added meanwhile. Load the page again and repeat the act.",
  draft_gone: "This draft was signed or taken back meanwhile. Load the page again.",

  // disposal
  disposed: "This was destroyed when the consultation was disposed of.",
  not_requested: "No officer of the secretariat has asked for this, or not on this ground. Load the page again.",
  retention_runs: "The agreed period is not over. Until then only the agreement of the parties or a legal order is a ground.",
  manifest_moved: "Something was added or changed since this was signed first. Nothing was destroyed. Discard the draft under Co-Chairs, then sign again, both of you.",
  not_sealed_yet: "The newest entries are being sealed. Wait a few seconds and do it again.",
  officers_only: "Only an officer of the secretariat asks for a disposal.",
  // evidence
  export_open: "You have asked already, or have an approval that still holds. Load the page again to see how it stands.",
  export_decided: "This request was decided or withdrawn meanwhile. Load the page again to see how it stands.",
  own_request: "Nobody approves a request of their own. The other Co-Chair decides it.",
  export_not_yours: "The file is made for the person who asked, and for nobody else. Ask for one of your own.",
  export_not_approved: "No Co-Chair has approved this. Load the page again to see how it stands.",
  export_expired: "The approval has ended. Ask again if you still need the file.",
  too_many_exports: "You have asked very often today. Ask again tomorrow.",
  not_signed: "Nothing of the record has been signed yet, so no file can be made. Try again in a minute; if it stays so, tell the people who run the host.",
  chairs_only: "Only a Co-Chair can do this.",

  // the room
  not_seated: "You have no seat in this room. If you should have one, ask your focal point.",
  room_not_open: "The room has not been opened yet. A Co-Chair opens it; this page will tell you.",
  room_frozen: "The room is stopped because something did not hold. Show the alarm to the Co-Chairs.",
  stale_epoch: "The list of people in the room has just changed. Your message goes out once this browser has caught up.",
  stale_head: "A new act was signed a moment ago. This browser is catching up; try again in a few seconds.",
  file_changed: "This is not the file whose upload had begun. Choose the same file, or start again.",
  altered: "This cannot be opened: it is not what was sent. Ask the sender to send it again.",
  wrong_key: "This browser does not have the right key for this. It asks for it by itself; wait a moment.",
  history_missing: "What was said earlier has not reached this browser yet. It comes when another delegation is online.",
  outbox_full: "Too much is waiting to be sent. Wait until the connection is back, or delete what need not go.",
};

const unknown = "This did not go through. Load the page again; if it happens twice, tell the secretariat this word: {code}";

/** @returns one or two plain sentences; an unknown code is named so that it can be passed on */
export function wordsFor(code: string): string {
  const words = sentences[code];
  return words === undefined ? gettext(unknown).replace("{code}", code) : gettext(words);
}

/** Whether the code means that the host, or somebody on the way, may be lying. */
export function isAlarm(code: string): boolean {
  return (sentences[code] ?? "").endsWith(alarm);
}
