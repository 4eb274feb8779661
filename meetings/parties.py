"""Who is who: parties, Co-Chairs, focal points, officers of the secretariat. All but the last follow from statements."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from meetings import installation, journal
from meetings.models import Officer, Party
from secure import cards
from secure.errors import Forbidden
from secure.log.disclosures import Personal

if TYPE_CHECKING:
    from secure.models import Account

SECRETARIAT = "RSO"
SECRETARIAT_NAME = "Regional Support Office"
SECRETARIAT_ZONE = "Asia/Bangkok"


def all_parties() -> list[Party]:
    """Every member, by name."""
    return list(Party.objects.order_by("name", "code"))


def parties_named(codes: list[str] | set[str]) -> dict[str, Party]:
    return {party.code: party for party in Party.objects.filter(code__in=codes)}


def name_of(code: str) -> str:
    """The name to show for a party's code, or for the secretariat."""
    if code == SECRETARIAT:
        return SECRETARIAT_NAME
    return Party.objects.filter(code=code).values_list("name", flat=True).first() or code


def zone_of(code: str) -> str:
    """IANA time zone of the party's capital or seat."""
    if code == SECRETARIAT:
        return SECRETARIAT_ZONE
    return Party.objects.filter(code=code).values_list("zone", flat=True).first() or "UTC"


def card_of(account: Account) -> str:
    """Hash of the account's current card; empty before its enrolment is complete."""
    card = cards.current_card(account)
    return card.hash if card else ""


def party_of(account: Account) -> str:
    """Code of the party the account's card is bound to (`RSO` for the secretariat); empty without a card."""
    card = cards.current_card(account)
    return card.party if card else ""


def is_chair(account: Account) -> bool:
    """One of the two Co-Chairs. Before `chairs.root`: enrolled by one of the two codes of the command line."""
    card = cards.current_card(account)
    if card is None:
        return False
    now = installation.current()
    if now is None:
        return any(card.hash == chair.hash for chair in cards.cards_enrolled_as("chair"))
    return now.is_chair(card.hash)


def focal_point_of(account: Account) -> str | None:
    """Code of the party whose present focal point this is."""
    card, now = cards.current_card(account), installation.current()
    return now.focal_point_of(card.hash) if card and now else None


def is_officer(account: Account) -> bool:
    """A confirmed officer of the secretariat, still in office."""
    return Officer.objects.filter(account=account, until=None).exists()


def may_invite(*, account: Account, purpose: str, party: str) -> bool:
    """Chairs invite focal points and officers; a focal point the delegates of its own party. Nobody invites chairs here."""
    if purpose == "focal_point":
        return is_chair(account) and _can_act() and Party.objects.filter(code=party).exists()
    if purpose == "secretariat":
        return is_chair(account) and _can_act() and party == SECRETARIAT
    if purpose == "delegate":
        return focal_point_of(account) == party
    return False


def _can_act() -> bool:
    """Codes carry the installation's pin, so nobody is invited before there is one."""
    return installation.current() is not None


@transaction.atomic
def confirm_officer(*, actor: Account, account: Account, now: datetime) -> Officer:
    """The inviting Co-Chair has checked the card's mark: the person becomes an officer. Runs inside the door's transaction."""
    if not is_chair(actor):
        raise Forbidden("chairs_only")
    card = cards.current_card(account)
    if card is None or card.party != SECRETARIAT:
        raise Forbidden("not_secretariat")
    officer, fresh = Officer.objects.get_or_create(account=account, defaults={"since": now})
    if fresh:
        journal.note(
            type="officer.confirmed",
            about={"card": card.hash},
            now=now,
            by=card_of(actor),
            names=[Personal("person", account.name, card.hash)],
            party=SECRETARIAT,
        )
    return officer
