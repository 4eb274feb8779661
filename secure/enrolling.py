"""The holder's side of an invitation: open the code, reserve a second factor, complete (docs/protocol.md, section 3).

Unknown, used, withdrawn and expired codes are one and the same refusal. What makes a card lawful is a rule of the layer above, which
judges and stores card and device itself: it comes in as `keep_keys`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django_otp.models import Device

from secure import accounts, chains, enrolment, recovery, second_factor, throttle
from secure.errors import BadInput, Conflict, Forbidden, Gone
from secure.models import Account, Enrolment
from secure.statements import ROOT, Signed, unbase64
from secure.throttle import Source

RESERVATION = timedelta(minutes=30)
"""How long the second factor shown while enrolling stays the same."""

KeepKeys = Callable[[Account, str], object]
"""(account, party) → card, device and key packages judged and stored, inside the transaction that makes the account."""


@dataclass(frozen=True)
class Offer:
    """What the holder of a code is told. `inst` and `head` are None before there is an installation."""

    name: str
    party: str
    purpose: str
    inst: str | None
    head: str | None


@dataclass(frozen=True)
class Application:
    """What the enrolling browser sends besides its keys. `mac` is base64 of 32 bytes; only the inviter can check it."""

    sign_in_name: str
    password: str
    totp: str
    card: Signed
    mac: str
    box: bytes
    number: int


@dataclass(frozen=True)
class Enrolled:
    """A person who can sign in; the codes are shown once."""

    account: Account
    second_factor: Device
    recovery_codes: list[str]


def open_code(*, locator: str, source: Source, now: datetime) -> Offer:
    """What the code is for. Reading it does not use it up, so a mail scanner cannot burn it."""
    throttle.attempt(act="locator", name=None, source=source, now=now)
    row = _live(locator, now)
    throttle.succeeded(act="locator", name=None, source=source)
    inst = current_inst()
    head = chains.head(inst) if inst else None
    return Offer(row.name, row.party, row.purpose, inst, head.hash if head else None)


def reserve_second_factor(*, locator: str, sign_in_name: str, password: str, now: datetime) -> str:
    """Judges name and password and answers the authenticator's address; the same one if asked again within the half hour."""
    row = _live(locator, now)
    name = accounts.clean_sign_in_name(sign_in_name)
    accounts.refuse_taken(name)
    accounts.judge_new_password(password=password, sign_in_name=name, name=row.name)
    if _reserved(row, now):
        return second_factor.otpauth(sign_in_name=name, salt=row.totp_salt)
    salt = second_factor.new_salt()
    Enrolment.objects.filter(pk=row.pk).update(totp_salt=salt, totp_reserved=now)
    return second_factor.otpauth(sign_in_name=name, salt=salt)


def complete(*, locator: str, application: Application, keep_keys: KeepKeys, now: datetime) -> Enrolled:
    """Uses the code up and makes the account, all of it or nothing."""
    row = _live(locator, now)
    name = accounts.clean_sign_in_name(application.sign_in_name)
    accounts.refuse_taken(name)
    if not _reserved(row, now):
        raise Conflict("second_factor_expired")
    step = second_factor.step_of(salt=row.totp_salt, code="".join(application.totp.split()), now=now)
    if step is None:
        raise Forbidden("code_wrong")
    unbase64(application.mac, 32)
    _belongs(application, row)
    hashed = accounts.hash_new_password(password=application.password, sign_in_name=name, name=row.name)
    with transaction.atomic():
        account = use_code(row.locator, sign_in_name=name, hashed=hashed, mac=application.mac, now=now)
        keep_keys(account, row.party)
        recovery.keep(account=account, box=application.box, number=application.number, now=now)
        device = second_factor.add_authenticator(account=account, salt=row.totp_salt, last_step=step)
        recovery_codes = second_factor.new_recovery_codes(account=account)
        enrolment.record("account.enrolled", row, now=now, by=application.card.hash)
    return Enrolled(account, device, recovery_codes)


def current_inst() -> str | None:
    """The installation's name; None until both Co-Chairs have signed."""
    founded = chains.founded_by(ROOT)
    return founded[0] if founded else None


def _live(locator: str, now: datetime) -> Enrolment:
    """Unknown, used, withdrawn and expired codes are one and the same refusal."""
    row = Enrolment.objects.filter(locator=locator, used=None, withdrawn=None, expires__gt=now).first()
    if row is None:
        raise Gone("code_not_valid")
    return row


def _reserved(row: Enrolment, now: datetime) -> bool:
    return row.totp_reserved is not None and now - row.totp_reserved < RESERVATION


def _belongs(application: Application, row: Enrolment) -> None:
    """The card is made for this installation. A chair enrols before there is one."""
    card = application.card.statement
    expected = None if row.purpose == Enrolment.Purpose.CHAIR else current_inst()
    if card.inst != expected or card.body.get("installation") != expected:
        raise BadInput("foreign_installation")


def use_code(locator: str, *, sign_in_name: str, hashed: str, mac: str, now: datetime) -> Account:
    """The account of a code's person, without keys yet. Of two browsers with one code, one passes here. Inside the caller's transaction."""
    row = _live(locator, now)
    live = Enrolment.objects.filter(pk=row.pk, used=None, withdrawn=None, expires__gt=now)
    if live.update(used=now, mac=mac, totp_salt="", totp_reserved=None) != 1:
        raise Gone("code_not_valid")
    try:
        with transaction.atomic():
            account = Account.objects.create(sign_in_name=sign_in_name, name=row.name, password=hashed, created=now)
    except IntegrityError as error:
        raise Conflict("sign_in_name_taken") from error
    Enrolment.objects.filter(pk=row.pk).update(account=account)
    return account
