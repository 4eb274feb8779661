"""The list of signed-in browsers is the one authority on who is signed in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session

from secure import sessions
from secure.errors import NotFound
from secure.log.events import HOST
from secure.models import Account, LogEvent, SignInSession
from secure.session_store import SessionStore, kept_key

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NOW = datetime(2026, 10, 13, 6, 0, tzinfo=UTC)


@pytest.fixture
def ratna() -> Account:
    return Account.objects.create(sign_in_name="ratna", name="Ratna Wijaya", password="!")


@pytest.fixture
def margaret() -> Account:
    return Account.objects.create(sign_in_name="margaret", name="Margaret Ellis", password="!")


def begin(account: Account, key: str) -> None:
    Session.objects.create(session_key=kept_key(key), session_data="", expire_date=NOW + timedelta(days=1))
    sessions.begin(session_key=key, account=account, label="Firefox on Linux", now=NOW)


def test_a_session_is_live_until_it_is_ended(ratna: Account) -> None:
    begin(ratna, "one")
    assert sessions.live_account(session_key="one", now=NOW) == ratna
    sessions.end(session_key="one")
    assert sessions.live_account(session_key="one", now=NOW) is None
    assert not Session.objects.filter(pk=kept_key("one")).exists()


def test_a_session_ends_after_twelve_hours_however_busy(ratna: Account) -> None:
    begin(ratna, "one")
    for hour in range(12):
        assert sessions.live_account(session_key="one", now=NOW + timedelta(hours=hour)) == ratna
    late = NOW + timedelta(hours=12)
    assert sessions.live_account(session_key="one", now=late) is None
    assert sessions.live({"one"}, now=late) == frozenset()
    assert sessions.of_account(ratna, now=late) == []


@pytest.mark.parametrize("key", [None, "", "unknown"])
def test_no_row_is_no_session(ratna: Account, key: str | None) -> None:
    assert sessions.live_account(session_key=key, now=NOW) is None


def test_the_guard_learns_which_of_many_sessions_are_live(ratna: Account, margaret: Account) -> None:
    begin(ratna, "one")
    begin(ratna, "two")
    begin(margaret, "three")
    sessions.end(session_key="two")
    assert sessions.live({"one", "two", "three", "four"}, now=NOW) == {"one", "three"}


def test_an_account_that_is_closed_has_no_live_session(ratna: Account) -> None:
    begin(ratna, "one")
    Account.objects.update(is_active=False)
    assert sessions.live_account(session_key="one", now=NOW) is None
    assert sessions.live({"one"}, now=NOW) == frozenset()


def test_signing_out_everywhere_spares_others_and_is_recorded(ratna: Account, margaret: Account) -> None:
    begin(ratna, "one")
    begin(ratna, "two")
    begin(margaret, "three")
    assert sessions.end_all(account=ratna, now=NOW) == 2
    assert sessions.live({"one", "two", "three"}, now=NOW) == {"three"}
    assert LogEvent.objects.filter(type="session.ended_everywhere", namespace__scope=HOST).count() == 1


def test_signing_out_everywhere_else_keeps_this_one(ratna: Account) -> None:
    begin(ratna, "one")
    begin(ratna, "two")
    sessions.end_all(account=ratna, now=NOW, except_key="one")
    assert sessions.live({"one", "two"}, now=NOW) == {"one"}


def test_one_cannot_end_a_session_that_is_not_ones_own(ratna: Account, margaret: Account) -> None:
    begin(margaret, "three")
    with pytest.raises(NotFound):
        sessions.end_one(account=ratna, session=kept_key("three"), now=NOW)
    assert sessions.live({"three"}, now=NOW) == {"three"}


def test_last_seen_is_written_once_a_minute_at_most(ratna: Account) -> None:
    begin(ratna, "one")
    sessions.live_account(session_key="one", now=NOW + timedelta(seconds=30))
    assert SignInSession.objects.get().last_seen == NOW
    sessions.live_account(session_key="one", now=NOW + timedelta(seconds=90))
    assert SignInSession.objects.get().last_seen == NOW + timedelta(seconds=90)


def test_what_stands_in_the_database_is_no_key(ratna: Account) -> None:
    store = SessionStore()
    store["who"] = "ratna"
    store.save()
    key = str(store.session_key)
    stored = Session.objects.get()
    assert SessionStore(key)["who"] == "ratna"
    assert key != stored.session_key
    assert SessionStore(stored.session_key).get("who") is None
    store.delete()
    assert not Session.objects.exists()
