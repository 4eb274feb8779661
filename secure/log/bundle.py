"""Writes the evidence bundle of some series of the log (docs/protocol.md, 12). The same record gives the same bytes.

Which series belong together, and what a recipient may see of them, is the business of the layer above; it comes in as `Wanted`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import BinaryIO

from secure.errors import Conflict
from secure.log import bundle_format as form
from secure.log import jcs, multiproof, past, store
from secure.log.archive import Writer
from secure.log.bundle_format import Disclosed, Manifest, SeriesProof
from secure.log.checkpoint import parse_tree_head
from secure.log.encoding import parse_event
from secure.log.note import split_note
from secure.log.statemap import StateMap, slot_hash
from secure.log.store import SeriesEntry

Members = Mapping[str, bytes]


@dataclass(frozen=True)
class Wanted:
    """What goes into a bundle.

    `scopes` are the names of the series, `chains` those of them that are chains of statements. `withheld` decides of an entry whether the
    recipient goes without its event. `recipient` None gets every name that is kept; a card, those that tell of it and
    those in its own acts. `pin` is a tree size which the recipient keeps.
    """

    consultation: str
    scopes: Sequence[str]
    chains: Sequence[str]
    recipient: str | None = None
    withheld: Callable[[SeriesEntry], bool] = lambda _entry: False
    pin: int | None = None


def write(out: BinaryIO, wanted: Wanted, *, readme: bytes, report: Callable[[Members], bytes]) -> int:
    """Writes the bundle to a file that can be sought in; returns the tree size it goes up to. Reads one state of the database.

    `report` makes the readable report from what has been written. Raises `Conflict("not_signed")` before the first checkpoint.
    """
    with store.snapshot():
        return _Bundle(out, wanted).write(readme, report)


class _Bundle:
    """One bundle on its way into a file."""

    def __init__(self, out: BinaryIO, wanted: Wanted) -> None:
        self._wanted = wanted
        self._zip = Writer(out)
        self._files: dict[str, str] = {}
        self._checkpoints = dict(past.telling())
        if not self._checkpoints:
            raise Conflict("not_signed")
        self._size = max(self._checkpoints)
        self._withheld: list[int] = []
        self._statements: set[str] = set()
        self._sizes: set[int] = set(self._checkpoints) | ({wanted.pin} if wanted.pin and wanted.pin <= self._size else set())
        self._indexes: list[int] = []

    def write(self, readme: bytes, report: Callable[[Members], bytes]) -> int:
        self._add(form.README, [readme])
        self._add(form.LEAVES, self._leaves())
        self._add(form.EVENTS, self._events())
        for size, note in sorted(self._checkpoints.items()):
            self._add(f"{form.CHECKPOINTS}{size}.txt", [note])
        for number, note in sorted(past.policies_at(self._size).items()):
            self._add(f"{form.POLICIES}{number}.txt", [note])
        sizes = sorted(self._sizes)
        self._add(form.NODES, multiproof.prove(self._indexes, sizes, self._size, store.subtrees()))
        self._add(form.STATE, [self._state()])
        self._chains()
        self._add(form.DISCLOSURES, self._disclosures())
        manifest = self._manifest().encode()
        self._add(form.REPORT, [report({form.MANIFEST: manifest, **{name: self._zip.read(name) for name in self._files}})])
        self._zip.add(form.MANIFEST, [self._manifest().encode()])
        self._zip.close()
        return self._size

    def _add(self, name: str, pieces: Iterable[bytes]) -> None:
        digest = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for piece in pieces:
                digest.update(piece)
                yield piece

        self._zip.add(name, hashed())
        self._files[name] = digest.hexdigest()

    def _manifest(self) -> Manifest:
        newest = parse_tree_head(split_note(self._checkpoints[self._size])[0])
        files = tuple(sorted(self._files.items()))
        wanted = self._wanted
        sizes = tuple(sorted(self._sizes))
        return Manifest(newest.origin, wanted.consultation, wanted.recipient, self._size, sizes, tuple(self._withheld), files)

    def _entries(self) -> Iterator[SeriesEntry]:
        return store.series_entries(self._wanted.scopes, self._size)

    def _leaves(self) -> Iterator[bytes]:
        """Every entry of the series, and the state leaf under each checkpoint."""
        states = [(size - 1, store.leaf(size - 1)) for size in sorted(self._checkpoints)]
        for index, leaf in merge(((entry.index, entry.leaf) for entry in self._entries()), states):
            self._indexes.append(index)
            yield form.record(index, leaf)

    def _events(self) -> Iterator[bytes]:
        """The events, as far as they are kept and the recipient may have them; what they have seen must be proven too."""
        for entry in self._entries():
            self._statements.add(entry.statement)
            if entry.event is None:
                continue
            if self._wanted.withheld(entry):
                self._withheld.append(entry.index)
                continue
            author = parse_event(entry.event).author
            if author is not None and 0 < author.seen[0] <= self._size:
                self._sizes.add(author.seen[0])
            yield form.record(entry.index, entry.event)

    def _state(self) -> bytes:
        series = store.series_at(self._size)
        map_ = StateMap()
        map_.assign({slot: slot_hash(ns=tag, count=count, head=head) for tag, _, slot, count, head in series})
        mine = set(self._wanted.scopes)
        proofs = [
            SeriesProof(tag, scope, slot, count, head, tuple(map_.prove(slot))).value()
            for tag, scope, slot, count, head in series
            if scope in mine
        ]
        return jcs.encode({"series": list(proofs)})

    def _chains(self) -> None:
        """The statements whose entries are in the bundle: no chain goes further than the record it is proven by."""
        chains: dict[str, list[bytes]] = {}
        for scope, hash_, body in store.statements_in(self._wanted.chains):
            if hash_ in self._statements:
                chains.setdefault(scope, []).append(body + b"\n")
        for scope, bodies in sorted(chains.items()):
            self._add(f"{form.CHAINS}{scope}.jsonl", bodies)

    def _disclosures(self) -> Iterator[bytes]:
        wanted, withheld = self._wanted, set(self._withheld)
        own = store.acts_of(wanted.recipient, wanted.scopes) if wanted.recipient else frozenset()
        for index, found in store.disclosures_in(wanted.scopes, self._size):
            theirs = wanted.recipient in (None, found.subject) or found.event_id in own
            if theirs and index not in withheld:
                yield Disclosed(index, str(found.name), found.value, found.salt).line()
