"""What the sequencer needs of a database: the contract of each step, and the rows in its words. Tests hand in one that fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from secure.log.jcs import Json


class FencedError(Exception):
    """Another sequencer has taken over; this one must stop."""


class DamagedError(Exception):
    """What is stored is not what was written or signed: nothing goes on until an operator has looked."""


@dataclass(frozen=True)
class Published:
    """The newest checkpoint: tree size, root and the signed note."""

    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True)
class StoredHead:
    """The sequencer's one row. `frontier`: the roots of the tree's full subtrees, largest first; `time`: ms of the newest leaf."""

    size: int
    frontier: bytes
    time: int


@dataclass(frozen=True)
class StoredEntry:
    """A leaf as stored, and the bytes of its event (None: a state leaf, or the event's row is gone, or emptied by a disposal)."""

    index: int
    leaf: bytes
    event: bytes | None
    event_id: int | None


@dataclass(frozen=True)
class Waiting:
    """An event without a leaf. `hash` is what was recorded as the SHA-256 of `body`."""

    event_id: int
    tag: str
    type: str
    hash: bytes
    body: bytes


@dataclass
class Series:
    """A namespace: how many entries it has, and the leaf hash of the newest (zeros before the first)."""

    tag: str
    count: int
    head: bytes
    slot: int


class Storage(Protocol):
    """Everything between `transaction()` and its end is kept together or not at all; every other write is inside one."""

    def transaction(self) -> AbstractContextManager[object]: ...

    def published(self) -> Published | None: ...

    def head(self) -> StoredHead: ...

    def raise_epoch(self) -> int:
        """Fences off whoever held the one row before; returns the new epoch."""

    def lock(self, epoch: int) -> StoredHead:
        """Takes the one row for this transaction. Raises `FencedError` if another epoch has begun."""

    def move_head(self, epoch: int, size: int, head: StoredHead) -> None:
        """Replaces the row if epoch and size are still these, else raises `FencedError`."""

    def has_waiting(self) -> bool: ...

    def waiting(self, most: int) -> list[Waiting]:
        """The oldest events without a leaf."""

    def take_out(self, event_ids: Sequence[int]) -> int:
        """These no longer wait; returns how many did."""

    def record(self, *, ns: str, type: str, data: Mapping[str, Json], at: datetime) -> Waiting:
        """An event on the host's word."""

    def series(self, tags: Iterable[str]) -> dict[str, Series]: ...

    def begun_series(self) -> Iterable[Series]:
        """Every namespace with entries."""

    def keep_series(self, changed: Iterable[Series]) -> None: ...

    def keep_leaves(self, start: int, leaves: Sequence[tuple[bytes, int | None]]) -> None:
        """(bytes, id of the event or None) of the leaves from this index on."""

    def read_tile(self, level: int, n: int) -> bytes: ...

    def write_tiles(self, tiles: Mapping[tuple[int, int], bytes]) -> None: ...

    def entries(self, start: int, end: int) -> Iterator[StoredEntry]: ...

    def keep_checkpoint(self, checkpoint: Published, *, at: datetime) -> None: ...

    def keep_signed_again(self, checkpoint: Published, *, at: datetime) -> None:
        """The newest checkpoint under a newer time takes the place of the note that `published` gives."""
