/**
 * The closed table of what a page may ask the key worker. Both sides import it; it imports nobody.
 *
 * Everything here is plain, structured-cloneable data. No key and no plaintext key material ever crosses, with two exceptions which
 * people carry by hand: the recovery key's text, once, when `enrolComplete` answers, and an invitation code, once, when
 * `invitationCreate` answers. Hashes that name things are lower-case hex; times are milliseconds since 1970 UTC.
 */

// ---------------------------------------------------------------------------------------------------------------------- words

export type Hex = string;
export type PartyCode = string;
export type Level = "senior_officials" | "ministers";
export type Urgency = "routine" | "urgent" | "immediate";
/** What a party is in a consultation. */
export type PartyCapacity = "chair" | "steering_group" | "affected" | "invited" | "observer";
/** What a person is in a delegation. */
export type DelegateCapacity = "head" | "alternate" | "adviser" | "observer" | "interpreter";
/** What a person is who is seated by both Co-Chairs. */
export type OfficerCapacity = "secretariat" | "chair_staff";
/** why a consultation is disposed of; only the first waits for the end of the retention period */
export type DisposalBasis = "retention_over" | "agreed_early" | "legal_order";
export type SeatCapacity = "chair" | DelegateCapacity | OfficerCapacity;
export type Answer = "accept" | "decline" | "awaiting_instructions";
/** `opening`, `joining` or `sitting:<n>` */
export type HistoryScope = string;
export type Purpose = "chair" | "focal_point" | "delegate" | "secretariat";

/** A failed call rejects with this. `code` is stable; a page turns it into words. `message` is for a log, never for a screen. */
export interface CallError {
  readonly code: string;
  readonly message?: string;
  /** What else the server said with the code (`n`, `head`, `epoch`, `expected`); numbers and hashes only. */
  readonly about?: Readonly<Record<string, string | number>>;
}

/** Codes a page should have words for. Codes of the server's own (docs/protocol.md, section 5) pass through unchanged. */
export const callErrorCodes = [
  "browser_too_old", // no Ed25519 or X25519 in WebCrypto, no IndexedDB, no Web Locks
  "offline", // the server did not answer
  "cancelled", // the page cancelled the call
  "no_keys", // this browser holds no keys for the signed-in account: restore, or use the other browser
  "code_mistyped", // the checksum of a code or of a recovery key is wrong
  "code_not_valid", // the server does not know the code, or it was used, or it is older than 14 days
  "wrong_installation", // what the host serves is not the installation the code, the sheet or this browser is bound to: alarm
  "key_differs", // an enrolled card does not carry the mark of our code: somebody else enrolled; do not sign
  "code_not_here", // the invitation was made in another browser, so the card cannot be checked here
  "recovery_key_wrong", // the recovery key does not open the backup
  "host_rolled_back", // the host serves less than this browser, or the backup, has already seen: alarm
  "chain_broken", // a statement the host serves does not verify: alarm
  "fork", // two statements with one number: sending has stopped, the evidence is kept
  "superseded", // somebody else acted on the same subject first; look again, then decide
  "not_yours", // this act is not for this person
  "not_due", // the act makes no sense in the present state
  "undertaking_differs", // the text shown is not the one the proposal names
  "brief_not_here", // nobody has wrapped the brief for this card yet
  "brief_altered", // the sealed text does not match what was signed
  "not_seated", // no seat in this room
  "room_not_open", // the plenary's room has not been opened yet
  "room_frozen", // the room is stopped with an alarm
  "too_large", // a file above the limit
  "file_changed", // the file is not the one whose upload had begun
  "altered", // sealed bytes do not open
  "wrong_key",
  "history_missing",
  "outbox_full",
] as const;

/** Amount of work done, for calls that take time. `unit` says what is counted. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit: "bytes" | "steps";
}

// ---------------------------------------------------------------------------------------------------------------- identity

export type Status =
  | { readonly kind: "none"; readonly reason: "never_here" | "signed_out" }
  | {
      readonly kind: "ready";
      readonly card: Hex;
      readonly party: PartyCode;
      /** the pinned installation; null for a chair before `chairs.root` */
      readonly inst: Hex | null;
      readonly device: Hex;
      /** 20 Crockford characters in groups of four, for reading aloud */
      readonly fingerprint: string;
      /** whether the browser promised not to clear the keys by itself */
      readonly persistent: boolean;
      /** key packages at the server; null if not asked yet */
      readonly keyPackages: number | null;
      readonly alarms: readonly Alarm[];
    };

