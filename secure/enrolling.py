"""The holder's side of an invitation: open the code, reserve a second factor, complete (docs/protocol.md, section 3).

Unknown, used, withdrawn and expired codes are one and the same refusal. What makes a card lawful is a rule of the layer above and
comes in as `judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django_otp.models import Device

from secure import accounts, cards, chains, enrolment, key_packages, recovery, second_factor, throttle
from secure.errors import BadInput, Conflict, Forbidden, Gone
from secure.models import Account, Enrolment
from secure.statements import ROOT, Signed, unbase64
from secure.throttle import Source

RESERVATION = timedelta(minutes=30)
"""How long the second factor shown while enrolling stays the same."""

Judge = Callable[[Sequence[Signed]], None]
"""Refuses founding statements of an account that are not lawful now."""


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
    """Everything the enrolling browser sends. `mac` is base64 of 32 bytes; only the inviter can check it."""

    sign_in_name: str
    password: str
    totp: str
    card: Signed
    device: Signed
    label: str
    mac: str
    box: bytes
    number: int
    key_packages: Sequence[bytes]
    last_resort: bytes


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


def complete(*, locator: str, application: Application, judge: Judge, now: datetime) -> Enrolled:
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
    judge((application.card, application.device))
    hashed = accounts.hash_new_password(password=application.password, sign_in_name=name, name=row.name)
    with transaction.atomic():
        account = use_code(row.locator, sign_in_name=name, hashed=hashed, mac=application.mac, now=now)
        _keep_keys(account, application, now=now)
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
    """The two statements are the card and the first device of an account of this party, made for this installation."""
    card, device = application.card.statement, application.device.statement
    if (card.type, card.n, device.type, device.n) != ("account.card", 0, "device.add", 1):
        raise BadInput("malformed")
    if device.scope != application.card.hash or device.prev != application.card.hash:
        raise BadInput("wrong_scope")
    if card.body.get("party") != row.party:
        raise BadInput("wrong_party")
    # A chair enrols before there is an installation, and stays valid if the other chair's root comes first.
    expected = None if row.purpose == Enrolment.Purpose.CHAIR else current_inst()
    if card.inst != expected or card.body.get("installation") != expected or device.inst != expected:
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


def _keep_keys(account: Account, application: Application, *, now: datetime) -> None:
    """Statements into their chain, card, device and key packages as rows, the recovery box."""
    chains.append(signed=application.card, now=now, names={"person": account.name})
    cards.add_card(account=account, signed=application.card)
    chains.append(signed=application.device, now=now)
    client = cards.add_device(signed=application.device, label=application.label, now=now)
    key_packages.publish(client=client, key_packages=list(application.key_packages), last_resort=application.last_resort, now=now)
    recovery.keep(account=account, box=application.box, number=application.number, now=now)
