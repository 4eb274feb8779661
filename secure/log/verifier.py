"""Recomputes a log from its leaves and events and says everything that does not hold. Pure: bytes in, faults out.

The checks, by number; 2 to 9 are made in `secure/log/entries.py` (tests/secure/log/test_verifier.py has one failing case for each):

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

from secure.errors import Refusal
from secure.log.certificate import Certificate
from secure.log.checkpoint import open_checkpoint
from secure.log.encoding import Event
from secure.log.entries import Entries, Fault, Pruned
from secure.log.leaves import StateLeaf
from secure.log.merkle import EMPTY_ROOT, HASH_BYTES, Frontier, leaf_hash, root_hash
from secure.log.note import Verifier, open_note
from secure.log.statemap import StateMap, slot_hash
from secure.log.tiles import WIDTH


class Replay:
    """Feed it every leaf from the first; then ask for `size`, `root`, `counts` and the `faults`.

    `public_keys` are the signature keys of all devices that were ever added. `on_event` hears of every sound event, in order.
    """

    def __init__(
        self,
        *,
        public_keys: Iterable[bytes] = (),
        on_event: Callable[[int, Event], None] | None = None,
        disposed: Iterable[Certificate] = (),
    ) -> None:
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self.tiles = _Tiles()
        self._tree = Frontier()
        self._map = StateMap()
        self._changed: set[str] = set()
        # every size a checkpoint may have is known here, so any other is no size of this log
        self._entries = Entries(public_keys=public_keys, seen=lambda size: self.roots.get(size, b""), on_event=on_event, disposed=disposed)

    @property
    def faults(self) -> list[Fault]:
        return self._entries.faults

    @property
    def pruned(self) -> list[Pruned]:
        """What is missing by certificates that stand in the log."""
        return self._entries.pruned

    @property
    def time(self) -> int:
        return self._entries.time

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
        return {tag: (series.count, series.head) for tag, series in self._entries.series.items()}

    @property
    def devices(self) -> dict[tuple[str, str], tuple[int, bytes]]:
        """How far each device has counted: {(tag, kid): (dseq, hash of its last event)}."""
        return {(tag, kid): place for tag, series in self._entries.series.items() for kid, place in series.devices.items()}

    def feed(self, index: int, raw: bytes, event: bytes | None) -> None:
        """The next leaf, and its event's bytes (None: a state leaf, or the event is missing)."""
        if index != self._tree.size:
            self._entries.fault(1, index, f"entry {self._tree.size} is missing")
        hash_ = leaf_hash(raw)
        self._tree.append(hash_)
        self.tiles.append(hash_)
        leaf = self._entries.leaf(index, raw)
        if isinstance(leaf, StateLeaf):
            self._state(index, leaf)
        elif leaf is not None:
            self._changed.add(leaf.ns)
            self._entries.entry(index, leaf, hash_, event)

    def _state(self, index: int, leaf: StateLeaf) -> None:
        named = ((tag, self._entries.series[tag]) for tag in self._changed)
        self._map.assign(
            {series.slot: slot_hash(ns=tag, count=series.count, head=series.head) for tag, series in named if series.slot is not None}
        )
        self._changed.clear()
        if self._map.root != leaf.map:
            self._entries.fault(10, index, "it does not agree with the number of entries before it")
        self.roots[self._tree.size] = self._tree.root


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


__all__ = ["Fault", "Pruned", "Replay", "check_checkpoint", "check_tile"]
