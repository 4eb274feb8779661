"""Where the tree is kept: tiles, leaves and checkpoints in the database. Reading, and the sequencer's writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from secure.log.merkle import HASH_BYTES, prove_consistency, prove_inclusion
from secure.log.tiles import Subtrees, TilePlace, width_at
from secure.models import Checkpoint, LogLeaf, LogTile


@dataclass(frozen=True)
class Published:
    """The newest checkpoint: tree size, root and the signed note."""

    size: int
    root: bytes
    note: bytes


def published() -> Published | None:
    """The newest checkpoint, if there is one yet."""
    row = Checkpoint.objects.order_by("-size").first()
    return Published(row.size, bytes.fromhex(row.root), bytes(row.note)) if row else None


def read_tile(level: int, n: int) -> bytes:
    """The stored hashes of one tile, empty if it is not there."""
    found = LogTile.objects.filter(level=level, n=n).values_list("hashes", flat=True).first()
    return bytes(found) if found is not None else b""


def write_tiles(tiles: Mapping[tuple[int, int], bytes]) -> None:
    rows = [LogTile(level=level, n=n, hashes=hashes) for (level, n), hashes in sorted(tiles.items())]
    LogTile.objects.bulk_create(rows, update_conflicts=True, unique_fields=["level", "n"], update_fields=["hashes"])


def served_tile(place: TilePlace) -> bytes | None:
    """A tile as the newest checkpoint covers it, or None. Partial ones are cut from the stored tile."""
    newest = published()
    if newest is None or place.width > width_at(place.level, place.n, newest.size):
        return None
    hashes = read_tile(place.level, place.n)[: place.width * HASH_BYTES]
    return hashes if len(hashes) == place.width * HASH_BYTES else None


def subtrees() -> Subtrees:
    """The stored tree, to be asked for proofs within one step; it remembers what it has read."""
    return Subtrees(read_tile)


def inclusion(index: int, tree_size: int) -> list[bytes]:
    return prove_inclusion(index, tree_size, subtrees())


def consistency(size1: int, size2: int) -> list[bytes]:
    return prove_consistency(size1, size2, subtrees())


@dataclass(frozen=True)
class StoredEntry:
    """A leaf as stored, and the bytes of its event (None: a state leaf, or the event's row is gone)."""

    index: int
    leaf: bytes
    event: bytes | None
    event_id: int | None


def entries(start: int, end: int) -> Iterator[StoredEntry]:
    """The leaves [start, end) in order; a missing one is simply not there."""
    rows = LogLeaf.objects.filter(index__gte=start, index__lt=end).order_by("index")
    for index, leaf, event, event_id in rows.values_list("index", "body", "event__body", "event_id").iterator(chunk_size=2000):
        yield StoredEntry(index, bytes(leaf), bytes(event) if event is not None else None, event_id)
