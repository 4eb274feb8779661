"""The rows of a device's event, read in one query and written in four, or in one.

Plain SQL, because every message of every room passes here, inside the room writer's batch: building the same statements through the
ORM costs several times what they take to run. Both databases understand them; tests/secure/log/test_events.py runs on both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from secure.log.encoding import ZERO, Author, Event

_READ = """
SELECT n.scope, n.salt, c.dseq, c.last,
       (SELECT card_id FROM secure_client WHERE hash = %s),
       (SELECT count(*) FROM secure_checkpoint WHERE size = %s AND root = %s)
FROM secure_namespace n LEFT JOIN secure_devicecounter c ON c.namespace_id = n.tag AND c.client = %s
WHERE n.tag = %s
"""
_COUNT = """
INSERT INTO secure_devicecounter (namespace_id, client, kid, dseq, last) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (namespace_id, client) DO UPDATE SET dseq = excluded.dseq, last = excluded.last
WHERE secure_devicecounter.dseq = excluded.dseq - 1 AND secure_devicecounter.last = %s
"""
_EVENT = """
INSERT INTO secure_logevent (namespace_id, type, src, statement, kid, hash, body, at)
VALUES (%s, %s, 'client', '', %s, %s, %s, %s) RETURNING id
"""
_PENDING = "INSERT INTO secure_pendingevent (event_id) VALUES (%s)"
_PERSON = "INSERT INTO secure_eventperson (event_id, card) VALUES (%s, %s)"


# PostgreSQL takes all four at once: a message then waits for the database once, not four times. SQLite knows no such statement and,
# being in the process, needs none. The later parts hang on the counter's, so that a count which has moved on writes nothing.
_ALL = """
WITH counted AS (
    INSERT INTO secure_devicecounter (namespace_id, client, kid, dseq, last) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (namespace_id, client) DO UPDATE SET dseq = excluded.dseq, last = excluded.last
    WHERE secure_devicecounter.dseq = excluded.dseq - 1 AND secure_devicecounter.last = %s
    RETURNING 1
), event AS (
    INSERT INTO secure_logevent (namespace_id, type, src, statement, kid, hash, body, at)
    SELECT %s, %s, 'client', '', %s, %s, %s, %s FROM counted RETURNING id
), pending AS (
    INSERT INTO secure_pendingevent (event_id) SELECT id FROM event
), person AS (
    INSERT INTO secure_eventperson (event_id, card) SELECT id, %s FROM event WHERE %s IS NOT NULL
)
SELECT count(*) FROM event
"""


@dataclass(frozen=True)
class Place:
    """A namespace as one device's next event finds it."""

    scope: str
    salt: bytes
    dseq: int
    last: bytes
    card: str | None
    seen_is_ours: bool


def read_place(*, tag: str, client_hash: str, author: Author) -> Place | None:
    """None if there is no such namespace. `seen_is_ours`: the checkpoint the event names was signed here."""
    size, root = author.seen
    with connection.cursor() as cursor:
        cursor.execute(_READ, [client_hash, size, root.hex(), client_hash, tag])
        row = cursor.fetchone()
    if row is None:
        return None
    scope, salt, dseq, last, card, signed = row
    return Place(scope, bytes(salt), dseq or 0, bytes.fromhex(last) if last else ZERO, card, signed > 0)


def write(*, event: Event, author: Author, client_hash: str, card: str | None, at: datetime) -> bool:
    """Counts and inserts; False, and nothing written, if the device's count has moved on since it was read.

    The counter comes first: it keeps a device's events in order, since the next one cannot get its number before this one's commit.
    """
    digest = event.hash.hex()
    counter = [event.ns, client_hash, author.kid, author.dseq, digest, author.dprev.hex()]
    row = [event.ns, event.type, author.kid, digest, event.raw, connection.ops.adapt_datetimefield_value(at)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_ALL, [*counter, *row, card, card])
            return cursor.fetchone() == (1,)
        cursor.execute(_COUNT, counter)
        if cursor.rowcount != 1:
            return False
        cursor.execute(_EVENT, row)
        (event_id,) = cursor.fetchone()
        cursor.execute(_PENDING, [event_id])
        if card is not None:
            cursor.execute(_PERSON, [event_id, card])
    return True
