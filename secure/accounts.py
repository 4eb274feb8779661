"""Accounts: name, password, lost access. Who may do what follows from statements about a card, never from here."""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django_otp.models import Device

from secure import second_factor, sessions, throttle
from secure.cards import current_card
from secure.errors import BadInput, Conflict, Forbidden, Gone, NotFound
from secure.log import events
from secure.log.disclosures import Personal, subject_of
from secure.models import Account
from secure.throttle import Source

PASSWORD_MOST = 1024
"""Characters. Longer input is refused before anything is hashed."""
PASSWORD_BESIDES_NAMES = 10
"""Characters a password must have besides the person's names and the product's."""
ONE_USE_LASTS = timedelta(hours=24)
_SIGN_IN_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{1,62})[a-z0-9]")
_HASHING = threading.BoundedSemaphore(2)
"""Argon2 takes 100 MiB and a core for a moment: two at a time, so that a crowd at the door cannot starve a sitting."""


@dataclass(frozen=True)
class SignInReset:
    """What the host's operator hands over. Works until it is used or `expires`."""

    sign_in_name: str
    password: str
    expires: datetime


@dataclass(frozen=True)
class Renewed:
    """A new password and a new second factor are in use; the codes are shown once."""

    account: Account
    device: Device
    recovery_codes: list[str]


def clean_sign_in_name(text: str) -> str:
    """As it is kept: lower case, plain letters, digits, dot, dash. Refused as `sign_in_name` otherwise."""
    name = unicodedata.normalize("NFKC", text).strip().lower()
    if not _SIGN_IN_NAME.fullmatch(name):
        raise BadInput("sign_in_name")
    return name


def refuse_taken(sign_in_name: str) -> None:
    if Account.objects.filter(sign_in_name=sign_in_name).exists():
        raise Conflict("sign_in_name_taken")


def judge_new_password(*, password: str, sign_in_name: str, name: str) -> None:
    """Long enough, not a common one, not made of what everybody knows about the person."""
    if len(password) > PASSWORD_MOST:
        raise BadInput("password_too_long")
    try:
        validate_password(password, Account(sign_in_name=sign_in_name, name=name))
    except ValidationError as error:
        raise BadInput("password_weak") from error
    rest = password.lower()
    for known in (sign_in_name, *name.lower().split(), "consult"):
        rest = rest.replace(known, "")
    if len(rest.strip()) < PASSWORD_BESIDES_NAMES:
        raise BadInput("password_weak")


def hash_new_password(*, password: str, sign_in_name: str, name: str) -> str:
    """Judge a new password and hash it. Outside any transaction: it takes a tenth of a second."""
    judge_new_password(password=password, sign_in_name=sign_in_name, name=name)
    with _HASHING:
        return make_password(password)


def check_password(*, sign_in_name: str, password: str, source: Source, now: datetime) -> Account:
    """The first of the two factors. Unknown name and wrong password are the same refusal and cost the same time."""
    if len(password) > PASSWORD_MOST:
        raise Forbidden("sign_in_refused")
    name = unicodedata.normalize("NFKC", sign_in_name).strip().lower()[:64]
    throttle.attempt(act="password", name=name, source=source, now=now)
    account = Account.objects.filter(sign_in_name=name, is_active=True).first()
    right = _matches(password, account.password if account else _nobodys_password())
    if account is None or not right or (account.password_expires is not None and account.password_expires <= now):
        raise Forbidden("sign_in_refused")
    throttle.succeeded(act="password", name=name, source=source)
    return account


def check_code(*, account: Account, code: str, source: Source, now: datetime) -> Device:
    """The second factor: six digits or a recovery code, each accepted once."""
    throttle.attempt(act="code", name=account.sign_in_name, source=source, now=now)
    with transaction.atomic():
        device = second_factor.accept(account=account, code=code, now=now)
    if device is None:
        raise Forbidden("code_wrong")
    throttle.succeeded(act="code", name=account.sign_in_name, source=source)
    return device