export interface EnrolmentOffer {
  readonly name: string;
  readonly party: PartyCode;
  readonly purpose: Purpose;
  /** null for the chairs, before there is an installation */
  readonly inst: Hex | null;
}

export interface Enrolled {
  readonly card: Hex;
  readonly device: Hex;
  readonly party: PartyCode;
  readonly inst: Hex | null;
  readonly fingerprint: string;
  /** SECRET, shown and printed once: the recovery key in groups of four */
  readonly recoveryKey: string;
  /** counts the recovery sheets of this account, printed on the sheet */
  readonly sheetNumber: number;
  /** the second factor's recovery codes, from the server */
  readonly recoveryCodes: readonly string[];
}

export interface Restored {
  readonly card: Hex;
  readonly device: Hex;
  readonly party: PartyCode;
  readonly inst: Hex | null;
  readonly fingerprint: string;
}

export interface DeviceView {
  readonly device: Hex;
  readonly own: boolean;
  readonly state: "in_use" | "revoked";
}

// ------------------------------------------------------------------------------------------------------------- installation

export interface CardView {
  readonly card: Hex;
  readonly party: PartyCode;
  readonly fingerprint: string;
}

export interface InstallationView {
  readonly inst: Hex | null;
  /** the chairs of `chairs.root`; before it, the chair cards the host serves (compare fingerprints by telephone) */
  readonly chairs: readonly CardView[];
  /** the party's present focal point, for every party that has one */
  readonly focalPoints: readonly CardView[];
  /** the record's verifier key; null before `chairs.root` */
  readonly log: string | null;
  /** whether this person is one of the two chairs */
  readonly chair: boolean;
}

/** What a draft would do, read out of the very statement that will be signed. */
export type DraftAct =
  | { readonly type: "chairs.root"; readonly chairs: readonly CardView[]; readonly log: string }
  | { readonly type: "party.key"; readonly party: PartyCode; readonly card: Hex; readonly fingerprint: string; readonly former: "retired" | "compromised" | null }
  | (ActInConsultation & { readonly type: "seat"; readonly capacity: OfficerCapacity; readonly rooms: readonly string[] })
  | (ActInConsultation & { readonly type: "unseat"; readonly rooms: readonly string[] })
  | (ActInConsultation & { readonly type: "exclude"; readonly device: Hex | null })
  | { readonly type: "consultation.dispose"; readonly consultation: Hex; readonly reference: string; readonly basis: DisposalBasis; readonly manifest: Hex };

/** Whom the act concerns, and in which consultation: all of it from signed statements. */
interface ActInConsultation extends CardView {
  readonly consultation: Hex;
  readonly reference: string;
}

export interface DraftView {
  readonly draft: Hex;
  readonly act: DraftAct;
  readonly signedBy: readonly CardView[];
  /** whether our own signature is on it */
  readonly own: boolean;
  /** null if it may be signed; else why not (`superseded`, `chain_broken`, `key_differs`, …) */
  readonly problem: string | null;
  readonly at: number | null;
}

/** The result of an act of both Co-Chairs: the first signature makes a draft, the second makes the statement. */
export interface DraftMade {
  readonly draft: Hex;
}

export interface Signed {
  readonly hash: Hex;
  readonly n: number;
}

// -------------------------------------------------------------------------------------------------------------- invitations

export interface InvitationMade {
  readonly enrolment: string;
  /** carried to the person outside the host: paper, note verbale */
  readonly code: string;
  /** the same code as a link; the part behind # never reaches the server */
  readonly url: string;
}

export interface InvitationView {
  readonly enrolment: string;
  readonly name: string;
  readonly purpose: Purpose;
  readonly party: PartyCode;
  readonly state: "waiting" | "enrolled" | "confirmed" | "expired";
  readonly card: Hex | null;
  readonly fingerprint: string | null;
  /** the card against our code: `differs` is an alarm, `not_here` means the code was made in another browser */
  readonly check: "waiting" | "matches" | "differs" | "not_here";
}

// ------------------------------------------------------------------------------------------------------------- consultations

export interface CompositionRow {
  readonly party: PartyCode;
  readonly capacity: PartyCapacity;
  readonly history: HistoryScope;
}

