"""Recomputes a log from its leaves and events and says everything that does not hold. Pure: bytes in, faults out.

The checks, by number (tests/secure/log/test_verifier.py has one failing case for each):

 1. leaves follow one another without a gap
 2. a leaf is canonical and complete
 3. the sequencer's time never goes back
 4. each namespace counts 1, 2, 3, … and chains leaf to leaf
 5. an event's bytes hash to what its leaf says, and say the same namespace and kind
 6. a namespace's first event, and no other, fixes its slot and salt; no slot twice
 7. a device's event is signed by a device known to the log
 8. a device's events count and chain, per namespace, without a gap
 9. what a device says it has seen is a tree head this log had by then
10. a state leaf commits to count and head of every namespace
11. a checkpoint signed by the log's key has the recomputed root, and ends in a state leaf
12. stored tiles hold the recomputed hashes

An event that is missing is a fault of check 5, unless its namespace ends with a certificate of disposal that covers exactly it: then it is
pruned (`Pruned`). Whether both Co-Chairs signed that disposal is not for this file to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from secure.errors import Refusal
from secure.log.certificate import DISPOSED, Certificate, certificate_of
from secure.log.checkpoint import open_checkpoint
from secure.log.encoding import ZERO, Author, Event, kid_of, natural, parse_event, unb64, verify_author
from secure.log.errors import LogError
from secure.log.leaves import EntryLeaf, Leaf, StateLeaf, coarse_type, parse_leaf
from secure.log.merkle import EMPTY_ROOT, HASH_BYTES, Frontier, leaf_hash, root_hash
from secure.log.note import Verifier, open_note
from secure.log.statemap import StateMap, slot_hash
from secure.log.tiles import WIDTH


@dataclass(frozen=True)
class Fault:
    """One thing that does not hold: the number of the check, where, and what, in words."""

    check: int
    where: str
    what: str


@dataclass
class Pruned:
    """The entries of a namespace without events, by a certificate. `hashes` are the events' own (`evh`), as the leaves hold them."""

    certificate: Certificate
    hashes: list[bytes] = field(default_factory=list)
    confirmed: bool = False
    """the certificate itself stands in the log, after them"""


@dataclass
class _Series:
    """A namespace as replayed so far."""

    count: int = 0
    head: bytes = ZERO
    slot: int | None = None
    salt: bytes = b""
    devices: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    kids: dict[str, bytes] = field(default_factory=dict)


