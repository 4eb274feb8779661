"""What a person gets back with the printed recovery key: the sealed box, and the ring of room keys sealed to the own card.

The server opens neither. `number` counts the account's recovery sheets, so that an old sheet can be told from the present one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from secure.errors import BadInput, Conflict, NotFound, TooLarge
from secure.log import events
from secure.models import Account, RecoveryBox, RingEntry
from secure.statements import is_name

BOX_BYTES = 4 * 1024
"""The box holds two seeds and three names: about 350 bytes."""
RING_BOX_BYTES = 4 * 1024
RING_ENTRIES = 1000
"""Entries in one request: a year of a busy room's epochs."""
LAST_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Kept:
    """The newest recovery box."""

    box: bytes
    number: int


@dataclass(frozen=True)
class RingBox:
    """The content key of one epoch, sealed."""

    epoch: int
    box: bytes


@transaction.atomic
def keep(*, account: Account, box: bytes, number: int, now: datetime) -> None:
    """Replace the box by that of a newer sheet; the same sheet twice does no harm, an older one is `sheet_outdated`."""
    if not box:
        raise BadInput("malformed")
    if len(box) > BOX_BYTES:
        raise TooLarge("too_large")
    kept, fresh = RecoveryBox.objects.select_for_update().get_or_create(account=account, defaults={"box": box, "number": number, "at": now})
    if fresh:
        return
    if kept.number > number or (kept.number == number and bytes(kept.box) != box):
        raise Conflict("sheet_outdated", number=kept.number)
    if kept.number < number:
        RecoveryBox.objects.filter(pk=kept.pk).update(box=box, number=number, at=now)
        events.record_host(ns=events.HOST, type="recovery.replaced", data={"number": number}, at=now)


def kept(account: Account) -> Kept:
    """The newest box, for whoever holds its printed key."""
    found = RecoveryBox.objects.filter(account=account).first()
    if found is None:
        raise NotFound()
    return Kept(bytes(found.box), found.number)


def sheet_number(account: Account) -> int | None:
    return RecoveryBox.objects.filter(account=account).values_list("number", flat=True).first()


@transaction.atomic
def add_to_ring(*, account: Account, room: str, entries: Sequence[RingBox]) -> int:
    """Append epochs of a room; one that is there already stays as it was. Returns how many epochs the ring has now."""
    if not is_name(room) or len(entries) > RING_ENTRIES:
        raise BadInput("malformed")
    if any(len(entry.box) > RING_BOX_BYTES for entry in entries):
        raise TooLarge("too_large")
    rows = (RingEntry(account=account, room=room, epoch=entry.epoch, box=entry.box) for entry in entries)
    RingEntry.objects.bulk_create(rows, ignore_conflicts=True)
    return RingEntry.objects.filter(account=account, room=room).count()


def ring(*, account: Account, room: str) -> list[RingBox]:
    """The account's own entries for a room, oldest epoch first."""
    rows = RingEntry.objects.filter(account=account, room=room).order_by("epoch")
    return [RingBox(row.epoch, bytes(row.box)) for row in rows]
