"""Codes as the bottom layer keeps them: rules from above are passed in, time is an argument, acts are recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from secure import codes, enrolling, enrolment, throttle
from secure.errors import BadInput, Conflict, Forbidden, Gone, NotFound, TooMany
from secure.models import Account, Enrolment, LogEvent
from secure.throttle import PACES, Source
from tests.disclosed import told

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NOW = datetime(2026, 10, 13, 6, 0, tzinfo=UTC)
HERE = Source("198.51.100.7")


@pytest.fixture
def ratna() -> Account:
    return Account.objects.create(sign_in_name="ratna", name="Ratna Wijaya", password="!")


def invite(actor: Account, *, allowed: bool = True, purpose: str = "focal_point", at: datetime = NOW) -> tuple[Enrolment, str]:
    code = codes.new_code(inst=None)
    row = enrolment.invite(
        actor=actor,
        locator=code.locator,
        purpose=purpose,
        party="THA",
        name="Somchai Rattanakul",
        may_invite=lambda _account, _purpose, _party: allowed,
        now=at,
    )
    return row, code.locator


def test_the_rule_from_above_decides_who_may_invite(ratna: Account) -> None:
    with pytest.raises(Forbidden, match="may_not_invite"):
        invite(ratna, allowed=False)
    assert not Enrolment.objects.exists()
    assert not LogEvent.objects.exists()


def test_no_rule_lets_anybody_invite_a_chair(ratna: Account) -> None:
    with pytest.raises(Forbidden, match="may_not_invite"):
        invite(ratna, purpose="chair")


def test_an_invitation_is_recorded_without_the_name_in_the_open(ratna: Account) -> None:
    invite(ratna)
    event = LogEvent.objects.get(type="invitation.made")
    assert b"Somchai" not in bytes(event.body)
    assert told(event) == {"person": "Somchai Rattanakul"}


def test_a_code_lasts_fourteen_days_to_the_second(ratna: Account) -> None:
    _, locator = invite(ratna)
    assert enrolling.open_code(locator=locator, source=HERE, now=NOW + timedelta(days=14) - timedelta(seconds=1))
    with pytest.raises(Gone, match="code_not_valid"):
        enrolling.open_code(locator=locator, source=HERE, now=NOW + timedelta(days=14))


def test_an_expired_code_is_listed_as_expired(ratna: Account) -> None:
    invite(ratna)
    (before,) = enrolment.invitations_of(ratna, now=NOW)
    (after,) = enrolment.invitations_of(ratna, now=NOW + timedelta(days=14))
    assert (before.state, after.state) == ("waiting", "expired")


def test_the_server_keeps_no_secret_of_a_code() -> None:
    text, _ = enrolment.invite_chairs(indonesia_name="Ratna Wijaya", australia_name="Margaret Ellis", now=NOW)
    secret = codes.parse_code(str(text)).secret
    assert all(secret.hex() not in str(row) for row in Enrolment.objects.values())


def test_the_second_factor_is_reserved_for_half_an_hour(ratna: Account) -> None:
    _, locator = invite(ratna)

    def reserved(at: datetime) -> str:
        return enrolling.reserve_second_factor(
            locator=locator, sign_in_name="somchai", password="the ferry leaves at a quarter past six", now=at
        )

    first = reserved(NOW)
    assert reserved(NOW + timedelta(minutes=29)) == first
    assert reserved(NOW + timedelta(minutes=31)) != first


@pytest.mark.parametrize(("name", "password"), [("Somchai!", "the ferry leaves at a quarter past six"), ("somchai", "short")])
def test_bad_sign_in_details_reserve_nothing(ratna: Account, name: str, password: str) -> None:
    row, locator = invite(ratna)
    with pytest.raises(BadInput):
        enrolling.reserve_second_factor(locator=locator, sign_in_name=name, password=password, now=NOW)
    row.refresh_from_db()
    assert row.totp_salt == ""


def test_guessing_locators_is_slowed() -> None:
    for _ in range(PACES["address"].free):
        with pytest.raises(Gone):
            enrolling.open_code(locator="0" * 32, source=HERE, now=NOW)
    with pytest.raises(TooMany):
        enrolling.open_code(locator="0" * 32, source=HERE, now=NOW)


def test_guessing_locators_slows_nobody_at_another_place(ratna: Account) -> None:
    _, locator = invite(ratna)
    for _ in range(PACES["address"].free):
        throttle.attempt(act="locator", name=None, source=Source("192.0.2.1"), now=NOW)
    assert enrolling.open_code(locator=locator, source=HERE, now=NOW)


def test_a_withdrawn_code_is_gone_and_no_longer_listed(ratna: Account) -> None:
    row, locator = invite(ratna)
    enrolment.withdraw(actor=ratna, enrolment=row.id, now=NOW)
    with pytest.raises(Gone):
        enrolling.open_code(locator=locator, source=HERE, now=NOW)
    with pytest.raises(NotFound):
        enrolment.withdraw(actor=ratna, enrolment=row.id, now=NOW)
    assert enrolment.invitations_of(ratna, now=NOW) == []


def test_nobody_has_more_than_two_hundred_codes_out(ratna: Account) -> None:
    rows = [
        Enrolment(
            id=f"{n:032x}",
            locator=f"{n:032x}",
            purpose="delegate",
            party="THA",
            name="x",
            inviter=ratna,
            created=NOW,
            expires=NOW + timedelta(days=1),
        )
        for n in range(enrolment.WAITING_MOST)
    ]
    Enrolment.objects.bulk_create(rows)
    with pytest.raises(Conflict, match="too_many_codes"):
        invite(ratna)


def test_a_code_is_used_by_one_of_two(ratna: Account) -> None:
    _, locator = invite(ratna)
    enrolling.use_code(locator, sign_in_name="first", hashed="!", mac="", now=NOW)
    with pytest.raises(Gone):
        enrolling.use_code(locator, sign_in_name="second", hashed="!", mac="", now=NOW)
    assert not Account.objects.filter(sign_in_name="second").exists()