class Replay:
    """Feed it every leaf from the first; then ask for `size`, `root`, `counts` and the `faults`.

    `public_keys` are the signature keys of all devices that were ever added. `on_event` hears of every sound event, in order.
    `disposed` are the certificates found in the log, beforehand: a namespace's place in the state map is known only from there once
    its first event is gone.
    """

    def __init__(
        self,
        *,
        public_keys: Iterable[bytes] = (),
        on_event: Callable[[int, Event], None] | None = None,
        disposed: Iterable[Certificate] = (),
    ) -> None:
        self._found: list[Fault] = []
        self._pruned = {certificate.ns: Pruned(certificate) for certificate in disposed}
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self.time = 0
        self.tiles = _Tiles()
        self._tree = Frontier()
        self._series: dict[str, _Series] = {}
        self._slots: dict[int, str] = {}
        self._map = StateMap()
        self._changed: set[str] = set()
        self._keys = tuple(public_keys)
        self._on_event = on_event

    @property
    def faults(self) -> list[Fault]:
        """Everything that does not hold so far; what was taken for pruned is missing until its certificate has been met."""
        loose = [each for each in self._pruned.values() if each.hashes and not each.confirmed]
        return [*self._found, *(Fault(5, f"entry {each.certificate.first}", "its event is missing") for each in loose)]

    @property
    def pruned(self) -> list[Pruned]:
        """What is missing by certificates that stand in the log."""
        return [each for each in self._pruned.values() if each.hashes and each.confirmed]

    @property
    def size(self) -> int:
        return self._tree.size

    @property
    def root(self) -> bytes:
        return self._tree.root

    @property
    def frontier(self) -> list[bytes]:
        return list(self._tree.hashes)

    @property
    def counts(self) -> dict[str, tuple[int, bytes]]:
        """Every namespace's count and head, by tag."""
        return {tag: (series.count, series.head) for tag, series in self._series.items()}

    @property
    def devices(self) -> dict[tuple[str, str], tuple[int, bytes]]:
        """How far each device has counted: {(tag, kid): (dseq, hash of its last event)}."""
        return {(tag, kid): place for tag, series in self._series.items() for kid, place in series.devices.items()}

    def feed(self, index: int, raw: bytes, event: bytes | None) -> None:
        """The next leaf, and its event's bytes (None: a state leaf, or the event is missing)."""
        if index != self._tree.size:
            self._fault(1, index, f"entry {self._tree.size} is missing")
        hash_ = leaf_hash(raw)
        self._tree.append(hash_)
        self.tiles.append(hash_)
        try:
            leaf = parse_leaf(raw)
        except LogError:
            self._fault(2, index, "the entry is not in the form of the log")
            return
        if leaf.t < self.time:
            self._fault(3, index, "its time is earlier than the entry's before it")
        self.time = max(self.time, leaf.t)
        if isinstance(leaf, StateLeaf):
            self._state(index, leaf)
        else:
            self._entry(index, leaf, hash_, event)

    def _state(self, index: int, leaf: StateLeaf) -> None:
        named = ((tag, self._series[tag]) for tag in self._changed)
        self._map.assign(
            {series.slot: slot_hash(ns=tag, count=series.count, head=series.head) for tag, series in named if series.slot is not None}
        )
        self._changed.clear()
        if self._map.root != leaf.map:
            self._fault(10, index, "it does not agree with the number of entries before it")
        self.roots[self._tree.size] = self._tree.root

    def _entry(self, index: int, leaf: EntryLeaf, hash_: bytes, raw: bytes | None) -> None:
        series = self._series.setdefault(leaf.ns, _Series())
        if leaf.cseq != series.count + 1 or leaf.cprev != series.head:
            self._fault(4, index, f"it does not follow entry {series.count} of its series")
        series.count, series.head = leaf.cseq, hash_
        self._changed.add(leaf.ns)
        if raw is None and self._prune(index, leaf, hash_, series):
            return
        event = self._event(index, leaf, raw)
        if event is None:
            return
        if event.type == DISPOSED:
            self._certify(index, event, leaf)
        self._place(index, event, series)
        if event.author is not None:
            self._author(index, event, event.author, series)
        if self._on_event:
            self._on_event(index, event)

    def _prune(self, index: int, leaf: EntryLeaf, hash_: bytes, series: _Series) -> bool:
        """Whether a certificate covers this entry, of which there is no event."""
        found = self._pruned.get(leaf.ns)
        if found is None or leaf.cseq > found.certificate.count:
            return False
        certificate = found.certificate
        found.hashes.append(leaf.evh)
        first, last = leaf.cseq == 1, leaf.cseq == certificate.count
        if (first and index != certificate.first) or (last and (index, hash_.hex()) != (certificate.last, certificate.head)):
            self._fault(5, index, "its event is missing, and the certificate of a disposal says something else")
        if series.slot is None:
            if self._slots.setdefault(certificate.map_slot, leaf.ns) != leaf.ns:
                self._fault(6, index, "its place in the state map is another's")
            series.slot = certificate.map_slot
        return True

    def _certify(self, index: int, event: Event, leaf: EntryLeaf) -> None:
        found = self._pruned.get(leaf.ns)
        try:
            certificate = certificate_of(event)
        except LogError:
            self._fault(5, index, "it is no certificate of a disposal")
            return
        if found is not None and found.certificate == certificate and leaf.cseq > certificate.count:
            found.confirmed = event.hash == leaf.evh

    def _event(self, index: int, leaf: EntryLeaf, raw: bytes | None) -> Event | None:
        if raw is None:
            self._fault(5, index, "its event is missing")
            return None
        try:
            event = parse_event(raw)
        except LogError:
            self._fault(5, index, "its event is not in the form of the log")
            return None
        if event.hash != leaf.evh:
            self._fault(5, index, "its event was changed")
        if event.ns != leaf.ns or coarse_type(event.type) != leaf.ty:
            self._fault(5, index, "its event belongs elsewhere")
        return event

    def _place(self, index: int, event: Event, series: _Series) -> None:
        if (series.count == 1) != ("slot" in event.data):
            self._fault(6, index, "only the first entry of a series fixes its place in the state map")
        if "slot" not in event.data or series.slot is not None:
            return
        slot = natural(event.data["slot"])
        if self._slots.setdefault(slot, event.ns) != event.ns:
            self._fault(6, index, "its place in the state map is another's")
        series.slot, series.salt = slot, unb64(event.data["salt"])

    def _author(self, index: int, event: Event, author: Author, series: _Series) -> None:
        if not series.kids:
            series.kids = {kid_of(salt=series.salt, public_key=key): key for key in self._keys}
        key = series.kids.get(author.kid)
        try:
            verify_author(event, public_key=key or b"")
        except LogError:
            self._fault(7, index, "it is not signed by a device that the log knows")
        dseq, last = series.devices.get(author.kid, (0, ZERO))
        if author.dseq != dseq + 1 or author.dprev != last:
            self._fault(8, index, f"it does not follow event {dseq} of its device: something of this device is missing or was moved")
        series.devices[author.kid] = (author.dseq, event.hash)
        size, root = author.seen
        if size > index or self.roots.get(size) != root:
            self._fault(9, index, "its device had seen a log that was not this one")

    def _fault(self, check: int, index: int, what: str) -> None:
        self._found.append(Fault(check, f"entry {index}", what))


