"""The brief of a consultation, sealed: who may fetch it, who has no wrap of its key yet, and wraps from those who have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db import transaction

from meetings import enclosures, reading, seating
from meetings.access import ConsultationPlace, access_consultation
from meetings.roster import stand
from secure import sealed_texts
from secure.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from secure.models import Account
    from secure.sealed_texts import SealedFor


def read_sealed(*, account: Account, sha256: str) -> SealedFor:
    """A brief, or the reason of a return, for somebody who may see its consultation."""
    scope = sealed_texts.scope_of(sha256)
    place = access_consultation(account=account, consultation_id=scope)
    return sealed_texts.read(sha256=sha256, card=place.card)


def unwrapped(*, account: Account, consultation_id: str) -> list[str]:
    """Cards that may read the brief and cannot yet. A reader who can, and is online, wraps it for them."""
    place = access_consultation(account=account, consultation_id=consultation_id)
    return sorted(_entitled(place) - sealed_texts.wrapped_for(place.consultation.brief))


@transaction.atomic(durable=True)
def wrap(*, account: Account, consultation_id: str, enclosed: Mapping[str, object]) -> int:
    """Keep wraps by somebody who holds the key; only for cards that may read. Returns how many were new."""
    place = access_consultation(account=account, consultation_id=consultation_id)
    enclosures.refuse_others(enclosed, "wraps")
    boxes = enclosures.wraps(enclosed)
    before = sealed_texts.wrapped_for(place.consultation.brief)
    if place.card not in before:
        raise Forbidden("no_wrap_of_your_own")
    enclosures.refuse_incomplete(boxes, needed=(), entitled=_entitled(place) | before)
    sealed_texts.wrap(sha256=place.consultation.brief, boxes=boxes)
    return len(set(boxes) - before)


def _entitled(place: ConsultationPlace) -> frozenset[str]:
    standing = stand(reading.read_chains(place.consultation.id))
    if standing.consultation is None:
        raise NotFound
    return seating.entitled(standing)
