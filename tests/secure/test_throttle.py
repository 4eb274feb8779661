"""Guessing gets slow; the owner gets in. Time is an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from secure import throttle
from secure.errors import TooMany
from secure.models import SignInFailures
from secure.throttle import PACES, Pace, Source

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NOW = datetime(2026, 10, 13, 6, 0, tzinfo=UTC)
GUESSER = Source("192.0.2.1")
OWNER = Source("198.51.100.7")
DESK = Source("198.51.100.7", browser="0123456789abcdef")


def guess(source: Source = GUESSER, *, name: str = "ratna", at: datetime = NOW, times: int = 1) -> int:
    """How many of `times` attempts were let through."""
    through = 0
    for _ in range(times):
        try:
            throttle.attempt(act="password", name=name, source=source, now=at)
            through += 1
        except TooMany:
            pass
    return through


def test_a_few_mistakes_cost_nothing() -> None:
    assert guess(times=5) == 5


def test_the_next_guess_must_wait_and_is_told_how_long() -> None:
    guess(times=5)
    with pytest.raises(TooMany) as refused:
        throttle.attempt(act="password", name="ratna", source=GUESSER, now=NOW)
    assert refused.value.about == {"seconds": 5}
    assert guess(at=NOW + timedelta(seconds=5)) == 1


def test_the_wait_doubles_up_to_a_limit() -> None:
    waits = [PACES["pair"].wait(count).total_seconds() for count in range(4, 20)]
    assert waits[:5] == [0, 4, 8, 16, 32]
    assert waits[-1] == 15 * 60


def test_waiting_attempts_do_not_make_the_wait_longer() -> None:
    guess(times=5)
    guess(times=100)
    assert guess(at=NOW + timedelta(seconds=5)) == 1


def test_in_a_day_one_place_gets_few_guesses_at_one_name() -> None:
    through = sum(guess(at=NOW + timedelta(minutes=minute)) for minute in range(0, 24 * 60, 4))
    assert through < 120


def test_guessing_at_one_name_does_not_slow_others_at_another_place() -> None:
    guess(times=50)
    assert guess(OWNER) == 1


def test_a_place_that_tries_many_names_is_slowed() -> None:
    through = sum(guess(name=f"name{n}") for n in range(100))
    assert through == PACES["address"].free


def test_many_places_that_try_one_name_are_slowed_but_the_wait_stays_short() -> None:
    for n in range(120):
        guess(Source(f"192.0.{n // 250}.{n % 250}"))
    assert guess(OWNER) == 0
    assert guess(OWNER, at=NOW + timedelta(seconds=31)) == 1


def test_a_known_browser_does_not_wait_for_what_others_did() -> None:
    for n in range(120):
        guess(Source(f"192.0.{n // 250}.{n % 250}"))
    assert guess(DESK) == 1


def test_a_known_browser_is_slowed_for_its_own_guesses() -> None:
    assert guess(DESK, times=50) == PACES["browser"].free


def test_a_success_forgives_ones_own_mistakes_and_not_those_of_others() -> None:
    guess(times=4)
    throttle.attempt(act="password", name="ratna", source=GUESSER, now=NOW)
    throttle.succeeded(act="password", name="ratna", source=GUESSER)
    assert guess(times=5) == 5
    for n in range(100):
        guess(Source(f"203.0.113.{n}"))
    before = max(SignInFailures.objects.values_list("count", flat=True))
    throttle.succeeded(act="password", name="ratna", source=OWNER)
    assert max(SignInFailures.objects.values_list("count", flat=True)) == before - 1


def test_codes_and_passwords_are_counted_apart() -> None:
    guess(times=5)
    throttle.attempt(act="code", name="ratna", source=GUESSER, now=NOW)


def test_a_day_later_all_is_forgotten() -> None:
    guess(times=50)
    later = NOW + timedelta(days=1, minutes=20)
    assert guess(at=later) == 1
    assert set(SignInFailures.objects.values_list("count", flat=True)) == {1}


def test_one_ipv6_customer_is_one_place() -> None:
    for n in range(5):
        guess(Source(f"2001:db8:1:2::{n:x}"))
    assert guess(Source("2001:db8:1:2:ffff::1")) == 0
    assert guess(Source("2001:db8:1:3::1")) == 1


@pytest.mark.parametrize("address", ["", "not an address", "::ffff:192.0.2.1"])
def test_any_address_counts(address: str) -> None:
    assert guess(Source(address), times=10) == 5


def test_neither_name_nor_address_is_stored() -> None:
    guess()
    stored = str(list(SignInFailures.objects.values()))
    assert "ratna" not in stored
    assert "192.0.2" not in stored


def test_a_pace_never_waits_for_ever() -> None:
    assert Pace(free=1, base=2, longest=60).wait(10_000) == timedelta(seconds=60)
