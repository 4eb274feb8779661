"""Cards and devices: what enrolment brings, and what an account's chain says later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from meetings import enclosures, reading
from secure import cards, chains, key_packages, limits
from secure.errors import BadInput, Conflict, TooMany
from secure.log.disclosures import Personal

if TYPE_CHECKING:
    from meetings.act import Act
    from secure.models import Account, Card, Client
    from secure.statements import Signed

MOST_DEVICES = 10
"""In use at one time by one person."""
LABEL = 80


@dataclass(frozen=True, slots=True)
class FirstDevice:
    """What a browser brings at enrolment: its card's first device, a name for it, and packages by which rooms can add it."""

    statement: Signed
    label: str
    key_packages: Sequence[bytes]
    last_resort: bytes | None


def enrol(*, account: Account, party: str, card: Signed, device: FirstDevice, now: datetime) -> tuple[Card, Client]:
    """Store the person's card and first device. Runs inside the transaction that completes the enrolment.

    The card must be for the party of the code, and the device's statement must follow in the card's own chain.
    """
    if card.statement.type != "account.card" or device.statement.statement.type != "device.add":
        raise BadInput("malformed")
    if device.statement.statement.scope != card.hash:
        raise BadInput("wrong_scope")
    if card.statement.body.get("party") != party:
        raise BadInput("wrong_party")
    if cards.current_card(account) is not None:
        raise Conflict("already_enrolled")
    reading.lawful(card)
    chains.append(signed=card, now=now, names=[Personal("person", account.name, card.hash)], party=party)
    row = cards.add_card(account=account, signed=card)
    reading.lawful(device.statement)
    chains.append(signed=device.statement, now=now)
    client = cards.add_device(signed=device.statement, label=device.label, now=now)
    key_packages.publish(client=client, key_packages=device.key_packages, last_resort=device.last_resort, now=now)
    return row, client


def add(act: Act) -> None:
    """Another browser of the same person, with the packages by which rooms can add it."""
    enclosures.refuse_others(act.enclosed, "label", "key_packages", "last_resort")
    label = enclosures.line(act.enclosed, "label", most=LABEL)
    most = limits.KEY_PACKAGE_BYTES
    packages = enclosures.many_octets(act.enclosed, "key_packages", count=limits.KEY_PACKAGES_KEPT, most=most)
    last = enclosures.octets(act.enclosed, "last_resort", most=most) if act.enclosed.get("last_resort") else None
    card = act.signed.scope_name
    if len(cards.devices_of([card]).get(card, [])) >= MOST_DEVICES:
        raise TooMany("too_many_devices")
    client = cards.add_device(signed=act.signed, label=label, now=act.now)
    key_packages.publish(client=client, key_packages=packages, last_resort=last, now=act.now)


def revoke(act: Act) -> None:
    """A device goes out of use, in good hands."""
    enclosures.refuse_others(act.enclosed)
    cards.revoke_device(card_hash=act.signed.scope_name, device=act.body["device"], now=act.now)
