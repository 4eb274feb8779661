"""The Register: who may read it, what a look-up leaves behind, and bad addresses."""

from __future__ import annotations

import pytest
from django.test import Client

from secure.log import record
from tests.people import AUSTRALIA, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.stage import Stage, concurred, proposed
from tests.standing import on, own, standing
from tests.world import World

pytestmark = pytest.mark.django_db


def answered() -> Stage:
    stage = concurred()
    stage.answer(THAILAND)
    stage.accredit(THAILAND, THAI_HEAD)
    return stage


world = standing(answered)


@pytest.fixture
def sealed(world: World) -> World:
    """With a signer of its own, whose memory goes with it: what it signs is undone after the test."""
    made = own(world)
    made.sealed()
    made.sealed()  # the first list of witnesses came into force, and is an entry itself
    return made


def look_ups(world: World) -> list[str]:
    world.sealed()
    return [entry.type for entry in record.entries(filter=record.Filter(types=("register.searched", "register.opened")))]


@pytest.mark.parametrize("person", [OFFICER, INDONESIA, AUSTRALIA])
def test_officers_and_chairs_read_numbered_entries_in_plain_words(sealed: World, person: Person) -> None:
    response = sealed.browser(person).get("/register")
    text = response.content.decode()
    assert "Thailand answered its invitation: accepted" in text
    assert "Anong Suwan" in text
    assert "Signed by this host alone" in text
    numbers = [line.number for line in response.context["found"].lines]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("person", [THAILAND, THAI_HEAD, OUTSIDER])
def test_nobody_else_opens_the_register_or_an_entry(sealed: World, person: Person) -> None:
    browser = sealed.browser(person)
    assert browser.get("/register").status_code == 403
    assert browser.get("/register/1").status_code == 403
    assert look_ups(sealed) == []


def test_a_search_is_an_entry_and_going_on_is_none(sealed: World) -> None:
    browser = sealed.browser(OFFICER)
    assert browser.get("/register").status_code == 200
    assert look_ups(sealed) == []
    first = browser.get("/register?kind=people")
    assert look_ups(sealed) == ["register.searched"]
    ticket = browser.get("/register").context["found"].more
    assert browser.get("/register", {"ticket": ticket}).status_code == 200
    assert look_ups(sealed) == ["register.searched"]
    assert all(line.kind == "people" for line in first.context["found"].lines)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("party=THA", "Thailand"),
        ("person=Anong", "Anong Suwan"),
        ("kind=convening", "the consultation is convened"),
        ("since=2026-10-13&until=2026-10-13", "the consultation is convened"),
    ],
)
def test_each_filter_narrows_the_entries(sealed: World, query: str, expected: str) -> None:
    browser = sealed.browser(OFFICER)
    everything = browser.get("/register").context["found"].total
    response = browser.get(f"/register?{query}")
    assert 0 < response.context["found"].total <= everything
    assert expected in response.content.decode()


def test_a_search_without_result_says_what_to_do(sealed: World) -> None:
    text = sealed.browser(OFFICER).get("/register?since=2031-01-01").content.decode()
    assert "Take one of the filters away" in text


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "until=2026-13-45", "kind=secrets", "ticket=forged", "person=" + "a" * 121, "person=%00", "party=a%0ab"],
)
def test_a_query_that_cannot_be_read_is_refused_in_words(sealed: World, query: str) -> None:
    response = sealed.browser(OFFICER).get(f"/register?{query}")
    assert response.status_code == 400
    assert "This request could not be read" in response.content.decode()


def test_another_readers_ticket_is_refused(sealed: World) -> None:
    ticket = sealed.browser(OFFICER).get("/register").context["found"].more
    assert sealed.browser(INDONESIA).get("/register", {"ticket": ticket}).status_code == 400


def test_an_entry_comes_with_its_proof_and_its_opening_is_an_entry(sealed: World) -> None:
    line = sealed.browser(OFFICER).get("/register?kind=convening").context["found"].lines[0]
    response = sealed.browser(OFFICER).get(f"/register/{line.number}")
    text = response.content.decode()
    assert line.text in text
    assert response.context["proof"]["number"] == line.number
    assert 'data-proof data-leaf="' in text
    assert look_ups(sealed) == ["register.opened", "register.searched"]


@pytest.mark.parametrize("number", ["999999", "0x1", "-1"])
def test_an_entry_that_does_not_exist_is_not_found(sealed: World, number: str) -> None:
    assert sealed.browser(OFFICER).get(f"/register/{number}").status_code == 404


@on(proposed)
def test_a_proposal_without_concurrence_appears_to_nobody(world: World) -> None:
    world = own(world)
    world.sealed()
    hidden = record.entries(filter=record.Filter(types=("consultation.propose",)))[0]
    browser = world.browser(OFFICER)
    assert "proposed the consultation" not in browser.get("/register").content.decode()
    assert browser.get(f"/register/{hidden.number}").status_code == 404


def test_the_register_is_read_after_sign_in_and_never_written(sealed: World) -> None:
    assert Client().get("/register").status_code == 302
    assert sealed.browser(OFFICER).post("/register").status_code == 405
