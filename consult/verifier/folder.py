"""Recomputes a whole log from a folder (`secure/log/folder_format.py`): every leaf, event, checkpoint, tile and statement in it.

The checks are those of `secure/log/verifier.py` and `meetings/proving.py`, and 18, 20, 21, 22 of `secure/log/bundle_checks.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from meetings.evidence import Verdict, accepted, named_log
from meetings.proving import Proving, rows_of
from meetings.report import VERDICTS
from secure.errors import Refusal
from secure.log import folder_format as form
from secure.log import jcs
from secure.log.bundle_format import number, place
from secure.log.certificate import Certificate
from secure.log.encoding import Event, b64
from secure.log.entries import Fault, certificates
from secure.log.errors import LogError
from secure.log.note import split_note
from secure.log.own_series import ADOPTED, BEGAN
from secure.log.policy import Log, Policy
from secure.log.policy_chain import parse_numbered
from secure.log.tiles import TilePlace, tile_path
from secure.log.trust import Judged, Trust, check_begun, check_recorded, is_witnessed, judge, newest_policy
from secure.log.verifier import Replay, check_tile

CHECKPOINT, PIN, QUORUM = 11, 18, 22


@dataclass
class Outcome:
    """What was recomputed. `size` and `root` are the newest checkpoint's, as far as it holds."""

    verdict: Verdict = Verdict.UNREADABLE
    entries: int = 0
    statements: int = 0
    checkpoints: int = 0
    size: int = 0
    root: bytes = b""
    faults: list[Fault] = field(default_factory=list)
    missing: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)


def verify(folder: Path, trust: Trust) -> Outcome:
    """Raises `OSError` for a folder that cannot be read."""
    outcome = Outcome()
    try:
        proving = Proving()
        proving.read(rows_of(_chains(folder)))
        own: list[Event] = []
        replay = _replay(folder, proving, outcome, own)
        _judge(folder, trust, replay, proving, own, outcome)
        _check_tiles(folder, replay, outcome)
        scopes = _series(folder)
        proving.check_disposals(scopes, replay.pruned)
        proving.check_entries(scopes, disposed=frozenset(each.certificate.ns for each in replay.pruned))
        proving.check_rules()
    except LogError:
        return Outcome()
    outcome.faults += proving.faults
    outcome.statements = proving.count
    outcome.verdict = Verdict.TAMPERED if outcome.faults else Verdict.UNANCHORED if outcome.doubts else Verdict.VERIFIED
    return outcome


def words(outcome: Outcome) -> Iterator[str]:
    yield f"{outcome.entries} entries, {outcome.checkpoints} checkpoints and {outcome.statements} statements recomputed."
    for kind, faults in (("FAULT", outcome.faults), ("NOT SHOWN", outcome.doubts)):
        yield from (f"{kind} (check {fault.check}) {fault.where}: {fault.what}." for fault in faults[:50])
        if len(faults) > 50:
            yield f"… and {len(faults) - 50} more."
    if outcome.root and not outcome.faults:
        yield f"To keep for next time: {outcome.size}:{b64(outcome.root)}"
    heading, meaning = VERDICTS[outcome.verdict]
    yield f"{heading.upper()}: {meaning}"


def _replay(folder: Path, proving: Proving, outcome: Outcome, own: list[Event]) -> Replay:
    def on_event(index: int, event: Event) -> None:
        proving.hear(index, event)
        if event.type in {ADOPTED, BEGAN}:
            own.append(event)

    replay = Replay(public_keys=proving.device_keys(), on_event=on_event, disposed=_certificates(folder))
    with (folder / form.LEAVES).open("rb") as leaves, (folder / form.EVENTS).open("rb") as events:
        rows = form.read_records(events)
        waiting = next(rows, None)
        for index, leaf in form.read_records(leaves):
            event = None
            if waiting is not None and waiting[0] == index:
                event, waiting = waiting[1], next(rows, None)
            replay.feed(index, leaf, event)
    if waiting is not None:
        outcome.faults.append(Fault(1, f"the event at {waiting[0]}", "it has no entry, or stands out of order"))
    outcome.entries = replay.size
    outcome.faults += replay.faults
    return replay


