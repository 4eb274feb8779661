"""Invitations: a code for one person, used once, expiring (docs/protocol.md, section 3).

The code's secret never reaches the server, which knows a code by its *locator*. Who may invite whom is a rule of the layers above and
comes in as an argument. The holder's side is `secure/enrolling.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from secure import cards, chains, codes
from secure.errors import Conflict, Forbidden, NotFound
from secure.log import events
from secure.log.disclosures import Personal, invited_subject
from secure.models import Account, Enrolment
from secure.statements import ROOT, Signed

LASTS = timedelta(days=14)
"""A code travels by note verbale or by hand; two weeks are enough for that and short for a thief."""
WAITING_MOST = 200
"""Unused codes one person may have out."""
CHAIRS = ("IDN", "AUS")
"""The Co-Chairs' parties, by their codes: the only two people whom the host itself invites."""

MayInvite = Callable[[Account, str, str], bool]
"""(inviter, purpose, party) → whether this person may invite for it."""


@dataclass(frozen=True)
class Invitation:
    """An inviter's own code, and what became of it."""

    id: str
    locator: str
    name: str
    purpose: str
    party: str
    state: str
    card: Signed | None
    mac: str | None
    created: datetime
    expires: datetime


@transaction.atomic
def invite_chairs(*, indonesia_name: str, australia_name: str, now: datetime) -> tuple[str | None, str | None]:
    """The Co-Chairs' two codes, by the host's operator, before there is an installation. None for one who has enrolled already.

    Earlier codes that nobody used stop working. Nobody has to believe the host in this: the two compare fingerprints by telephone.
    """
    enrolled = set(Enrolment.objects.exclude(used=None).filter(purpose="chair").values_list("party", flat=True))
    if chains.founded_by(ROOT) or enrolled.issuperset(CHAIRS):
        raise Conflict("chairs_enrolled")
    Enrolment.objects.filter(purpose="chair", used=None, withdrawn=None).update(withdrawn=now)
    made = [
        None if party in enrolled else _invite_chair(party=party, name=name, now=now)
        for party, name in zip(CHAIRS, (indonesia_name, australia_name), strict=True)
    ]
    return made[0], made[1]


@transaction.atomic
def invite(*, actor: Account, locator: str, purpose: str, party: str, name: str, may_invite: MayInvite, now: datetime) -> Enrolment:
    """A code for one person. The inviter's browser made it and keeps its secret; the locator is all that comes here."""
    if purpose == Enrolment.Purpose.CHAIR or not may_invite(actor, purpose, party):
        raise Forbidden("may_not_invite")
    if Enrolment.objects.filter(inviter=actor, used=None, withdrawn=None, expires__gt=now).count() >= WAITING_MOST:
        raise Conflict("too_many_codes")
    return _invited(inviter=actor, locator=locator, purpose=purpose, party=party, name=name, now=now)


def invitations_of(account: Account, *, now: datetime) -> list[Invitation]:
    """The codes this person made and did not withdraw, newest first."""
    rows = Enrolment.objects.select_related("account").filter(inviter=account, withdrawn=None)
    return [_invitation(row, now=now) for row in rows.order_by("-created", "pk")]


@transaction.atomic
def withdraw(*, actor: Account, enrolment: str, now: datetime) -> None:
    """The code stops working. One that was used is no longer a code: then it is the card that must not be signed."""
    row = _own(actor, enrolment)
    if Enrolment.objects.filter(pk=row.pk, used=None, withdrawn=None).update(withdrawn=now) != 1:
        raise Conflict("enrolment_used")
    record("invitation.withdrawn", row, now=now, by=_card_hash(actor))


@transaction.atomic
def confirm(*, actor: Account, enrolment: str, card: str, now: datetime, then: Callable[[Account], object]) -> None:
    """The inviter's browser has checked the mark on an officer's card; `then` gives the office, in the same transaction."""
    row = _own(actor, enrolment)
    if row.account is None or row.purpose != Enrolment.Purpose.SECRETARIAT:
        raise Conflict("not_due")
    if _card_hash(row.account) != card:
        raise Conflict("card_differs")
    then(row.account)
    if Enrolment.objects.filter(pk=row.pk, confirmed=None).update(confirmed=now):
        record("invitation.confirmed", row, now=now, by=_card_hash(actor))


def mark_confirmed(*, card: str, now: datetime) -> None:
    """A statement has named this card (`party.key`, `accredit`). Inside the transaction of that statement."""
    Enrolment.objects.filter(account__cards__hash=card, account__cards__current=True, confirmed=None).update(confirmed=now)


def record(type: str, row: Enrolment, *, now: datetime, by: str | None) -> None:
    """A host event: purpose and party in the open, the person's name as a disclosure."""
    events.record_host(
        ns=events.HOST,
        type=type,
        data={"enrolment": row.id, "purpose": row.purpose, "by": by},
        at=now,
        names=[Personal("person", row.name, invited_subject(row))],
        party=row.party,
        by=[by] if by else [],
    )


def _invite_chair(*, party: str, name: str, now: datetime) -> str:
    code = codes.new_code(inst=None)
    _invited(inviter=None, locator=code.locator, purpose="chair", party=party, name=name, now=now)
    return code.text


def _invited(*, inviter: Account | None, locator: str, purpose: str, party: str, name: str, now: datetime) -> Enrolment:
    try:
        with transaction.atomic():
            row = Enrolment.objects.create(
                id=secrets.token_hex(16),
                locator=locator,
                purpose=purpose,
                party=party,
                name=name,
                inviter=inviter,
                created=now,
                expires=now + LASTS,
            )
    except IntegrityError as error:
        raise Conflict("locator_used") from error
    record("invitation.made", row, now=now, by=_card_hash(inviter) if inviter else None)
    return row


def _own(actor: Account, enrolment: str) -> Enrolment:
    row = Enrolment.objects.select_related("account").filter(pk=enrolment, inviter=actor, withdrawn=None).first()
    if row is None:
        raise NotFound()
    return row


def _invitation(row: Enrolment, *, now: datetime) -> Invitation:
    card = _card_hash(row.account) if row.account else None
    chain = chains.read(card) if card else []
    return Invitation(
        id=row.id,
        locator=row.locator,
        name=row.name,
        purpose=row.purpose,
        party=row.party,
        state=_state(row, now),
        card=chain[0] if chain else None,
        mac=row.mac or None,
        created=row.created,
        expires=row.expires,
    )


def _state(row: Enrolment, now: datetime) -> str:
    if row.confirmed:
        return "confirmed"
    if row.used:
        return "enrolled"
    return "waiting" if row.expires > now else "expired"


def _card_hash(account: Account) -> str | None:
    card = cards.current_card(account)
    return card.hash if card else None
