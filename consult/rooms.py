"""How the doors reach a room: the rule of seats given to the writer, and the judgement over open sockets given to the hub."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone

from consult.wire import NOT_SEATED, SESSION_ENDED
from meetings import rooms
from secure import delivery, limits, sessions
from secure.errors import NotFound
from secure.keys import load_receipt_key
from secure.writer import Writer

if TYPE_CHECKING:
    from consult.sockets import Seated

messages = limits.Buckets(per_second=limits.MESSAGES_PER_SECOND, burst=limits.MESSAGES_BURST)
"""Messages of one account, by socket and by post together."""


@cache
def writer() -> Writer:
    """This process's writer; its thread starts with the first message."""
    key = load_receipt_key(settings.CONSULT_RECEIPT_KEY, origin=settings.CONSULT_ORIGIN)
    return Writer(standing=rooms.standing, clock=timezone.now, key=key)


async def judge(seats: Collection[Seated]) -> tuple[Mapping[Seated, int], Mapping[str, int]]:
    """Which of these sockets must be closed, with the code; and the newest number of each of their rooms."""
    return await database_sync_to_async(_judge)(seats)


def _judge(seats: Collection[Seated]) -> tuple[dict[Seated, int], dict[str, int]]:
    live = sessions.live({seat.session_key for seat in seats}, now=timezone.now())
    belongs = {room: _seated(room) for room in {seat.room for seat in seats}}
    ending = {}
    for seat in seats:
        if seat.session_key not in live:
            ending[seat] = SESSION_ENDED
        elif seat.device not in belongs[seat.room]:
            ending[seat] = NOT_SEATED
    return ending, delivery.heads_of_rooms(sorted(belongs))


def _seated(room: str) -> frozenset[str]:
    try:
        return rooms.seated_devices(room)
    except NotFound:
        return frozenset()
