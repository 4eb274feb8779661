"""Disposing of a consultation: everything said and kept there is destroyed, the record stands and says so.

One transaction with the statement that both Co-Chairs signed: content, keys and sealed texts go, event bodies are emptied, and each
namespace ends with its certificate. Leaves stay, so the log is recomputed as before. Files and shred keys go after the commit, and again
when the server starts, should it have been cut short.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Min

from secure import blobs
from secure.errors import Conflict, NotFound
from secure.log import disclosures, events
from secure.log.certificate import DISPOSED, Certificate, certificate_of
from secure.log.encoding import parse_event
from secure.manifest import Whole, manifest_of, namespaces
from secure.models import (
    Blob,
    Departure,
    DestructionManifest,
    DeviceCounter,
    Disclosure,
    Disposal,
    Draft,
    EventParty,
    EventPerson,
    Handshake,
    HistoryGrant,
    LogEvent,
    LogLeaf,
    Namespace,
    RingEntry,
    Room,
    RoomItem,
    RoomLeaf,
    SealedText,
    StatementRow,
    Welcome,
)


def last_act(whole: Whole, *, besides: str = "") -> datetime | None:
    """When something last happened: the newest statement of its chains but `besides`, or the newest item of its rooms."""
    signed = StatementRow.objects.filter(scope__in=whole.scopes).exclude(hash=besides).aggregate(at=Max("at"))["at"]
    said = RoomItem.objects.filter(room__in=whole.rooms).aggregate(at=Max("at"))["at"]
    return max((at for at in (signed, said) if at is not None), default=None)


def destroy(whole: Whole, *, basis: str, manifest: str, disposal: str, now: datetime) -> None:
    """Inside the transaction that has stored the statement `disposal` (hash). `manifest` is the hash that it names.

    Raises:
        Conflict: `manifest_moved` if other things would go than those on the list that was signed; `not_sealed_yet`.
    """
    list(Room.objects.select_for_update().filter(id__in=whole.rooms).order_by("id"))
    body = manifest_of(whole, besides=disposal)
    if hashlib.sha256(body).hexdigest() != manifest:
        raise Conflict("manifest_moved")
    DestructionManifest.objects.create(sha256=manifest, body=body)
    _destroy_content(whole)
    for namespace in namespaces(whole):
        _prune(namespace, basis=basis, manifest=manifest, disposal=disposal, now=now)


def certificates(whole: Whole) -> list[tuple[int | None, Certificate, datetime]]:
    """(place in the log, certificate, when) of each namespace; the place is None until the sequencer has given one."""
    rows = LogEvent.objects.filter(namespace__scope__in=whole.scopes, type=DISPOSED).select_related("leaf").order_by("pk")
    return [(row.leaf.index if hasattr(row, "leaf") else None, certificate_of(parse_event(bytes(row.body))), row.at) for row in rows]


def namespace_of(scope: str) -> str:
    """The tag under which the record knows a chain; empty before its first entry."""
    return Namespace.objects.filter(scope=scope).values_list("tag", flat=True).first() or ""


def manifest_named(sha256: str) -> bytes:
    row = DestructionManifest.objects.filter(sha256=sha256).first()
    if row is None:
        raise NotFound
    return bytes(row.body)


def complete() -> None:
    """What a machine that failed right after a disposal left behind: keys, and files of papers that no row names any more."""
    # what was recorded there since, such as who was given the evidence, has a key of its own
    since = Disclosure.objects.values("event__namespace")
    for tag in Disposal.objects.exclude(namespace__in=since).values_list("namespace_id", flat=True):
        disclosures.shred_scope(tag)
    blobs.remove_strays()


def _destroy_content(whole: Whole) -> None:
    """Every row that holds something said, a key or a sealed text. The room's own row stays, emptied: the record names it."""
    gone = list(Blob.objects.filter(room__in=whole.rooms).values_list("id", flat=True))
    for model in (RoomItem, Handshake, Welcome, Departure, HistoryGrant, RoomLeaf, Blob, RingEntry):
        model.objects.filter(room__in=whole.rooms).delete()
    Room.objects.filter(id__in=whole.rooms).update(group_info=b"", tree=b"")
    SealedText.objects.filter(scope=whole.consultation).delete()
    Draft.objects.filter(scope=whole.consultation).delete()
    transaction.on_commit(lambda: blobs.remove(gone))


def _prune(namespace: Namespace, *, basis: str, manifest: str, disposal: str, now: datetime) -> None:
    """The certificate first: the database lets an event be emptied only beside it."""
    leaves = LogLeaf.objects.filter(event__namespace=namespace)
    span = leaves.aggregate(first=Min("index"), last=Max("index"))
    certificate = Certificate(
        ns=namespace.tag,
        basis=basis,
        first=span["first"],
        last=span["last"],
        count=namespace.count,
        head=namespace.head,
        map_slot=namespace.slot,
        manifest=manifest,
        disposal=disposal,
    )
    recorded = events.record_host(ns=namespace.scope, type=DISPOSED, data=certificate.value(), at=now)
    Disposal.objects.create(namespace=namespace, certificate=recorded)
    emptied = LogEvent.objects.filter(pk__in=leaves.values("event_id"))
    for model in (Disclosure, EventPerson, EventParty):
        model.objects.filter(event__in=emptied.values("pk")).delete()
    emptied.update(body=b"")
    DeviceCounter.objects.filter(namespace=namespace).delete()
    Namespace.objects.filter(pk=namespace.pk).update(salt=b"")
    tag = namespace.tag
    transaction.on_commit(lambda: disclosures.shred_scope(tag))