export interface BriefText {
  readonly subject: string;
  readonly situation: string;
  readonly agenda: readonly string[];
}

export interface ProposalOptions {
  readonly marking: string;
  readonly retentionYears: number;
  /** SHA-256, hex, of the undertaking's text in UTF-8 */
  readonly undertaking: Hex;
}

export interface Proposal {
  readonly reference: string;
  readonly level: Level;
  readonly urgency: Urgency;
  readonly composition: readonly CompositionRow[];
  readonly brief: BriefText;
  readonly options: ProposalOptions;
}

export interface ProposalDraftView {
  /** 16 bytes, hex */
  readonly id: Hex;
  readonly at: number | null;
  /** null if the box does not open with this account's key */
  readonly proposal: Proposal | null;
}

export interface PartyView {
  readonly party: PartyCode;
  readonly capacity: PartyCapacity;
  readonly history: HistoryScope;
  readonly focalPoint: Hex | null;
  readonly answer: Answer | null;
  readonly delegates: readonly DelegateView[];
}

export interface DelegateView {
  readonly card: Hex;
  readonly capacity: DelegateCapacity;
  readonly fingerprint: string;
  readonly undertaken: boolean;
  readonly seated: boolean;
  /** devices of the account which count: added, neither revoked nor excluded */
  readonly devices: readonly Hex[];
}

export interface SeatView {
  readonly card: Hex;
  readonly party: PartyCode;
  readonly capacity: SeatCapacity;
  readonly rooms: readonly string[];
  readonly devices: readonly Hex[];
}

export interface OfficerView {
  readonly card: Hex;
  readonly capacity: OfficerCapacity;
  readonly undertaken: boolean;
  readonly seated: boolean;
}

export type SealedText<T> =
  | { readonly kind: "open"; readonly text: T }
  /** `brief_not_here`: somebody who holds it must come online; `brief_altered`: alarm; `disposed`: destroyed with its consultation */
  | { readonly kind: "closed"; readonly cause: "brief_not_here" | "brief_altered" | "disposed" };

/** Everything said here was checked against signatures, down to the pinned installation. */
export interface ConsultationView {
  readonly consultation: Hex;
  readonly state: "proposed" | "returned" | "withdrawn" | "concurred" | "disposed";
  readonly reference: string;
  readonly level: Level;
  readonly urgency: Urgency;
  readonly options: ProposalOptions;
  readonly composition: readonly CompositionRow[];
  readonly proposedBy: CardView;
  readonly brief: SealedText<BriefText>;
  /** the reason of a return or withdrawal */
  readonly reason: SealedText<string> | null;
  readonly parties: readonly PartyView[];
  readonly officers: readonly OfficerView[];
  readonly seats: readonly SeatView[];
  readonly excluded: readonly { readonly card: Hex; readonly device: Hex | null }[];
  readonly rooms: readonly { readonly room: Hex; readonly kind: "plenary" }[];
  /** who is reading, as the chains see it */
  readonly own: {
    readonly card: Hex;
    readonly party: PartyCode;
    readonly chair: boolean;
    /** the party of this consultation we are the focal point of */
    readonly focalPointOf: PartyCode | null;
    readonly accredited: DelegateCapacity | null;
    readonly undertakingDue: boolean;
    readonly seated: boolean;
    readonly acts: readonly ConsultationAct[];
  };
}

/** What the reader may do now; computed from the chains, so it is what other clients will accept. */
export type ConsultationAct =
  | "concur"
  | "return"
  | "withdraw_proposal"
  | "answer"
  | "accredit"
  | "withdraw_delegate"
  | "undertake"
  | "seat"
  | "unseat"
  | "exclude"
  | "open_room"
  | "enter_room";

// --------------------------------------------------------------------------------------------------------------------- rooms

/** Why nothing can be sent right now. `getting_ready` passes by itself. */
export type SendBlock =
  | { readonly kind: "getting_ready"; readonly waitingFor: "welcome" | "opening" | "removal" | "newest_list" }
  | { readonly kind: "confirm_key"; readonly notices: readonly KeyNotice[] }
  | { readonly kind: "not_seated" }
  | { readonly kind: "frozen"; readonly alarm: Alarm };