def check_checkpoint(note: bytes, *, verifiers: Sequence[Verifier], replay: Replay) -> list[Fault]:
    """Check 11, for a checkpoint no larger than what was replayed. Each of `verifiers` must have signed it."""
    try:
        head = open_checkpoint(note, verifiers)
        missing = set(verifiers) - set(open_note(note, verifiers).signed_by)
    except Refusal:
        return [Fault(11, "a checkpoint", "it is not signed with the log's key")]
    if missing:
        return [Fault(11, f"the checkpoint at {head.size}", "it is not signed with each of the log's keys")]
    if head.size not in replay.roots:
        return [Fault(11, f"the checkpoint at {head.size}", "the log never ended there")]
    if replay.roots[head.size] != head.root:
        return [Fault(11, f"the checkpoint at {head.size}", "it was signed over other entries")]
    return []


def check_tile(level: int, n: int, stored: bytes, *, replay: Replay) -> list[Fault]:
    """Check 12. What is stored may already be longer than what was replayed, never shorter or other."""
    expected = replay.tiles.hashes(level, n)
    if stored[: len(expected)] == expected:
        return []
    return [Fault(12, f"tile {level}/{n}", "it does not hold the hashes of its entries")]


class _Tiles:
    """Every tile of the replayed tree: 32 bytes a leaf and a little more."""

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    def append(self, hash_: bytes) -> None:
        level = 0
        self._levels[0] += hash_
        while len(self._levels[level]) % (WIDTH * HASH_BYTES) == 0:
            tile = self._levels[level][-WIDTH * HASH_BYTES :]
            hash_ = root_hash(bytes(tile[at : at + HASH_BYTES]) for at in range(0, len(tile), HASH_BYTES))
            level += 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += hash_

    def hashes(self, level: int, n: int) -> bytes:
        start = n * WIDTH * HASH_BYTES
        return bytes(self._levels[level][start : start + WIDTH * HASH_BYTES]) if level < len(self._levels) else b""

    def places(self) -> list[tuple[int, int]]:
        """(level, n) of every tile that is not empty."""
        full = WIDTH * HASH_BYTES
        return [(level, n) for level, held in enumerate(self._levels) for n in range(-(-len(held) // full))]


__all__ = ["Fault", "Leaf", "Pruned", "Replay", "check_checkpoint", "check_tile"]
