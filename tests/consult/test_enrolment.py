"""Enrolment through its doors: invite, open, reserve, complete, confirm, withdraw."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from secure import codes, enrolment
from secure.codes import Code
from secure.errors import Conflict
from secure.models import Account, Enrolment
from secure.statements import encode_signed, parse_signed
from tests.browsers import Browser, House, founded, now, six_digits
from tests.people import AUSTRALIA, BANGLADESH, INDONESIA, OFFICER, THAI_HEAD, THAILAND

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return founded()


def test_a_code_opens_and_says_whom_it_is_for(house: House) -> None:
    code = house.code_for(THAILAND)
    answer = Browser(THAILAND).post("/api/enrolments/open", {"locator": code.locator})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["name"], told["party"], told["purpose"]) == (THAILAND.name, "THA", "focal_point")
    assert code.fits(told["inst"])
    assert len(told["installation_head"]) == 64


def test_the_chairs_codes_open_before_there_is_an_installation() -> None:
    text, _ = enrolment.invite_chairs(indonesia_name="Ratna Wijaya", australia_name="Margaret Ellis", now=now())
    code = codes.parse_code(str(text))
    told = Browser(INDONESIA).post("/api/enrolments/open", {"locator": code.locator}).json()
    assert told["inst"] is None
    assert told["installation_head"] is None
    assert code.fits(None)


def test_opening_a_code_does_not_use_it_up(house: House) -> None:
    code, browser = house.code_for(THAILAND), Browser(THAILAND)
    for _ in range(3):
        assert browser.post("/api/enrolments/open", {"locator": code.locator}).status_code == 200
    assert browser.enrol(code).status_code == 201


def test_enrolling_signs_the_person_in_with_both_factors_and_gives_recovery_codes(house: House) -> None:
    browser = Browser(THAILAND)
    answer = browser.enrol(house.code_for(THAILAND))
    assert answer.status_code == 201
    assert len(set(answer.json()["recovery_codes"])) == 10
    assert browser.is_in()
    assert browser.get("/api/recovery").json()["number"] == 1


def test_enrolling_leaves_no_code_password_or_secret_in_the_open(house: House) -> None:
    code, browser = house.code_for(THAILAND), Browser(THAILAND)
    browser.enrol(code)
    row = Enrolment.objects.get(locator=code.locator)
    assert row.account is not None
    assert row.totp_salt == ""
    assert code.secret.hex() not in str(vars(row))
    assert row.account.password.startswith("argon2")


def test_the_inviter_sees_card_and_mark_of_the_person_invited(house: House) -> None:
    code = house.code_for(THAILAND)
    browser = Browser(THAILAND)
    browser.enrol(code)
    (row,) = house.indonesia.get("/api/enrolments").json()
    assert row["state"] == "enrolled"
    assert parse_signed(row["card"]).hash == browser.card
    assert row["mac"] == code.mac(browser.card)


def test_nobody_else_sees_an_inviters_codes(house: House) -> None:
    house.code_for(THAILAND)
    assert house.australia.get("/api/enrolments").json() == []
    (row,) = house.indonesia.get("/api/enrolments").json()
    assert house.australia.delete(f"/api/enrolments/{row['enrolment']}").status_code == 404


def test_the_second_factor_stays_the_same_while_enrolling(house: House) -> None:
    code, browser = house.code_for(THAILAND), Browser(THAILAND)
    first = browser.reserve(code).json()
    assert browser.reserve(code, sign_in_name="somchai").json()["otpauth"].split("secret=")[1] == first["otpauth"].split("secret=")[1]


def test_the_picture_of_the_second_factor_is_an_svg(house: House) -> None:
    browser = Browser(THAILAND)
    browser.reserve(house.code_for(THAILAND))
    answer = browser.post("/api/enrolments/qr", {"otpauth": browser.otpauth})
    assert answer.json()["image"].startswith("data:image/svg+xml")
    assert browser.post("/api/enrolments/qr", {"otpauth": "https://example.org"}).status_code == 400


# ------------------------------------------------------------------------------------------------------------ codes that do not work


def used(house: House, code: Code) -> None:
    assert Browser(THAILAND).enrol(code).status_code == 201


def withdrawn(house: House, code: Code) -> None:
    (row,) = house.indonesia.get("/api/enrolments").json()
    assert house.indonesia.delete(f"/api/enrolments/{row['enrolment']}").status_code == 200


def expired(house: House, code: Code) -> None:
    Enrolment.objects.filter(locator=code.locator).update(expires=now() - timedelta(seconds=1))


def unknown(house: House, code: Code) -> None:
    Enrolment.objects.filter(locator=code.locator).update(locator="0" * 32)


@pytest.mark.parametrize("spoil", [used, withdrawn, expired, unknown])
@pytest.mark.parametrize("door", ["open", "sign-in-details", "complete"])
def test_a_code_that_does_not_work_says_no_more_than_that(house: House, spoil: Callable[[House, Code], None], door: str) -> None:
    code = house.code_for(THAILAND)
    spoil(house, code)
    late = Browser(THAILAND)
    bodies: dict[str, Any] = {
        "open": {"locator": code.locator},
        "sign-in-details": {"locator": code.locator, "sign_in_name": "late", "password": THAILAND.password},
        "complete": late.application(code) | {"sign_in_name": "late"},
    }
    answer = late.post(f"/api/enrolments/{door}", bodies[door])
    assert (answer.status_code, answer.json()) == (410, {"error": "code_not_valid"})
    assert not Account.objects.filter(sign_in_name="late").exists()


def test_a_code_used_while_another_browser_was_filling_in_makes_one_account(house: House) -> None:
    code = house.code_for(THAILAND)
    first, second = Browser(THAILAND), Browser(BANGLADESH)
    first.reserve(code)
    second.reserve(code)
    assert first.post("/api/enrolments/complete", first.application(code)).status_code == 201
    assert second.post("/api/enrolments/complete", second.application(code)).status_code == 410


# ---------------------------------------------------------------------------------------------------------------- bad applications

Spoil = Callable[[House, Browser, dict[str, Any]], None]


def swapped_card(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["card"] = encode_signed(Browser(BANGLADESH).statements(party="THA")[0])


def foreign_party(house: House, browser: Browser, body: dict[str, Any]) -> None:
    card, device = browser.statements(party="BGD")
    body |= {"card": encode_signed(card), "device": encode_signed(device)}


def unsigned_card(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["card"]["signatures"][0][1] = base64.b64encode(bytes(64)).decode()


def card_as_device(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["device"] = body["card"]


def chairs_kind_of_card(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["card"]["statement"]["inst"] = None


def short_mac(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["mac"] = base64.b64encode(bytes(31)).decode()


def mac_in_hex(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["mac"] = bytes(22).hex()


def wrong_digits(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["totp"] = six_digits(browser.otpauth, ahead=-10)


def arabic_digits(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["totp"] = body["totp"].translate({ord("0") + n: 0x0660 + n for n in range(10)})


def weak_password(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["password"] = "short"


def common_password(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["password"] = "1q2w3e4r5t6y7u8i9o0p"


def long_password(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["password"] = "long " * 300


def own_name_as_password(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["password"] = f"{THAILAND.id} {THAILAND.id} {THAILAND.id}"


def odd_name(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["sign_in_name"] = "so <b>mchai"


def taken_name(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["sign_in_name"] = AUSTRALIA.id.upper()


def empty_box(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["recovery"]["box"] = ""


def second_sheet_first(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["recovery"]["number"] = 2


def garbled_key_package(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["key_packages"] = [base64.b64encode(b"not MLS").decode()]


def unread_field(house: House, browser: Browser, body: dict[str, Any]) -> None:
    body["purpose"] = "chair"


def missing_device(house: House, browser: Browser, body: dict[str, Any]) -> None:
    del body["device"]


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (swapped_card, 400),
        (foreign_party, 400),
        (unsigned_card, 400),
        (card_as_device, 400),
        (chairs_kind_of_card, 400),
        (short_mac, 400),
        (mac_in_hex, 400),
        (wrong_digits, 403),
        (arabic_digits, 403),
        (weak_password, 400),
        (common_password, 400),
        (long_password, 400),
        (own_name_as_password, 400),
        (odd_name, 400),
        (taken_name, 409),
        (empty_box, 400),
        (second_sheet_first, 400),
        (garbled_key_package, 400),
        (unread_field, 400),
        (missing_device, 400),
    ],
)
def test_a_bad_application_makes_nothing_and_leaves_the_code_good(house: House, spoil: Spoil, status: int) -> None:
    code, browser = house.code_for(THAILAND), Browser(THAILAND)
    browser.reserve(code)
    body = browser.application(code)
    spoil(house, browser, body)
    answer = browser.post("/api/enrolments/complete", body)
    assert answer.status_code == status, answer.content
    assert set(answer.json()) >= {"error"}
    assert Account.objects.count() == 2
    assert not browser.is_in()
    assert browser.post("/api/enrolments/complete", browser.application(code)).status_code == 201


def test_enrolling_without_reserving_a_second_factor_is_refused(house: House) -> None:
    code, browser = house.code_for(THAILAND), Browser(THAILAND)
    answer = browser.post("/api/enrolments/complete", browser.application(code))
    assert (answer.status_code, answer.json()["error"]) == (409, "second_factor_expired")


# ------------------------------------------------------------------------------------------------------------------- who may invite


def test_a_focal_point_invites_delegates_of_its_own_party_only(house: House) -> None:
    thailand = house.focal_point(THAILAND)
    assert thailand.invite(THAI_HEAD, code=codes.new_code(inst=house.inst)).status_code == 201
    other = Browser(BANGLADESH).person
    assert thailand.invite(other, code=codes.new_code(inst=house.inst)).status_code == 403


def test_a_delegate_invites_nobody(house: House) -> None:
    thailand = house.focal_point(THAILAND)
    delegate = house.admit(THAI_HEAD, by=thailand)
    answer = delegate.invite(BANGLADESH, code=codes.new_code(inst=house.inst))
    assert (answer.status_code, answer.json()["error"]) == (403, "may_not_invite")


def test_nobody_invites_a_chair_through_the_door(house: House) -> None:
    body = {"locator": "ab" * 16, "purpose": "chair", "party": "AUS", "name": "Somebody"}
    assert house.indonesia.post("/api/enrolments", body).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"locator": "AB" * 16},
        {"locator": "ab" * 15},
        {"locator": None},
        {"name": ""},
        {"name": "x" * 121},
        {"name": "two\x00parts"},
        {"party": 7},
        {"purpose": "admin"},
        {"state": "confirmed"},
    ],
)
def test_a_malformed_invitation_is_refused(house: House, change: dict[str, Any]) -> None:
    body = {"locator": "ab" * 16, "purpose": "focal_point", "party": "THA", "name": "Somchai", **change}
    assert house.indonesia.post("/api/enrolments", body).status_code == 400
    assert not Enrolment.objects.filter(purpose="focal_point").exists()


def test_one_locator_serves_one_invitation(house: House) -> None:
    code = house.code_for(THAILAND)
    answer = house.australia.invite(BANGLADESH, code=code)
    assert (answer.status_code, answer.json()["error"]) == (409, "locator_used")


def test_a_used_code_cannot_be_withdrawn(house: House) -> None:
    house.admit(THAILAND)
    (row,) = house.indonesia.get("/api/enrolments").json()
    answer = house.indonesia.delete(f"/api/enrolments/{row['enrolment']}")
    assert (answer.status_code, answer.json()["error"]) == (409, "enrolment_used")


def test_an_officer_takes_office_when_the_inviter_confirms_the_card(house: House) -> None:
    officer = house.admit(OFFICER)
    (row,) = house.indonesia.get("/api/enrolments").json()
    path = f"/api/enrolments/{row['enrolment']}/confirm"
    assert house.australia.post(path, {"card": officer.card}).status_code == 404
    assert house.indonesia.post(path, {"card": "0" * 64}).status_code == 409
    assert officer.get("/register").status_code == 403
    assert house.indonesia.post(path, {"card": officer.card}).status_code == 200
    (row,) = house.indonesia.get("/api/enrolments").json()
    assert row["state"] == "confirmed"


def test_a_focal_points_card_is_not_confirmed_by_hand(house: House) -> None:
    thailand = house.admit(THAILAND)
    (row,) = house.indonesia.get("/api/enrolments").json()
    answer = house.indonesia.post(f"/api/enrolments/{row['enrolment']}/confirm", {"card": thailand.card})
    assert (answer.status_code, answer.json()["error"]) == (409, "not_due")


def test_the_host_invites_chairs_only_before_both_have_enrolled(house: House) -> None:
    with pytest.raises(Conflict):
        enrolment.invite_chairs(indonesia_name="Mallory", australia_name="Mallory", now=now())


def test_inviting_the_chairs_again_ends_their_unused_codes() -> None:
    first, _ = enrolment.invite_chairs(indonesia_name="Ratna Wijaya", australia_name="Margaret Ellis", now=now())
    enrolment.invite_chairs(indonesia_name="Ratna Wijaya", australia_name="Margaret Ellis", now=now())
    locator = codes.parse_code(str(first)).locator
    assert Browser(INDONESIA).post("/api/enrolments/open", {"locator": locator}).status_code == 410
