"""Slices of a room's key ring, sealed by a member to a newcomer's card. The server passes them on and counts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from secure import fanout, limits
from secure.errors import BadInput, Conflict, TooLarge
from secure.models import HistoryGrant


@dataclass(frozen=True)
class Slice:
    """Epochs `first` to `last`, both included, for `card`."""

    card: str
    first: int
    last: int


@dataclass(frozen=True)
class Grant:
    first: int
    last: int
    box: bytes
    by: str


DueOf = Callable[[str], frozenset[Slice]]
"""From a room's id to the slices that are due. Given by the layer above."""


@transaction.atomic(durable=True)
def grant(*, room_id: str, card: str, slice_: Slice, box: bytes, due: DueOf, now: datetime) -> None:
    """Keep a slice for a newcomer, sealed by whoever holds `card`. Only what is due is taken, so nobody can widen anybody's history."""
    if len(box) > limits.HISTORY_BOX_BYTES:
        raise TooLarge("box_too_large")
    if slice_.first > slice_.last:
        raise BadInput("bad_field", field="from")
    # A client may hold less than the whole: part of what is due is taken, once; beyond it nothing.
    given = HistoryGrant.objects.filter(room_id=room_id, card=slice_.card, from_epoch=slice_.first, to_epoch=slice_.last)
    if given.exists() or not any(_within(slice_, each) for each in due(room_id)):
        raise Conflict("not_due")
    HistoryGrant.objects.create(room_id=room_id, card=slice_.card, from_epoch=slice_.first, to_epoch=slice_.last, box=box, by=card, at=now)
    transaction.on_commit(lambda: fanout.notify_due([room_id]))


def grants_for(*, room_id: str, card: str) -> list[Grant]:
    """What waits for a card, oldest first."""
    rows = HistoryGrant.objects.filter(room_id=room_id, card=card).order_by("at", "pk")
    return [Grant(row.from_epoch, row.to_epoch, bytes(row.box), row.by) for row in rows]


def granted_to(room_id: str) -> dict[str, int]:
    """How far from epoch 0 without a gap each card has been given the keys; cards that have none of epoch 0 are absent."""
    granted: dict[str, int] = {}
    rows = HistoryGrant.objects.filter(room_id=room_id).order_by("from_epoch", "to_epoch")
    for card, first, last in rows.values_list("card", "from_epoch", "to_epoch"):
        reached = granted.get(card, -1)
        if first <= reached + 1:
            granted[card] = max(last, reached)
    return granted


def _within(asked: Slice, due: Slice) -> bool:
    return asked.card == due.card and due.first <= asked.first and asked.last <= due.last
