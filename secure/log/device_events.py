"""Events which devices made and signed: judged one by one, read and written together. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from secure.errors import BadInput, Conflict
from secure.log import device_rows
from secure.log.device_rows import Kept, Place
from secure.log.encoding import EMPTY_ROOT, Author, Event, kid_of, parse_event, verify_author
from secure.log.errors import LogError


class DeviceEvents:
    """`raws` are all events that may come, `clients` whose they may be. Nothing is written before `write`."""

    def __init__(self, raws: Iterable[bytes], *, clients: set[str]) -> None:
        self._parsed = {raw: event for raw in raws if (event := _readable(raw)) is not None}
        self._found = device_rows.read(self._parsed.values(), clients=clients)
        self._kept: list[Kept] = []

    def take(self, *, raw: bytes, client_hash: str, public_key: bytes, expect_type: str, expect_ns: str | None = None) -> Event:
        """Refuses as `events.record_client` says, and leaves nothing of what it refuses."""
        event = self._parsed.get(raw) or parse_event(raw)
        author = event.author
        if author is None or event.src != "client" or event.type != expect_type or "slot" in event.data:
            raise BadInput("bad_event")
        scope, salt = self._found.namespaces.get(event.ns, (None, b""))
        if scope is None or (expect_ns is not None and scope != expect_ns):
            raise BadInput("bad_event")
        if author.kid != kid_of(salt=salt, public_key=public_key):
            raise BadInput("bad_event")
        verify_author(event, public_key=public_key)
        if author.seen not in self._found.heads and author.seen != (0, EMPTY_ROOT):
            raise BadInput("seen_unknown")
        self._count(event, author, client_hash)
        return event

    def write(self, at: datetime) -> None:
        """What was taken, in the order of taking. Raises `Conflict` if somebody else has counted a device's very first event."""
        if self._kept:
            device_rows.write(self._kept, found=self._found, at=at)
            self._kept = []

    def _count(self, event: Event, author: Author, client_hash: str) -> None:
        place = self._found.places.setdefault((event.ns, client_hash), Place())
        if (author.dseq, author.dprev) != (place.dseq + 1, place.last):
            raise Conflict("dseq_expected", expected=place.dseq + 1)
        place.dseq, place.last = author.dseq, event.hash
        self._kept.append(Kept(event, author.kid, client_hash, author.dseq))


def _readable(raw: bytes) -> Event | None:
    """None for bytes that are no event: `take` says what is wrong with them."""
    try:
        return parse_event(raw)
    except LogError:
        return None
