"""Every member and its focal point; who may invite."""

from __future__ import annotations

import pytest

from meetings.models import Party
from tests.people import AUSTRALIA, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.stage import Stage, installed
from tests.standing import on, standing
from tests.world import World

pytestmark = pytest.mark.django_db
world = standing(installed)


def test_every_member_is_listed_with_its_focal_point_or_none(world: World) -> None:
    response = world.browser(INDONESIA).get("/parties")
    text = response.content.decode()
    offices = {office.party.code: office.person for office in response.context["offices"]}
    assert offices.keys() == set(Party.objects.values_list("code", flat=True))
    assert (offices["THA"], offices["MYS"], offices["FJI"]) == (THAILAND.name, OUTSIDER.name, "")
    assert 'Replace<span class="visually-hidden"> the focal point of Thailand' in text
    assert 'Invite<span class="visually-hidden"> the focal point of Fiji' in text
    assert OFFICER.name in text


def test_both_chairs_see_the_same_list(world: World) -> None:
    lists = [[office.party.code for office in world.browser(chair).get("/parties").context["offices"]] for chair in (INDONESIA, AUSTRALIA)]
    assert lists[0] == lists[1]


@pytest.mark.parametrize("person", [THAILAND, THAI_HEAD, OFFICER])
def test_nobody_but_the_chairs_opens_the_list(world: World, person: Person) -> None:
    assert world.browser(person).get("/parties").status_code == 403


def enrolled() -> Stage:
    stage = Stage()
    for chair in (INDONESIA, AUSTRALIA):
        stage.enrol(chair)
    return stage


@on(enrolled)
def test_before_the_founding_nobody_can_be_invited(world: World) -> None:
    text = world.browser(INDONESIA).get("/parties").content.decode()
    assert "First the two Co-Chairs" in text
    assert "the focal point of Fiji" not in text
