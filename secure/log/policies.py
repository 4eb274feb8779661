"""The host's side of the policy chain: propose, adopt, keep. Who may be a witness is decided by the signatures, not here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from secure.errors import Conflict
from secure.log import events, store
from secure.log.encoding import natural, parse_event
from secure.log.errors import LogError
from secure.log.note import Verifier, split_note
from secure.log.own_series import ADOPTED, SERIES
from secure.log.policy import parse_policy, quorum_for
from secure.log.policy_chain import NumberedPolicy, log_lines, open_first, open_next, parse_numbered, write_numbered
from secure.models import LogEvent, LogPolicy

QUORUM: Final = "quorum"
"""The group of all witnesses, in a policy made here."""

Sign = Callable[[bytes], bytes]
"""The log's key: the signed note of a numbered policy's text."""


def newest() -> NumberedPolicy | None:
    """The policy in force; None before the first one."""
    row = LogPolicy.objects.order_by("-number").first()
    return parse_numbered(split_note(bytes(row.note))[0]) if row else None


def note(number: int | None = None) -> bytes | None:
    """The signed note of a policy, the newest one without a number."""
    rows = LogPolicy.objects.order_by("-number") if number is None else LogPolicy.objects.filter(number=number)
    found = rows.values_list("note", flat=True).first()
    return bytes(found) if found is not None else None


def notes() -> dict[int, bytes]:
    """Every policy so far, by number, as signed notes."""
    return {number: bytes(raw) for number, raw in LogPolicy.objects.order_by("number").values_list("number", "note")}


def begin(first: bytes, *, log: Verifier, now: datetime) -> bool:
    """Puts policy 1 in force, unless there is a policy already.

    Returns whether there is one now: not before the log has begun, whose first entry is its own.
    """
    if LogPolicy.objects.exists():
        return True
    if store.published() is None:
        return False
    open_first(first, log=log)
    _keep(1, first, now)
    return True


def propose(*, witnesses: Iterable[bytes], colluding: int, logs: Sequence[Verifier], sign: Sign) -> bytes:
    """The next policy, signed by the log's key: for the present witnesses to endorse.

    `witnesses` are the lines each witness has sent (secure/witness/folder.py); together they are the whole list, not an addition.

    Raises:
        LogError: lines that make no policy.
        Conflict: there is no policy to follow (`no_policy`).
    """
    before = _in_force()
    lines, names = log_lines(logs), list[str]()
    for snippet in witnesses:
        lines += snippet.decode("utf-8", "surrogateescape").split("\n")[:-1]
        names.append(_head_of(snippet))
    if names:
        lines += [f"group {QUORUM} {quorum_for(len(names), colluding)} {' '.join(names)}"]
    lines += [f"quorum {QUORUM if names else 'none'}"]
    try:
        return sign(write_numbered(before.number + 1, origin=before.origin, lines=lines))
    except UnicodeEncodeError as error:
        raise LogError("bad_policy") from error


def adopt(proposed: bytes, *, endorsements: Iterable[bytes], now: datetime) -> NumberedPolicy:
    """Puts a proposed policy in force, once enough of the present witnesses have endorsed it; and records that.

    Raises:
        LogError: `below_quorum`, `bad_signature`, or what the bytes are not.
        Conflict: there is no policy to follow (`no_policy`).
    """
    signed = proposed + b"".join(endorsements)
    adopted = open_next(signed, before=_in_force())
    _keep(adopted.number, signed, now)
    return adopted


def faults(*, log: Verifier) -> Iterator[tuple[str, str]]:
    """(where, what) of everything in the kept policies that does not hold: their chain from `log` on, and the entry of each."""
    recorded = dict(map(_recorded, LogEvent.objects.filter(type=ADOPTED).order_by("pk").values_list("body", flat=True)))
    before: NumberedPolicy | None = None
    for number, kept in LogPolicy.objects.order_by("number").values_list("number", "note"):
        if recorded.pop(number, None) != hashlib.sha256(bytes(kept)).hexdigest():
            yield f"policy {number}", "it is not the one that was recorded"
        try:
            before = open_next(bytes(kept), before=before) if before else open_first(bytes(kept), log=log)
        except LogError as error:
            yield f"policy {number}", f"it does not follow from the one before ({error.code})"
            return
    for number in recorded:
        yield f"policy {number}", "it was recorded and is missing"


def _recorded(body: bytes | memoryview[int]) -> tuple[int, str]:
    data = parse_event(bytes(body)).data
    return natural(data.get("number")), str(data.get("sha256"))


def _in_force() -> NumberedPolicy:
    found = newest()
    if found is None:
        raise Conflict("no_policy")
    return found


def _keep(number: int, signed: bytes, now: datetime) -> None:
    with transaction.atomic():
        LogPolicy.objects.create(number=number, note=signed, at=now)
        digest = hashlib.sha256(signed).hexdigest()
        events.record_host(ns=SERIES, type=ADOPTED, data={"number": number, "sha256": digest}, at=now)


def _head_of(snippet: bytes) -> str:
    """The one name which a witness's lines define and do not use."""
    policy = parse_policy(snippet + b"quorum none\n")
    members = {name for group in policy.groups for name in group.members}
    names = [*(each.name for each in policy.witnesses), *(each.name for each in policy.groups)]
    heads = [name for name in names if name not in members]
    if len(heads) != 1 or policy.logs:
        raise LogError("bad_policy")
    return heads[0]
