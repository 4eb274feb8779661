"""Where the tree is kept: tiles, leaves and checkpoints in the database. Reading; the sequencer writes by `tree_rows`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import connection, transaction
from django.db.models import Q

from secure.log.certificate import DISPOSED, Certificate, certificate_of
from secure.log.disclosures import Opened, opened
from secure.log.encoding import parse_event
from secure.log.errors import LogError
from secure.log.leaves import EntryLeaf, parse_leaf
from secure.log.merkle import HASH_BYTES, prove_consistency, prove_inclusion
from secure.log.storage import Published, StoredEntry, StoredHead
from secure.log.tiles import WIDTH, Subtrees, TilePlace, width_at
from secure.models import (
    Checkpoint,
    CheckpointAgain,
    DestructionManifest,
    DeviceCounter,
    Disclosure,
    EventPerson,
    LogEvent,
    LogHead,
    LogLeaf,
    LogTile,
    Namespace,
    StatementRow,
)


def published() -> Published | None:
    """The newest checkpoint, if there is one yet, as it was last signed."""
    row = _newest()
    return Published(row.size, bytes.fromhex(row.root), bytes(_as_last_signed(row).note)) if row else None


def published_of(size: int) -> Published:
    """The checkpoint of this size, which must exist."""
    row = Checkpoint.objects.select_related("again").get(size=size)
    return Published(row.size, bytes.fromhex(row.root), bytes(_as_last_signed(row).note))


def published_at() -> datetime | None:
    """When the newest checkpoint was last signed, by the server's clock."""
    row = _newest()
    return _as_last_signed(row).at if row else None


def waiting_since() -> datetime | None:
    """When the oldest event was recorded that no checkpoint covers; None if all are covered."""
    newest = _newest()
    uncovered = Q(pending__isnull=False) | Q(leaf__index__gte=newest.size if newest else 0)
    return LogEvent.objects.filter(uncovered).order_by("at").values_list("at", flat=True).first()


def _newest() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").select_related("again").first()


def _as_last_signed(row: Checkpoint) -> Checkpoint | CheckpointAgain:
    return row.again if hasattr(row, "again") else row


def read_tile(level: int, n: int) -> bytes:
    """The stored hashes of one tile, empty if it is not there."""
    found = LogTile.objects.filter(level=level, n=n).values_list("hashes", flat=True).first()
    return bytes(found) if found is not None else b""


def served_tile(place: TilePlace) -> bytes | None:
    """A tile as the newest checkpoint covers it, or None. Partial ones are cut from the stored tile."""
    newest = published()
    if newest is None or place.width > width_at(place.level, place.n, newest.size):
        return None
    hashes = read_tile(place.level, place.n)[: place.width * HASH_BYTES]
    return hashes if len(hashes) == place.width * HASH_BYTES else None


def served_entries(place: TilePlace) -> bytes | None:
    """The leaves under a tile of level 0, each after its length (u16): C2SP's entry bundle. None beyond the newest checkpoint."""
    newest = published()
    if newest is None or not 0 < place.width <= width_at(0, place.n, newest.size):
        return None
    start = place.n * WIDTH
    leaves = [entry.leaf for entry in entries(start, start + place.width)]
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves) if len(leaves) == place.width else None


def subtrees() -> Subtrees:
    """The stored tree, to be asked for proofs within one step; it remembers what it has read."""
    return Subtrees(read_tile)


def inclusion(index: int, tree_size: int) -> list[bytes]:
    return prove_inclusion(index, tree_size, subtrees())


def consistency(size1: int, size2: int) -> list[bytes]:
    return prove_consistency(size1, size2, subtrees())


def entries(start: int, end: int) -> Iterator[StoredEntry]:
    """The leaves [start, end) in order; a missing one is simply not there."""
    rows = LogLeaf.objects.filter(index__gte=start, index__lt=end).order_by("index")
    for index, leaf, event, event_id in rows.values_list("index", "body", "event__body", "event_id").iterator(chunk_size=2000):
        yield StoredEntry(index, bytes(leaf), bytes(event) if event else None, event_id)


@dataclass(frozen=True)
class SeriesEntry:
    """An entry of a series that somebody asked for by its scope, with what the event's row says of it."""

    index: int
    leaf: bytes
    event: bytes | None
    scope: str
    src: str
    statement: str
    event_id: int


def series_entries(scopes: Iterable[str], size: int) -> Iterator[SeriesEntry]:
    """The entries of these series among the first `size` leaves, in the order of the log."""
    rows = LogLeaf.objects.filter(event__namespace__scope__in=list(scopes), index__lt=size).order_by("index")
    columns = ("index", "body", "event__body", "event__namespace__scope", "event__src", "event__statement", "event_id")
    for index, leaf, event, scope, src, statement, event_id in rows.values_list(*columns).iterator(chunk_size=2000):
        yield SeriesEntry(index, bytes(leaf), bytes(event) or None, scope, src, statement, event_id)


def leaf(index: int) -> bytes:
    return bytes(LogLeaf.objects.values_list("body", flat=True).get(index=index))


