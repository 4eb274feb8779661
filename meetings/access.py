"""Who may see what. Every loader raises `NotFound` alike for what is hidden and what does not exist.

| who                                      | sees a consultation                      | sees its rooms             |
| ---------------------------------------- | ---------------------------------------- | -------------------------- |
| Co-Chair                                 | from the proposal                        | seated                     |
| focal point of a party in it             | from concurrence                         | if also seated             |
| accredited person                        | while the party's latest answer is accept| once seated                |
| person seated by both Co-Chairs          | from the seat                            | once the undertaking is signed |
| anybody else, withdrawn, excluded        | never                                    | never                      |

The evidence of a consultation is asked for by others than see it: see `access_evidence`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meetings import installation, parties, reading, rooms
from meetings.models import Composition, Consultation, Delegate
from secure import cards, delivery, drafts
from secure.errors import NotFound

if TYPE_CHECKING:
    from secure.models import Account, Card, Client

_CONVENED = (Consultation.State.CONCURRED, Consultation.State.OPEN)
_RECORDED = (*_CONVENED, Consultation.State.DISPOSED)
"""What was disposed of has left its proof behind."""


@dataclass(frozen=True, slots=True)
class ConsultationPlace:
    """What somebody is in one consultation. One of the three is set, or more."""

    consultation: Consultation
    card: str
    chair: bool
    focal_point_of: str | None
    """party code, if the party is in the composition"""
    delegate: Delegate | None
    """the person's own place; None if the person has none that counts"""


@dataclass(frozen=True, slots=True)
class EvidencePlace:
    """Who may ask for the evidence of a consultation. `whole`: with every name that is kept; otherwise with the own alone."""

    consultation: Consultation
    card: Card
    chair: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class RoomPlace:
    """A seat in a room. `device` is the caller's device if the door asked with one."""

    room: str
    kind: str
    consultation: Consultation
    card: str
    device: Client | None


def access_consultation(*, account: Account, consultation_id: str) -> ConsultationPlace:
    """The consultation and what this person is in it."""
    consultation = Consultation.objects.filter(id=consultation_id).first()
    card = cards.current_card(account)
    now = installation.current()
    if consultation is None or card is None or now is None:
        raise NotFound
    if now.is_chair(card.hash):
        place = Delegate.objects.filter(consultation=consultation, card=card.hash, withdrawn_at=None).first()
        return ConsultationPlace(consultation, card.hash, True, now.focal_point_of(card.hash), place)
    if consultation.state not in _CONVENED:
        raise NotFound
    party = now.focal_point_of(card.hash)
    if party and not Composition.objects.filter(consultation=consultation, party_id=party).exists():
        party = None
    place = _place(consultation, card.hash)
    if party is None and place is None:
        raise NotFound
    return ConsultationPlace(consultation, card.hash, False, party, place)


def access_evidence(*, account: Account, consultation_id: str) -> EvidencePlace:
    """From concurrence on: Co-Chairs and officers of the secretariat; and whoever sits in the consultation, or once sat."""
    found = next(_evidence(account, id=consultation_id), None)
    if found is None:
        raise NotFound
    return found


def evidence_of(account: Account) -> list[EvidencePlace]:
    """The consultations whose evidence this person may ask for, newest first."""
    return list(_evidence(account))


def _evidence(account: Account, **which: str) -> Iterator[EvidencePlace]:
    card, now = cards.current_card(account), installation.current()
    if card is None or now is None:
        return
    chair = now.is_chair(card.hash)
    whole = chair or parties.is_officer(account)
    found = Consultation.objects.filter(state__in=_RECORDED, **which)
    if not whole:
        found = found.filter(id__in=Delegate.objects.filter(card=card.hash).exclude(seated_at=None).values("consultation"))
    for consultation in found.order_by("-proposed_at", "id"):
        yield EvidencePlace(consultation, card, chair, whole)


def _place(consultation: Consultation, card: str) -> Delegate | None:
    """The person's place, if it lets the person see the consultation: see the table above."""
    place = Delegate.objects.filter(consultation=consultation, card=card, withdrawn_at=None).first()
    if place is None:
        return None
    row = Composition.objects.filter(consultation=consultation, party_id=place.party).first()
    if place.capacity in Delegate.SEATED_BY_CHAIRS or (row and row.answer == Composition.Answer.ACCEPT):
        return place
    return None


def visible_consultations(account: Account) -> list[Consultation]:
    """All this person may see, newest first."""
    found = []
    for consultation in Consultation.objects.order_by("-proposed_at", "id"):
        try:
            found.append(access_consultation(account=account, consultation_id=consultation.id).consultation)
        except NotFound:
            continue
    return found


def access_room(*, account: Account, room_id: str, device: str | None = None) -> RoomPlace:
    """The room, for somebody seated in it. With `device`: it must be the account's own, and seated."""
    room = delivery.room_named(room_id)
    card = cards.current_card(account)
    if room is None or card is None or not rooms.is_seated(room_id, card.hash):
        raise NotFound
    chosen = None
    if device is not None:
        own = cards.devices_of([card.hash]).get(card.hash, [])
        chosen = next((client for client in own if client.hash == device), None)
        if chosen is None or device not in rooms.seated_devices(room_id):
            raise NotFound
    return RoomPlace(room=room.room, kind=room.kind, consultation=Consultation.objects.get(id=room.scope), card=card.hash, device=chosen)


def access_removal(*, account: Account, room_id: str, device: str) -> None:
    """Who may see whether a device is out of a room: those seated in it, and whoever may take the seat away: its own account, the
    focal point of its party, the Co-Chairs."""
    room = delivery.room_named(room_id)
    client = cards.device_ever(device)
    if room is None or client is None:
        raise NotFound
    place = access_consultation(account=account, consultation_id=room.scope)
    concerned = place.chair or place.card == client.card_id or place.focal_point_of == client.card.party
    if not concerned and not rooms.is_seated(room_id, place.card):
        raise NotFound


def visible_chains(*, account: Account, consultation_id: str | None) -> list[str]:
    """Names of the chains this person may read: with a consultation, all that its roster follows from; without, those of people the
    person deals with outside any consultation.
    """
    own = cards.current_card(account)
    if own is None:
        raise NotFound
    if consultation_id is not None:
        access_consultation(account=account, consultation_id=consultation_id)
        found = reading.read_chains(consultation_id, also=[own.hash, *_in_drafts(own)])
        return [*_installation_chain(), *found.accounts, consultation_id, *found.rooms]
    found = reading.read_chains(also=[own.hash, *_in_drafts(own)])
    invited = [card.hash for card in cards.cards_invited_by(account)]
    return [*_installation_chain(), *dict.fromkeys([*found.accounts, *_counterpart(own), *invited])]


def _installation_chain() -> list[str]:
    now = installation.current()
    return [now.inst] if now else []


def _in_drafts(own: Card) -> set[str]:
    """A Co-Chair sees the cards that the other one's drafts name: nobody signs under a card that cannot be checked."""
    now = installation.current()
    if now is None or not now.is_chair(own.hash):
        return set()
    return reading.cards_named(waiting.signed for waiting in drafts.waiting())


def _counterpart(own: Card) -> list[str]:
    """Before `chairs.root` the two enrolled chairs see each other's cards, and nobody else's."""
    enrolled = [card.hash for card in cards.cards_enrolled_as("chair")]
    return enrolled if own.hash in enrolled else []
