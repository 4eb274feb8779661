"""What somebody brings along to verify with: a policy, and a tree head kept from before. Never taken from what is verified. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from secure.log.cosignature import POLICY_LINE
from secure.log.encoding import Event, b64, unb64
from secure.log.entries import Fault
from secure.log.errors import LogError
from secure.log.note import ED25519, Note, Verifier, open_note, split_note
from secure.log.own_series import ADOPTED, BEGAN
from secure.log.policy import NONE, Policy, parse_policy
from secure.log.policy_chain import NumberedPolicy, open_next, parse_numbered
from secure.log.tree_head import TreeHead, parse_tree_head

POLICY: Final = 21
GENESIS: Final = 20
_PIN = re.compile(r"([1-9][0-9]{0,17}):(\S+)")


@dataclass(frozen=True)
class Trust:
    """`numbered` is the policy in its place in the chain of policies, if it has one."""

    policy: Policy | None = None
    numbered: NumberedPolicy | None = None
    pin: tuple[int, bytes] | None = None


@dataclass(frozen=True)
class Judged:
    """A checkpoint under a policy. `first` and `last` in ms: the quorum had cosigned by `first`, and cosigned again until `last`;
    None below the quorum, and under a policy that asks for none."""

    head: TreeHead
    signed: bool
    first: int | None = None
    last: int | None = None


def read_trust(policy: bytes | None = None, pin: str | None = None) -> Trust:
    """A policy file: tlog-policy text, or the signed note of a numbered policy, whose signatures are not asked for: the file is trusted.

    Raises `LogError`.
    """
    place = _pin(pin) if pin is not None else None
    if policy is None:
        return Trust(pin=place)
    text = split_note(policy)[0] if "\n\n— ".encode() in policy else policy
    if POLICY_LINE.match(text):
        numbered = parse_numbered(text)
        return Trust(numbered.policy, numbered, place)
    return Trust(parse_policy(text), None, place)


def pin_text(size: int, root: bytes) -> str:
    return f"{size}:{b64(root)}"


def newest_policy(trust: Trust, notes: Mapping[int, bytes]) -> tuple[Policy | None, frozenset[int], list[Fault]]:
    """The policy that `notes` lead to from the one that is trusted, and the numbers of those found to be genuine (check 21)."""
    current = trust.numbered
    if current is None:
        return trust.policy, frozenset(), []
    kept = current.number
    if kept in notes and _text(notes[kept]) != current.text:
        return current.policy, frozenset(), [Fault(POLICY, f"policy {kept}", "it is not the one you keep")]
    while current.number + 1 in notes:
        try:
            current = open_next(notes[current.number + 1], before=current)
        except LogError:
            what = "the log and its witnesses under the policy before have not signed it"
            return current.policy, frozenset(range(kept + 1, current.number + 1)), [Fault(POLICY, f"policy {current.number + 1}", what)]
    return current.policy, frozenset(range(kept + 1, current.number + 1)), []


def check_recorded(notes: Mapping[int, bytes], events: Iterable[Event], genuine: frozenset[int]) -> list[Fault]:
    """Check 21, for those that nothing leads to: a policy is the one that the log recorded when it was adopted."""
    recorded = {event.data.get("number"): event.data.get("sha256") for event in events if event.type == ADOPTED}
    altered = (
        number for number, note in notes.items() if number not in genuine and hashlib.sha256(note).hexdigest() != recorded.get(number)
    )
    return [Fault(POLICY, f"policy {number}", "it is not the one that was recorded") for number in altered]


def check_begun(events: Iterable[Event], logs: Collection[str]) -> list[Fault]:
    """Check 20: where the log names its own keys, its Ed25519 key is one of these (vkeys)."""
    named = (event.data.get("log") for event in events if event.type == BEGAN)
    return [Fault(GENESIS, "the first entry", "it names another log's key") for log in named if log not in logs]


def judge(note: bytes, policy: Policy) -> Judged:
    """A checkpoint under a policy. Raises `LogError` if it is none, or if a signature by a key of the policy does not hold."""
    head = parse_tree_head(split_note(note)[0])
    try:
        opened = open_note(note, policy.verifiers)
    except LogError as error:
        if error.code == "bad_signature" and not _claims(note, policy):
            return Judged(head, signed=False)
        raise
    signed = any((key.name, key.type) == (head.origin, ED25519) for key in _logs(policy) & set(opened.signed_by))
    first, last = _quorum(opened, policy)
    return Judged(head, signed, first, last)


def is_witnessed(policy: Policy) -> bool:
    """Whether the policy asks for witnesses at all."""
    return policy.quorum != NONE


def _quorum(opened: Note, policy: Policy) -> tuple[int | None, int | None]:
    """When enough witnesses had cosigned, and until when enough did so again, in ms."""
    times = {each.verifier: each.time for each in opened.signatures if each.time is not None}
    first = policy.agreed_at(times)
    last = policy.agreed_at({key: -time for key, time in times.items()})
    if first is None or last is None or not is_witnessed(policy):
        return None, None
    return first * 1000, -last * 1000


def _claims(note: bytes, policy: Policy) -> bool:
    """Whether a line bears the name and id of a key of the policy: then a signature was forged, not merely absent."""
    lines = split_note(note)[1].decode().splitlines()
    names = {(key.name, key.key_id) for key in policy.verifiers}
    return any((name, unb64(raw)[:4]) in names for _, name, raw in (line.split(" ") for line in lines))


def _logs(policy: Policy) -> set[Verifier]:
    return {log.verifier for log in policy.logs}


def _text(note: bytes) -> bytes:
    try:
        return split_note(note)[0]
    except LogError:
        return b""


def _pin(text: str) -> tuple[int, bytes]:
    found = _PIN.fullmatch(text)
    if found is None:
        raise LogError("bad_encoding")
    return int(found[1]), unb64(found[2], 32)
