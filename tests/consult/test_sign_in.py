"""Signing in: name and password, then the code; nothing opens before both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from consult.second_factor import SocketSecondFactor, account_for_scope
from secure import accounts
from secure.models import Account, SignInSession
from tests.browsers import Browser, House, founded, now, six_digits
from tests.people import INDONESIA

pytestmark = pytest.mark.django_db

OPEN = {"/about/host", "/viewer", "/healthz", "/csp-report", "/sign-in", "/sign-in/code", "/sign-in/renew", "/sign-out", "/enrol"}
OPEN_DOORS = {"/api/enrolments/open", "/api/enrolments/sign-in-details", "/api/enrolments/complete", "/api/enrolments/qr", "/api/build"}


@pytest.fixture
def house() -> House:
    return founded()


def addresses() -> Iterator[str]:
    """Every route, with something in each place: a number where one is asked for, else the longest name there is."""
    for pattern in get_resolver().url_patterns:
        route = str(pattern.pattern).removeprefix("^").removesuffix(r"\Z").removesuffix("$")
        route = re.sub(r"\(\?P<\w+>[^)]*\)", "ab" * 32, route)
        yield "/" + re.sub(r"<(\w+):\w+>", lambda place: "1" if place[1] == "int" else "ab" * 32, route)


def test_name_password_and_code_sign_a_person_in(house: House) -> None:
    browser = house.indonesia.elsewhere()
    first = browser.give_password()
    assert (first.status_code, first["Location"]) == (302, "/sign-in/code")
    assert not browser.is_in()
    second = browser.give_code(browser.recovery_codes[0])
    assert (second.status_code, second["Location"]) == (302, "/")
    assert browser.is_in()


def test_the_six_digits_of_the_app_sign_a_person_in(house: House) -> None:
    browser = house.indonesia.elsewhere()
    browser.give_password()
    browser.give_code(six_digits(browser.otpauth, ahead=1))
    assert browser.is_in()


def test_no_page_and_no_door_opens_without_the_second_factor(house: House) -> None:
    """Every route there is, for a stranger and for somebody who has given the password only. The record's tiles are public."""
    half_way = house.indonesia.elsewhere()
    half_way.give_password()
    for client in (Client(), half_way.client):
        for address in addresses():
            answer = client.get(address)
            if address in OPEN | OPEN_DOORS or address.startswith("/log/"):
                continue
            if address.startswith("/api/"):
                assert (answer.status_code, answer.json()) == (401, {"error": "sign_in"}), address
            else:
                assert answer.status_code == 302, address
                assert answer["Location"].startswith("/sign-in"), address


def test_a_password_alone_is_no_session(house: House) -> None:
    """Even Django's own sign-in of an account, without a device, opens nothing."""
    client = Client()
    client.force_login(Account.objects.get(sign_in_name=INDONESIA.id))
    assert client.get("/api/recovery").status_code == 401
    assert client.get("/account").status_code == 302


def test_the_session_gets_a_new_name_at_sign_in(house: House) -> None:
    browser = house.indonesia.elsewhere()
    browser.give_password()
    before = browser.client.cookies[settings.SESSION_COOKIE_NAME].value
    browser.give_code(browser.recovery_codes[0])
    after = browser.client.cookies[settings.SESSION_COOKIE_NAME].value
    assert before != after
    stale = Client()
    stale.cookies[settings.SESSION_COOKIE_NAME] = before
    assert stale.get("/api/recovery").status_code == 401


def test_a_recovery_code_works_once(house: House) -> None:
    code = house.indonesia.recovery_codes[0]
    first, second = house.indonesia.elsewhere(), house.indonesia.elsewhere()
    first.sign_in(code)
    second.sign_in(code)
    assert first.is_in()
    assert not second.is_in()


def test_six_digits_work_once(house: House) -> None:
    first, second = house.indonesia.elsewhere(), house.indonesia.elsewhere()
    digits = six_digits(first.otpauth, ahead=1)
    for browser in (first, second):
        browser.give_password()
        browser.give_code(digits)
    assert first.is_in()
    assert not second.is_in()


def test_digits_that_enrolled_do_not_sign_in(house: House) -> None:
    browser = house.indonesia.elsewhere()
    browser.give_password()
    assert browser.give_code(six_digits(browser.otpauth)).status_code == 403


