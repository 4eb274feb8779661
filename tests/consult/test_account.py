"""One's own account: sessions, password, recovery codes."""

from __future__ import annotations

import pytest
from django.conf import settings

from secure.models import SignInSession
from tests.browsers import Browser, House, founded
from tests.people import INDONESIA

pytestmark = pytest.mark.django_db

NEW = "a sentence only I would think of"


@pytest.fixture
def house() -> House:
    return founded()


@pytest.fixture
def second(house: House) -> Browser:
    """Indonesia's other browser, signed in too."""
    browser = house.indonesia.elsewhere()
    browser.sign_in()
    assert browser.is_in()
    return browser


def test_the_page_lists_the_browsers_in_which_one_is_signed_in(house: House, second: Browser) -> None:
    page = second.get("/account")
    assert page.status_code == 200
    rows = page.context["sessions"]
    assert [row["here"] for row in rows].count(True) == 1
    assert len(rows) == 2


def test_the_page_never_shows_a_sessions_key(house: House, second: Browser) -> None:
    key = str(house.indonesia.client.cookies[settings.SESSION_COOKIE_NAME].value)
    assert key not in second.get("/account").content.decode()


def test_what_the_database_keeps_of_a_session_signs_nobody_in(house: House) -> None:
    thief = Browser(INDONESIA)
    for kept in SignInSession.objects.values_list("key", flat=True):
        thief.client.cookies[settings.SESSION_COOKIE_NAME] = kept
        assert not thief.is_in()


def test_one_browser_signs_another_out(house: House, second: Browser) -> None:
    other = next(row["name"] for row in second.get("/account").context["sessions"] if not row["here"])
    second.client.post(f"/account/sessions/{other}/end")
    assert not house.indonesia.is_in()
    assert second.is_in()
    assert second.client.post(f"/account/sessions/{other}/end").status_code == 302


def test_nobody_ends_somebody_elses_session(house: House) -> None:
    name = house.indonesia.get("/account").context["sessions"][0]["name"]
    house.australia.client.post(f"/account/sessions/{name}/end")
    assert house.indonesia.is_in()


def test_signing_out_everywhere_ends_every_session_of_this_person_alone(house: House, second: Browser) -> None:
    assert second.client.post("/account/sessions/end-all")["Location"] == "/sign-in"
    assert not second.is_in()
    assert not house.indonesia.is_in()
    assert house.australia.is_in()
    assert SignInSession.objects.filter(account__sign_in_name=INDONESIA.id).count() == 0


@pytest.mark.parametrize("address", ["/account/sessions/end-all", "/account/sessions/abc/end"])
def test_ending_sessions_needs_a_post(house: House, address: str) -> None:
    assert house.indonesia.get(address).status_code == 405
    assert house.indonesia.is_in()


def test_a_new_password_works_and_signs_the_other_browsers_out(house: House, second: Browser) -> None:
    answer = second.client.post("/account/password", {"current": INDONESIA.password, "new": NEW, "again": NEW})
    assert (answer.status_code, answer["Location"]) == (302, "/account")
    assert second.is_in()
    assert not house.indonesia.is_in()
    third = second.elsewhere()
    assert third.give_password().status_code == 403
    assert third.give_password(NEW)["Location"] == "/sign-in/code"


@pytest.mark.parametrize(
    "typed",
    [
        {"current": "not the present one", "new": NEW, "again": NEW},
        {"current": INDONESIA.password, "new": NEW, "again": NEW + "."},
        {"current": INDONESIA.password, "new": "short", "again": "short"},
        {"current": INDONESIA.password, "new": "1q2w3e4r5t6y7u8i9o0p", "again": "1q2w3e4r5t6y7u8i9o0p"},
        {"current": INDONESIA.password},
        {},
    ],
)
def test_a_password_change_that_does_not_hold_changes_nothing(house: House, typed: dict[str, str]) -> None:
    assert house.indonesia.client.post("/account/password", typed).status_code in {200, 400, 403}
    assert house.indonesia.is_in()
    assert house.indonesia.elsewhere().give_password()["Location"] == "/sign-in/code"


def test_new_recovery_codes_replace_the_former_ones(house: House) -> None:
    old = list(house.indonesia.recovery_codes)
    page = house.indonesia.client.post("/account/recovery-codes", {"code": old[0]})
    new = page.context["codes"]
    assert len(new) == 10
    stale, fresh = house.indonesia.elsewhere(), house.indonesia.elsewhere()
    stale.sign_in(old[1])
    fresh.sign_in(new[0])
    assert not stale.is_in()
    assert fresh.is_in()
    assert fresh.get("/account").context["codes_left"] == 9


def test_new_recovery_codes_need_a_present_code(house: House) -> None:
    assert house.indonesia.client.post("/account/recovery-codes", {"code": "000000"}).status_code == 403
    code = house.indonesia.recovery_codes[0]
    browser = house.indonesia.elsewhere()
    browser.sign_in(code)
    assert browser.is_in()


def test_every_page_of_sign_in_and_account_can_be_shown(house: House) -> None:
    for address in ("/account", "/account/password", "/account/recovery-codes", "/restore", "/enrol"):
        assert house.indonesia.get(address).status_code == 200, address
    stranger = Browser(INDONESIA)
    for address in ("/sign-in", "/enrol"):
        assert stranger.get(address).status_code == 200, address
    stranger.give_password()
    assert stranger.get("/sign-in/code").status_code == 200


def test_the_enrolment_page_names_nobodys_card(house: House) -> None:
    """Its key worker makes new keys, whoever happens to be signed in."""
    assert b'name="consult-card" content=""' in house.indonesia.get("/enrol").content
