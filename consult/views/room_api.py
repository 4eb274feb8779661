"""JSON doors of a room (docs/protocol.md, section 5): what it is, what is due, commits, messages, history, removal.

Everything begins with `access_room`: a room one does not sit in answers exactly as one that does not exist.
"""

from __future__ import annotations

import base64
import logging
from concurrent.futures import TimeoutError as TooLate

from django.db import DatabaseError
from django.urls import path
from django.utils import timezone

from consult import rooms as room_doors
from consult import wire
from consult.api import Answer, ApiRequest, by_method, created, door, query_hex, query_integer
from meetings import rooms
from meetings.access import access_removal, access_room
from secure import cards, content, delivery, departures, fanout, history, items, key_packages, limits
from secure.errors import NotFound, TooMany
from secure.log import events, record

logger = logging.getLogger("consult.rooms")

WRITE_SECONDS = 20
claims = limits.Buckets(per_second=limits.CLAIMS_PER_MINUTE / 60, burst=limits.CLAIMS_PER_MINUTE)
commits = limits.Buckets(per_second=limits.COMMITS_PER_MINUTE / 60, burst=limits.COMMITS_PER_MINUTE)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _own_device(request: ApiRequest, room: str) -> str:
    """The device of the query string, once it is the caller's and seated."""
    device = query_hex(request, "device", size=32)
    access_room(account=request.account, room_id=room, device=device)
    return device


@door("GET")
def show(request: ApiRequest, room: str) -> Answer:
    place = access_room(account=request.account, room_id=room)
    view = delivery.room_view(place.room)
    return {
        "room": view.room,
        "kind": view.kind,
        "consultation": view.scope,
        "epoch": view.epoch,
        "head": view.head,
        "group_info": _b64(view.group_info),
        "tree": _b64(view.tree),
        "marking": place.consultation.marking,
        "retention_years": place.consultation.retention_years,
        "online": fanout.online(place.room),
    }


@door("GET")
def due(request: ApiRequest, room: str) -> Answer:
    place = access_room(account=request.account, room_id=room)
    found = rooms.due(place.room)
    return {
        "add": [{"card": each.card, "device": each.device} for each in found.add],
        "remove": [{"leaf": each.leaf, "device": each.device} for each in found.remove],
        "history": [{"card": each.card, "from": each.first, "to": each.last} for each in found.history],
        "heads": {"installation": found.heads.installation, "consultation": found.heads.consultation, "room": found.heads.room},
    }


@door("POST")
def claim(request: ApiRequest, room: str) -> Answer:
    """One key package for each device that is due in the room; the others are missing, whoever they are."""
    place = access_room(account=request.account, room_id=room)
    asked = [str(each) for each in request.fields.texts("devices", most=limits.ROOM_LEAVES, longest=64)]
    if not claims.take(place.card, max(1, len(asked))):
        raise TooMany("too_many_claims")
    belongs = {each.device for each in rooms.due(place.room).add}
    given = key_packages.claim(devices=[device for device in asked if device in belongs], now=timezone.now())
    found = {each.device for each in given}
    return {
        "key_packages": [{"device": each.device, "key_package": _b64(each.key_package)} for each in given],
        "missing": [device for device in asked if device not in found],
    }


@door("POST", limit=limits.COMMIT_BODY_BYTES)
def commit(request: ApiRequest, room: str) -> Answer:
    place = access_room(account=request.account, room_id=room)
    if not commits.take(place.card):
        raise TooMany("too_many_commits")
    fields = request.fields
    fields.only("epoch", "commit", "welcome", "group_info", "tree")
    offer = delivery.Offer(
        ends_epoch=fields.integer("epoch", most=2**31 - 2),
        commit=fields.base64("commit", most=limits.COMMIT_BYTES),
        welcome=None if fields.null("welcome") else fields.base64("welcome", most=limits.WELCOME_BYTES),
        after=delivery.PublicState(
            group_info=fields.base64("group_info", most=limits.GROUP_INFO_BYTES), tree=fields.base64("tree", most=limits.TREE_BYTES)
        ),
    )
    ordered = delivery.submit_commit(room_id=place.room, card=place.card, offer=offer, standing=rooms.standing, now=timezone.now())
    return {"epoch": ordered.epoch, "seq": ordered.seq}


@door("GET")
def handshakes(request: ApiRequest, room: str) -> Answer:
    place = access_room(account=request.account, room_id=room)
    since = query_integer(request, "from", default=0, most=2**31 - 1)
    found = delivery.handshakes(room_id=place.room, since=since, most=limits.HANDSHAKES_PER_PAGE)
    return {"handshakes": [{"epoch": epoch, "commit": _b64(raw)} for epoch, raw in found]}


@door("GET")
def welcome(request: ApiRequest, room: str) -> Answer:
    found = delivery.joining(room_id=room, client_hash=_own_device(request, room))
    return {"epoch": found.epoch, "welcome": _b64(found.welcome), "tree": _b64(found.tree)}


@door("POST")
def send(request: ApiRequest, room: str) -> Answer:
    """The socket's `send`, for networks that block sockets. The header says which device; it must be the caller's."""
    access_room(account=request.account, room_id=room)
    frame = wire.parse_send(request.fields.values)
    device = content.device_of(frame.header)
    access_room(account=request.account, room_id=room, device=device)
    if not room_doors.messages.take(str(request.account.pk)):
        raise TooMany("rate", retry_after=1)
    future = room_doors.writer().submit(frame.submission(room=room, device=device))
    try:
        return wire.ack(future.result(timeout=WRITE_SECONDS))
    except (TooLate, DatabaseError) as error:
        # It may still be written, now or once there is room on the disk: the client sends the same id again and gets the first answer.
        raise TooMany("busy") from error