def change_password(*, account: Account, current: str, new: str, source: Source, now: datetime) -> None:
    """The owner changes the password; every session ends, and the door begins a new one for this browser."""
    check_password(sign_in_name=account.sign_in_name, password=current, source=source, now=now)
    hashed = hash_new_password(password=new, sign_in_name=account.sign_in_name, name=account.name)
    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(password=hashed)
        account.password = hashed
        sessions.end_all(account=account, now=now)
        events.record_host(ns=events.HOST, type="sign_in.password_changed", data=_whose(account), at=now)


def renew_recovery_codes(*, account: Account, code: str, source: Source, now: datetime) -> list[str]:
    """New recovery codes, against one present code of the second factor; the former ones stop working."""
    check_code(account=account, code=code, source=source, now=now)
    with transaction.atomic():
        codes = second_factor.new_recovery_codes(account=account)
        events.record_host(ns=events.HOST, type="sign_in.recovery_codes", data=_whose(account), at=now)
    return codes


def reset_sign_in(*, sign_in_name: str, now: datetime) -> SignInReset:
    """Lost access, by the host's operator: a one-use password and, on its use, a new second factor.

    All sessions end. Keys, cards, seats and recovery box stay as they are: the operator gains the sign-in, never the keys.
    """
    account = Account.objects.filter(sign_in_name=sign_in_name.strip().lower(), is_active=True).first()
    if account is None:
        raise NotFound()
    password = "-".join(secrets.token_hex(3) for _ in range(5))
    hashed, expires = make_password(password), now + ONE_USE_LASTS
    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(password=hashed, password_must_change=True, password_expires=expires)
        second_factor.forget(account)
        second_factor.add_authenticator(account=account, salt=second_factor.new_salt(), confirmed=False)
        sessions.end_all(account=account, now=now)
        names = [Personal("person", account.name, subject_of(account))]
        events.record_host(ns=events.HOST, type="sign_in.reset", data=_whose(account), at=now, names=names)
    return SignInReset(account.sign_in_name, password, expires)


def renew_sign_in(*, account: Account, password: str, code: str, source: Source, now: datetime) -> Renewed:
    """Second half of a reset, by the owner: own password, proof of the new authenticator, new recovery codes.

    The one-use password ends here; of two browsers that both got this far, one succeeds.
    """
    throttle.attempt(act="code", name=account.sign_in_name, source=source, now=now)
    waiting = second_factor.waiting_authenticator(account)
    if waiting is None or not account.password_must_change:
        raise Gone("reset_used")
    step = second_factor.step_of(salt=waiting.key, code="".join(code.split()), now=now)
    if step is None:
        raise Forbidden("code_wrong")
    hashed = hash_new_password(password=password, sign_in_name=account.sign_in_name, name=account.name)
    with transaction.atomic():
        one_use = Account.objects.filter(pk=account.pk, password=account.password, password_must_change=True)
        if one_use.update(password=hashed, password_must_change=False, password_expires=None) != 1:
            raise Gone("reset_used")
        second_factor.forget(account)
        device = second_factor.add_authenticator(account=account, salt=waiting.key, last_step=step)
        codes = second_factor.new_recovery_codes(account=account)
        events.record_host(ns=events.HOST, type="sign_in.renewed", data=_whose(account), at=now)
    throttle.succeeded(act="code", name=account.sign_in_name, source=source)
    return Renewed(fresh(account), device, codes)


def by_id(account_id: object) -> Account | None:
    """For a session that has got half-way through signing in."""
    return Account.objects.filter(pk=account_id, is_active=True).first() if isinstance(account_id, int) else None


def fresh(account: Account) -> Account:
    """The account as it is stored now."""
    return Account.objects.get(pk=account.pk)


def _whose(account: Account) -> dict[str, str | None]:
    card = current_card(account)
    return {"card": card.hash if card else None}


def _matches(password: str, hashed: str) -> bool:
    with _HASHING:
        return matches(password, hashed)


@cache
def _nobodys_password() -> str:
    return make_password(secrets.token_hex(16))
