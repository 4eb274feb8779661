"""The destruction manifest: what goes when a consultation is disposed of, as a list of hashes that both Co-Chairs sign.

Canonical JSON `{v:1, consultation, series:[{scope, ns, count, head}], goes:[[word, SHA-256 hex], …]}`, sorted. An event's hash is the one
its leaf holds, a paper's the one over its sealed chunks; of everything else it is taken over what is stored. Copies of keys, sealed to
one person or device each (wraps, welcomes, history slices, key rings), go too and are not listed: browsers renew them by themselves, and
what both sign must stand still.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from secure.errors import Conflict
from secure.log import jcs, store
from secure.log.encoding import unb64
from secure.models import (
    Blob,
    Departure,
    Disclosure,
    Handshake,
    LogEvent,
    LogLeaf,
    Namespace,
    Room,
    RoomItem,
    SealedText,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from secure.log.jcs import Json


@dataclass(frozen=True)
class Whole:
    """A consultation and its rooms, by the names of their chains."""

    consultation: str
    rooms: tuple[str, ...]

    @property
    def scopes(self) -> tuple[str, ...]:
        return (self.consultation, *self.rooms)


def namespaces(whole: Whole) -> list[Namespace]:
    return list(Namespace.objects.filter(scope__in=whole.scopes).order_by("tag"))


def manifest_of(whole: Whole, *, besides: str = "") -> bytes:
    """The list as of now. `besides`: the hash of the disposal itself, whose event stays.

    Raises:
        Conflict: `not_sealed_yet` while an entry of the consultation is not under a signed checkpoint; a second later it is.
    """
    series: list[Json] = []
    for each in namespaces(whole):
        refuse_unsealed(each, besides=besides)
        series.append({"scope": each.scope, "ns": each.tag, "count": each.count, "head": each.head})
    return jcs.encode({"v": 1, "consultation": whole.consultation, "series": series, "goes": sorted(_goes(whole, besides))})


def event_hashes(manifest: bytes) -> frozenset[str]:
    """The events on a list, hex. Raises `LogError` for what is no manifest."""
    goes = jcs.decode_object(manifest, max_bytes=len(manifest)).get("goes")
    rows = goes if isinstance(goes, list) else []
    return frozenset(str(row[1]) for row in rows if isinstance(row, list) and len(row) == 2 and row[0] == "event")


def refuse_unsealed(namespace: Namespace, *, besides: str) -> None:
    """A signer reads events again before it signs: what no checkpoint covers cannot go yet."""
    newest = store.published()
    events = LogEvent.objects.filter(namespace=namespace).exclude(statement=besides or "-")
    loose = events.filter(pending__isnull=False).exists()
    last = LogLeaf.objects.filter(event__namespace=namespace).order_by("-index").values_list("index", flat=True).first()
    if loose or (last is not None and (newest is None or newest.size <= last)):
        raise Conflict("not_sealed_yet")


def _goes(whole: Whole, besides: str) -> Iterator[list[Json]]:
    in_rooms = {"room__in": whole.rooms}
    yield from _each("item", RoomItem.objects.filter(**in_rooms), "body")
    yield from _each("handshake", Handshake.objects.filter(**in_rooms), "commit")
    departed = ("before_group_info", "before_tree", "group_info", "tree")
    yield from _each("departure", Departure.objects.filter(**in_rooms), *departed)
    yield from _each("state", Room.objects.filter(id__in=whole.rooms), "group_info", "tree")
    yield from _each("text", SealedText.objects.filter(scope=whole.consultation), "ciphertext")
    for paper in Blob.objects.filter(**in_rooms).values_list("sha256", flat=True):
        yield ["paper", paper]
    events = LogEvent.objects.filter(namespace__scope__in=whole.scopes).exclude(statement=besides or "-")
    for event in events.values_list("hash", flat=True).iterator(chunk_size=2000):
        yield ["event", event]
    for digest in Disclosure.objects.filter(event__in=events.values("pk")).values_list("digest", flat=True):
        yield ["disclosure", unb64(digest, 32).hex()]


def _each(word: str, rows: QuerySet[Any], *columns: str) -> Iterator[list[Json]]:
    for row in rows.values_list(*columns).iterator(chunk_size=500):
        octets = b"".join(cell.encode() if isinstance(cell, str) else bytes(cell) for cell in row)
        yield [word, hashlib.sha256(octets).hexdigest()]
