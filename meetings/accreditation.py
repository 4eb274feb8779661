"""A party answers its invitation and says who sits for it; each person gives the undertaking of confidentiality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meetings import enclosures, seating
from secure import enrolment

if TYPE_CHECKING:
    from meetings.act import Act


def answer(act: Act) -> None:
    """Accepting, declining and awaiting instructions are all normal answers; the latest one counts."""
    enclosures.refuse_others(act.enclosed)


def accredit(act: Act) -> None:
    """The person sits for the party, and gets the brief with the same request."""
    seating.wrap_for(act, act.body["card"])
    enrolment.mark_confirmed(card=act.body["card"], now=act.now)


def withdraw(act: Act) -> None:
    """The person no longer sits for the party."""
    enclosures.refuse_others(act.enclosed)


def undertake(act: Act) -> None:
    """The person has given the undertaking whose text the proposal names. No seat without it."""
    enclosures.refuse_others(act.enclosed)
