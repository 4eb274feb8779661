"""The pages and doors of a disposal, as an officer and a Co-Chair see them: read, ask, sign, certificate."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from meetings import drafting
from secure.log.certificate import certificate_of
from secure.log.encoding import parse_event
from secure.models import LogEvent
from tests import stage as stages
from tests.people import AUSTRALIA, INDONESIA, OFFICER, THAI_HEAD, THAILAND, Person
from tests.world import World, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.CONSULT_SHRED, settings.CONSULT_BLOBS = tmp_path / "shred", tmp_path / "papers"
    stage = stages.concurred()
    stage.answer(THAILAND)
    stage.accredit(THAILAND, THAI_HEAD)
    world = World(stage, now=timezone.now())
    world.sealed()
    return world


def browser(world: World, person: Person) -> Client:
    return signed_in(world.account(person))


def page(world: World, person: Person, path: str = "") -> str:
    answer = browser(world, person).get(f"/consultations/{world.consultation}/disposal{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def first_page(world: World, person: Person) -> str:
    return str(browser(world, person).get("/").content.decode())


def ask(world: World, person: Person = OFFICER, basis: str = "legal_order") -> HttpResponse:
    answer = browser(world, person).post(
        f"/api/consultations/{world.consultation}/disposal", json.dumps({"basis": basis}), content_type="application/json"
    )
    world.sealed()
    return answer


def listed(world: World, person: Person = INDONESIA) -> HttpResponse:
    return browser(world, person).get(f"/api/consultations/{world.consultation}/disposal")


def disposed(world: World) -> str:
    """Asked for, and signed by both over the list as a Co-Chair's browser gets it; returns the list."""
    assert ask(world).status_code == 200
    manifest = str(listed(world).json()["manifest"])
    named = hashlib.sha256(manifest.encode()).hexdigest()
    world.act(world.stage.both(drafting.draft_dispose(world.stage.standing, basis="legal_order", manifest=named)))
    world.sealed()
    return manifest


def test_the_page_says_what_goes_and_what_stays_before_anybody_asks(world: World) -> None:
    for person in (OFFICER, INDONESIA):
        shown = page(world, person)
        assert "every message and paper of its rooms" in shown
        assert "cannot be undone" not in shown  # nobody is asked to sign yet
    assert 'data-act="request"' in page(world, OFFICER)
    assert 'data-act="request"' not in page(world, INDONESIA)
    assert "An officer of the secretariat has to ask first" in page(world, INDONESIA)


def test_the_end_of_the_period_is_no_ground_before_it_has_come(world: World) -> None:
    assert 'value="retention_over"' not in page(world, OFFICER)
    answer = ask(world, basis="retention_over")
    assert (answer.status_code, answer.json()["error"]) == (409, "retention_runs")
    assert ask(world, basis="tidying_up").json() == {"error": "bad_field", "field": "basis"}


def test_a_request_is_shown_to_both_co_chairs_with_ground_and_name(world: World) -> None:
    assert ask(world).status_code == 200
    for person in (INDONESIA, AUSTRALIA):
        shown = page(world, person)
        assert "a legal order requires it" in shown
        assert f"Regional Support Office · {OFFICER.name}" in shown
        assert 'data-act="dispose"' in shown
        assert 'data-basis="legal_order"' in shown
    assert 'data-act="dispose"' not in page(world, OFFICER)


def test_a_request_waits_on_the_first_page_of_both_co_chairs_until_it_is_done(world: World) -> None:
    waiting, link = "The secretariat asks both Co-Chairs for a disposal", f'href="/consultations/{world.consultation}/disposal"'
    assert waiting not in first_page(world, INDONESIA)
    ask(world)
    for person in (INDONESIA, AUSTRALIA):
        assert waiting in first_page(world, person)
        assert link in first_page(world, person)
    for person in (OFFICER, THAILAND, THAI_HEAD):
        assert waiting not in first_page(world, person)


def test_what_was_disposed_of_waits_for_nobody(world: World) -> None:
    disposed(world)
    assert "The secretariat asks both Co-Chairs" not in first_page(world, INDONESIA)


def test_signing_asks_twice(world: World) -> None:
    ask(world)
    shown = page(world, INDONESIA)
    for dialog in ("sign-first", "sign-second"):
        assert f'data-opens="{dialog}"' in shown
        assert f'<dialog id="{dialog}"' in shown
    assert shown.count('name="read" required') == 2


def test_the_list_is_for_the_co_chairs_once_an_officer_has_asked(world: World) -> None:
    assert listed(world).json() == {"error": "not_requested"}
    ask(world)
    told = listed(world).json()
    assert told["basis"] == "legal_order"
    assert json.loads(told["manifest"])["consultation"] == world.consultation
    for person in (OFFICER, THAILAND, THAI_HEAD):
        assert listed(world, person).status_code == 404


def test_the_certificate_can_be_read_and_the_list_saved(world: World) -> None:
    manifest = disposed(world)
    event = LogEvent.objects.get(type="consultation.disposed")
    certificate = certificate_of(parse_event(bytes(event.body)))
    for person in (OFFICER, INDONESIA):
        shown = page(world, person, "/certificate")
        for part in (certificate.manifest, certificate.disposal, certificate.head, str(certificate.last), INDONESIA.name, AUSTRALIA.name):
            assert part in shown
        assert "data-print" in shown
        assert f'href="/register/{event.leaf.index}"' in shown
    saved = browser(world, OFFICER).get(f"/consultations/{world.consultation}/disposal/manifest")
    assert saved.content.decode() == manifest
    assert hashlib.sha256(saved.content).hexdigest() == certificate.manifest
    assert "attachment" in saved.headers["Content-Disposition"]


def test_afterwards_the_consultation_is_the_co_chairs_and_the_registers_only(world: World) -> None:
    disposed(world)
    board = browser(world, INDONESIA).get(f"/consultations/{world.consultation}").content.decode()
    assert "It has been disposed of" in board
    assert "data-sealed" not in board
    assert "Disposed of" in browser(world, INDONESIA).get("/").content.decode()
    for person in (THAILAND, THAI_HEAD):
        assert browser(world, person).get(f"/consultations/{world.consultation}").status_code == 404
    retention = browser(world, OFFICER).get("/register/retention").content.decode()
    assert "Disposed of" in retention
    assert browser(world, OFFICER).get(f"/register/{certified(world)}").status_code == 200


def certified(world: World) -> int:
    """An entry whose words went."""
    return int(LogEvent.objects.filter(body=b"", leaf__isnull=False).order_by("pk")[0].leaf.index)
