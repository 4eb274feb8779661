"""The one error that leaves the pure files of this folder."""

from __future__ import annotations

from secure.errors import BadInput


class LogError(BadInput):
    """The bytes, proof, note, leaf or signature are not what the format says.

    Codes: `not_canonical`, `bad_encoding`, `bad_event`, `bad_leaf`, `bad_proof`, `bad_note`, `bad_checkpoint`, `bad_tile`,
    `bad_state_map`, `bad_policy`, `below_quorum`, `bad_signature`, `weak_key`, `bad_archive`, `bad_bundle`.
    """