@door("GET")
def log_items(request: ApiRequest, room: str) -> Answer:
    place = access_room(account=request.account, room_id=room)
    since = query_integer(request, "since", default=0)
    most = query_integer(request, "limit", least=1, default=limits.ITEMS_PER_PAGE)
    head = delivery.room_view(place.room).head
    page = items.items_since(room_id=place.room, since=since, most=most, head=head)
    return {"items": items.as_objects(page.items), "head": head}


@door("POST", limit=limits.COMMIT_BODY_BYTES)
def give_history(request: ApiRequest, room: str) -> Answer:
    place = access_room(account=request.account, room_id=room)
    fields = request.fields
    fields.only("card", "from", "to", "box")
    slice_ = history.Slice(
        card=fields.hex("card", size=32),
        first=fields.integer("from", most=2**31 - 1),
        last=fields.integer("to", most=2**31 - 1),
    )
    box = fields.base64("box", most=limits.HISTORY_BOX_BYTES)
    history.grant(room_id=place.room, card=place.card, slice_=slice_, box=box, due=_history_due, now=timezone.now())
    return created({})


def _history_due(room_id: str) -> frozenset[history.Slice]:
    return frozenset(history.Slice(each.card, each.first, each.last) for each in rooms.due(room_id).history)


@door("GET")
def own_history(request: ApiRequest, room: str) -> Answer:
    place = access_room(account=request.account, room_id=room)
    grants = history.grants_for(room_id=place.room, card=place.card)
    return {"grants": [{"from": each.first, "to": each.last, "box": _b64(each.box), "by": each.by} for each in grants]}


@door("GET")
def removal(request: ApiRequest, room: str) -> Answer:
    """Also for somebody who is not seated and may take that seat away: a Co-Chair, the party's focal point, the device's owner."""
    device = query_hex(request, "device", size=32)
    access_removal(account=request.account, room_id=room, device=device)
    found = departures.removal(room_id=room, client_hash=device)
    return {
        "removed": found.removed,
        "epoch": found.epoch,
        "proof": _proof(found.departed) if found.departed else None,
        "online": bool(fanout.online(room)),
    }


def _proof(departed: departures.Departed) -> dict[str, object]:
    return {
        "epoch": departed.epoch,
        "commit": _b64(departed.commit),
        "before": {"group_info": _b64(departed.before.group_info), "tree": _b64(departed.before.tree)},
        "after": {"group_info": _b64(departed.after.group_info), "tree": _b64(departed.after.tree)},
    }


@door("GET")
def author(request: ApiRequest, room: str) -> Answer:
    """What this device's next event in the room's part of the record must carry."""
    place = events.author_place(ns=room, client_hash=_own_device(request, room))
    return {"ns": place.ns, "salt": place.salt, "dseq": place.dseq, "dprev": place.dprev}


@door("GET")
def proof(request: ApiRequest, room: str) -> Answer:
    """That an event of this room stands in the record; absent as long as no checkpoint covers it."""
    place = access_room(account=request.account, room_id=room)
    return record.proof_of_event(event=query_hex(request, "event", size=32), scope=place.room).as_object()


@door("POST")
def publish_key_packages(request: ApiRequest, device: str) -> Answer:
    fields = request.fields
    fields.only("key_packages", "last_resort")
    count = key_packages.publish_for(
        device=device,
        card=_card(request),
        key_packages=fields.blobs("key_packages", most=limits.KEY_PACKAGES_KEPT, longest=limits.KEY_PACKAGE_BYTES),
        last_resort=None if fields.null("last_resort") else fields.base64("last_resort", most=limits.KEY_PACKAGE_BYTES),
        now=timezone.now(),
    )
    return {"count": count}


@door("GET")
def count_key_packages(request: ApiRequest, device: str) -> Answer:
    count, last_resort = key_packages.standing_of(device=device, card=_card(request), now=timezone.now())
    return {"count": count, "last_resort": last_resort}


def _card(request: ApiRequest) -> str:
    card = cards.current_card(request.account)
    if card is None:
        raise NotFound
    return card.hash


urlpatterns = [
    path("api/rooms/<str:room>", show, name="room"),
    path("api/rooms/<str:room>/due", due, name="room_due"),
    path("api/rooms/<str:room>/claims", claim, name="room_claims"),
    path("api/rooms/<str:room>/commits", commit, name="room_commits"),
    path("api/rooms/<str:room>/handshakes", handshakes, name="room_handshakes"),
    path("api/rooms/<str:room>/welcome", welcome, name="room_welcome"),
    path("api/rooms/<str:room>/messages", send, name="room_messages"),
    path("api/rooms/<str:room>/items", log_items, name="room_items"),
    path("api/rooms/<str:room>/history", by_method(give_history, own_history), name="room_history"),
    path("api/rooms/<str:room>/removal", removal, name="room_removal"),
    path("api/rooms/<str:room>/author", author, name="room_author"),
    path("api/rooms/<str:room>/proof", proof, name="room_proof"),
    path("api/devices/<str:device>/key-packages", by_method(publish_key_packages, count_key_packages), name="key_packages"),
]