@pytest.mark.parametrize("code", ["", "000000", "12345", "1234567", "١٢٣٤٥٦", "+12345", "123_456", "x" * 40, "aaaaa-aaaaa"])
def test_a_wrong_code_is_refused(house: House, code: str) -> None:
    browser = house.indonesia.elsewhere()
    browser.give_password()
    assert browser.give_code(code).status_code in {200, 403}
    assert not browser.is_in()


def test_unknown_name_and_wrong_password_get_the_same_answer(house: House) -> None:
    def page(name: str) -> tuple[int, bytes]:
        client = Client(REMOTE_ADDR="192.0.2.1")
        answer = client.post("/sign-in", {"sign_in_name": name, "password": "not the right one at all"})
        shown: bytes = answer.content.replace(name.encode(), b"")
        return answer.status_code, shown.split(b"<main")[1]

    known, unknown = page("indonesia"), page("nobodyxxx")
    assert known[0] == unknown[0] == 403
    strip = lambda text: b"".join(line for line in text.splitlines() if b"csrfmiddlewaretoken" not in line)  # noqa: E731
    assert strip(known[1]) == strip(unknown[1])


def test_the_code_page_is_closed_to_those_who_gave_no_password(house: House) -> None:
    answer = Client().post("/sign-in/code", {"code": house.indonesia.recovery_codes[0]})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in")


def test_a_password_changed_in_between_ends_the_attempt(house: House) -> None:
    browser = house.indonesia.elsewhere()
    browser.give_password()
    account = Account.objects.get(sign_in_name=INDONESIA.id)
    account.set_password("another long pass phrase")
    account.save()
    assert browser.give_code(browser.recovery_codes[0])["Location"] == "/sign-in"
    assert not browser.is_in()


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/sign-out"])
def test_sign_in_leads_only_to_pages_of_our_own(house: House, address: str) -> None:
    browser = house.indonesia.elsewhere()
    browser.client.post(f"/sign-in?next={address}", {"sign_in_name": INDONESIA.id, "password": INDONESIA.password})
    assert browser.give_code(browser.recovery_codes[0])["Location"] == "/"


def test_sign_in_leads_back_to_the_page_that_was_asked_for(house: House) -> None:
    browser = house.indonesia.elsewhere()
    address = browser.get("/account?x=1")["Location"]
    browser.give_password(path=address)
    assert browser.give_code(browser.recovery_codes[0])["Location"] == "/account?x=1"


def test_sign_out_ends_the_session_and_its_row(house: House) -> None:
    cookie = house.indonesia.client.cookies[settings.SESSION_COOKIE_NAME].value
    house.indonesia.client.post("/sign-out")
    assert not SignInSession.objects.filter(account__sign_in_name=INDONESIA.id).exists()
    stale = Client()
    stale.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert stale.get("/api/recovery").status_code == 401


