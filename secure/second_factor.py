"""The second factor: six digits of an authenticator app (RFC 6238, by django-otp), or one of the printed recovery codes.

At rest neither is usable without the installation's secret key, which is not in the database: a device row holds a salt from which the
real seed is derived, and recovery codes are kept as keyed hashes. A code works once: acceptance is one conditional update, so
of any number of simultaneous uses exactly one succeeds.
"""

from __future__ import annotations

import base64
import re
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from django.utils.crypto import salted_hmac
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from secure.models import Account

ISSUER = "Consult"
RECOVERY_CODES = 10
_STEP = 30
_TOLERANCE = 1
"""Steps of 30 s a clock may be off, either way."""
_DIGITS = re.compile(r"[0-9]{6}", re.ASCII)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_CODE = re.compile(rf"[{_ALPHABET}]{{10}}")


def new_salt() -> str:
    """What a device row keeps; the seed follows from it and from the installation's secret key."""
    return secrets.token_hex(20)


def otpauth(*, sign_in_name: str, salt: str) -> str:
    """The address an authenticator app reads from the QR code."""
    query = urlencode({"secret": secret_of(salt), "issuer": ISSUER, "digits": 6, "period": _STEP})
    return f"otpauth://totp/{quote(f'{ISSUER}:{sign_in_name}')}?{query}"


def secret_of(salt: str) -> str:
    """The seed in base32, for typing where there is no camera."""
    return base64.b32encode(_seed(salt)).decode().rstrip("=")


def step_of(*, salt: str, code: str, now: datetime, after: int = -1) -> int | None:
    """The time step whose code this is, later than `after`; None if the code is wrong."""
    if not _DIGITS.fullmatch(code):
        return None
    totp = TOTP(_seed(salt), _STEP)
    totp.time = now.timestamp()
    if not totp.verify(int(code), _TOLERANCE, after + 1):
        return None
    step: int = totp.t()  # the matched step: after `verify` the drift is part of it
    return step


def add_authenticator(*, account: Account, salt: str, last_step: int = -1, confirmed: bool = True) -> TOTPDevice:
    """Inside the caller's transaction. `last_step`: of the code that proved it; that code and earlier ones are used up."""
    return TOTPDevice.objects.create(user=account, name="authenticator", key=salt, last_t=last_step, confirmed=confirmed)


def accept(*, account: Account, code: str, now: datetime) -> Device | None:
    """The device whose code this is, now used up; None if it is none of this account's."""
    code = "".join(code.split()).lower()
    for device in TOTPDevice.objects.filter(user=account, confirmed=True).order_by("pk"):
        step = step_of(salt=device.key, code=code, now=now, after=device.last_t)
        if step is not None and TOTPDevice.objects.filter(pk=device.pk, last_t__lt=step).update(last_t=step) == 1:
            return device
    return _accept_recovery_code(account, code.replace("-", ""))


def new_recovery_codes(*, account: Account) -> list[str]:
    """Ten codes, shown once; the former ones stop working. Inside the caller's transaction."""
    StaticDevice.objects.filter(user=account).delete()
    device = StaticDevice.objects.create(user=account, name="recovery codes", confirmed=True)
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_kept(account, code)) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def recovery_codes_left(account: Account) -> int:
    left: int = StaticToken.objects.filter(device__user=account).count()
    return left


def waiting_authenticator(account: Account) -> TOTPDevice | None:
    """The authenticator prepared by a reset and not yet taken into use."""
    return TOTPDevice.objects.filter(user=account, confirmed=False).order_by("-pk").first()


def forget(account: Account) -> None:
    """All authenticators and recovery codes. Inside the caller's transaction."""
    TOTPDevice.objects.filter(user=account).delete()
    StaticDevice.objects.filter(user=account).delete()


def _accept_recovery_code(account: Account, code: str) -> Device | None:
    if not _CODE.fullmatch(code):
        return None
    tokens = StaticToken.objects.filter(device__user=account, token=_kept(account, code))
    device_id = tokens.values_list("device_id", flat=True).first()
    deleted, _ = tokens.delete()
    return StaticDevice.objects.filter(pk=device_id).first() if deleted else None


def _seed(salt: str) -> bytes:
    return salted_hmac("consult.totp", salt, algorithm="sha256").digest()[:20]


def _kept(account: Account, code: str) -> str:
    """16 characters, 80 bits: what the row keeps of a recovery code."""
    digest = salted_hmac("consult.recovery_code", f"{account.pk}:{code}", algorithm="sha256").digest()
    return base64.b32encode(digest[:10]).decode().lower()
