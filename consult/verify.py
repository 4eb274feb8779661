"""`consult verify`: recomputes the whole log from the database and checks every signature and statement in it.

What it cannot tell: whether the host's own word (`src: host`) is true, and whether whole checkpoints were taken off the end; against
that, keep a checkpoint and give its size and root with `pin`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TextIO

from django.conf import settings

from meetings.proving import DISPOSAL, EVENT_OF_STATEMENT, RULES, SIGNATURE, STATEMENT, Proving
from secure.keys import KeyFileError, load_vkeys
from secure.log import policies, store
from secure.log.encoding import parse_event
from secure.log.errors import LogError
from secure.log.own_series import BEGAN
from secure.log.verifier import Fault, Replay, check_checkpoint, check_tile
from secure.manifest import event_hashes

if TYPE_CHECKING:
    from secure.log.certificate import Certificate
    from secure.log.encoding import Event
    from secure.log.note import Verifier

VERIFIED: Final = 0
TAMPERED: Final = 1
UNUSABLE: Final = 2
MOST_LINES: Final = 50

STORED, DISCLOSURE, PIN, GENESIS, POLICY = 13, 17, 18, 20, 21
"""Numbers of the checks made here, beside those of `secure/log/verifier.py` and `meetings/proving.py`."""


@dataclass
class Report:
    """What was checked, and everything that does not hold."""

    entries: int = 0
    signed: int = 0
    root: bytes = b""
    statements: int = 0
    checkpoints: int = 0
    pending: int = 0
    closed: dict[str, int] = field(default_factory=dict)
    """personal values whose keys are gone, counted by whose they are"""
    erased: set[str] = field(default_factory=set)
    """those whom the record says to have been erased"""
    pruned: list[Certificate] = field(default_factory=list)
    """disposals that hold: what they certify is missing, and no fault"""
    faults: list[Fault] = field(default_factory=list)


def run(stdout: TextIO, *, pin: tuple[int, bytes] | None = None) -> int:
    """Verifies the configured database and prints the outcome; returns the exit code."""
    try:
        verifiers = load_vkeys(settings.CONSULT_LOG_VKEYS, origin=settings.CONSULT_ORIGIN)
    except KeyFileError as error:
        stdout.write(f"{error}\n")
        return UNUSABLE
    report = verify(verifiers=verifiers, pin=pin)
    stdout.writelines(f"{line}\n" for line in lines(report))
    if report.faults:
        return TAMPERED
    # entries that nobody has signed are not verified, whoever took the checkpoints away
    return VERIFIED if report.signed or not report.entries else UNUSABLE


def lines(report: Report) -> Iterator[str]:
    """The report in plain words."""
    yield f"{report.entries} entries, {report.checkpoints} checkpoints and {report.statements} statements read."
    for fault in report.faults[:MOST_LINES]:
        yield f"FAULT (check {fault.check}) {fault.where}: {fault.what}."
    if len(report.faults) > MOST_LINES:
        yield f"… and {len(report.faults) - MOST_LINES} more."
    if report.faults:
        yield "NOT VERIFIED: the record is not what was signed. Keep this database as it is and tell both Co-Chairs."
        return
    for each in report.pruned:
        yield f"PRUNED: {each.count} entries between {each.first} and {each.last}, by a disposal that both Co-Chairs signed ({each.basis})."
    yield from _values(report)
    if not report.signed:
        yield "No checkpoint has been signed yet: nothing to verify against."
        return
    yield f"VERIFIED up to entry {report.signed - 1}. Root: {base64.b64encode(report.root).decode()}"
    waiting = report.entries - report.signed + report.pending
    if waiting:
        yield f"{waiting} newer entries have been recorded and are not signed yet; they will be within seconds while the server runs."


def _values(report: Report) -> Iterator[str]:
    """Personal values that cannot be read any more: erased, or locked for want of a key. Neither touches the record."""
    erased = sum(count for subject, count in report.closed.items() if subject in report.erased)
    locked = sum(report.closed.values()) - erased
    if erased:
        yield f"{erased} personal values are erased: their persons' keys were destroyed, and the record says so."
    if locked:
        yield f"{locked} personal values cannot be opened: their keys are not in the shred store. The record itself holds."


def verify(*, verifiers: Sequence[Verifier], pin: tuple[int, bytes] | None = None) -> Report:
    """Checks everything, in one snapshot of the database.

    `verifiers` are the log's keys, Ed25519 first; `pin` is (tree size, root) of a checkpoint kept elsewhere.
    """
    report = Report()
    with store.snapshot():
        proving = Proving()
        proving.read(store.statements())
        replay = _replay(report, proving, verifiers)
        _check_stored(report, replay)
        _check_checkpoints(report, replay, verifiers)
        proving.check_signatures(verifiers[0].vkey)
        scopes = {tag: scope for tag, scope, *_ in store.namespaces()}
        proving.check_disposals(scopes, replay.pruned)
        disposed = frozenset(each.certificate.ns for each in replay.pruned)
        proving.check_entries(scopes, pending=map(parse_event, store.pending_events()), disposed=disposed)
        proving.check_rules()
        _check_manifests(report, replay)
        report.faults += proving.faults
        report.statements = proving.count
        _check_disclosures(report)
        report.faults += [Fault(POLICY, where, what) for where, what in policies.faults(log=verifiers[0])]
    if pin and replay.roots.get(pin[0]) != pin[1]:
        report.faults.append(Fault(PIN, f"the checkpoint at {pin[0]}", "it is not in this log: the log was cut or forked"))
    return report


def _replay(report: Report, proving: Proving, verifiers: Sequence[Verifier]) -> Replay:
    """Checks 1 to 10, and 20."""

    def on_event(index: int, event: Event) -> None:
        if (index == 0) != (event.type == BEGAN) or (index == 0 and not _begins(event, verifiers)):
            report.faults.append(Fault(GENESIS, f"entry {index}", "the log does not begin, once, by naming its keys"))
        if event.type == "subject.erased":
            report.erased.add(str(event.data.get("subject")))
        proving.hear(index, event)

    replay = Replay(public_keys=proving.device_keys(), on_event=on_event, disposed=store.certificates())
    size = store.head().size
    for entry in store.entries(0, size):
        replay.feed(entry.index, entry.leaf, entry.event)
    if replay.size < size:
        report.faults.append(Fault(1, f"entry {replay.size}", "it is missing, and those after it"))
    report.faults += replay.faults
    report.entries = replay.size
    return replay


def _begins(event: Event, verifiers: Sequence[Verifier]) -> bool:
    """Check 20: the first entry names the keys by which the log is verified now."""
    return [event.data.get("log"), event.data.get("mldsa")] == [verifier.vkey for verifier in verifiers]


def _check_stored(report: Report, replay: Replay) -> None:
    """Checks 12 and 13: what the sequencer goes on from is what the entries say."""
    for level, n in replay.tiles.places():
        report.faults += check_tile(level, n, store.read_tile(level, n), replay=replay)
    head = store.head()
    if head.size == replay.size and (head.frontier != b"".join(replay.frontier) or head.time != replay.time):
        report.faults.append(Fault(STORED, "the log's head", "it is not that of its entries"))
    counts = replay.counts
    for tag, _scope, count, last, _slot in store.namespaces():
        if head.size == replay.size and counts.get(tag, (0, bytes(32))) != (count, bytes.fromhex(last)):
            report.faults.append(Fault(STORED, f"series {tag}", "its count or head is not that of its entries"))
    report.pending = len(store.pending_events())
    if not report.pending:
        _check_counters(report, replay)
    loose = store.loose_events()
    if loose:
        report.faults.append(Fault(STORED, f"{loose} events", "they were recorded and then kept out of the log"))


def _check_counters(report: Report, replay: Replay) -> None:
    devices = replay.devices
    for tag, kid, dseq, last in store.counters():
        if dseq and devices.get((tag, kid)) != (dseq, bytes.fromhex(last)):
            report.faults.append(Fault(STORED, f"a device in series {tag}", "its count is not that of its entries"))


def _check_checkpoints(report: Report, replay: Replay, verifiers: Sequence[Verifier]) -> None:
    """Check 11, and that the row repeats what its note says."""
    for size, root, note in store.checkpoints(replay.size):
        report.checkpoints += 1
        found = check_checkpoint(note, verifiers=verifiers, replay=replay)
        if not found and replay.roots.get(size) != bytes.fromhex(root):
            found = [Fault(11, f"the checkpoint at {size}", "its row says something else than its note")]
        report.faults += found
        report.signed, report.root = size, bytes.fromhex(root)


def _check_manifests(report: Report, replay: Replay) -> None:
    """Check 26, with the list of what was destroyed: what is missing stands on the very list that both Co-Chairs signed."""
    manifests = store.manifests()
    for pruned in replay.pruned:
        certificate = pruned.certificate
        where = f"the disposal of entries {certificate.first} to {certificate.last}"
        body = manifests.get(certificate.manifest, b"")
        if hashlib.sha256(body).hexdigest() != certificate.manifest:
            report.faults.append(Fault(DISPOSAL, where, "the list of what was destroyed is missing, or was changed"))
        elif not {each.hex() for each in pruned.hashes} <= _events_on(body):
            report.faults.append(Fault(DISPOSAL, where, "an event is missing that is not on the list which was signed"))
        else:
            report.pruned.append(certificate)


def _events_on(manifest: bytes) -> frozenset[str]:
    try:
        return event_hashes(manifest)
    except LogError:
        return frozenset()


def _check_disclosures(report: Report) -> None:
    """Check 17: a personal value that is kept is the one whose digest was recorded. One whose key is gone is no fault."""
    for found in store.disclosures():
        if not found.holds:
            report.faults.append(Fault(DISCLOSURE, f"a personal value ({found.name or 'closed'})", "it is not the one that was recorded"))
        elif found.name is None:
            report.closed[found.subject] = report.closed.get(found.subject, 0) + 1


__all__ = ["DISCLOSURE", "DISPOSAL", "EVENT_OF_STATEMENT", "PIN", "RULES", "SIGNATURE", "STATEMENT", "STORED", "lines", "run", "verify"]
