"""The numbered policies of one log: signed notes whose text is a tlog-policy beginning `# consult policy <number> <origin>`.

Policy 1 is signed by the log's own key. Policy k + 1 counts only if a log key of policy k has signed it and the witnesses of policy k,
in the quorum of policy k, have cosigned it: a new key is never taken on the word of the old one alone. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from secure.log.cosignature import POLICY_LINE
from secure.log.errors import LogError
from secure.log.note import ED25519, MLDSA, Note, Verifier, open_note, split_note
from secure.log.policy import Policy, parse_policy
from secure.log.tree_head import parse_tree_head


@dataclass(frozen=True)
class NumberedPolicy:
    """A policy in its place. `text` is what is signed."""

    number: int
    origin: str
    policy: Policy
    text: bytes


@dataclass(frozen=True)
class Witnessed:
    """A checkpoint that a policy accepts: signed by the log, cosigned by the quorum. `agreed_at` in seconds since 1970."""

    origin: str
    size: int
    root: bytes
    agreed_at: int
    note: Note


def parse_numbered(text: bytes) -> NumberedPolicy:
    """A numbered policy's text, without signatures. Every log it names is the one of its first line, one of them by Ed25519."""
    line = POLICY_LINE.match(text)
    if line is None:
        raise LogError("bad_policy")
    policy = parse_policy(text)
    try:
        origin = line[3].decode()
    except UnicodeDecodeError as error:
        raise LogError("bad_policy") from error
    names = {each.verifier.name for each in policy.logs}
    if names != {origin} or not any(each.verifier.type == ED25519 for each in policy.logs):
        raise LogError("bad_policy")
    return NumberedPolicy(int(line[2]), origin, policy, text)


def write_numbered(number: int, *, origin: str, lines: Iterable[str]) -> bytes:
    """The text of a numbered policy. Raises `LogError` if these lines do not make one."""
    text = "".join(f"{line}\n" for line in (f"# consult policy {number} {origin}", *lines)).encode()
    parse_numbered(text)
    return text


def first(logs: Sequence[Verifier], *, sign: Callable[[bytes], bytes]) -> bytes:
    """Policy 1 as a signed note: the log's keys, no witness."""
    lines = [*log_lines(logs), "quorum none"]
    return sign(write_numbered(1, origin=logs[0].name, lines=lines))


def log_lines(logs: Iterable[Verifier]) -> list[str]:
    return [f"log {verifier.vkey}" for verifier in logs]


def open_first(note: bytes, *, log: Verifier) -> NumberedPolicy:
    """Policy 1, signed by the log's key, which it names."""
    opened = open_note(note, [log])
    found = parse_numbered(opened.text)
    if found.number != 1 or log not in [each.verifier for each in found.policy.logs]:
        raise LogError("bad_policy")
    return found


def open_next(note: bytes, *, before: NumberedPolicy) -> NumberedPolicy:
    """The policy after `before`. `below_quorum` if too few of the former witnesses have cosigned it."""
    found = parse_numbered(split_note(note)[0])
    if (found.number, found.origin) != (before.number + 1, before.origin):
        raise LogError("bad_policy")
    opened = open_note(note, before.policy.verifiers)
    _need_log(opened, before.policy)
    if _agreed_at(opened, before.policy) is None:
        raise LogError("below_quorum")
    return found


def follow(notes: Iterable[bytes], *, start: NumberedPolicy) -> NumberedPolicy:
    """The newest policy that these notes, in order, lead to. `start` is the policy one keeps oneself."""
    for note in notes:
        start = open_next(note, before=start)
    return start


def open_witnessed(checkpoint: bytes, *, policy: Policy) -> Witnessed:
    """A checkpoint with its cosignatures under a policy. `below_quorum` if too few witnesses have cosigned it."""
    opened = open_note(checkpoint, policy.verifiers)
    head = parse_tree_head(opened.text)
    _need_log(opened, policy, origin=head.origin)
    agreed_at = _agreed_at(opened, policy)
    if agreed_at is None:
        raise LogError("below_quorum")
    return Witnessed(head.origin, head.size, head.root, agreed_at, opened)


def _need_log(opened: Note, policy: Policy, *, origin: str | None = None) -> None:
    """One of the policy's logs has signed, by Ed25519; for a checkpoint, the one of this origin."""
    logs = [each.verifier for each in policy.logs if each.verifier.type != MLDSA and origin in {None, each.verifier.name}]
    if not set(logs) & set(opened.signed_by):
        raise LogError("bad_signature")


def _agreed_at(opened: Note, policy: Policy) -> int | None:
    return policy.agreed_at({each.verifier: each.time for each in opened.signatures if each.time is not None})
