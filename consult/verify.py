"""`consult verify`: recomputes the whole log from the database and checks every signature and statement in it.

What it cannot tell: whether the host's own word (`src: host`) is true, and whether whole checkpoints were taken off the end; against
that, keep a checkpoint and give its size and root with `pin`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TextIO, cast

from django.conf import settings

from meetings.judging import follow
from meetings.roster import Chains, ordered
from meetings.standing import Standing
from meetings.statements import TABLE, Chain
from secure import statements
from secure.errors import Refusal
from secure.keys import KeyFileError, load_vkeys
from secure.log import jcs, policies, sequencer, store
from secure.log.encoding import parse_event
from secure.log.errors import LogError
from secure.log.verifier import Fault, Replay, check_checkpoint, check_tile
from secure.manifest import event_hashes

if TYPE_CHECKING:
    from secure.log.certificate import Certificate
    from secure.log.encoding import Event
    from secure.log.note import Verifier
    from secure.statements import Signed

VERIFIED: Final = 0
TAMPERED: Final = 1
UNUSABLE: Final = 2
MOST_LINES: Final = 50
DISPOSE: Final = "consultation.dispose"

STORED, STATEMENT, SIGNATURE, EVENT_OF_STATEMENT, DISCLOSURE, PIN, RULES, GENESIS, POLICY, DISPOSAL = range(13, 23)
"""Numbers of the checks made here, after those of `secure/log/verifier.py`."""


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


@dataclass(frozen=True)
class _Statement:
    """A stored statement that could be read."""

    signed: Signed
    type: str
    scope: str
    n: int


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
        known = _read_statements(report)
        seen: dict[str, list[str]] = {}
        replay = _replay(report, known, seen, verifiers)
        _check_stored(report, replay)
        _check_checkpoints(report, replay, verifiers)
        _check_statements(report, known, verifiers[0])
        _check_disposals(report, known, replay)
        _check_events_of_statements(report, known, seen)
        _check_rules(report, known)
        _check_disclosures(report)
        report.faults += [Fault(POLICY, where, what) for where, what in policies.faults(log=verifiers[0])]
    if pin and replay.roots.get(pin[0]) != pin[1]:
        report.faults.append(Fault(PIN, f"the checkpoint at {pin[0]}", "it is not in this log: the log was cut or forked"))
    return report


def _read_statements(report: Report) -> dict[str, _Statement]:
    """Check 14: every statement is canonical, names its own hash, and stands where its row says."""
    known: dict[str, _Statement] = {}
    chain: tuple[str, int, str | None] = ("", -1, None)
    for hash_, type_, scope, n, body in store.statements():
        report.statements += 1
        where = f"statement {hash_[:16]}"
        try:
            signed = statements.parse_signed(jcs.decode(body))
        except Refusal:
            report.faults.append(Fault(STATEMENT, where, "its bytes are not a statement"))
            continue
        statement = signed.statement
        if (signed.hash, statement.type, signed.scope_name, statement.n) != (hash_, type_, scope, n):
            report.faults.append(Fault(STATEMENT, where, "its bytes were changed"))
            continue
        before = chain if chain[0] == scope else (scope, -1, None)
        if (n, statement.prev) != (before[1] + 1, before[2]):
            report.faults.append(Fault(STATEMENT, where, "the statement before it in its chain is missing"))
        chain = (scope, n, hash_)
        known[hash_] = _Statement(signed, type_, scope, n)
    return known


def _replay(report: Report, known: Mapping[str, _Statement], seen: dict[str, list[str]], verifiers: Sequence[Verifier]) -> Replay:
    """Checks 1 to 10, and 20. `seen` collects, for each namespace, the statements its events name, in order."""

    def on_event(index: int, event: Event) -> None:
        if (index == 0) != (event.type == sequencer.GENESIS) or (index == 0 and not _begins(event, verifiers)):
            report.faults.append(Fault(GENESIS, f"entry {index}", "the log does not begin, once, by naming its keys"))
        if event.type == "subject.erased":
            report.erased.add(str(event.data.get("subject")))
        if event.statement is None:
            return
        seen.setdefault(event.ns, []).append(event.statement)
        found = known.get(event.statement)
        if found is None or found.type != event.type:
            report.faults.append(Fault(EVENT_OF_STATEMENT, f"entry {index}", "its statement is missing"))

    keys = [_key(found, "signature_key") for found in known.values() if found.type == "device.add"]
    replay = Replay(public_keys=keys, on_event=on_event, disposed=store.certificates())
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


def _check_statements(report: Report, known: Mapping[str, _Statement], verifier: Verifier) -> None:
    """Check 15: every signature on every statement, and that `chairs.root` names this log."""
    keys = {hash_: _key(found, "account_key") for hash_, found in known.items() if found.type == "account.card"}
    for hash_, found in known.items():
        where = f"statement {hash_[:16]} ({found.type})"
        for card in found.signed.cards:
            try:
                statements.verify_signature(found.signed, card=card, account_key=keys.get(card, b""))
            except Refusal:
                report.faults.append(Fault(SIGNATURE, where, f"the signature of card {card[:16]} does not hold"))
        if found.type == statements.ROOT and found.signed.statement.body.get("log") != verifier.vkey:
            report.faults.append(Fault(SIGNATURE, where, "the Co-Chairs named another log's key"))


def _key(found: _Statement, member: str) -> bytes:
    """A key in a statement's body; empty, and so good for no signature, if there is none."""
    try:
        return statements.unbase64(str(found.signed.statement.body.get(member)), 32)
    except Refusal:
        return b""