def series_at(size: int) -> list[tuple[str, str, int, int, bytes]]:
    """(tag, scope, slot, count, head) of every series as it stood under the first `size` leaves.

    What came later is taken back: the first later leaf of a series says how many were before it, and which was the last.
    """
    later: dict[str, EntryLeaf] = {}
    for raw in LogLeaf.objects.filter(index__gte=size).order_by("index").values_list("body", flat=True).iterator(chunk_size=2000):
        found = parse_leaf(bytes(raw))
        if isinstance(found, EntryLeaf):
            later.setdefault(found.ns, found)
    stood = []
    for tag, scope, count, head, slot in namespaces():
        first = later.get(tag)
        now = (first.cseq - 1, first.cprev) if first else (count, bytes.fromhex(head))
        if now[0]:
            stood.append((tag, scope, slot, *now))
    return stood


def statements_in(scopes: Iterable[str]) -> Iterator[tuple[str, str, bytes]]:
    """(scope, hash, body) of the statements of these chains, chain by chain."""
    rows = StatementRow.objects.filter(scope__in=list(scopes)).order_by("scope", "n").values_list("scope", "hash", "body")
    for scope, hash_, body in rows.iterator(chunk_size=500):
        yield scope, hash_, bytes(body)


def disclosures_in(scopes: Iterable[str], size: int) -> Iterator[tuple[int, Opened]]:
    """(index, value) of what can still be opened in these series, in the order of the log."""
    rows = Disclosure.objects.filter(event__namespace__scope__in=list(scopes), event__leaf__index__lt=size)
    found = rows.order_by("event__leaf__index", "digest").select_related("event__leaf").iterator(chunk_size=500)
    while chunk := list(islice(found, 500)):
        for row, value in zip(chunk, opened(chunk), strict=True):
            if value.name is not None and value.holds:
                yield row.event.leaf.index, value


def acts_of(card: str, scopes: Iterable[str]) -> frozenset[int]:
    """The ids of the events in these series which were this card's own acts."""
    rows = EventPerson.objects.filter(card=card, event__namespace__scope__in=list(scopes))
    return frozenset(rows.values_list("event_id", flat=True))


@contextmanager
def snapshot() -> Iterator[None]:
    """One state of the database for everything read inside, without holding up those who write."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # the server's own transactions are IMMEDIATE, which would lock writers out
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def head() -> StoredHead:
    row = LogHead.objects.filter(id=1).first()
    return StoredHead(row.size, bytes(row.frontier), row.time) if row else StoredHead(0, b"", 0)


def checkpoints(up_to: int) -> Iterator[tuple[int, str, bytes]]:
    """(size, root in hex, note) of every checkpoint of at most this size."""
    rows = Checkpoint.objects.filter(size__lte=up_to).order_by("size").values_list("size", "root", "note")
    for size, root, note in rows.iterator(chunk_size=500):
        yield size, root, bytes(note)


def namespaces() -> list[tuple[str, str, int, str, int]]:
    """(tag, scope, count, head in hex, slot) of every namespace."""
    return list(Namespace.objects.order_by("tag").values_list("tag", "scope", "count", "head", "slot"))


def counters() -> list[tuple[str, str, int, str]]:
    """(tag, kid, dseq, hash of the last event in hex) of every device that has counted."""
    return list(DeviceCounter.objects.order_by("pk").values_list("namespace_id", "kid", "dseq", "last"))


def statements() -> Iterator[tuple[str, str, str, int, bytes]]:
    """(hash, type, scope, n, body) of every stored statement, chain by chain."""
    rows = StatementRow.objects.order_by("scope", "n").values_list("hash", "type", "scope", "n", "body")
    for hash_, type_, scope, n, body in rows.iterator(chunk_size=500):
        yield hash_, type_, scope, n, bytes(body)


def disclosures() -> Iterator[Opened]:
    """Every personal value that is kept, opened as far as its keys are there."""
    rows = Disclosure.objects.order_by("pk").select_related("event").iterator(chunk_size=500)
    while chunk := list(islice(rows, 500)):
        yield from opened(chunk)


def certificates() -> list[Certificate]:
    """Of every disposal recorded; one that cannot be read is none. Whether they hold, a replay finds out."""
    found = []
    for body in LogEvent.objects.filter(type=DISPOSED).order_by("pk").values_list("body", flat=True):
        with suppress(LogError):
            found.append(certificate_of(parse_event(bytes(body))))
    return found


def manifests() -> dict[str, bytes]:
    """The lists of what disposals destroyed, by the hash they are kept under."""
    return {sha256: bytes(body) for sha256, body in DestructionManifest.objects.values_list("sha256", "body")}


def loose_events() -> int:
    """How many events have neither a leaf nor a place among the pending: somebody took them out."""
    return LogEvent.objects.filter(leaf__isnull=True, pending__isnull=True).count()


def pending_events() -> list[bytes]:
    """The bytes of the events that have no leaf yet."""
    rows = LogEvent.objects.filter(pending__isnull=False).order_by("pk").values_list("body", flat=True)
    return [bytes(body) for body in rows]
