"""Passwords, codes and lost access, with time as an argument."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from secure import accounts, second_factor
from secure.errors import BadInput, Forbidden, Gone, NotFound, TooMany
from secure.models import Account, LogEvent
from secure.throttle import Source
from tests.disclosed import told

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NOW = datetime(2026, 10, 13, 6, 0, tzinfo=UTC)
HERE = Source("198.51.100.7")
PASSWORD = "the ferry leaves at a quarter past six"


@pytest.fixture
def ratna() -> Account:
    hashed = accounts.hash_new_password(password=PASSWORD, sign_in_name="ratna", name="Ratna Wijaya")
    return Account.objects.create(sign_in_name="ratna", name="Ratna Wijaya", password=hashed)


def digits(salt: str, *, at: datetime) -> str:
    secret = parse_qs(urlsplit(second_factor.otpauth(sign_in_name="ratna", salt=salt)).query)["secret"][0]
    totp = TOTP(base64.b32decode(secret + "=" * (-len(secret) % 8)), 30)
    totp.time = at.timestamp()
    return f"{totp.token():06d}"


@pytest.mark.parametrize("name", ["ratna", "Ratna", " RATNA ", "ｒａｔｎａ"])
def test_the_sign_in_name_is_read_with_a_light_hand(ratna: Account, name: str) -> None:
    assert accounts.check_password(sign_in_name=name, password=PASSWORD, source=HERE, now=NOW) == ratna


@pytest.mark.parametrize("password", ["", PASSWORD + " ", PASSWORD.upper(), "x" * 1025, "\x00"])
def test_a_password_is_read_exactly(ratna: Account, password: str) -> None:
    with pytest.raises(Forbidden, match="sign_in_refused"):
        accounts.check_password(sign_in_name="ratna", password=password, source=HERE, now=NOW)


def test_a_closed_account_does_not_sign_in(ratna: Account) -> None:
    Account.objects.update(is_active=False)
    with pytest.raises(Forbidden, match="sign_in_refused"):
        accounts.check_password(sign_in_name="ratna", password=PASSWORD, source=HERE, now=NOW)


@pytest.mark.parametrize("text", ["a", "ab", "Ratna Wijaya", "-ratna", "ratna.", "ratná", "x" * 65, "ra\tna", "admin'--"])
def test_an_odd_sign_in_name_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="sign_in_name"):
        accounts.clean_sign_in_name(text)


@pytest.mark.parametrize("password", ["short", "x" * 1025, "1q2w3e4r5t6y7u8i9o0p", "ratna ratna ratna", "Wijaya Ratna 2026"])
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(BadInput):
        accounts.hash_new_password(password=password, sign_in_name="ratna", name="Ratna Wijaya")


@pytest.mark.parametrize(
    "password", ["long enough and no signs in it", "ဖုန်းနံပါတ်ကိုမပြောပါနှင့်", "🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢🚢", "x y z " * 150]
)
def test_a_long_password_is_taken_in_any_script_and_whole(password: str) -> None:
    hashed = accounts.hash_new_password(password=password, sign_in_name="ratna", name="Ratna Wijaya")
    Account.objects.create(sign_in_name="ratna", name="Ratna Wijaya", password=hashed)
    assert accounts.check_password(sign_in_name="ratna", password=password, source=HERE, now=NOW)
    with pytest.raises(Forbidden):
        accounts.check_password(sign_in_name="ratna", password=password[:-1], source=HERE, now=NOW)


@pytest.mark.parametrize(("seconds", "accepted"), [(-90, False), (-30, True), (0, True), (30, True), (90, False)])
def test_a_code_counts_half_a_minute_either_way(ratna: Account, seconds: int, accepted: bool) -> None:
    salt = second_factor.new_salt()
    second_factor.add_authenticator(account=ratna, salt=salt)
    code = digits(salt, at=NOW + timedelta(seconds=seconds))
    found = second_factor.accept(account=ratna, code=code, now=NOW)
    assert (found is not None) is accepted


def test_an_earlier_code_does_not_count_after_a_later_one(ratna: Account) -> None:
    salt = second_factor.new_salt()
    second_factor.add_authenticator(account=ratna, salt=salt)
    assert second_factor.accept(account=ratna, code=digits(salt, at=NOW), now=NOW)
    assert not second_factor.accept(account=ratna, code=digits(salt, at=NOW), now=NOW)
    assert not second_factor.accept(account=ratna, code=digits(salt, at=NOW - timedelta(seconds=30)), now=NOW)


def test_an_authenticator_not_yet_in_use_opens_nothing(ratna: Account) -> None:
    salt = second_factor.new_salt()
    second_factor.add_authenticator(account=ratna, salt=salt, confirmed=False)
    assert second_factor.accept(account=ratna, code=digits(salt, at=NOW), now=NOW) is None


def test_recovery_codes_are_read_with_a_light_hand_and_are_nobody_elses(ratna: Account) -> None:
    codes = second_factor.new_recovery_codes(account=ratna)
    other = Account.objects.create(sign_in_name="margaret", name="Margaret Ellis", password="!")
    assert second_factor.accept(account=other, code=codes[0], now=NOW) is None
    assert second_factor.accept(account=ratna, code=f" {codes[0].upper().replace('-', ' ')} ", now=NOW)
    assert second_factor.recovery_codes_left(ratna) == 9


def test_neither_seed_nor_recovery_code_can_be_read_in_the_database(ratna: Account) -> None:
    salt = second_factor.new_salt()
    second_factor.add_authenticator(account=ratna, salt=salt)
    codes = second_factor.new_recovery_codes(account=ratna)
    stored = TOTPDevice.objects.get()
    assert base64.b32encode(stored.bin_key).decode().rstrip("=") != second_factor.secret_of(salt)
    assert not {code.replace("-", "") for code in codes} & set(StaticToken.objects.values_list("token", flat=True))


def test_a_reset_is_recorded_without_the_name_in_the_open(ratna: Account) -> None:
    accounts.reset_sign_in(sign_in_name="ratna", now=NOW)
    event = LogEvent.objects.get(type="sign_in.reset")
    assert b"Ratna" not in bytes(event.body)
    assert told(event) == {"person": "Ratna Wijaya"}


def test_a_reset_of_nobody_is_not_found() -> None:
    with pytest.raises(NotFound):
        accounts.reset_sign_in(sign_in_name="nobody", now=NOW)


def test_a_one_use_password_expires(ratna: Account) -> None:
    reset = accounts.reset_sign_in(sign_in_name="ratna", now=NOW)
    assert accounts.check_password(sign_in_name="ratna", password=reset.password, source=HERE, now=NOW)
    with pytest.raises(Forbidden):
        accounts.check_password(sign_in_name="ratna", password=reset.password, source=HERE, now=reset.expires)


def test_a_reset_is_finished_once(ratna: Account) -> None:
    accounts.reset_sign_in(sign_in_name="ratna", now=NOW)
    waiting = second_factor.waiting_authenticator(ratna)
    assert waiting is not None
    half_way = [accounts.fresh(ratna), accounts.fresh(ratna)]
    code = digits(waiting.key, at=NOW)
    renewed = accounts.renew_sign_in(account=half_way[0], password=PASSWORD + "!", code=code, source=HERE, now=NOW)
    assert renewed.account.password_must_change is False
    with pytest.raises(Gone, match="reset_used"):
        accounts.renew_sign_in(account=half_way[1], password="another long sentence", code=code, source=HERE, now=NOW)


def test_codes_can_be_guessed_only_slowly(ratna: Account) -> None:
    second_factor.add_authenticator(account=ratna, salt=second_factor.new_salt())
    outcomes = []
    for _ in range(8):
        try:
            accounts.check_code(account=ratna, code="000000", source=HERE, now=NOW)
        except (Forbidden, TooMany) as refusal:
            outcomes.append(refusal.code)
    assert outcomes == ["code_wrong"] * 5 + ["too_many"] * 3
