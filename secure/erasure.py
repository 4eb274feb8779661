"""Erasing a person: name, sign-in and keys go for good, everything that was recorded stands.

What is destroyed is the person's key in the shred store, and with it every value in the record that tells of the person, in every
copy. Tree, chains and statements name people by cards, which stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q

from secure import second_factor, sessions
from secure.errors import NotFound
from secure.log import disclosures, events
from secure.models import Account, Client, Disclosure, Enrolment, KeyPackage, LogEvent, RecoveryBox, RingEntry, Wrap

SOUGHT = "register.searched"
"""Events whose boxes hold what was searched for."""


@dataclass(frozen=True)
class Erased:
    """`subjects` are the names under which the record knew the person. `fresh`: not erased before."""

    subjects: tuple[str, ...]
    fresh: bool


@transaction.atomic(durable=True)
def erase(*, which: str, ready: Callable[[Account], None], now: datetime) -> Erased:
    """Erases the person with this sign-in name, card or invitation. Once more does no harm: a step that was cut short is finished.

    `ready` refuses for somebody who still holds a seat or an office, and ends what else the layer above keeps of the person.

    Raises:
        NotFound: nobody is called so.
    """
    account = _account(which)
    if account is None:
        return _erase_invited(which, now=now)
    ready(account)
    name, subjects = account.name, tuple(disclosures.subjects_of(account))
    _blank(account, now=now)
    Enrolment.objects.filter(account=account).update(name="", mac="")
    _finish(name, subjects, fresh=bool(name), now=now)
    return Erased(subjects, bool(name))


def _account(which: str) -> Account | None:
    found = Q(sign_in_name=which.strip().lower()) | Q(cards__hash=which) | Q(enrolment__id=which)
    return Account.objects.select_for_update(of=("self",)).filter(pk__in=Account.objects.filter(found).values("pk")).first()


def _erase_invited(which: str, *, now: datetime) -> Erased:
    """Somebody who was invited and never enrolled: the code stops working."""
    row = Enrolment.objects.select_for_update(of=("self",)).filter(id=which, account=None).first()
    if row is None:
        raise NotFound
    name = row.name
    Enrolment.objects.filter(pk=row.pk).update(name="", withdrawn=row.withdrawn or now)
    _finish(name, (row.id,), fresh=bool(name), now=now)
    return Erased((row.id,), bool(name))


def _blank(account: Account, *, now: datetime) -> None:
    """No name, no sign-in, nothing that only this person could open."""
    if account.is_active:
        sessions.end_all(account=account, now=now)
    second_factor.forget(account)
    cards = account.cards.values("hash")
    KeyPackage.objects.filter(client__card__in=cards).delete()
    Client.objects.filter(card__in=cards).update(label="")
    RecoveryBox.objects.filter(account=account).delete()
    RingEntry.objects.filter(account=account).delete()
    Wrap.objects.filter(card__in=cards).delete()
    blank = {"name": "", "sign_in_name": f"erased-{account.pk}", "password": make_password(None), "is_active": False}
    Account.objects.filter(pk=account.pk).update(**blank, password_must_change=False, password_expires=None)


def _finish(name: str, subjects: tuple[str, ...], *, fresh: bool, now: datetime) -> None:
    """The record says it, then the keys go: if the machine fails between, the erasing is repeated, never believed too early."""
    if name:
        _forget_searches(name)
    if fresh:
        for subject in subjects:
            if Disclosure.objects.filter(subject=subject).exists():
                events.record_host(ns=events.HOST, type="subject.erased", data={"subject": subject}, at=now)
    for subject in subjects:
        disclosures.shred_subject(subject)


def _forget_searches(name: str) -> None:
    """What officers searched for may be the name, or a part of it, in boxes of their own."""
    searches = LogEvent.objects.filter(type=SOUGHT).values("pk")
    rows = Disclosure.objects.filter(event__in=searches).select_related("event")
    named = [found.digest for found in disclosures.opened(rows) if found.value and found.value.casefold().strip() in name.casefold()]
    Disclosure.objects.filter(event__in=searches, digest__in=named).delete()
