"""The convening board: per party how far its invitation has come, and for each reader the one next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from meetings import access, installation, journal, roll
from meetings.access import ConsultationPlace
from meetings.models import Composition, Consultation, Delegate, Party
from secure import cards, delivery, key_packages

if TYPE_CHECKING:
    from meetings.installation import Installation
    from secure.models import Account, Card, Client

Answer = Composition.Answer


@dataclass(frozen=True, slots=True)
class DelegateRow:
    """A person with a place. `ready`: a seat's client could add one of the person's devices now."""

    card: str
    name: str
    party: str
    capacity: str
    undertaken: bool
    seated: bool
    devices: int
    ready: bool


@dataclass(frozen=True, slots=True)
class PartyRow:
    """A party of the composition. `step` is what its delegation is waiting for, a word of `PARTY_STEPS`.

    `reached_at` is told to the Co-Chairs and the party itself only, and `step` gives it away to nobody else.
    """

    code: str
    name: str
    zone: str
    capacity: str
    history: str
    focal_point: str
    focal_person: str
    invited: bool
    reached_at: datetime | None
    answer: str
    answered_at: datetime | None
    delegates: tuple[DelegateRow, ...]
    step: str

    @property
    def accredited(self) -> int:
        return len(self.delegates)

    @property
    def ready(self) -> int:
        """Accredited, and a device that can be added now."""
        return sum(delegate.ready for delegate in self.delegates)


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the board shows to one reader. `step` is the reader's one next step, a word of `READER_STEPS`."""

    consultation: Consultation
    place: ConsultationPlace
    proposer: str
    """party"""
    counterpart: str
    """party of the other Co-Chair"""
    convened: bool
    room: delivery.NamedRoom | None
    """the plenary, once it is open"""
    rows: tuple[PartyRow, ...]
    chairs: tuple[DelegateRow, ...]
    officers: tuple[DelegateRow, ...]
    """seated by both Co-Chairs"""
    step: str


PARTY_STEPS = (
    "not_invited",
    "needs_focal_point",
    "not_reached",
    "no_answer",
    "awaiting_instructions",
    "declined",
    "needs_delegates",
    "needs_undertaking",
    "needs_device",
    "ready",
)
READER_STEPS = (
    "sign_or_return",
    "await_counterpart",
    "ended",
    "open_room",
    "answer",
    "answer_when_instructed",
    "declined",
    "accredit",
    "undertake",
    "await_room",
    "enter_room",
    "nothing",
)


def read_board(*, account: Account, consultation_id: str, now: datetime) -> Board:
    """The board as this person may see it."""
    place = access.access_consultation(account=account, consultation_id=consultation_id)
    consultation, standing = place.consultation, installation.established()
    convened = consultation.state in (Consultation.State.CONCURRED, Consultation.State.OPEN)
    people = _people(consultation, now=now)
    rows = _rows(place, standing, people, convened=convened)
    by_card = {card: party for party, card in standing.chairs.items()}
    proposer = by_card.get(consultation.proposer, "")
    rooms = delivery.rooms_of(consultation.id)
    room = next((each for each in rooms if each.kind == "plenary"), None)
    return Board(
        consultation=consultation,
        place=place,
        proposer=proposer,
        counterpart=next((party for party in standing.chairs if party != proposer), ""),
        convened=convened,
        room=room,
        rows=rows,
        chairs=tuple(person for person in people if person.capacity == "chair"),
        officers=tuple(person for person in people if person.capacity in Delegate.SEATED_BY_CHAIRS),
        step=_reader_step(place, rows, room_open=room is not None),
    )


@transaction.atomic
def mark_reached(*, account: Account, consultation_id: str, now: datetime) -> bool:
    """The party's focal point has the invitation on the screen, signed in. Recorded the first time only; true then."""
    place = access.access_consultation(account=account, consultation_id=consultation_id)
    if place.focal_point_of is None or place.consultation.concurred_at is None:
        return False
    row = Composition.objects.filter(consultation_id=consultation_id, party_id=place.focal_point_of, reached_at=None)
    if row.update(reached_at=now) != 1:
        return False
    journal.note(type="invitation.opened", about={}, now=now, by=place.card, scope=consultation_id, party=place.focal_point_of)
    return True


# ------------------------------------------------------------------------------------------------------------------ rows


def _people(consultation: Consultation, *, now: datetime) -> list[DelegateRow]:
    places = list(Delegate.objects.filter(consultation=consultation, withdrawn_at=None).order_by("party", "id"))
    known = cards.cards_named(place.card for place in places)
    devices = cards.devices_of(known)
    reachable = key_packages.ready_devices([client.hash for held in devices.values() for client in held], now=now)
    return [_person(place, known, devices.get(place.card, []), reachable) for place in places]


