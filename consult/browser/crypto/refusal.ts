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
  | "recovery_key_wrong";

export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Refusal";
    this.code = code;
  }
}
