"""The focal point's page and the delegate's undertaking."""

from __future__ import annotations

import pytest
from django.http import HttpResponse

from meetings import undertaking
from meetings.models import Composition, Consultation
from tests.people import BANGLADESH, INDONESIA, OFFICER, OUTSIDER, THAI_ADVISER, THAI_HEAD, THAILAND, Person
from tests.stage import Stage, concurred, proposed
from tests.standing import on, standing
from tests.world import World

pytestmark = pytest.mark.django_db


def accredited() -> Stage:
    """Thailand has accepted and accredited its head; an officer of the secretariat is seated."""
    stage = concurred()
    stage.answer(THAILAND)
    stage.accredit(THAILAND, THAI_HEAD)
    stage.seat(OFFICER)
    return stage


world = standing(accredited)


def page(world: World, person: Person, path: str = "/delegation") -> HttpResponse:
    response: HttpResponse = world.browser(person).get(f"/consultations/{world.consultation}{path}")
    return response


def test_the_focal_point_finds_answer_delegates_and_codes_on_one_page(world: World) -> None:
    response = page(world, THAILAND)
    text = response.content.decode()
    assert response.status_code == 200
    for words in ("Accept", "Awaiting instructions", "Decline", "Sign the answer", "Make a code for a new delegate"):
        assert words in text
    assert 'value="accept" required checked' in text
    assert 'data-party="THA"' in text
    # an answer that was given steps back behind the next act
    assert "Change the answer" in text


def test_only_people_of_the_own_party_can_be_chosen(world: World) -> None:
    known = {card.account.name for card in page(world, THAILAND).context["known"]}  # type: ignore[attr-defined]
    assert THAI_ADVISER.name in known
    assert BANGLADESH.name not in known


@pytest.mark.parametrize("person", [THAI_HEAD, INDONESIA, OFFICER, OUTSIDER])
def test_nobody_but_the_focal_point_opens_the_delegation(world: World, person: Person) -> None:
    assert page(world, person).status_code == 404


@on(proposed)
def test_before_concurrence_there_is_no_invitation_to_open(world: World) -> None:
    assert page(world, THAILAND).status_code == 404
    assert not Composition.objects.exclude(reached_at=None).exists()


def test_opening_the_page_reaches_the_party(world: World) -> None:
    page(world, BANGLADESH)
    assert Composition.objects.get(consultation_id=world.consultation, party_id="BGD").reached_at is not None


@pytest.mark.parametrize("person", [THAI_HEAD, OFFICER])
def test_whoever_is_accredited_or_seated_can_read_the_undertaking(world: World, person: Person) -> None:
    Consultation.objects.update(undertaking=undertaking.CURRENT_SHA256)
    text = page(world, person, "/undertaking").content.decode()
    assert "Sign the undertaking" in text
    assert undertaking.CURRENT.split("\n", maxsplit=1)[0] in text


def test_an_undertaking_whose_text_is_not_known_here_cannot_be_signed(world: World) -> None:
    text = page(world, THAI_HEAD, "/undertaking").content.decode()
    assert "does not have the text both Co-Chairs signed" in text
    assert "Sign the undertaking" not in text


@pytest.mark.parametrize("person", [THAILAND, INDONESIA, OUTSIDER])
def test_nobody_else_is_shown_an_undertaking_to_sign(world: World, person: Person) -> None:
    assert page(world, person, "/undertaking").status_code == 404