def _person(place: Delegate, known: Mapping[str, Card], held: list[Client], reachable: frozenset[str]) -> DelegateRow:
    card = known.get(place.card)
    return DelegateRow(
        card=place.card,
        name=roll.name_of(card) if card else "",
        party=place.party,
        capacity=place.capacity,
        undertaken=place.undertaken_at is not None or place.capacity == "chair",
        seated=place.seated,
        devices=len(held),
        ready=any(client.hash in reachable for client in held),
    )


def _rows(place: ConsultationPlace, standing: Installation, people: list[DelegateRow], *, convened: bool) -> tuple[PartyRow, ...]:
    """Chairing parties first, then by capacity as the composition orders it, then by name."""
    composition = list(Composition.objects.filter(consultation=place.consultation).select_related("party"))
    focal = cards.cards_named(standing.focal_points.values())
    rows = [_row(row, place, focal.get(standing.focal_points.get(row.party_id, "")), people, convened=convened) for row in composition]
    order = ("chair", "steering_group", "affected", "invited", "observer")
    return tuple(sorted(rows, key=lambda row: (order.index(row.capacity), row.name)))


def _row(row: Composition, place: ConsultationPlace, focal: Card | None, people: list[DelegateRow], *, convened: bool) -> PartyRow:
    party: Party = row.party
    delegates = tuple(
        person for person in people if person.party == party.code and person.capacity not in ("chair", *Delegate.SEATED_BY_CHAIRS)
    )
    told = place.chair or place.focal_point_of == party.code
    return PartyRow(
        code=party.code,
        name=party.name,
        zone=party.zone,
        capacity=row.capacity,
        history=row.history,
        focal_point=focal.hash if focal else "",
        focal_person=roll.name_of(focal) if focal else "",
        invited=convened and focal is not None,
        reached_at=row.reached_at if told else None,
        answer=row.answer,
        answered_at=row.answered_at,
        delegates=delegates,
        step=_party_step(row, delegates, reachable=focal is not None, convened=convened, told=told),
    )


def _party_step(row: Composition, delegates: tuple[DelegateRow, ...], *, reachable: bool, convened: bool, told: bool) -> str:
    if not convened:
        return "not_invited"
    match row.answer:
        case Answer.ACCEPT:
            return _delegation_step(delegates)
        case Answer.DECLINE:
            return "declined"
        case Answer.AWAITING:
            return "awaiting_instructions"
    if not reachable:
        return "needs_focal_point"
    return "no_answer" if row.reached_at or not told else "not_reached"


def _delegation_step(delegates: tuple[DelegateRow, ...]) -> str:
    undertaken = [delegate for delegate in delegates if delegate.undertaken]
    if not undertaken:
        return "needs_undertaking" if delegates else "needs_delegates"
    return "ready" if any(delegate.ready for delegate in undertaken) else "needs_device"


# ------------------------------------------------------------------------------------------------------------- the one next step


def _reader_step(place: ConsultationPlace, rows: tuple[PartyRow, ...], *, room_open: bool) -> str:
    """A chair's own step first; then what a focal point owes its party; then what a delegate needs to sit down."""
    if place.chair:
        return _chair_step(place, room_open=room_open)
    own = next((row for row in rows if row.code == place.focal_point_of), None)
    owed = _focal_point_step(own) if own is not None else None
    return owed or _delegate_step(place.delegate, room_open=room_open)


def _focal_point_step(own: PartyRow) -> str | None:
    match own.answer:
        case Answer.NONE:
            return "answer"
        case Answer.DECLINE:
            return "declined"
        case Answer.AWAITING:
            return "answer_when_instructed"
    return None if own.delegates else "accredit"


def _delegate_step(place: Delegate | None, *, room_open: bool) -> str:
    if place is not None and place.undertaken_at is None:
        return "undertake"
    if place is None or not place.seated:
        return "nothing"
    return "enter_room" if room_open else "await_room"


def _chair_step(place: ConsultationPlace, *, room_open: bool) -> str:
    state = place.consultation.state
    if state == Consultation.State.PROPOSED:
        return "await_counterpart" if place.card == place.consultation.proposer else "sign_or_return"
    if state in (Consultation.State.RETURNED, Consultation.State.WITHDRAWN):
        return "ended"
    return "enter_room" if room_open else "open_room"
