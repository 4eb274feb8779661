"""Whether a person may be erased, as the rules of procedure have it: nobody who still holds a seat, a place or an office."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from meetings import installation, parties
from meetings.models import Delegate, Officer, ProposalDraft
from secure import cards, erasure
from secure.errors import Conflict

if TYPE_CHECKING:
    from secure.erasure import Erased
    from secure.models import Account


def erase_person(*, which: str, now: datetime) -> Erased:
    """Name, sign-in and keys of a person go for good; `which` is a sign-in name, a card or an invitation.

    Refuses with `still_seated` while the person has a place in a consultation that was not disposed of, with `still_in_office` for a
    Co-Chair or a focal point. An officer's office ends with it.
    """

    def ready(account: Account) -> None:
        _refuse_holders(account)
        Officer.objects.filter(account=account, until=None).update(until=now)
        ProposalDraft.objects.filter(account=account).delete()

    return erasure.erase(which=which, ready=ready, now=now)


def _refuse_holders(account: Account) -> None:
    held = [card.hash for card in cards.cards_of_account(account)]
    if Delegate.objects.filter(card__in=held, withdrawn_at=None).exists():
        raise Conflict("still_seated")
    now = installation.current()
    if parties.is_chair(account) or (now is not None and any(now.focal_point_of(card) for card in held)):
        raise Conflict("still_in_office")