/** A party's key was replaced without the former key's word: the user looks once, then sending goes on. */
export interface KeyNotice {
  /** the statement which replaced it */
  readonly statement: Hex;
  readonly party: PartyCode;
  readonly former: Hex | null;
  readonly card: Hex;
  readonly fingerprint: string;
}

export interface Alarm {
  readonly id: string;
  readonly kind:
    | "ghost" // somebody is in the group who has no seat
    | "unlawful_removal" // somebody was removed who still has a seat
    | "fork" // two statements with one number
    | "chain_broken"
    | "rolled_back"
    | "wrong_installation"
    | "record" // a checkpoint of the record does not verify, or is not proven to continue the one before
    | "record_forked" // the record has two pasts: sending has stopped in every room
    | "left_out" // a message of ours was taken, and its entry is not in the record
    | "removal_late"; // a removal is not proven although somebody could have made it
  readonly at: number;
  readonly room: Hex | null;
  readonly cards: readonly Hex[];
  readonly devices: readonly Hex[];
  /** statement hashes, epochs: what a person would hand to an expert; canonical JSON */
  readonly evidence: string;
}

/** What to save of an alarm: JSON of the alarm and of what was served, as it was served. */
export interface EvidenceFile {
  readonly name: string;
  readonly text: string;
}

/** An entry of the record and its way to the root; bytes in base64, `note` the signed checkpoint. */
export interface EntryProof {
  readonly leaf: string;
  readonly index: number;
  readonly size: number;
  readonly path: readonly string[];
  readonly note: string;
}

export interface EntryProven {
  /** the leaf leads to the checkpoint's root */
  readonly included: boolean;
  /** the checkpoint carries the signature which both Co-Chairs fixed and is of the history seen here; null if this browser holds no keys */
  readonly signed: boolean | null;
}

export interface RoomMember {
  readonly card: Hex;
  readonly party: PartyCode;
  readonly capacity: SeatCapacity;
  readonly own: boolean;
  readonly devices: readonly {
    readonly device: Hex;
    readonly own: boolean;
    /** `in`: holds this epoch's key; `joining`: seated, not in the group yet; `leaving`: in the group, no longer seated */
    readonly state: "in" | "joining" | "leaving";
  }[];
}

export interface RoomView {
  readonly room: Hex;
  readonly consultation: Hex;
  /** null until we are in the group */
  readonly epoch: number | null;
  readonly members: readonly RoomMember[];
  /** null means that messages can be sent */
  readonly block: SendBlock | null;
  /** no other device has confirmed this list yet */
  readonly unconfirmed: boolean;
  /** short number of this epoch, equal for all who share it; for reading aloud */
  readonly roomNumber: string | null;
  /** the first epoch this browser can open; null if none */
  readonly opensFrom: number | null;
  readonly queued: number;
  readonly own: { readonly card: Hex; readonly device: Hex };
}

/** An item as the socket and `GET items` bring it (docs/protocol.md, section 6). */
export type RoomItem =
  | {
      readonly seq: number;
      readonly kind: "content";
      readonly id: Hex;
      readonly device: Hex;
      readonly at: number;
      readonly header: string;
      readonly box: string;
    }
  | { readonly seq: number; readonly kind: "commit"; readonly at: number; readonly epoch: number; readonly commit: string };

export interface Author {
  readonly card: Hex;
  readonly device: Hex;
  readonly party: PartyCode;
  /** null if the person no longer has a seat */
  readonly capacity: SeatCapacity | null;
  readonly own: boolean;
}

export interface PaperView {
  readonly name: string;
  readonly type: string;
  /** bytes of the file itself */
  readonly size: number;
}

export type UnopenedCause =
  | "before_history" // before what this seat may read
  | "key_missing" // this browser lacks the key of that epoch
  | "wrong_key"
  | "altered"
  | "forged" // not signed by the device it claims, or relabelled
  | "unseated" // signed by somebody who had no seat
  | "malformed";

export type Remedy =
  | "none" // as it should be
  | "ask_history" // a seated client online gives the key; happens by itself
  | "ask_sender" // the sender should send it again
  | "tell_chairs"; // show this to the Co-Chairs

