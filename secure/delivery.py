"""Delivery Service: orders a room's commits and sealed objects, and keeps what others need to follow or to join.

Who is seated comes from above as a `Standing`, asked for inside the transaction which relies on it. The server may refuse what
clients would refuse anyway; it can add nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from secure import departures, fanout, items
from secure.errors import Conflict, Forbidden, NotFound
from secure.log import events
from secure.log.disclosures import Personal
from secure.mls_checks import Heads, Member, PublicState, Transition, check_founding, check_transition
from secure.models import Client, Handshake, KeyPackage, Room, RoomItem, RoomLeaf, Welcome

__all__ = ["Heads", "PublicState", "Standing", "StandingOf"]


@dataclass(frozen=True)
class Standing:
    """Who sits in a room, by device, and at which heads that is so."""

    seated: frozenset[str]
    heads: Heads


StandingOf = Callable[[str], Standing]
"""From a room's id to its standing now. Given by the layer above; reads the database, writes nothing."""


@dataclass(frozen=True)
class NamedRoom:
    """A room without its tree, for the many questions which need none."""

    room: str
    scope: str
    kind: str
    epoch: int
    head: int


@dataclass(frozen=True)
class RoomView:
    room: str
    scope: str
    kind: str
    epoch: int
    head: int
    group_info: bytes
    tree: bytes
    opened: datetime


@dataclass(frozen=True)
class Leaf:
    """`since` is the epoch in which this leaf came in."""

    leaf: int
    card: str
    device: str
    since: int


@dataclass(frozen=True)
class Offer:
    """A commit as a client offers it. `ends_epoch` is what is compared and swapped."""

    ends_epoch: int
    commit: bytes
    welcome: bytes | None
    after: PublicState


@dataclass(frozen=True)
class Ordered:
    """An accepted commit: the epoch it begins and its number in the room's log."""

    epoch: int
    seq: int


@dataclass(frozen=True)
class Joining:
    epoch: int
    welcome: bytes
    tree: bytes


def open_room(*, room_id: str, scope: str, kind: str, group_info: bytes, tree: bytes, client_hash: str, now: datetime) -> None:
    """Epoch 0 with one leaf: the opener's device. Runs in the transaction that stores `room.open`.

    Unique for (scope, kind): the loser of two gets `room_exists` and joins instead.
    """
    founder = check_founding(room_id=room_id, state=PublicState(group_info, tree))
    client = _known(founder)
    if client.hash != client_hash:
        raise Forbidden("not_this_device")
    try:
        room = Room.objects.create(id=room_id, scope=scope, kind=kind, group_info=group_info, tree=tree, opened=now)
    except IntegrityError as error:
        raise Conflict("room_exists") from error
    RoomLeaf.objects.create(room=room, leaf=founder.leaf, client=client, since=0)


def submit_commit(*, room_id: str, card: str, offer: Offer, standing: StandingOf, now: datetime) -> Ordered:
    """Check a commit, compare and swap the epoch, number it, tell the room.

    `card` is the caller's: the committer must be one of its devices. Refuses with `stale_epoch` (about: epoch), `stale_head`,
    `not_seated` (a leaf that comes in without a seat, or the committer), `still_seated` (removes a seat that is not the
    committer's own).
    """
    room = _room(room_id)
    if room.epoch != offer.ends_epoch:
        raise Conflict("stale_epoch", epoch=room.epoch)
    before = PublicState(bytes(room.group_info), bytes(room.tree))
    change = check_transition(
        before=before,
        commit=offer.commit,
        welcome=offer.welcome,
        after=offer.after,
        ends_epoch=offer.ends_epoch,
    )
    if change.sender.card != card:
        raise Forbidden("not_this_device")
    return _swap(room_id=room_id, before=before, offer=offer, change=change, standing=standing, now=now)


@transaction.atomic(durable=True)
def _swap(*, room_id: str, before: PublicState, offer: Offer, change: Transition, standing: StandingOf, now: datetime) -> Ordered:
    fresh = Room.objects.filter(id=room_id, epoch=offer.ends_epoch)
    swapped = fresh.update(
        epoch=offer.ends_epoch + 1,
        head=F("head") + 1,
        group_info=offer.after.group_info,
        tree=offer.after.tree,
    )
    room = _room(room_id)
    if swapped != 1:
        raise Conflict("stale_epoch", epoch=room.epoch)
    _judge(change, standing(room_id))
    clients = {member.device: _known(member) for member in (*change.added, change.sender)}
    _keep_leaves(room, change, clients)
    _keep_welcomes(room, change, offer)
    departures.keep(room_id=room.id, change=change, ends_epoch=offer.ends_epoch, before=before, after=offer.after)
    Handshake.objects.create(room=room, epoch=offer.ends_epoch, commit=offer.commit, removes=bool(change.removed), at=now)
    item = items.commit_item(seq=room.head, at=now, epoch=offer.ends_epoch, commit=offer.commit)
    RoomItem.objects.create(
        room=room,
        seq=room.head,
        kind=RoomItem.Kind.COMMIT,
        client=clients[change.sender.device],
        epoch=offer.ends_epoch,
        body=item,
        at=now,
    )
    _record(room, change, offer, now)
    transaction.on_commit(lambda: fanout.publish_items(room_id, [item], head=room.head))
    return Ordered(epoch=room.epoch, seq=room.head)


