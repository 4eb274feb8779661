"""The rows which the sequencer reads and writes: `secure.log.storage.Storage` in the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.db import transaction as django_transaction
from django.db.models import F

from secure.log import events
from secure.log.jcs import Json
from secure.log.storage import FencedError, Published, Series, StoredHead, Waiting
from secure.log.store import entries, head, published, read_tile
from secure.models import Checkpoint, CheckpointAgain, LogEvent, LogHead, LogLeaf, LogTile, Namespace, PendingEvent

_ROWS = 500
"""Rows in one statement: SQLite and PostgreSQL both take so many parameters."""


def transaction() -> django_transaction.Atomic:
    return django_transaction.atomic()


def raise_epoch() -> int:
    LogHead.objects.get_or_create(id=1)
    LogHead.objects.filter(id=1).update(epoch=F("epoch") + 1)
    return LogHead.objects.get(id=1).epoch


def lock(epoch: int) -> StoredHead:
    """The write comes first so that both databases lock on it."""
    if LogHead.objects.filter(id=1, epoch=epoch).update(epoch=epoch) != 1:
        raise FencedError
    return head()


def move_head(epoch: int, size: int, head: StoredHead) -> None:
    moved = LogHead.objects.filter(id=1, epoch=epoch, size=size).update(size=head.size, frontier=head.frontier, time=head.time)
    if moved != 1:
        raise FencedError


def has_waiting() -> bool:
    return PendingEvent.objects.exists()


def waiting(most: int) -> list[Waiting]:
    rows = PendingEvent.objects.order_by("event_id").values_list(
        "event_id", "event__namespace_id", "event__type", "event__hash", "event__body"
    )[:most]
    return [Waiting(event_id, tag, type_, bytes.fromhex(hash_), bytes(body)) for event_id, tag, type_, hash_, body in rows]


def take_out(event_ids: Sequence[int]) -> int:
    deleted, _ = PendingEvent.objects.filter(event_id__in=event_ids).delete()
    return deleted


def record(*, ns: str, type: str, data: Mapping[str, Json], at: datetime) -> Waiting:
    row: LogEvent = events.record_host(ns=ns, type=type, data=data, at=at)
    return Waiting(row.pk, row.namespace_id, row.type, bytes.fromhex(row.hash), bytes(row.body))


def series(tags: Iterable[str]) -> dict[str, Series]:
    return {each.tag: each for each in _series(Namespace.objects.filter(tag__in=set(tags)).values_list("tag", "count", "head", "slot"))}


def begun_series() -> Iterable[Series]:
    return _series(Namespace.objects.filter(count__gt=0).values_list("tag", "count", "head", "slot"))


def _series(rows: Iterable[tuple[str, int, str, int]]) -> Iterator[Series]:
    for tag, count, newest, slot in rows:
        yield Series(tag, count, bytes.fromhex(newest), slot)


def keep_series(changed: Iterable[Series]) -> None:
    rows = [Namespace(tag=each.tag, count=each.count, head=each.head.hex()) for each in changed]
    Namespace.objects.bulk_update(rows, ["count", "head"], batch_size=200)


def keep_leaves(start: int, leaves: Sequence[tuple[bytes, int | None]]) -> None:
    rows = [LogLeaf(index=start + at, event_id=event_id, body=leaf) for at, (leaf, event_id) in enumerate(leaves)]
    LogLeaf.objects.bulk_create(rows, batch_size=_ROWS)


def write_tiles(tiles: Mapping[tuple[int, int], bytes]) -> None:
    rows = [LogTile(level=level, n=n, hashes=hashes) for (level, n), hashes in sorted(tiles.items())]
    LogTile.objects.bulk_create(rows, update_conflicts=True, unique_fields=["level", "n"], update_fields=["hashes"])


def keep_checkpoint(checkpoint: Published, *, at: datetime) -> None:
    Checkpoint.objects.create(size=checkpoint.size, root=checkpoint.root.hex(), note=checkpoint.note, at=at)


def keep_signed_again(checkpoint: Published, *, at: datetime) -> None:
    CheckpointAgain.objects.update_or_create(checkpoint_id=checkpoint.size, defaults={"note": checkpoint.note, "at": at})


__all__ = [
    "begun_series",
    "entries",
    "has_waiting",
    "head",
    "keep_checkpoint",
    "keep_leaves",
    "keep_series",
    "keep_signed_again",
    "lock",
    "move_head",
    "published",
    "raise_epoch",
    "read_tile",
    "record",
    "series",
    "take_out",
    "transaction",
    "waiting",
    "write_tiles",
]
