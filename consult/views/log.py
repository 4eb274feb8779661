"""The record for anyone: checkpoint, tiles and policies as C2SP lays them out, and the door for witnesses. No sign-in, no cookies; only for
the entries' own leaves one signs in."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from consult.api import Answer, ApiRequest, door
from consult.second_factor import account_of, anonymous, signed_in
from meetings import register
from secure.errors import TooLarge
from secure.log import cosigning, policies, record, store
from secure.log.encoding import b64
from secure.log.errors import LogError
from secure.log.tiles import parse_tile_path

NEVER_CHANGES = "public, max-age=31536000, immutable"
"""A tile that a checkpoint covers is the same for ever; a partial one has its width in its name."""


@anonymous
@require_safe
def checkpoint(_request: HttpRequest) -> HttpResponse:
    """The newest signed tree head with the cosignatures it has so far; 404 until the first one is signed."""
    return _note(cosigning.newest())


@anonymous
@require_safe
def witnessed(_request: HttpRequest) -> HttpResponse:
    """The newest tree head that the quorum of witnesses has cosigned; 404 if none has been."""
    found = cosigning.witnessed()
    return _note(found.note if found else None)


@anonymous
@require_safe
def offered(_request: HttpRequest) -> HttpResponse:
    """The tree head that witnesses are asked to sign: the same one for all of them."""
    found = cosigning.offered()
    return _note(found.note if found else None)


@anonymous
@require_safe
def policy(_request: HttpRequest, number: int | None = None) -> HttpResponse:
    """The policy in force, or an earlier one, as a signed note."""
    return _note(policies.note(number))


@anonymous
@require_safe
def consistency(_request: HttpRequest, size1: int, size2: int) -> HttpResponse:
    """The proof that the tree of `size2` leaves begins with that of `size1`; 404 beyond the newest checkpoint."""
    newest = store.published()
    if newest is None or not 0 < size1 <= size2 <= newest.size:
        return _absent()
    hashes = [b64(hash_) for hash_ in store.consistency(size1, size2)]
    return JsonResponse({"hashes": hashes}, headers={"Cache-Control": NEVER_CHANGES})


@csrf_exempt
@door("POST", anonymous=True, raw=True)
def cosignatures(request: ApiRequest) -> Answer:
    """A witness's cosignature, as a note: the tree head's text and its signature lines. Nobody signs in: the signature says who it is."""
    body = request.read(cosigning.MAX_NOTE + 1)
    if len(body) > cosigning.MAX_NOTE:
        raise TooLarge("body_too_large")
    return {"kept": cosigning.take(body, now=datetime.now(UTC))}


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


@door("GET", anonymous=True)
def genesis(_request: ApiRequest) -> Answer:
    """The log's first entry, which names its keys, with its event and its proof."""
    proof = record.proof_of_genesis()
    return {**proof.as_object(), "event": b64(proof.event)}


@anonymous
@require_safe
def entries(request: HttpRequest, place: str) -> HttpResponse:
    """The entries' leaves under one tile, for those who read the Register: random tags, times and kinds, no names. Others find nothing."""
    if not (signed_in(request) and register.may_read(account_of(request))):
        return _absent()
    try:
        found = store.served_entries(parse_tile_path(f"0/{place}"))
    except LogError:
        found = None
    if found is None:
        return _absent()
    return HttpResponse(found, content_type="application/octet-stream", headers={"Cache-Control": "no-store"})


def _note(note: bytes | None) -> HttpResponse:
    if note is None:
        return _absent()
    return HttpResponse(note, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


def _absent() -> HttpResponse:
    return HttpResponse("not found\n", status=404, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("log/checkpoint", checkpoint),
    path("log/witnessed", witnessed),
    path("log/offered", offered),
    path("log/cosignatures", cosignatures),
    path("log/policy", policy),
    path("log/policy/<int:number>", policy),
    path("log/consistency/<int:size1>/<int:size2>", consistency),
    path("log/genesis", genesis),
    path("log/tile/entries/<path:place>", entries),
    path("log/tile/<path:place>", tile),
]
