"""A new proposal, and who sees which part of a consultation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpResponse

from meetings import drafting, undertaking
from meetings.models import Composition
from secure.log import record
from tests.people import AUSTRALIA, BANGLADESH, CAST, INDONESIA, MYANMAR, OFFICER, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.stage import Stage, concurred, proposed, sealed
from tests.standing import on, standing
from tests.world import World

pytestmark = pytest.mark.django_db


def accredited() -> Stage:
    """Thailand has accepted and accredited a head who has not signed yet; Bangladesh has declined; Myanmar waits for its capital."""
    stage = concurred()
    stage.answer(THAILAND)
    stage.accredit(THAILAND, THAI_HEAD)
    stage.answer(BANGLADESH, "decline")
    stage.answer(MYANMAR, "awaiting_instructions")
    return stage


def enrolled() -> Stage:
    stage = Stage()
    stage.enrol(INDONESIA)
    return stage


def returned() -> Stage:
    stage = proposed()
    stage.act(drafting.draft_return(stage.standing, reason=sealed("reason")), AUSTRALIA)
    return stage


def without_focal_points() -> Stage:
    stage = Stage()
    stage.found()
    stage.propose()
    stage.concur()
    return stage


world = standing(accredited)


def page(world: World, person: Person, path: str = "") -> HttpResponse:
    response: HttpResponse = world.browser(person).get(f"/consultations/{world.consultation}{path}")
    return response


def rows(response: Any) -> dict[str, Any]:
    return {row.code: row for row in response.context["board"].rows}


# ------------------------------------------------------------------------------------------------------------------ the proposal


def test_a_new_proposal_begins_with_the_steering_group_and_both_chairs(world: World) -> None:
    response = world.browser(INDONESIA).get("/proposals/new")
    text = response.content.decode()
    assert [office.party.code for office in response.context["offices"]][:6] == ["AUS", "IDN", "IOM", "NZL", "THA", "UNHCR"]
    assert text.count('<option value="steering_group" selected>') == 4
    assert '<input type="hidden" name="capacity-AUS" value="chair">' in text
    assert undertaking.CURRENT.split("\n", maxsplit=1)[0] in text


def test_the_undertaking_reaches_the_script_byte_for_byte(world: World) -> None:
    assert world.browser(INDONESIA).get("/proposals/new").context["undertaking"] == undertaking.CURRENT
    assert undertaking.text_named(undertaking.CURRENT_SHA256) == undertaking.CURRENT
    assert undertaking.text_named("00" * 32) is None


@pytest.mark.parametrize("person", [THAILAND, THAI_HEAD, OFFICER])
def test_nobody_but_a_chair_opens_a_proposal(world: World, person: Person) -> None:
    assert world.browser(person).get("/proposals/new").status_code == 403


@on(enrolled)
def test_before_the_founding_there_is_nothing_to_propose(world: World) -> None:
    response = world.browser(INDONESIA).get("/proposals/new")
    assert response.status_code == 409
    assert "not founded yet" in response.content.decode()


@on(proposed)
def test_only_the_two_chairs_see_a_proposal_and_only_the_other_is_asked(world: World, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(150):
        review = page(world, AUSTRALIA).content.decode()
    assert "Sign and convene" in review
    assert "Return with a reason" in review
    assert "Not signed yet" in review
    assert page(world, INDONESIA).status_code == 200
    for person in (THAILAND, THAI_HEAD, OFFICER, OUTSIDER):
        assert page(world, person).status_code == 404


@on(returned)
def test_a_returned_proposal_shows_a_place_for_the_reason_and_offers_a_new_draft(world: World) -> None:
    text = page(world, INDONESIA).content.decode()
    assert 'data-sealed="reason"' in text
    assert "Start a new draft from this text" in text
    assert "Sign and convene" not in text


# --------------------------------------------------------------------------------------------------------------------- the board


def test_the_board_shows_for_each_party_how_far_it_is(world: World) -> None:
    response = page(world, INDONESIA)
    board, text = rows(response), response.content.decode()
    assert (board["THA"].answer, board["THA"].step) == ("accept", "needs_undertaking")
    assert (board["BGD"].step, board["MMR"].step) == ("declined", "awaiting_instructions")
    assert "Call the focal point: the invitation has not been opened" in text
    assert "0 of 1" in text
    assert "Awaiting instructions" in text


@on(without_focal_points)
def test_a_party_without_a_focal_point_is_named_as_such(world: World) -> None:
    response = page(world, INDONESIA)
    assert rows(response)["THA"].step == "needs_focal_point"
    assert "No focal point yet" in response.content.decode()


def test_reached_means_that_the_focal_point_itself_has_opened_the_invitation(world: World) -> None:
    row = Composition.objects.filter(consultation_id=world.consultation, party_id="THA")
    page(world, INDONESIA)
    page(world, THAI_HEAD)
    assert row.get().reached_at is None
    page(world, THAILAND)
    assert row.get().reached_at is not None
    assert rows(page(world, AUSTRALIA))["THA"].reached_at is not None
    assert rows(page(world, MYANMAR))["THA"].reached_at is None


def test_the_invitation_is_recorded_as_opened_once(world: World) -> None:
    for _ in range(2):
        page(world, THAILAND)
    world.sealed()
    opened = record.entries(filter=record.Filter(types=("invitation.opened",)))
    assert len(opened) == 1


def test_a_focal_point_is_led_to_its_delegation_and_a_delegate_to_the_undertaking(world: World) -> None:
    focal, delegate = page(world, MYANMAR).content.decode(), page(world, THAI_HEAD).content.decode()
    assert f'href="/consultations/{world.consultation}/delegation"' in focal
    assert f'href="/consultations/{world.consultation}/undertaking"' in delegate
    assert "Seat somebody by both signatures" not in focal


def test_chairs_can_seat_an_officer_by_both_signatures(world: World) -> None:
    text = page(world, INDONESIA).content.decode()
    assert f'<option value="secretariat:{world.card(OFFICER)}">' in text


def test_what_is_hidden_and_what_does_not_exist_are_the_same_page(world: World) -> None:
    browser = world.browser(OUTSIDER)
    hidden = browser.get(f"/consultations/{world.consultation}")
    absent = browser.get(f"/consultations/{'ab' * 32}")
    strange = browser.get("/consultations/%00'; DROP")
    assert hidden.status_code == absent.status_code == strange.status_code == 404
    tokens = re.compile(rb'(csrf-token" content|csrfmiddlewaretoken" value)="[^"]+"')
    assert len({tokens.sub(b"", each.content) for each in (hidden, absent, strange)}) == 1


def test_no_sealed_word_is_on_any_page_of_the_server(world: World) -> None:
    for person in CAST:
        for path in ("", "/delegation", "/undertaking"):
            assert b"brief" not in page(world, person, path).content.replace(b"brief-title", b"")