def test_a_sign_in_from_another_site_is_refused(house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        "/sign-in", {"sign_in_name": INDONESIA.id, "password": INDONESIA.password}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert not client.cookies.get(settings.SESSION_COOKIE_NAME)


def test_a_huge_password_is_refused_without_being_hashed(house: House) -> None:
    answer = Client().post("/sign-in", {"sign_in_name": INDONESIA.id, "password": "x" * 5000})
    assert answer.status_code == 200
    assert b'class="error"' in answer.content


def test_guessing_passwords_is_slowed_and_told_how_long(house: House) -> None:
    guesser = Browser(INDONESIA, address="192.0.2.66")
    statuses = [guesser.give_password(f"guess number {n} of many").status_code for n in range(8)]
    assert statuses[0] == 403
    assert statuses[-1] == 429
    answer = guesser.give_password()
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1


def test_guessing_elsewhere_does_not_lock_the_owner_out_of_a_known_browser(house: House) -> None:
    for n in range(60):
        Browser(INDONESIA, address=f"192.0.2.{n}").give_password("a guess from everywhere")
    newcomer = Browser(INDONESIA, address="192.0.2.200")
    assert newcomer.give_password().status_code == 429
    house.indonesia.client.post("/sign-out")
    house.indonesia.sign_in()
    assert house.indonesia.is_in()


def test_a_known_browser_gives_nobody_elses_name_a_head_start(house: House) -> None:
    """Indonesia's browser is known for Indonesia, not for Australia."""
    client = house.indonesia.client
    client.post("/sign-out")
    body = {"sign_in_name": "australia", "password": "guess guess guess"}
    assert [client.post("/sign-in", body).status_code for _ in range(8)][-1] == 429


def test_guessing_codes_is_slowed_too(house: House) -> None:
    thief = Browser(INDONESIA, address="192.0.2.77")
    thief.give_password()
    assert [thief.give_code("000000").status_code for _ in range(8)][-1] == 429


# ---------------------------------------------------------------------------------------------------------------------- lost access


def test_a_reset_gives_new_password_and_second_factor_and_leaves_keys_alone(house: House) -> None:
    before = house.indonesia.get("/api/recovery").json()
    reset = accounts.reset_sign_in(sign_in_name=INDONESIA.id, now=now())
    assert not house.indonesia.is_in()
    browser = Browser(INDONESIA)
    assert browser.give_password(reset.password)["Location"] == "/sign-in/renew"
    page = browser.get("/sign-in/renew")
    browser.otpauth = f"otpauth://totp/x?secret={page.context['secret'].replace(' ', '')}"
    new = {"new": "a sentence only I would think of", "again": "a sentence only I would think of"}
    answer = browser.client.post("/sign-in/renew", {**new, "code": six_digits(browser.otpauth)})
    assert answer.status_code == 200
    assert len(answer.context["codes"]) == 10
    assert browser.is_in()
    assert browser.get("/api/recovery").json() == before


def test_after_a_reset_the_old_password_codes_and_the_one_use_password_are_dead(house: House) -> None:
    old = house.indonesia.elsewhere()
    reset = accounts.reset_sign_in(sign_in_name=INDONESIA.id, now=now())
    assert old.give_password().status_code == 403
    _renew(reset.password, "a sentence only I would think of")
    assert Browser(INDONESIA).give_password(reset.password).status_code == 403
    with_new = old.elsewhere()
    assert with_new.give_password("a sentence only I would think of")["Location"] == "/sign-in/code"
    assert with_new.give_code(old.recovery_codes[0]).status_code == 403


def test_a_one_use_password_does_not_sign_in_by_itself(house: House) -> None:
    reset = accounts.reset_sign_in(sign_in_name=INDONESIA.id, now=now())
    browser = Browser(INDONESIA)
    browser.give_password(reset.password)
    assert browser.give_code("000000")["Location"] == "/sign-in"
    assert not browser.is_in()


def test_of_two_browsers_with_one_one_use_password_one_succeeds(house: House) -> None:
    reset = accounts.reset_sign_in(sign_in_name=INDONESIA.id, now=now())
    late = Browser(INDONESIA)
    late.give_password(reset.password)
    _renew(reset.password, "a sentence only I would think of")
    assert late.get("/sign-in/renew")["Location"] == "/sign-in"


# -------------------------------------------------------------------------------------------------------------------------- sockets


async def _behind(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})


def _headers(cookie: str | None) -> list[tuple[bytes, bytes]]:
    return [] if cookie is None else [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]


def _cookie(browser: Browser) -> str:
    return str(browser.client.cookies[settings.SESSION_COOKIE_NAME].value)


@pytest.mark.django_db(transaction=True)
async def test_a_socket_opens_only_with_both_factors() -> None:
    house = await sync_to_async(founded)()
    half_way = house.indonesia.elsewhere()
    await sync_to_async(half_way.give_password)()
    cases = [(None, False), ("", False), ("no-such-session", False), (_cookie(half_way), False), (_cookie(house.indonesia), True)]
    for cookie, opens in cases:
        socket = WebsocketCommunicator(SocketSecondFactor(_behind), "/ws/rooms/x", headers=_headers(cookie))
        connected, _ = await socket.connect()
        assert connected is opens, cookie


@pytest.mark.django_db(transaction=True)
async def test_a_socket_does_not_open_after_signing_out_everywhere() -> None:
    house = await sync_to_async(founded)()
    scope = {"headers": _headers(_cookie(house.indonesia))}
    found = await account_for_scope(scope)
    assert found is not None
    assert found.sign_in_name == INDONESIA.id
    await sync_to_async(house.indonesia.client.post)("/account/sessions/end-all")
    assert await account_for_scope(scope) is None


def _renew(one_use: str, password: str) -> None:
    browser = Browser(INDONESIA)
    browser.give_password(one_use)
    secret = browser.get("/sign-in/renew").context["secret"].replace(" ", "")
    code = six_digits(f"otpauth://totp/x?secret={secret}")
    assert browser.client.post("/sign-in/renew", {"new": password, "again": password, "code": code}).status_code == 200