export type Entry =
  | {
      readonly kind: "text";
      readonly seq: number;
      readonly id: Hex;
      readonly at: number;
      readonly author: Author;
      readonly text: string;
      readonly replyTo: Hex | null;
      /** objects of this device missing just before this one; 0 normally */
      readonly missingBefore: number;
    }
  | {
      readonly kind: "paper";
      readonly seq: number;
      readonly id: Hex;
      readonly at: number;
      readonly author: Author;
      readonly paper: PaperView;
      readonly replyTo: Hex | null;
      readonly missingBefore: number;
    }
  | { readonly kind: "unopened"; readonly seq: number; readonly id: Hex; readonly at: number; readonly cause: UnopenedCause; readonly remedy: Remedy }
  | {
      readonly kind: "membership";
      readonly seq: number;
      readonly at: number;
      readonly epoch: number;
      /** null where the commit is older than this browser's own membership: it says nothing we checked */
      readonly added: readonly MembershipChange[] | null;
      readonly removed: readonly MembershipChange[] | null;
    };

export interface MembershipChange {
  readonly card: Hex;
  readonly device: Hex;
  /** also of somebody who has no seat any more */
  readonly party: PartyCode;
  /** another device of the same person was in the room before and is in it afterwards: only the device came or went */
  readonly stays: boolean;
}

export interface Opened {
  readonly entries: readonly Entry[];
  /** the room's newest number known to us */
  readonly head: number;
  /** true: look at the room again (`roomSync`), then ask for these items again */
  readonly syncFirst: boolean;
}

// -------------------------------------------------------------------------------------------------------------------- outbox

export interface Queued {
  readonly id: Hex;
  readonly at: number;
  readonly replyTo: Hex | null;
  readonly content: { readonly kind: "text"; readonly text: string } | { readonly kind: "paper"; readonly paper: PaperView };
  readonly state: "waiting" | "sending" | "failed";
  /** why it failed; null otherwise */
  readonly code: string | null;
}

/** The `send` frame, ready for the socket: `socket.send(frame)`. Tell the worker what became of it. */
export interface NextFrame {
  readonly id: Hex;
  readonly frame: string;
}

/** The host's signed word, in an `ack`, that the message's event is kept; null if it gave none. */
export interface Receipt {
  readonly t: number;
  readonly sig: string;
}

export interface Acknowledged {
  readonly id: Hex;
  readonly seq: number;
  readonly at: number;
}

// ------------------------------------------------------------------------------------------------------------------- removal

export interface RemovalView {
  readonly room: Hex;
  readonly card: Hex;
  readonly device: Hex;
  /**
   * `proven`: the signed public commit which took the device out was checked, with the states around it; it was made after the seat was
   * taken. `outside`: nothing to take out, says the host; the device was never let in.
   */
  readonly state: "pending" | "outside" | "proven" | "alarm";
  readonly epoch: number | null;
  /** when this browser first saw the removal due */
  readonly since: number;
}

// --------------------------------------------------------------------------------------------------------------- the table

interface Call<Args, Result> {
  readonly args: Args;
  readonly result: Result;
}

type Nothing = Readonly<Record<string, never>>;

/** name → arguments and result. `keys.call(name, args)`; a call without arguments takes `{}`. */
export interface Calls {
  // identity
  readonly status: Call<Nothing, Status>;
  /** Tops up key packages, wraps briefs for those who lack them. Call once per page load when `status` is ready. */
  readonly keepReady: Call<Nothing, { readonly keyPackages: number; readonly wrapped: number }>;
  readonly enrolOpen: Call<{ readonly code: string }, EnrolmentOffer>;
  readonly enrolSignInDetails: Call<{ readonly code: string; readonly signInName: string; readonly password: string }, { readonly otpauth: string }>;
  readonly enrolComplete: Call<
    { readonly code: string; readonly signInName: string; readonly password: string; readonly totp: string; readonly label: string },
    Enrolled
  >;
  readonly restore: Call<{ readonly recoveryKey: string; readonly label: string }, Restored>;
  readonly devices: Call<Nothing, readonly DeviceView[]>;
  readonly revokeDevice: Call<{ readonly device: Hex }, Signed>;
  readonly alarms: Call<Nothing, readonly Alarm[]>;
  /** everything kept of one alarm, to be saved as a file */
  readonly alarmEvidence: Call<{ readonly id: string }, EvidenceFile>;
  /** Whether an entry that the host shows stands in the record, under a checkpoint which continues the one pinned here. */
  readonly entryProof: Call<EntryProof, EntryProven>;

