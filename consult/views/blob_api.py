"""JSON and raw doors for papers (docs/protocol.md, section 5): sealed chunks in and out, seen by whoever sits in the blob's room."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone

from consult.api import Answer, ApiRequest, by_method, checked_hex, created, door
from meetings.access import access_room
from secure import blobs, limits
from secure.errors import NotFound


def _readable(request: ApiRequest, blob: str) -> tuple[blobs.BlobView, str]:
    """The blob and the caller's card, for somebody seated in its room."""
    view = blobs.find(blob)
    return view, access_room(account=request.account, room_id=view.room).card


def _own(request: ApiRequest, blob: str) -> blobs.BlobView:
    """The blob, for whoever uploads it; to the others of the room it is not there yet."""
    view, card = _readable(request, blob)
    if view.card != card:
        raise NotFound
    return view


@door("POST")
def start(request: ApiRequest, room: str) -> Answer:
    place = access_room(account=request.account, room_id=room)
    fields = request.fields
    fields.only("blob", "size", "chunks", "sha256")
    upload = blobs.Upload(
        blob=fields.hex("blob", size=16),
        size=fields.integer("size"),
        chunks=fields.integer("chunks", most=2**31 - 1),
        sha256=fields.hex("sha256", size=32),
    )
    blobs.start(room_id=place.room, card=place.card, upload=upload, now=timezone.now())
    return created({"blob": upload.blob})


@door("GET")
def status(request: ApiRequest, blob: str) -> Answer:
    view, card = _readable(request, blob)
    if view.card != card and not view.finished:
        raise NotFound
    return {"chunks": view.chunks, "have": blobs.have(blob)}


@door("DELETE")
def discard(request: ApiRequest, blob: str) -> Answer:
    _own(request, blob)
    blobs.discard(blob_id=blob)
    return {}


@door("POST")
def finish(request: ApiRequest, blob: str) -> Answer:
    _own(request, blob)
    blobs.finish(blob_id=blob, now=timezone.now())
    return {}


@door("PUT", raw=True, limit=limits.BLOB_CHUNK)
def put_chunk(request: ApiRequest, blob: str, n: int) -> Answer:
    """The body is the sealed chunk itself, read piece by piece; `X-Sha256` says what it must hash to."""
    _own(request, blob)
    sha256 = checked_hex(request.headers.get("X-Sha256"), size=32, name="X-Sha256")
    blobs.put(blob_id=blob, n=n, sha256=sha256, read=request.read)
    return {}


@door("GET")
def get_chunk(request: ApiRequest, blob: str, n: int) -> Answer:
    _readable(request, blob)
    # Sealed bytes: nothing a browser could ever show, whatever it guesses.
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": "attachment",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(blobs.chunk(blob_id=blob, n=n), content_type="application/octet-stream", headers=headers)


urlpatterns = [
    path("api/rooms/<str:room>/blobs", start, name="blobs"),
    path("api/blobs/<str:blob>", by_method(status, discard), name="blob"),
    path("api/blobs/<str:blob>/finish", finish, name="blob_finish"),
    path("api/blobs/<str:blob>/<int:n>", by_method(put_chunk, get_chunk), name="blob_chunk"),
]