def _certificates(folder: Path) -> list[Certificate]:
    with (folder / form.EVENTS).open("rb") as events:
        return certificates(raw for _index, raw in form.read_records(events))


def _judge(folder: Path, trust: Trust, replay: Replay, proving: Proving, own: list[Event], outcome: Outcome) -> None:  # noqa: PLR0917
    """Checks 11, 15, 18, 20, 21, 22."""
    notes = _policies(folder)
    policy, genuine, faults = newest_policy(trust, notes)
    outcome.faults += [*faults, *check_recorded(notes, own, genuine)]
    named = named_log(proving)
    effective = policy or Policy(logs=(Log(named),) if named else ())
    # an earlier tree head was signed under the policy of its day; what was not recorded of those is a fault already
    former = [parse_numbered(split_note(note)[0]).policy for _, note in sorted(notes.items(), reverse=True)]
    newest: Judged | None = None
    with (folder / form.CHECKPOINTS).open("rb") as file:
        for size, note in form.read_notes(file):
            outcome.checkpoints += 1
            last = size == replay.size
            newest = _checkpoint(size, note, [effective] if last else [effective, *former], replay, outcome)
    if outcome.size != replay.size:
        outcome.faults.append(Fault(CHECKPOINT, f"the checkpoint at {replay.size}", "it is missing: nobody has signed the last entries"))
    logs = accepted(named, trust)
    proving.check_signatures(*logs)
    outcome.faults += check_begun(own, logs)
    if policy is None:
        outcome.doubts.append(Fault(QUORUM, "the log", "no policy was given: whose log this is, it only says itself"))
    elif not is_witnessed(policy):
        outcome.doubts.append(Fault(QUORUM, "the log", "the policy asks for no witnesses: this is the host's word alone"))
    elif newest is None or newest.first is None:
        outcome.doubts.append(Fault(QUORUM, "the newest checkpoint", "fewer witnesses than the policy asks for have signed it"))
    if trust.pin and replay.roots.get(trust.pin[0]) != trust.pin[1]:
        outcome.faults.append(Fault(PIN, f"the tree of {trust.pin[0]} entries", "it is not in this log: the log was cut or forked"))


def _checkpoint(size: int, note: bytes, policies: list[Policy], replay: Replay, outcome: Outcome) -> Judged | None:
    where = f"the checkpoint at {size}"
    try:
        judged = _judged(note, policies)
    except LogError:
        outcome.faults.append(Fault(CHECKPOINT, where, "it is no checkpoint, or a signature on it does not hold"))
        return None
    if judged is None:
        outcome.faults.append(Fault(CHECKPOINT, where, "the log's key has not signed it"))
    elif judged.head.size != size or replay.roots.get(size) != judged.head.root:
        outcome.faults.append(Fault(CHECKPOINT, where, "it was signed over other entries"))
    else:
        outcome.size, outcome.root = size, judged.head.root
        return judged
    return None


def _judged(note: bytes, policies: list[Policy]) -> Judged | None:
    """Under the first of the policies whose log has signed it."""
    return next((judged for policy in policies if (judged := judge(note, policy)).signed), None)


def _check_tiles(folder: Path, replay: Replay, outcome: Outcome) -> None:
    for level, n in replay.tiles.places():
        width = len(replay.tiles.hashes(level, n)) // 32
        path = folder / form.TILES / tile_path(TilePlace(level, n, width))
        stored = path.read_bytes() if path.is_file() else b""
        outcome.faults += check_tile(level, n, stored, replay=replay)


def _chains(folder: Path) -> dict[str, list[bytes]]:
    files = sorted((folder / form.CHAINS).glob("*.jsonl"))
    return {path.name.removesuffix(".jsonl"): path.read_bytes().split(b"\n")[:-1] for path in files}


def _policies(folder: Path) -> dict[int, bytes]:
    return {number(place(path.name, "", ".txt")): path.read_bytes() for path in (folder / form.POLICIES).glob("*.txt")}


def _series(folder: Path) -> dict[str, str]:
    """Scopes by tag."""
    try:
        rows = [jcs.decode_object(line) for line in (folder / form.SERIES).read_bytes().split(b"\n")[:-1]]
    except Refusal as error:
        raise LogError("bad_bundle") from error
    return {str(row.get("ns")): str(row.get("scope")) for row in rows}
