"""Refusals become statuses here, and nowhere else. A stranger and a missing thing get the same bytes."""

from __future__ import annotations

from django.http import JsonResponse

from secure.errors import BadInput, Conflict, Forbidden, Gone, NotFound, Refusal, TooLarge, TooMany

SIGN_IN = "sign_in"
METHOD = "method"
MEDIA_TYPE = "media_type"

_STATUS: tuple[tuple[type[Refusal], int], ...] = (
    (BadInput, 400),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Gone, 410),
    (TooLarge, 413),
    (TooMany, 429),
)


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal's kind. A bare `Refusal` is a mistake of ours and counts as bad input."""
    for kind, status in _STATUS:
        if isinstance(refusal, kind):
            return status
    return 400


def json_error(code: str, status: int, /, **about: str | int | None) -> JsonResponse:
    """The one shape of an error at a JSON door; never kept by a cache."""
    return JsonResponse({"error": code, **about}, status=status, headers={"Cache-Control": "no-store"})


def json_refusal(refusal: Refusal) -> JsonResponse:
    """The answer of a JSON door to a refusal."""
    if isinstance(refusal, NotFound):
        return json_error("not_found", 404)
    return json_error(refusal.code, status_of(refusal), **refusal.about)
