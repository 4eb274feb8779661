"""Verifies a bundle's part of the log. Pure: a bundle and what the verifier brings along in, findings out.

The checks, by number (tests/consult/test_bundle.py has one failing case for each):

 1. leaves stand in the order of the log, each once; so do events, each with its leaf
 2 to 9. as in `secure/log/verifier.py`, for the series in the bundle
10. count, head and slot of every series stand in the state map under the newest checkpoint
11. the newest checkpoint is signed by the log and has the recomputed root; so have earlier ones
17. a name that is disclosed is the one that was recorded
18. the tree begins with the one that was kept (the pin)
21. policies follow one another from the one that is kept; earlier ones are those that were recorded
22. the quorum of the policy has cosigned the newest checkpoint
23. an entry's time agrees with the witnesses' clocks, within two minutes
27. every file is the one the manifest names
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from secure.log.bundle_reader import Bundle
from secure.log.encoding import Event, disclosure_digest
from secure.log.entries import Entries, Fault, Pruned, certificates
from secure.log.errors import LogError
from secure.log.leaves import EntryLeaf, Leaf, StateLeaf
from secure.log.merkle import leaf_hash
from secure.log.multiproof import Opened
from secure.log.note import Verifier
from secure.log.policy import Log, Policy
from secure.log.statemap import slot_hash, verify_slot
from secure.log.trust import Judged, Trust, check_recorded, is_witnessed, judge, newest_policy

ORDER, MAP, CHECKPOINT, DISCLOSURE, PIN, POLICY, QUORUM, TIME, FILE = 1, 10, 11, 17, 18, 21, 22, 23, 27
SLACK: Final = 120_000
"""ms by which the clocks of host and witnesses may differ."""


@dataclass(frozen=True)
class Item:
    """One entry as verified. `absent` says why there is no event. `names` are disclosed, `hidden` counts names that are not.
    `witnessed` is when the quorum had signed over it, in ms; `signer` the public key of the device that signed it.
    """

    index: int
    leaf: EntryLeaf
    event: Event | None
    absent: str | None
    names: tuple[tuple[str, str], ...]
    hidden: int
    witnessed: int | None
    signer: bytes | None


@dataclass
class Findings:
    """`faults`: it was tampered with. `missing`: it is incomplete. `doubts`: nothing contradicts, but it is not anchored. All in words."""

    faults: list[Fault] = field(default_factory=list)
    missing: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    size: int = 0
    root: bytes = b""
    judged: list[Judged] = field(default_factory=list)
    pruned: list[Pruned] = field(default_factory=list)

    def fault(self, check: int, where: str, what: str) -> None:
        self.faults.append(Fault(check, where, what))


def check(
    bundle: Bundle,
    *,
    trust: Trust,
    named: Verifier | None,
    public_keys: Sequence[bytes],
    on_event: Callable[[int, Event], None],
) -> Findings:
    """`named` is the log's key as the bundle itself names it: it serves where no policy was brought along, and anchors nothing.

    `public_keys` are those of all devices the bundle knows; `on_event` hears of every sound event.
    """
    found = Findings(size=bundle.manifest.size)
    found.faults += [Fault(FILE, name, "it is not the file that the manifest names") for name in bundle.altered]
    if not _in_order(bundle, found):
        return found
    policy, genuine, faults = newest_policy(trust, bundle.policies)
    found.faults += faults
    tree = _tree(bundle, found)
    _checkpoints(bundle, tree, policy or _own(named), found)
    entries, leaves, events = _entries(bundle, tree, found, public_keys=public_keys, on_event=on_event)
    found.faults += check_recorded(bundle.policies, events.values(), genuine)
    _map(bundle, entries, leaves, found)
    _times(leaves, found)
    _anchor(bundle, tree, policy, trust, found)
    found.items = _items(bundle, entries, leaves, events, found)
    return found


def _in_order(bundle: Bundle, found: Findings) -> bool:
    """Check 1."""
    leaves, events = [index for index, _ in bundle.leaves], [index for index, _ in bundle.events]
    for what, row in (("leaves", leaves), ("events", events)):
        if row != sorted(set(row)):
            found.fault(ORDER, what, "they are not in the order of the log, or one is there twice")
    if not set(events) <= set(leaves) or (leaves and leaves[-1] >= bundle.manifest.size):
        found.fault(ORDER, "events", "one of them has no entry in this tree")
    return not any(fault.check == ORDER for fault in found.faults)


def _tree(bundle: Bundle, found: Findings) -> Opened | None:
    hashes = {index: leaf_hash(raw) for index, raw in bundle.leaves}
    try:
        return Opened(hashes, bundle.manifest.sizes, bundle.manifest.size, bundle.nodes)
    except LogError:
        found.fault(CHECKPOINT, "the proof", "hashes are missing from it, or there are too many")
        return None


def _own(named: Verifier | None) -> Policy:
    return Policy(logs=(Log(named),) if named else ())


def _checkpoints(bundle: Bundle, tree: Opened | None, policy: Policy, found: Findings) -> None:
    """Check 11."""
    for size, note in sorted(bundle.checkpoints.items()):
        where = f"the checkpoint at {size}"
        try:
            judged = judge(note, policy)
        except LogError:
            found.fault(CHECKPOINT, where, "it is no checkpoint, or a signature on it does not hold")
            continue
        if (judged.head.size, judged.head.origin) != (size, bundle.manifest.origin):
            found.fault(CHECKPOINT, where, "it is another log's, or of another size")
        elif not judged.signed:
            found.fault(CHECKPOINT, where, "the log's key has not signed it")
        elif tree is None or tree.root_at(size) != judged.head.root:
            found.fault(CHECKPOINT, where, "it was signed over other entries")
        else:
            found.judged.append(judged)
            found.root = judged.head.root
    if bundle.manifest.size not in bundle.checkpoints:
        found.fault(CHECKPOINT, f"the checkpoint at {bundle.manifest.size}", "it is missing")


def _entries(
    bundle: Bundle,
    tree: Opened | None,
    found: Findings,
    *,
    public_keys: Sequence[bytes],
    on_event: Callable[[int, Event], None],
) -> tuple[Entries, dict[int, Leaf], dict[int, Event]]:
    """Checks 2 to 9."""
    raw_events = dict(bundle.events)
    entries = Entries(
        public_keys=public_keys,
        seen=tree.root_at if tree else lambda _size: None,
        disposed=certificates(raw_events.values()),
        withheld=frozenset(bundle.manifest.withheld),
        on_event=on_event,
    )
    leaves: dict[int, Leaf] = {}
    events: dict[int, Event] = {}
    for index, raw in bundle.leaves:
        leaf = entries.leaf(index, raw)
        if leaf is None:
            continue
        leaves[index] = leaf
        if isinstance(leaf, EntryLeaf):
            event = entries.entry(index, leaf, leaf_hash(raw), raw_events.get(index))
            if event is not None:
                events[index] = event
        elif index in raw_events:
            entries.fault(5, index, "an event stands where there is none")
    found.faults += entries.faults
    found.pruned = entries.pruned
    found.missing += [Fault(9, f"entry {index}", "what its device had seen cannot be compared") for index in entries.unlinked]
    return entries, leaves, events


def _map(bundle: Bundle, entries: Entries, leaves: Mapping[int, Leaf], found: Findings) -> None:
    """Check 10: nothing is missing at the end of a series, and no series stands beside the map."""
    last = leaves.get(bundle.manifest.size - 1)
    if not isinstance(last, StateLeaf):
        found.fault(MAP, "the state map", "the tree does not end in it")
        return
    for proof in bundle.series:
        where = f"the series of {proof.scope[:16]}"
        try:
            verify_slot(slot=proof.slot, value=slot_hash(ns=proof.ns, count=proof.count, head=proof.head), proof=proof.proof, root=last.map)
        except LogError:
            found.fault(MAP, where, "it is not in the state map as it stands here")
        series = entries.series.get(proof.ns)
        if series is None or (series.count, series.head, series.slot) != (proof.count, proof.head, proof.slot):
            found.fault(MAP, where, "entries are missing at its end, or there are too many")
    for tag in entries.series.keys() - {proof.ns for proof in bundle.series}:
        found.fault(MAP, f"the series {tag}", "it is not proven to be whole")


def _times(leaves: Mapping[int, Leaf], found: Findings) -> None:
    """Check 23: nothing under a witnessed checkpoint is later than its witnesses, nothing above it earlier."""
    indexes = sorted(leaves)
    latest = list(accumulate((leaves[index].t for index in indexes), max))
    earliest = list(accumulate((leaves[index].t for index in reversed(indexes)), min))[::-1]
    for judged in found.judged:
        if judged.first is None or judged.last is None:
            continue
        under = bisect_left(indexes, judged.head.size)
        where = f"the checkpoint at {judged.head.size}"
        if under and latest[under - 1] > judged.first + SLACK:
            found.fault(TIME, where, "an entry under it bears a time after its witnesses had signed")
        if under < len(indexes) and earliest[under] < judged.last - SLACK:
            found.fault(TIME, where, "an entry after it bears a time before its witnesses had signed")


def _anchor(bundle: Bundle, tree: Opened | None, policy: Policy | None, trust: Trust, found: Findings) -> None:
    """Checks 18 and 22."""
    newest = next((judged for judged in found.judged if judged.head.size == bundle.manifest.size), None)
    where = f"the checkpoint at {bundle.manifest.size}"
    if policy is None:
        found.doubts.append(Fault(QUORUM, where, "no list of witnesses was given: whose record this is, it only says itself"))
    elif not is_witnessed(policy):
        found.doubts.append(Fault(QUORUM, where, "the list asks for no witnesses: this is the host's word alone"))
    elif newest is None or newest.first is None:
        found.doubts.append(Fault(QUORUM, where, "fewer witnesses than the list asks for have signed it"))
    if trust.pin is None:
        return
    size, root = trust.pin
    known = tree.root_at(size) if tree and size <= bundle.manifest.size else None
    if known is None:
        found.doubts.append(Fault(PIN, f"the tree of {size} entries", "the bundle does not lead back to the one you keep"))
    elif known != root:
        found.fault(PIN, f"the tree of {size} entries", "it is not the one you keep: the log was forked")


def _items(bundle: Bundle, entries: Entries, leaves: Mapping[int, Leaf], events: Mapping[int, Event], found: Findings) -> list[Item]:
    """The entries for the report, with the names that are disclosed (check 17)."""
    known = _names(bundle, events, found)
    items = []
    covers = sorted((judged.head.size, judged.first) for judged in found.judged if judged.first is not None)
    sizes = [size for size, _ in covers]
    for index, leaf in leaves.items():
        if isinstance(leaf, EntryLeaf):
            event = events.get(index)
            names = known.get(index, ())
            hidden = len(_digests(event)) - len(names) if event else 0
            cover = bisect_right(sizes, index)
            witnessed = covers[cover][1] if cover < len(covers) else None
            absent, signer = entries.absent.get(index), entries.signers.get(index)
            items.append(Item(index, leaf, event, absent, tuple(names), hidden, witnessed, signer))
    return items


def _names(bundle: Bundle, events: Mapping[int, Event], found: Findings) -> dict[int, list[tuple[str, str]]]:
    """Check 17: (name, value) of each entry's disclosures that hold, each digest once."""
    names: dict[int, list[tuple[str, str]]] = {}
    used: set[tuple[int, str]] = set()
    for disclosed in bundle.disclosed:
        event = events.get(disclosed.index)
        digest = disclosure_digest(salt=disclosed.salt, name=disclosed.name, value=disclosed.value)
        place = (disclosed.index, digest)
        if event is None or digest not in _digests(event) or place in used:
            found.fault(DISCLOSURE, f"entry {disclosed.index}", f"a name ({disclosed.name}) is not the one that was recorded")
            continue
        used.add(place)
        names.setdefault(disclosed.index, []).append((disclosed.name, disclosed.value))
    return names


def _digests(event: Event) -> Sequence[str]:
    found = event.data.get("_sd", [])
    return [str(digest) for digest in found] if isinstance(found, list) else []
