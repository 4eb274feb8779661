"""Cards and devices as rows: projections of `account.card`, `device.add` and `device.revoke`, for quick look-up.

Every writing function runs inside the caller's transaction, next to the statement it follows from.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from secure.errors import Conflict, Forbidden, NotFound
from secure.models import Account, Card, Client

if TYPE_CHECKING:
    from secure.statements import Signed


def current_card(account: Account) -> Card | None:
    """The card the account signs with now; none before its enrolment is complete."""
    return Card.objects.filter(account=account, current=True).first()


def cards_of_account(account: Account) -> list[Card]:
    """Every card the person has had."""
    return list(Card.objects.filter(account=account).order_by("hash"))


def card_named(card_hash: str) -> Card | None:
    """A card, with its account loaded."""
    return Card.objects.select_related("account").filter(hash=card_hash).first()


def cards_named(card_hashes: Iterable[str]) -> dict[str, Card]:
    """Cards by hash, with their accounts loaded; unknown ones are absent."""
    found = Card.objects.select_related("account").filter(hash__in=set(card_hashes))
    return {card.hash: card for card in found}


def cards_of_party(party: str) -> list[Card]:
    """Current cards of a party, oldest account first."""
    found = Card.objects.select_related("account").filter(party=party, current=True)
    return list(found.order_by("account__created", "hash"))


def cards_enrolled_as(purpose: str) -> list[Card]:
    """Current cards of the accounts enrolled for a purpose; before there is an installation, that is how chairs are known."""
    found = Card.objects.select_related("account").filter(account__enrolment__purpose=purpose, current=True)
    return list(found.order_by("party", "hash"))


def cards_invited_by(account: Account) -> list[Card]:
    """Current cards of the people this account invited, whose codes were not withdrawn."""
    found = Card.objects.select_related("account").filter(
        account__enrolment__inviter=account, account__enrolment__withdrawn=None, current=True
    )
    return list(found.order_by("account__created", "hash"))


def add_card(*, account: Account, signed: Signed) -> Card:
    """The account's new current card; a former one stops being current."""
    body = signed.statement.body
    Card.objects.filter(account=account, current=True).update(current=False)
    return Card.objects.create(
        hash=signed.hash,
        account=account,
        party=str(body["party"]),
        account_key=base64.b64decode(str(body["account_key"])),
        xwing_key=base64.b64decode(str(body["xwing_key"])),
    )


def add_device(*, signed: Signed, label: str, now: datetime) -> Client:
    """The device of a `device.add`. A signature key serves one device, for ever."""
    card = card_named(signed.scope_name)
    if card is None:
        raise NotFound
    key = base64.b64decode(str(signed.statement.body["signature_key"]))
    if Client.objects.filter(signature_key=key).exists():
        raise Conflict("device_key_used")
    return Client.objects.create(hash=signed.hash, card=card, signature_key=key, label=label, added=now)


def revoke_device(*, card_hash: str, device: str, now: datetime) -> None:
    """The card's device is out of use. Somebody else's, or one already revoked, is refused."""
    if not Client.objects.filter(hash=device, card_id=card_hash, revoked=None).update(revoked=now):
        raise Forbidden("no_such_device")


def device_named(device: str) -> Client | None:
    """A device in use, with card and account loaded."""
    return Client.objects.select_related("card__account").filter(hash=device, revoked=None).first()


def device_ever(device: str) -> Client | None:
    """A device, revoked or not, with card and account loaded."""
    return Client.objects.select_related("card__account").filter(hash=device).first()


def devices_of(card_hashes: Iterable[str]) -> dict[str, list[Client]]:
    """The devices in use, by card."""
    found: dict[str, list[Client]] = {}
    for client in Client.objects.filter(card_id__in=set(card_hashes), revoked=None).order_by("added", "hash"):
        found.setdefault(client.card_id, []).append(client)
    return found