def _check_disposals(report: Report, known: Mapping[str, _Statement], replay: Replay) -> None:
    """Check 20: what is missing was disposed of by both Co-Chairs, and stands on the very list that they signed."""
    scopes = {tag: scope for tag, scope, *_ in store.namespaces()}
    manifests = store.manifests()
    for pruned in replay.pruned:
        certificate = pruned.certificate
        where = f"the disposal of entries {certificate.first} to {certificate.last}"
        body = manifests.get(certificate.manifest, b"")
        signed = known.get(certificate.disposal)
        if signed is None or not _disposes(signed, certificate, _consultation_called(known, scopes.get(certificate.ns))):
            report.faults.append(Fault(DISPOSAL, where, "both Co-Chairs have not signed it"))
        elif hashlib.sha256(body).hexdigest() != certificate.manifest:
            report.faults.append(Fault(DISPOSAL, where, "the list of what was destroyed is missing, or was changed"))
        elif not {each.hex() for each in pruned.hashes} <= _events_on(body):
            report.faults.append(Fault(DISPOSAL, where, "an event is missing that is not on the list which was signed"))
        else:
            report.pruned.append(certificate)


def _disposes(found: _Statement, certificate: Certificate, consultation: str | None) -> bool:
    body = found.signed.statement.body
    said = (found.type, found.scope, body.get("basis"), body.get("manifest"))
    return said == (DISPOSE, consultation, certificate.basis, certificate.manifest)


def _consultation_called(known: Mapping[str, _Statement], scope: str | None) -> str | None:
    """The consultation to which a chain belongs: its own name, or for a room what its opening says."""
    opening = known.get(scope or "")
    return str(_consultation_of(opening.signed)) if opening is not None and opening.type == "room.open" else scope


def _events_on(manifest: bytes) -> frozenset[str]:
    try:
        return event_hashes(manifest)
    except LogError:
        return frozenset()


def _check_events_of_statements(report: Report, known: Mapping[str, _Statement], seen: Mapping[str, list[str]]) -> None:
    """Check 16: one event for each statement, in its own scope's series, in the order of its chain."""
    pending = [event for event in map(parse_event, store.pending_events()) if event.statement]
    in_order = {tag: list(hashes) for tag, hashes in seen.items()}
    for event in pending:
        in_order.setdefault(event.ns, []).append(cast("str", event.statement))
    scopes = {tag: scope for tag, scope, *_ in store.namespaces()}
    disposed = {certificate.ns for certificate in report.pruned}
    gone = {scopes.get(tag) for tag in disposed}
    recorded = {hash_ for hash_, statement in known.items() if statement.scope in gone and statement.type != DISPOSE}
    for tag, hashes in in_order.items():
        found = [known[hash_] for hash_ in hashes if hash_ in known]
        if any(statement.scope != scopes.get(tag) for statement in found):
            report.faults.append(Fault(EVENT_OF_STATEMENT, f"series {tag}", "it holds another chain's statements"))
        first = found[0].n if tag in disposed and found else 0
        if [statement.n for statement in found] != list(range(first, first + len(found))):
            report.faults.append(Fault(EVENT_OF_STATEMENT, f"series {tag}", "its statements are not in their order, or one is there twice"))
        recorded.update(hashes)
    for hash_ in known.keys() - recorded:
        report.faults.append(Fault(EVENT_OF_STATEMENT, f"statement {hash_[:16]}", "it was accepted without an entry"))


def _check_rules(report: Report, known: Mapping[str, _Statement]) -> None:
    """Check 19: every statement was lawful in its place, by the rules of procedure, judged again from the first one on."""
    chains: dict[str, list[_Statement]] = {}
    for found in known.values():
        chains.setdefault(found.scope, []).append(found)
    kinds = {scope: TABLE[chain[0].type].chain for scope, chain in chains.items() if chain[0].type in TABLE}
    signed = {scope: tuple(found.signed for found in chain) for scope, chain in chains.items()}
    accounts = {scope: signed[scope] for scope, kind in kinds.items() if kind is Chain.ACCOUNT}
    installation = tuple(each for scope, kind in kinds.items() if kind is Chain.INSTALLATION for each in signed[scope])
    standing = _followed(report, ordered(Chains(installation=installation, accounts=accounts)), Standing())
    for scope, kind in kinds.items():
        if kind is Chain.CONSULTATION:
            rooms = [name for name, each in kinds.items() if each is Chain.ROOM and _consultation_of(signed[name][0]) == scope]
            _followed(report, (each for name in (scope, *rooms) for each in signed[name]), standing)


def _followed(report: Report, chain: Iterable[Signed], standing: Standing) -> Standing:
    """What stands after these statements. After one that is not lawful the rest cannot be judged."""
    for signed in chain:
        try:
            standing = follow(standing, signed)
        except Refusal as refusal:
            where = f"statement {signed.hash[:16]} ({signed.statement.type})"
            report.faults.append(Fault(RULES, where, f"the rules do not allow it ({refusal.code})"))
            break
    return standing


def _consultation_of(room_open: Signed) -> object:
    return room_open.statement.body.get("consultation")


def _check_disclosures(report: Report) -> None:
    """Check 17: a personal value that is kept is the one whose digest was recorded. One whose key is gone is no fault."""
    for found in store.disclosures():
        if not found.holds:
            report.faults.append(Fault(DISCLOSURE, f"a personal value ({found.name or 'closed'})", "it is not the one that was recorded"))
        elif found.name is None:
            report.closed[found.subject] = report.closed.get(found.subject, 0) + 1
