"""What a set of chains says: the installation, accounts, one consultation and its rooms, as values.

Pure: no clock, no database. `meetings/judging.py` makes one from chains, `meetings/rules.py` says how each act changes it.
The same shapes stand in `consult/browser/crypto/standing.ts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from secure.errors import BadInput, Conflict, Forbidden


@dataclass(frozen=True)
class Installation:
    """The installation as of one place of its chain."""

    inst: str
    hash: str
    n: int
    chairs: Mapping[str, str]
    """party → card"""
    log: str
    focal_points: Mapping[str, str]
    """party → card"""
    compromised: frozenset[str]
    """former focal points' cards whose accreditations are void"""

    @property
    def chair_cards(self) -> frozenset[str]:
        return frozenset(self.chairs.values())


@dataclass(frozen=True)
class Device:
    signature_key: bytes
    revoked: bool = False


@dataclass(frozen=True)
class Account:
    card: str
    party: str
    installation: str | None
    account_key: bytes
    xwing_key: bytes
    places: tuple[str, ...]
    """the statement at each place"""
    up: str | None
    devices: Mapping[str, Device]


@dataclass(frozen=True)
class Row:
    """A party in a composition."""

    capacity: str
    history: str


@dataclass(frozen=True)
class Accreditation:
    party: str
    capacity: str
    by: str
    """the focal point's card which signed it"""


@dataclass(frozen=True)
class Seating:
    """A place given by both Co-Chairs."""

    capacity: str
    rooms: tuple[str, ...]


@dataclass(frozen=True)
class Consultation:
    id: str
    places: tuple[str, ...]
    """the statement at each place"""
    up: str
    proposer: str
    composition: Mapping[str, Row]
    undertaking: str
    state: str
    """proposed, returned, withdrawn, concurred or disposed"""
    answers: Mapping[str, str] = field(default_factory=dict)
    accredited: Mapping[str, Accreditation] = field(default_factory=dict)
    undertaken: frozenset[str] = frozenset()
    seated: Mapping[str, Seating] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    excluded_devices: frozenset[tuple[str, str]] = frozenset()
    """(card, device)"""


@dataclass(frozen=True)
class Room:
    id: str
    kind: str


@dataclass(frozen=True)
class Standing:
    """The installation at each of its places, the accounts, one consultation, its rooms."""

    installation: tuple[Installation, ...] = ()
    accounts: Mapping[str, Account] = field(default_factory=dict)
    consultation: Consultation | None = None
    rooms: Mapping[str, Room] = field(default_factory=dict)

    @property
    def newest(self) -> Installation | None:
        return self.installation[-1] if self.installation else None


# -------------------------------------------------------------------------------------------------------------- common questions


def in_place(seen: Installation | None) -> Installation:
    if seen is None:
        raise BadInput("no_installation")
    return seen


def known(standing: Standing, card: str) -> Account:
    account = standing.accounts.get(card)
    if account is None:
        raise BadInput("unknown_card")
    return account


def of_installation(standing: Standing, seen: Installation, card: str) -> Account:
    """A card made for this installation; the chairs' were made before it existed."""
    account = known(standing, card)
    if account.installation != seen.inst and card not in seen.chair_cards:
        raise BadInput("foreign_installation")
    return account


def member_of(standing: Standing, seen: Installation, card: str, party: str) -> None:
    if of_installation(standing, seen, card).party != party:
        raise BadInput("wrong_party")


def convened(standing: Standing) -> Consultation:
    if standing.consultation is None:
        raise BadInput("no_such_chain")
    return standing.consultation


def concurred(standing: Standing) -> Consultation:
    consultation = convened(standing)
    if consultation.state != "concurred":
        raise Conflict("not_due")
    return consultation


def invited(consultation: Consultation, party: str) -> None:
    if party not in consultation.composition:
        raise Forbidden("not_in_composition")


def with_account(standing: Standing, account: Account) -> Standing:
    return replace(standing, accounts={**standing.accounts, account.card: account})
