"""JSON doors of the recovery box and the key ring: sealed bytes in, the same bytes out, only for their owner."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone

from consult.api import ApiRequest, by_method, created, door, query_hex
from secure import recovery
from secure.recovery import RingBox


@door("PUT")
def put(request: ApiRequest) -> Mapping[str, object]:
    fields = request.fields
    fields.only("box", "number")
    number = fields.integer("number", least=1, most=recovery.LAST_NUMBER)
    box = fields.base64("box", most=recovery.BOX_BYTES)
    recovery.keep(account=request.account, box=box, number=number, now=timezone.now())
    return {"number": number}


@door("GET")
def get(request: ApiRequest) -> Mapping[str, object]:
    kept = recovery.kept(request.account)
    return {"box": b64encode(kept.box).decode(), "number": kept.number}


@door("POST")
def add_to_ring(request: ApiRequest) -> HttpResponse:
    fields = request.fields
    fields.only("room", "entries")
    entries = []
    for entry in fields.objects("entries", most=recovery.RING_ENTRIES):
        entry.only("epoch", "box")
        entries.append(RingBox(entry.integer("epoch", most=2**31 - 1), entry.base64("box", most=recovery.RING_BOX_BYTES)))
    count = recovery.add_to_ring(account=request.account, room=fields.hex("room", size=32), entries=entries)
    return created({"epochs": count})


@door("GET")
def ring(request: ApiRequest) -> Mapping[str, object]:
    found = recovery.ring(account=request.account, room=query_hex(request, "room", size=32))
    return {"entries": [{"epoch": entry.epoch, "box": b64encode(entry.box).decode()} for entry in found]}


urlpatterns = [
    path("api/recovery", by_method(put, get)),
    path("api/ring", by_method(add_to_ring, ring)),
]
