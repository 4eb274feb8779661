"""The closed table of acts: statement type → the one function that performs it. The doors to all of them are here.

Every act goes the same way, in one transaction: judged after the stored chains (`meetings/reading.py`), appended by compare-and-swap with
its event, what it encloses kept, the projections rebuilt. Rooms hear of it after commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction

from meetings import access, accreditation, convening, devices, disposal, enclosures, installation, parties, reading, seating
from meetings.act import Act
from meetings.statements import TABLE, Chain, kind_of
from secure import cards, chains, drafts, fanout, statements
from secure.errors import BadInput, Forbidden, NotFound
from secure.log.disclosures import Personal
from secure.statements import ROOT

if TYPE_CHECKING:
    from secure.drafts import Waiting
    from secure.models import Account, Card
    from secure.statements import Signed

Enclosed = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Performed:
    """Where the statement now stands."""

    hash: str
    scope: str
    n: int


PERFORM: Final[Mapping[str, Callable[[Act], None]]] = {
    ROOT: installation.found,
    "party.key": installation.replace_focal_point,
    "device.add": devices.add,
    "device.revoke": devices.revoke,
    "consultation.propose": convening.propose,
    "consultation.return": convening.end,
    "consultation.withdraw": convening.end,
    "consultation.concur": convening.concur,
    "invitation.answer": accreditation.answer,
    "accredit": accreditation.accredit,
    "withdraw": accreditation.withdraw,
    "undertaking": accreditation.undertake,
    "seat": seating.seat,
    "unseat": seating.unseat,
    "exclude": seating.exclude,
    "consultation.dispose": disposal.dispose,
    "room.open": convening.open_room,
}
"""Every row of `meetings.statements.TABLE` but `account.card`, which only enrolment brings."""


@transaction.atomic(durable=True)
def submit(*, actor: Account, signed: Signed, enclosed: Enclosed, now: datetime) -> Performed:
    """Perform a fully signed act of the caller's own. Acts of both Co-Chairs come through `begin` and `second`."""
    if kind_of(signed.statement).both_chairs:
        raise BadInput("needs_draft")
    if parties.card_of(actor) not in signed.cards:
        raise Forbidden("wrong_signer")
    _refuse_hidden(actor, signed)
    return perform(signed=signed, enclosed=enclosed, now=now)


def _refuse_hidden(actor: Account, signed: Signed) -> None:
    """A consultation this person may not see and one that does not exist give the same answer, whatever else is wrong."""
    consultation = reading.consultation_of(signed)
    if consultation is not None:
        access.access_consultation(account=actor, consultation_id=consultation)


def perform(*, signed: Signed, enclosed: Enclosed, now: datetime, late: bool = False) -> Performed:
    """Judge, append, apply. Runs inside the caller's transaction. `late`: the second signature of a draft."""
    kind = kind_of(signed.statement)
    row = PERFORM.get(signed.statement.type)
    if row is None:
        raise Forbidden("only_at_enrolment")
    if kind.chain is Chain.INSTALLATION:
        installation.lock()
    after = reading.lawful(signed)
    act = Act(signed=signed, enclosed=enclosed, after=after, now=now, late=late)
    about = cards.card_named(str(act.body.get("card", "")))
    chains.append(signed=signed, now=now, names=_names(about), party=_party(act, about))
    row(act)
    rooms = seating.rebuild_after(act)
    transaction.on_commit(lambda: fanout.notify_due(rooms))
    return Performed(hash=signed.hash, scope=signed.scope_name, n=signed.statement.n)


def _names(about: Card | None) -> list[Personal]:
    """For the record: whom the act is about. The name can be erased; the event stays."""
    return [Personal("person", about.account.name, about.hash)] if about and about.account.name else []


def _party(act: Act, about: Card | None) -> str:
    """The party it concerns: the statement says it, or the card."""
    return str(act.body.get("party") or (about.party if about else ""))


# ------------------------------------------------------------------------------------------------------- acts of both Co-Chairs


@transaction.atomic(durable=True)
def begin(*, actor: Account, signed: Signed, enclosed: Enclosed, now: datetime) -> str:
    """Keep a statement with one of its two signatures, for the other Co-Chair; returns its hash."""
    if not kind_of(signed.statement).both_chairs:
        raise BadInput("needs_no_draft")
    _refuse_all_but_chairs(actor)
    if signed.cards != (parties.card_of(actor),):
        raise Forbidden("wrong_signer")
    after = reading.lawful(signed, draft=True)
    _check_enclosed(Act(signed=signed, enclosed=enclosed, after=after, now=now, late=False))
    return drafts.keep(signed=signed, enclosed=enclosed, now=now)


def _check_enclosed(act: Act) -> None:
    """The wraps which the act causes are there before anybody signs a second time."""
    if act.type == "party.key":
        installation.check_wraps(act)
    elif act.type == "seat":
        seating.check_wrap(act)
    elif act.type == "consultation.dispose":
        disposal.check(act)
    else:
        enclosures.refuse_others(act.enclosed)


def waiting_drafts(*, account: Account) -> list[Waiting]:
    """What waits for a second signature; only the two Co-Chairs see it."""
    return drafts.waiting() if parties.is_chair(account) else []


@transaction.atomic(durable=True)
def second(*, actor: Account, draft: str, signature: tuple[str, bytes], now: datetime) -> Performed:
    """The second signature: the draft becomes a statement in its chain."""
    if not parties.is_chair(actor):
        raise NotFound
    waiting = drafts.named(draft)
    card, octets = signature
    if card != parties.card_of(actor):
        raise Forbidden("wrong_signer")
    signed = statements.joined(waiting.signed, card=card, signature=octets)
    drafts.discard(draft)
    return perform(signed=signed, enclosed=waiting.enclosed, now=now, late=True)


@transaction.atomic(durable=True)
def discard(*, actor: Account, draft: str) -> None:
    """Throw a draft away; either Co-Chair may."""
    if not parties.is_chair(actor):
        raise NotFound
    drafts.discard(draft)


def _refuse_all_but_chairs(actor: Account) -> None:
    if not parties.is_chair(actor):
        raise Forbidden("chairs_only")


assert set(PERFORM) == set(TABLE) - {"account.card"}
