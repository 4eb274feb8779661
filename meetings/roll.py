"""Who holds which office, with names: for pages. Names are what people enrolled under; offices follow from statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext

from meetings import installation, parties
from meetings.models import Delegate, Officer, Party
from meetings.register_words import SOMEBODY
from secure import cards, chains

if TYPE_CHECKING:
    from secure.models import Account, Card


@dataclass(frozen=True, slots=True)
class Office:
    """A party and the person who holds its office (Co-Chair, focal point); `person` and `card` are empty while it is vacant."""

    party: Party
    person: str
    card: str


@dataclass(frozen=True, slots=True)
class Seatable:
    """Somebody who gets a seat only by both Co-Chairs' signatures."""

    card: str
    name: str
    party: str
    capacity: str


def chairs() -> list[Office]:
    """The two chairing parties. Before `chairs.root`, whoever enrolled with the two codes of the command line."""
    now = installation.current()
    held = dict(now.chairs) if now else {card.party: card.hash for card in cards.cards_enrolled_as("chair")}
    chairing = [party for party in parties.all_parties() if party.code in held or (now is None and party.chairing)]
    return _offices(sorted(chairing, key=lambda party: party.name != "Indonesia"), held)


def focal_points() -> list[Office]:
    """Every member by name, with its focal point if it has one."""
    now = installation.current()
    return _offices(parties.all_parties(), dict(now.focal_points) if now else {})


def party_names() -> dict[str, str]:
    """Code → name, of every member."""
    return {party.code: party.name for party in parties.all_parties()}


def persons(offices: Iterable[Office]) -> dict[str, str]:
    """Party → name of the person in office, where there is one."""
    return {office.party.code: office.person for office in offices if office.card}


def chairs_of(*, proposer: str) -> tuple[Office, Office]:
    """The Co-Chair who proposed, then the other one. `proposer` is a card."""
    first, second = chairs()
    return (first, second) if first.card == proposer else (second, first)


def signers(statement: str) -> list[Office]:
    """The Co-Chairs who signed a statement, with the names they bear today."""
    found = chains.find(statement)
    known = cards.cards_named(found.cards if found else ())
    named = parties.parties_named({card.party for card in known.values()})
    return [Office(named[card.party], name_of(card), card.hash) for card in sorted(known.values(), key=lambda each: each.party)]


def seatable() -> list[Seatable]:
    """Whom both Co-Chairs can seat: officers of the secretariat and their own staff."""
    served = [Seatable(card.hash, name_of(card), card.party, "secretariat") for card in officers()]
    return served + [Seatable(card.hash, name_of(card), card.party, "chair_staff") for card in chair_staff()]


def officers() -> list[Card]:
    """Cards of the secretariat's officers in office, with their accounts loaded."""
    serving = set(Officer.objects.filter(until=None).values_list("account_id", flat=True))
    return [card for card in cards.cards_of_party(parties.SECRETARIAT) if card.account_id in serving]


def chair_staff() -> list[Card]:
    """People of the two chairing parties who are not Co-Chairs themselves."""
    now = installation.current()
    if now is None:
        return []
    return [card for party in now.chairs for card in cards.cards_of_party(party) if not now.is_chair(card.hash)]


def people_of(party: str) -> list[Card]:
    """Everybody enrolled for a party, with accounts loaded."""
    return cards.cards_of_party(party)


def name_of(card: Card) -> str:
    """The name the person enrolled under, or that it was erased."""
    return card.account.name or gettext(SOMEBODY)


def names(card_hashes: Iterable[str]) -> dict[str, str]:
    """Card → the person's name. Only for people the reader may see."""
    return {name: name_of(card) for name, card in cards.cards_named(card_hashes).items()}


def names_in(consultation_id: str) -> dict[str, str]:
    """Everybody who has or had a place in the consultation, and the Co-Chairs. For people who may see it."""
    now = installation.established()
    placed = Delegate.objects.filter(consultation_id=consultation_id).values_list("card", flat=True)
    return names({*now.chairs.values(), *placed})


def names_for_chair() -> dict[str, str]:
    """The names a Co-Chair needs on drafts: everybody in office and everybody enrolled by a code."""
    holders = [office.card for office in (*chairs(), *focal_points()) if office.card]
    invited = [card.hash for purpose in ("focal_point", "secretariat", "delegate") for card in cards.cards_enrolled_as(purpose)]
    return names({*holders, *invited})


def names_for(account: Account) -> dict[str, str]:
    """Names for the reader's own page: themselves and the people they invited."""
    own = parties.card_of(account)
    return names({own, *(card.hash for card in cards.cards_invited_by(account))} - {""})


def _offices(members: list[Party], held: dict[str, str]) -> list[Office]:
    known = names(held.values())
    return [Office(party, known.get(held.get(party.code, ""), ""), held.get(party.code, "")) for party in members]
