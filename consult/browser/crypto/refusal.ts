/** What the key worker refuses, as stable codes. Pages turn a code into words; nothing depends on the message. */
export type RefusalCode =
  | "malformed"
  | "not_canonical"
  | "wrong_key"
  | "altered"
  | "bad_signature"
  | "weak_key"
  | "wrong_room"
  | "stale_epoch"
  | "future_epoch"
  | "forbidden_proposal"
  | "bad_lifetime"
  | "credential_refused"
  | "invalid_tree"
  | "commit_refused"
  | "own_commit"
  | "join_refused"
  | "no_matching_key_package"
  | "no_such_leaf"
  | "perhaps_removed"
  | "removed"
  | "unknown_signer"
  | "control_refused"
  | "relabelled"
  | "too_large"
  | "file_changed"
  | "code_mistyped"
  | "recovery_key_wrong"
  // statements and their chains
  | "unknown_type"
  | "no_installation"
  | "foreign_installation"
  | "wrong_installation"
  | "no_such_chain"
  | "wrong_scope"
  | "head_moved"
  | "up_unknown"
  | "up_back"
  | "wrong_signer"
  | "unknown_card"
  | "unknown_device"
  | "wrong_party"
  | "not_in_composition"
  | "undertaking_differs"
  | "not_due"
  | "excluded"
  | "already_seated"
  | "room_exists"
  | "unknown_head"
  | "chain_broken"
  | "fork"
  | "rolled_back"
  // the record
  | "bad_proof";

export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Refusal";
    this.code = code;
  }
}