def _record(room: Room, change: Transition, offer: Offer, now: datetime) -> None:
    """Who came in and who went, on the record; devices are personal and go into disclosures."""
    lists = {"added": change.added, "removed": change.removed}
    names = [Personal(word, member.device, member.card) for word, members in lists.items() for member in members]
    said = {"epoch": room.epoch, "commit_sha256": hashlib.sha256(offer.commit).hexdigest()}
    events.record_host(ns=room.id, type="room.epoch", data=said, at=now, names=names, by=[change.sender.card])


def _judge(change: Transition, now: Standing) -> None:
    """The transition rule, at the newest heads: what comes in is seated, what goes is not, or is the committer's own."""
    if change.heads != now.heads:
        raise Conflict("stale_head")
    if any(member.device not in now.seated for member in (change.sender, *change.added)):
        raise Forbidden("not_seated")
    if any(member.device in now.seated and member.card != change.sender.card for member in change.removed):
        raise Forbidden("still_seated")


def _known(member: Member) -> Client:
    """The device a leaf says it is. Key and card must be those of its `device.add`."""
    client = Client.objects.filter(hash=member.device, card_id=member.card, revoked=None).first()
    if client is None or bytes(client.signature_key) != member.signature_key:
        raise Forbidden("not_seated")
    return client


def _keep_leaves(room: Room, change: Transition, clients: Mapping[str, Client]) -> None:
    gone = [member.leaf for member in change.removed]
    RoomLeaf.objects.filter(room=room, leaf__in=gone).delete()
    rows = [RoomLeaf(room=room, leaf=member.leaf, client=clients[member.device], since=room.epoch) for member in change.added]
    RoomLeaf.objects.bulk_create(rows)


def _keep_welcomes(room: Room, change: Transition, offer: Offer) -> None:
    """A newcomer needs the newest Welcome only; who was removed, or came in from outside, needs none."""
    devices = [member.device for member in (*change.added, *change.removed)]
    Welcome.objects.filter(room=room, client_id__in=devices).delete()
    if offer.welcome is None:
        return
    rows = [
        Welcome(
            room=room,
            client_id=package.leaf.device,
            epoch=room.epoch,
            body=offer.welcome,
            tree=offer.after.tree,
        )
        for package in change.adds
    ]
    Welcome.objects.bulk_create(rows)
    KeyPackage.objects.filter(ref__in=[package.ref for package in change.adds], last_resort=False).delete()


def room_view(room_id: str) -> RoomView:
    room = _room(room_id)
    return RoomView(
        room=room.id,
        scope=room.scope,
        kind=room.kind,
        epoch=room.epoch,
        head=room.head,
        group_info=bytes(room.group_info),
        tree=bytes(room.tree),
        opened=room.opened,
    )


def room_named(room_id: str) -> NamedRoom | None:
    """The room of this id, if there is one."""
    row = Room.objects.filter(id=room_id).values_list("id", "scope", "kind", "epoch", "head").first()
    return NamedRoom(*row) if row else None


def rooms_of(*scopes: str) -> list[NamedRoom]:
    """The rooms of these consultations, oldest first."""
    rows = Room.objects.filter(scope__in=scopes).order_by("opened", "id")
    return [NamedRoom(*row) for row in rows.values_list("id", "scope", "kind", "epoch", "head")]


def leaves(room_id: str) -> list[Leaf]:
    """The leaves of a room's tree at its present epoch."""
    rows = RoomLeaf.objects.filter(room_id=room_id).order_by("leaf").select_related("client")
    return [Leaf(row.leaf, row.client.card_id, row.client_id, row.since) for row in rows]


def heads_of_rooms(room_ids: Sequence[str]) -> dict[str, int]:
    """The newest number of each room's log."""
    return dict(Room.objects.filter(id__in=room_ids).values_list("id", "head"))


def handshakes(*, room_id: str, since: int, most: int) -> list[tuple[int, bytes]]:
    """The commits which ended `since` and the epochs after it: (epoch it ended, commit)."""
    rows = Handshake.objects.filter(room_id=room_id, epoch__gte=since).order_by("epoch")[:most]
    return [(row.epoch, bytes(row.commit)) for row in rows]


def joining(*, room_id: str, client_hash: str) -> Joining:
    """The Welcome that waits for a device."""
    row = Welcome.objects.filter(room_id=room_id, client_id=client_hash).first()
    if row is None:
        raise NotFound
    return Joining(row.epoch, bytes(row.body), bytes(row.tree))


def _room(room_id: str) -> Room:
    room = Room.objects.filter(id=room_id).first()
    if room is None:
        raise NotFound
    return room