  // installation and chairs
  readonly installation: Call<Nothing, InstallationView>;
  /** `other`: the other chair's card, whose fingerprint was compared by telephone; `log`: the record's verifier key, as the page got it. */
  readonly composeRoot: Call<{ readonly other: Hex; readonly log: string }, DraftMade>;
  readonly drafts: Call<Nothing, readonly DraftView[]>;
  readonly draftSign: Call<{ readonly draft: Hex }, Signed>;
  readonly draftDiscard: Call<{ readonly draft: Hex }, Nothing>;

  // invitations
  readonly invitationCreate: Call<{ readonly purpose: Purpose; readonly party: PartyCode; readonly name: string }, InvitationMade>;
  readonly invitations: Call<Nothing, readonly InvitationView[]>;
  readonly invitationWithdraw: Call<{ readonly enrolment: string }, Nothing>;
  /** an officer's card, after the mark of the code was checked */
  readonly invitationConfirm: Call<{ readonly enrolment: string }, { readonly card: Hex }>;
  /** Draft of `party.key` for a focal point whose card carries the mark of our code. `former` null only if the party had none. */
  readonly partyKey: Call<{ readonly enrolment: string; readonly former: "retired" | "compromised" | null }, DraftMade>;

  // convening
  readonly proposalDrafts: Call<Nothing, readonly ProposalDraftView[]>;
  /** `id` null makes a new one */
  readonly proposalDraftSave: Call<{ readonly id: Hex | null; readonly proposal: Proposal }, { readonly id: Hex }>;
  readonly proposalDraftDelete: Call<{ readonly id: Hex }, Nothing>;
  /** `draft`: the proposal draft this came from, deleted afterwards; or null */
  readonly propose: Call<{ readonly proposal: Proposal; readonly draft: Hex | null }, { readonly consultation: Hex }>;
  readonly concur: Call<{ readonly consultation: Hex }, Signed>;
  readonly returnProposal: Call<{ readonly consultation: Hex; readonly reason: string }, Signed>;
  readonly withdrawProposal: Call<{ readonly consultation: Hex; readonly reason: string }, Signed>;
  readonly consultation: Call<{ readonly consultation: Hex }, ConsultationView>;

  // invitations to a consultation, delegations, seats
  readonly answer: Call<{ readonly consultation: Hex; readonly answer: Answer }, Signed>;
  /** `enrolment` if the person was just enrolled by our code (the mark is checked); null for a card of our party that was accredited before */
  readonly accredit: Call<{ readonly consultation: Hex; readonly card: Hex; readonly capacity: DelegateCapacity; readonly enrolment: string | null }, Signed>;
  readonly withdrawDelegate: Call<{ readonly consultation: Hex; readonly card: Hex }, Signed>;
  /** `text`: the undertaking exactly as it was shown */
  readonly undertake: Call<{ readonly consultation: Hex; readonly text: string }, Signed>;
  readonly seat: Call<{ readonly consultation: Hex; readonly card: Hex; readonly capacity: OfficerCapacity }, DraftMade>;
  readonly unseat: Call<{ readonly consultation: Hex; readonly card: Hex }, DraftMade>;
  readonly exclude: Call<{ readonly consultation: Hex; readonly card: Hex; readonly device: Hex | null }, DraftMade>;
  /** An officer asks both Co-Chairs; nothing is signed by it. */
  readonly disposalRequest: Call<{ readonly consultation: Hex; readonly basis: DisposalBasis }, Record<string, never>>;
  /** `basis`: the ground exactly as it was shown */
  readonly dispose: Call<{ readonly consultation: Hex; readonly basis: DisposalBasis }, DraftMade>;

  // the room
  readonly roomOpen: Call<{ readonly consultation: Hex }, { readonly room: Hex }>;
  /** Brings chains, group and key ring up to date, adds and removes who is due, gives history that is due. Call at entry, on `due`, and when told. */
  readonly roomSync: Call<{ readonly room: Hex }, RoomView>;
  /** The same view without asking the server. */
  readonly roomView: Call<{ readonly room: Hex }, RoomView>;
  /** Opens items the socket brought. */
  readonly roomOpenItems: Call<{ readonly room: Hex; readonly items: readonly RoomItem[] }, Opened>;
  /** Fetches items after `since` by HTTP and opens them. */
  readonly roomItems: Call<{ readonly room: Hex; readonly since: number; readonly limit: number }, Opened>;
  /** The user has looked at the replaced keys; sending goes on. */
  readonly roomConfirmKeys: Call<{ readonly room: Hex; readonly statements: readonly Hex[] }, RoomView>;

