"""Seats given and taken by both Co-Chairs, and the rows that say who sits where.

The roster decides (`meetings/roster.py`). `Composition.answer`, `Delegate` and `SeatedDevice` repeat its word, so that pages and access
checks need no replay; whatever changes a chain they follow from rebuilds them in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from meetings import enclosures, installation, reading
from meetings.models import Composition, Consultation, Delegate, SeatedDevice
from meetings.roster import seated_devices_of, seats_of, stand
from meetings.standing import Standing
from meetings.statements import ROOM_KINDS, TABLE, Chain
from secure import delivery, sealed_texts

if TYPE_CHECKING:
    from meetings.act import Act
    from meetings.standing import Consultation as Convened


def seat(act: Act) -> None:
    """Both Co-Chairs seat an officer of the secretariat, or one of a chair's staff; shown to all."""
    wrap_for(act, act.body["card"])


def unseat(act: Act) -> None:
    """Both Co-Chairs take that seat back."""
    enclosures.refuse_others(act.enclosed)


def exclude(act: Act) -> None:
    """A person or one device has no seat in this consultation any more, for good."""
    enclosures.refuse_others(act.enclosed)


# ----------------------------------------------------------------------------------------------------------------------- briefs


def wrap_for(act: Act, card: str) -> None:
    """Keep the wrap of the brief that this act causes."""
    brief = Consultation.objects.get(id=act.consultation.id).brief
    sealed_texts.wrap(sha256=brief, boxes=check_wrap(act))


def check_wrap(act: Act) -> dict[str, bytes]:
    """The one wrap for the card of the act. Somebody who can open the brief already needs none."""
    enclosures.refuse_others(act.enclosed, "wraps")
    card = act.body["card"]
    boxes = enclosures.wraps(act.enclosed)
    brief = Consultation.objects.get(id=act.consultation.id).brief
    needed = {card} - sealed_texts.wrapped_for(brief)
    enclosures.refuse_incomplete(boxes, needed=needed, entitled={card})
    return boxes


def entitled(standing: Standing) -> frozenset[str]:
    """Cards that may hold the brief's key: the Co-Chairs; after concurrence focal points, and everybody accredited or seated. Nobody
    once it was disposed of."""
    consultation, now = standing.consultation, standing.newest
    if consultation is None or now is None or consultation.state == "disposed":
        return frozenset()
    if consultation.state != "concurred":
        return now.chair_cards
    focal_points = {card for party, card in now.focal_points.items() if party in consultation.composition}
    return (now.chair_cards | focal_points | set(consultation.accredited) | set(consultation.seated)) - consultation.excluded


# ------------------------------------------------------------------------------------------------------------------ projections


def rebuild_after(act: Act) -> list[str]:
    """Rebuild what this act may have changed; returns the rooms whose heads or seats are new."""
    chain = TABLE[act.type].chain
    if chain is Chain.INSTALLATION:
        affected = [consultation.id for consultation in installation.live_consultations()]
    elif chain is Chain.ACCOUNT:
        places = Delegate.objects.filter(card=act.signed.scope_name, withdrawn_at=None)
        affected = sorted(set(places.values_list("consultation_id", flat=True)))
    else:
        affected = [act.consultation.id]
    for consultation_id in affected:
        rebuild(consultation_id, now=act.now)
    return [room.room for room in delivery.rooms_of(*affected)]


def rebuild(consultation_id: str, *, now: datetime) -> None:
    """Bring the rows in line with the chains. The row lock comes first, so that of two acts the later sees both."""
    Consultation.objects.select_for_update().get(id=consultation_id)
    standing = stand(reading.read_chains(consultation_id))
    consultation = standing.consultation
    if consultation is not None and consultation.state == "disposed":
        _end_places(consultation_id, now=now)
    if consultation is None or consultation.state != "concurred":
        return
    _rebuild_answers(consultation, now=now)
    _rebuild_places(standing, consultation, now=now)
    _rebuild_devices(standing, consultation)


def _end_places(consultation_id: str, *, now: datetime) -> None:
    """Nobody has a place in what was disposed of."""
    places = Delegate.objects.filter(consultation_id=consultation_id)
    places.filter(withdrawn_at=None).update(withdrawn_at=now)
    places.update(seated=False)
    SeatedDevice.objects.filter(consultation_id=consultation_id).delete()


def _rebuild_answers(consultation: Convened, *, now: datetime) -> None:
    for party, answer in consultation.answers.items():
        rows = Composition.objects.filter(consultation_id=consultation.id, party_id=party)
        rows.exclude(answer=answer).update(answer=answer, answered_at=now)


def _rebuild_places(standing: Standing, consultation: Convened, *, now: datetime) -> None:
    """Who has a place, seated or not: Co-Chairs, accredited people, those seated by the Co-Chairs."""
    chairs = standing.newest.chairs if standing.newest else {}
    places = {card: (party, "chair") for party, card in chairs.items()}
    places |= {card: (place.party, place.capacity) for card, place in consultation.accredited.items()}
    places |= {card: (standing.accounts[card].party, seating.capacity) for card, seating in consultation.seated.items()}
    seated = seats_of(standing)
    for card, (party, capacity) in places.items():
        if card in consultation.excluded:
            continue
        row, _ = Delegate.objects.get_or_create(consultation_id=consultation.id, card=card, defaults={"party": party, "capacity": capacity})
        row.party, row.capacity, row.withdrawn_at, row.seated = party, capacity, None, card in seated
        if card in consultation.undertaken and row.undertaken_at is None:
            row.undertaken_at = now
        if row.seated and row.seated_at is None:
            row.seated_at = now
        row.save()
    gone = Delegate.objects.filter(consultation_id=consultation.id).exclude(card__in=set(places) - consultation.excluded)
    gone.filter(withdrawn_at=None).update(withdrawn_at=now)
    gone.update(seated=False)


def _rebuild_devices(standing: Standing, consultation: Convened) -> None:
    belongs = {(kind, device): card for kind in ROOM_KINDS for device, card in seated_devices_of(standing, room=kind).items()}
    stored = SeatedDevice.objects.filter(consultation_id=consultation.id)
    known = {(row.kind, row.device): row.pk for row in stored}
    stored.filter(pk__in=[pk for key, pk in known.items() if key not in belongs]).delete()
    SeatedDevice.objects.bulk_create(
        SeatedDevice(consultation_id=consultation.id, kind=kind, device=device, card=card)
        for (kind, device), card in sorted(belongs.items())
        if (kind, device) not in known
    )
