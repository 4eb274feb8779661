from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from django_otp.oath import TOTP

from secure.second_factor import new_salt, secret_of, step_of

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


def shown(salt: str, step: int) -> str:
    """What an authenticator shows in this half minute since 1970."""
    secret = secret_of(salt)
    totp = TOTP(base64.b32decode(secret + "=" * (-len(secret) % 8)), 30)
    totp.time = 30 * step
    return f"{totp.token():06d}"


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_clock_half_a_minute_off_uses_up_its_own_digits_and_no_others(off: int) -> None:
    salt = new_salt()
    used = step_of(salt=salt, code=shown(salt, STEP + off), now=NOW)
    assert used == STEP + off
    assert step_of(salt=salt, code=shown(salt, used), now=NOW, after=used) is None
    if off < 1:
        assert step_of(salt=salt, code=shown(salt, used + 1), now=NOW, after=used) == used + 1


@pytest.mark.parametrize("off", [-2, 2])
def test_a_clock_a_minute_off_is_refused(off: int) -> None:
    salt = new_salt()
    assert step_of(salt=salt, code=shown(salt, STEP + off), now=NOW) is None
