"""The rows of devices' events: read for a whole batch at once, and written for it at once.

Every message of every room passes here, inside the room writer's transaction; what a message costs is mostly the number of times it
waits for the database. Counters that are read are locked, so that a device's events keep their order whoever else writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from secure.errors import Conflict
from secure.log.encoding import ZERO, Event
from secure.models import Checkpoint, Client, DeviceCounter, EventPerson, LogEvent, Namespace, PendingEvent

_NEW = """
INSERT INTO secure_devicecounter (namespace_id, client, kid, dseq, last) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (namespace_id, client) DO NOTHING
"""


@dataclass
class Place:
    """How far a device has counted in a namespace. `known`: it has a row, which is locked."""

    dseq: int = 0
    last: bytes = ZERO
    known: bool = False


@dataclass(frozen=True)
class Read:
    """What a batch of events needs to know: {tag: (scope, salt)}, {client: card}, {(tag, client): place}, the heads that are ours."""

    namespaces: dict[str, tuple[str, bytes]]
    cards: dict[str, str]
    places: dict[tuple[str, str], Place]
    heads: frozenset[tuple[int, bytes]]


@dataclass(frozen=True)
class Kept:
    """An event that is sound in its place."""

    event: Event
    kid: str
    client: str
    dseq: int


def read(events: Iterable[Event], *, clients: set[str]) -> Read:
    events = list(events)
    tags = {event.ns for event in events}
    seen = {event.author.seen for event in events if event.author}
    counters = DeviceCounter.objects.select_for_update().filter(namespace__in=tags, client__in=clients).order_by("pk")
    found = Namespace.objects.filter(tag__in=tags).values_list("tag", "scope", "salt")
    ours = Checkpoint.objects.filter(size__in={size for size, _ in seen}).values_list("size", "root")
    return Read(
        namespaces={tag: (scope, bytes(salt)) for tag, scope, salt in found},
        cards=dict(Client.objects.filter(hash__in=clients).values_list("hash", "card")),
        places={
            (tag, client): Place(dseq, bytes.fromhex(last), known=True)
            for tag, client, dseq, last in counters.values_list("namespace_id", "client", "dseq", "last")
        },
        heads=frozenset((size, bytes.fromhex(root)) for size, root in ours),
    )


def write(kept: list[Kept], *, found: Read, at: datetime) -> None:
    """Counts, and inserts in order. Raises `Conflict("dseq_expected")` if a device that had no row has counted meanwhile."""
    _count(kept, found)
    rows = LogEvent.objects.bulk_create(
        LogEvent(
            namespace_id=each.event.ns,
            type=each.event.type,
            src="client",
            kid=each.kid,
            hash=each.event.hash.hex(),
            body=each.event.raw,
            at=at,
        )
        for each in kept
    )
    PendingEvent.objects.bulk_create(PendingEvent(event=row) for row in rows)
    by = [(row, found.cards.get(each.client)) for row, each in zip(rows, kept, strict=True)]
    EventPerson.objects.bulk_create(EventPerson(event=row, card=card) for row, card in by if card is not None)


def _count(kept: list[Kept], found: Read) -> None:
    newest = {(each.event.ns, each.client): each for each in kept}
    moved = [
        DeviceCounter(namespace_id=each.event.ns, client=each.client, kid=each.kid, dseq=each.dseq, last=each.event.hash.hex())
        for place, each in newest.items()
        if found.places[place].known
    ]
    DeviceCounter.objects.bulk_create(moved, update_conflicts=True, unique_fields=["namespace", "client"], update_fields=["dseq", "last"])
    for place, each in newest.items():
        if not found.places[place].known:
            with connection.cursor() as cursor:
                cursor.execute(_NEW, [each.event.ns, each.client, each.kid, each.dseq, each.event.hash.hex()])
                if cursor.rowcount != 1:
                    raise Conflict("dseq_expected", expected=each.dseq + 1)
