"""The first page: what waits for each person, and nothing they may not know of."""

from __future__ import annotations

import pytest
from django.test import Client

from meetings import drafting
from tests.people import AUSTRALIA, BANGLADESH, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.stage import Stage, concurred, installed, proposed, sealed
from tests.standing import on, standing
from tests.world import World

pytestmark = pytest.mark.django_db
world = standing(installed)


def enrolled() -> Stage:
    stage = Stage()
    for chair in (INDONESIA, AUSTRALIA):
        stage.enrol(chair)
    return stage


def accredited() -> Stage:
    stage = concurred()
    stage.answer(THAILAND)
    stage.accredit(THAILAND, THAI_HEAD)
    return stage


def withdrawn() -> Stage:
    stage = accredited()
    stage.withdraw(THAILAND, THAI_HEAD)
    return stage


def returned() -> Stage:
    stage = proposed()
    stage.act(drafting.draft_return(stage.standing, reason=sealed("reason")), AUSTRALIA)
    return stage


REFERENCE = "BP/CM/2017/1"


def page(world: World, person: Person) -> str:
    response = world.browser(person).get("/")
    assert response.status_code == 200
    return response.content.decode()


def test_somebody_who_has_not_signed_in_is_sent_to_the_sign_in() -> None:
    response = Client().get("/")
    assert (response.status_code, response["Location"]) == (302, "/sign-in")


def test_a_password_alone_opens_no_page(world: World) -> None:
    response = world.browser(INDONESIA, second_factor=False).get("/")
    assert (response.status_code, response["Location"]) == (302, "/sign-in")


@on(enrolled)
def test_a_chair_before_the_founding_is_sent_to_compare_fingerprints(world: World) -> None:
    text = page(world, INDONESIA)
    assert "Compare fingerprints with your counterpart and sign" in text
    assert 'href="/proposals/new"' not in text


@on(proposed)
def test_a_proposal_waits_for_the_other_chair_and_for_nobody_else(world: World) -> None:
    assert "Your counterpart proposes a consultation" in page(world, AUSTRALIA)
    own = page(world, INDONESIA)
    assert REFERENCE in own
    assert "Nothing waits for you" in own
    for person in (THAILAND, OFFICER, THAI_HEAD, OUTSIDER):
        assert REFERENCE not in page(world, person)


@on(concurred)
def test_after_concurrence_the_focal_point_is_asked_to_answer(world: World) -> None:
    text = page(world, THAILAND)
    assert "Your party is invited" in text
    assert f'href="/consultations/{world.consultation}/delegation"' in text
    assert "Both have signed: the room can be opened" in page(world, INDONESIA)


@on(concurred)
def test_a_party_that_is_not_invited_sees_an_empty_page_that_says_what_comes_next(world: World) -> None:
    text = page(world, OUTSIDER)
    assert REFERENCE not in text
    assert "No consultation concerns you yet" in text


@on(accredited)
def test_an_accredited_delegate_is_asked_for_the_undertaking_and_then_for_nothing(world: World) -> None:
    assert "You are accredited: sign the undertaking" in page(world, THAI_HEAD)
    world.act(world.stage.undertake(THAI_HEAD))
    assert "Nothing waits for you" in page(world, THAI_HEAD)


@on(withdrawn)
def test_a_withdrawn_delegate_no_longer_learns_that_the_consultation_exists(world: World) -> None:
    assert REFERENCE not in page(world, THAI_HEAD)


@on(returned)
def test_a_returned_proposal_is_listed_for_the_two_chairs_only(world: World) -> None:
    text = page(world, INDONESIA)
    assert REFERENCE in text
    assert "Returned" in text
    assert REFERENCE not in page(world, BANGLADESH)


@pytest.mark.parametrize(
    ("person", "places"),
    [
        (INDONESIA, ["/", "/chairs", "/parties", "/register"]),
        (OFFICER, ["/", "/register", "/evidence"]),
        (THAILAND, ["/"]),
        (THAI_HEAD, ["/"]),
    ],
)
def test_the_navigation_holds_only_what_the_reader_can_open(world: World, person: Person, places: list[str]) -> None:
    browser = world.browser(person)
    response = browser.get("/")
    assert [place.url for place in response.context["navigation"]] == places
    assert all(browser.get(url).status_code == 200 for url in places)


def test_the_frame_names_party_person_card_and_build(world: World) -> None:
    text = page(world, THAILAND)
    assert "<b>Thailand</b> <bdi>Somchai Rattanakul</bdi>" in text
    assert f'<meta name="consult-card" content="{world.card(THAILAND)}">' in text
    assert 'data-zone="Asia/Bangkok"' in text


def test_a_page_is_only_ever_read(world: World) -> None:
    response = world.browser(INDONESIA).post("/")
    assert response.status_code == 405