  // sending
  readonly outboxAdd: Call<{ readonly room: Hex; readonly text: string; readonly replyTo: Hex | null }, { readonly id: Hex }>;
  readonly outbox: Call<{ readonly room: Hex }, readonly Queued[]>;
  /** The next frame to send, sealed and stored; null if nothing waits, something is in flight, or nothing may be sent (see `roomView().block`). */
  readonly outboxNext: Call<{ readonly room: Hex }, NextFrame | null>;
  readonly outboxAcked: Call<{ readonly room: Hex; readonly id: Hex; readonly receipt: Receipt | null }, Nothing>;
  /** The socket's `error` frame for this id. `again` true: call `outboxNext` again (after `roomSync` if `syncFirst`). */
  readonly outboxRefused: Call<
    { readonly room: Hex; readonly id: Hex; readonly code: string; readonly expected: number | null; readonly epoch: number | null },
    { readonly again: boolean; readonly syncFirst: boolean }
  >;
  /** The socket closed while frames were in flight: they may be sent again, same id. */
  readonly outboxUnsent: Call<{ readonly room: Hex }, Nothing>;
  /** Sends what waits by HTTP; for when sockets are blocked. */
  readonly outboxPost: Call<{ readonly room: Hex }, readonly Acknowledged[]>;
  /** Tries a failed one again. */
  readonly outboxRetry: Call<{ readonly room: Hex; readonly id: Hex }, Nothing>;
  /** Takes back one that has certainly not been sent; `not_due` otherwise. */
  readonly outboxDiscard: Call<{ readonly room: Hex; readonly id: Hex }, Nothing>;

  /** What is being written and not sent yet, kept under the wrapping key: plain text of a room never lies on a disk. */
  readonly composerSave: Call<{ readonly room: Hex; readonly text: string; readonly replyTo: Hex | null }, Nothing>;
  readonly composerRead: Call<{ readonly room: Hex }, { readonly text: string; readonly replyTo: Hex | null }>;

  // papers
  /** Seals and uploads with progress; resumes by itself if the same file's upload had begun; then queues the message. Can be cancelled. */
  readonly paperSend: Call<{ readonly room: Hex; readonly file: File; readonly replyTo: Hex | null }, { readonly id: Hex }>;
  /** Fetches and opens with progress. `id`: the message's. Can be cancelled. */
  readonly paperOpen: Call<{ readonly room: Hex; readonly id: Hex }, { readonly blob: Blob; readonly paper: PaperView }>;

  // removal
  readonly removals: Call<{ readonly consultation: Hex }, readonly RemovalView[]>;
  readonly removalStatus: Call<{ readonly room: Hex; readonly device: Hex }, RemovalView>;
}

export type CallName = keyof Calls;
export type ArgsOf<Name extends CallName> = Calls[Name]["args"];
export type ResultOf<Name extends CallName> = Calls[Name]["result"];

/** One function per call: what the worker implements. */
export type CallTable = {
  readonly [Name in CallName]: (args: ArgsOf<Name>, control: CallControl) => Promise<ResultOf<Name>>;
};

export interface CallControl {
  readonly progress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

// ------------------------------------------------------------------------------------------------------- messages, both ways

/** What the page knows and the worker needs before the first call. No secret: the CSRF token only proves same origin. */
export interface StartSettings {
  readonly csrf: string;
  /** the signed-in account's card as the server has it; null on the enrolment page */
  readonly card: Hex | null;
}

export type ToWorker =
  | { readonly kind: "start"; readonly settings: StartSettings }
  | { readonly kind: "call"; readonly id: number; readonly name: CallName; readonly args: unknown }
  | { readonly kind: "cancel"; readonly id: number };

/** News from this or another tab's worker. */
export type Notice =
  | { readonly kind: "outbox_changed"; readonly room: Hex }
  | { readonly kind: "room_changed"; readonly room: Hex }
  | { readonly kind: "alarm"; readonly alarm: Alarm };

export type FromWorker =
  | { readonly kind: "result"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly error: CallError }
  | { readonly kind: "progress"; readonly id: number; readonly progress: Progress }
  | { readonly kind: "notice"; readonly notice: Notice };
