"""The record for anyone: checkpoint and tiles as C2SP tlog-tiles lays them out. Hashes only; no sign-in, no cookies."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from consult.api import Answer, ApiRequest, door
from consult.second_factor import anonymous
from secure.log import record, store
from secure.log.encoding import b64
from secure.log.errors import LogError
from secure.log.tiles import parse_tile_path

NEVER_CHANGES = "public, max-age=31536000, immutable"
"""A tile that a checkpoint covers is the same for ever; a partial one has its width in its name."""


@anonymous
@require_safe
def checkpoint(_request: HttpRequest) -> HttpResponse:
    """The newest signed tree head; 404 until the first one is signed."""
    newest = store.published()
    if newest is None:
        return _absent()
    return HttpResponse(newest.note, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@anonymous
@require_safe
def tile(_request: HttpRequest, place: str) -> HttpResponse:
    """One tile of hashes, as far as the newest checkpoint covers it."""
    try:
        hashes = store.served_tile(parse_tile_path(place))
    except LogError:
        hashes = None
    if hashes is None:
        return _absent()
    return HttpResponse(hashes, content_type="application/octet-stream", headers={"Cache-Control": NEVER_CHANGES})


@anonymous
@require_safe
def consistency(_request: HttpRequest, size1: int, size2: int) -> HttpResponse:
    """The proof that the tree of `size2` leaves begins with that of `size1`, as far as the newest checkpoint covers both."""
    newest = store.published()
    if newest is None or not 0 < size1 <= size2 <= newest.size:
        return _absent()
    hashes = [b64(each) for each in store.consistency(size1, size2)]
    return JsonResponse({"hashes": hashes}, headers={"Cache-Control": NEVER_CHANGES})


@door("GET", anonymous=True)
def genesis(_request: ApiRequest) -> Answer:
    """The log's first entry, which names its keys, with its event and its proof."""
    proof = record.proof_of_genesis()
    return {**proof.as_object(), "event": b64(proof.event)}


def _absent() -> HttpResponse:
    return HttpResponse("not found\n", status=404, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("log/checkpoint", checkpoint),
    path("log/consistency/<int:size1>/<int:size2>", consistency),
    path("log/genesis", genesis),
    path("log/tile/<path:place>", tile),
]
