"""The Co-Chairs' page before and after the founding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.people import AUSTRALIA, INDONESIA, OFFICER, THAI_HEAD, THAILAND, Person
from tests.secure.log.logs import Log, make_log
from tests.stage import LOG, Stage, installed
from tests.standing import on, standing
from tests.world import World

pytestmark = pytest.mark.django_db
world = standing(installed)


def enrolled(*chairs: Person) -> Stage:
    stage = Stage()
    for chair in chairs or (INDONESIA, AUSTRALIA):
        stage.enrol(chair)
    return stage


def alone() -> Stage:
    return enrolled(INDONESIA)


@pytest.fixture
def log(settings: Any, tmp_path: Path) -> Log:
    settings.CONSULT_LOG_VKEYS = tmp_path / "log.vkey"
    return make_log(tmp_path, origin=settings.CONSULT_ORIGIN)


@on(enrolled)
def test_the_founding_names_the_log_key_of_this_host_and_both_chairs(world: World, log: Log) -> None:
    response = world.browser(INDONESIA).get("/chairs")
    text = response.content.decode()
    assert response.context["log"] == log.vkey
    assert INDONESIA.name in text
    assert AUSTRALIA.name in text
    assert "I have compared both fingerprints by telephone" in text
    assert "Waiting for the second signature" not in text


@on(alone)
def test_a_chair_whose_counterpart_has_not_enrolled_is_told_so(world: World, log: Log) -> None:
    text = world.browser(INDONESIA).get("/chairs").content.decode()
    assert "Not enrolled yet" in text


def test_after_the_founding_the_key_is_the_one_both_signed_and_drafts_have_their_place(world: World) -> None:
    response = world.browser(AUSTRALIA).get("/chairs")
    assert response.context["log"] == LOG
    assert "Waiting for the second signature" in response.content.decode()


@pytest.mark.parametrize("person", [THAILAND, THAI_HEAD, OFFICER])
def test_nobody_else_opens_the_page_or_learns_names_from_it(world: World, person: Person) -> None:
    response = world.browser(person).get("/chairs")
    assert response.status_code == 403
    assert AUSTRALIA.name not in response.content.decode()
    assert "This is not yours to open" in response.content.decode()


def test_the_page_is_only_read_and_only_after_sign_in(world: World) -> None:
    assert world.browser(INDONESIA).post("/chairs").status_code == 405
    response = Client().get("/chairs")
    assert (response.status_code, response["Location"]) == (302, "/sign-in?next=%2Fchairs")
