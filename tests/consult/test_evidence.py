"""The evidence of a consultation through its pages and doors: from asking to a file that a stranger can check."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from meetings import report
from meetings.evidence import Verdict
from meetings.models import EvidenceExport
from secure.log import bundle_format as form
from secure.models import LogEvent
from tests import evidence
from tests.evidence import Parts, Story, said, verified
from tests.people import AUSTRALIA, BANGLADESH_HEAD, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.standing import own

pytestmark = pytest.mark.django_db
story = evidence.story()


def post(browser: Client, path: str, body: dict[str, str] | None = None) -> Any:
    return browser.post(path, json.dumps(body or {}), content_type="application/json")


@pytest.fixture
def matter(story: Story) -> str:
    return f"consultations/{story.world.consultation}"


@pytest.fixture
def browser(story: Story) -> Callable[[Person], Client]:
    return story.world.browser


def asked(browser: Callable[[Person], Client], matter: str, person: Person) -> str:
    answer = post(browser(person), f"/api/{matter}/exports", {"purpose": "check"})
    assert answer.status_code == 201
    return str(answer.json()["export"])


def received(browser: Callable[[Person], Client], matter: str, person: Person, *, by: Person = AUSTRALIA) -> tuple[Any, bytes]:
    """The whole way: asked, approved, received."""
    export = asked(browser, matter, person)
    assert post(browser(by), f"/api/exports/{export}/approve").status_code == 200
    answer = post(browser(person), f"/api/exports/{export}/bundle")
    assert answer.status_code == 200
    return answer, asyncio.run(_body(answer))


async def _body(answer: Any) -> bytes:
    """As the server sends it: piece by piece."""
    return b"".join([piece async for piece in answer.streaming_content])


def test_the_secretariats_file_is_verified_and_holds_every_name(browser: Any, matter: str) -> None:
    answer, raw = received(browser, matter, OFFICER)
    assert answer["Content-Disposition"] == 'attachment; filename="BP-CM-2017-1-evidence.zip"'
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "application/zip"
    assert int(answer["Content-Length"]) == len(raw)
    outcome = verified(raw)
    assert (said(outcome), outcome.verdict) == ([], Verdict.VERIFIED)
    disclosed = Parts.of(raw)[form.DISCLOSURES].decode()
    assert THAI_HEAD.name in disclosed
    assert BANGLADESH_HEAD.name in disclosed


def test_a_delegates_file_is_verified_and_holds_the_own_name_alone(browser: Any, matter: str) -> None:
    _, raw = received(browser, matter, THAI_HEAD)
    outcome = verified(raw)
    assert (said(outcome), outcome.verdict) == ([], Verdict.VERIFIED)
    disclosed = Parts.of(raw)[form.DISCLOSURES].decode()
    assert THAI_HEAD.name in disclosed
    for other in (BANGLADESH_HEAD, INDONESIA, AUSTRALIA, THAILAND):
        assert other.name not in b"".join(Parts.of(raw).values()).decode("utf-8", "replace")


def test_the_record_says_which_file_was_received(browser: Any, matter: str) -> None:
    _, raw = received(browser, matter, INDONESIA)
    told = json.loads(bytes(LogEvent.objects.get(type="export.created").body))["data"]
    assert told["sha256"] == hashlib.sha256(raw).hexdigest()
    assert told["size"] == Parts.of(raw).size


def test_the_next_file_says_who_received_the_one_before(browser: Any, story: Story, matter: str) -> None:
    received(browser, matter, THAI_HEAD)
    story.sign()
    _, raw = received(browser, matter, OFFICER)
    outcome = verified(raw)
    assert (said(outcome), outcome.verdict) == ([], Verdict.VERIFIED)
    told = report.render(outcome).decode()
    assert f"THA · {THAI_HEAD.name} received the evidence of this consultation, as one file." in told
    assert f"AUS · {AUSTRALIA.name} approved that THA · {THAI_HEAD.name} receives the evidence" in told


def test_receiving_is_an_act_and_no_link_can_cause_it(browser: Any, matter: str) -> None:
    export = asked(browser, matter, THAI_HEAD)
    post(browser(INDONESIA), f"/api/exports/{export}/approve")
    assert browser(THAI_HEAD).get(f"/api/exports/{export}/bundle").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser(THAI_HEAD).cookies
    assert strict.post(f"/api/exports/{export}/bundle").status_code == 403
    assert not LogEvent.objects.filter(type="export.created").exists()


def test_for_a_stranger_page_doors_and_requests_are_as_ones_that_do_not_exist(browser: Any, matter: str) -> None:
    export = asked(browser, matter, THAI_HEAD)
    stranger = browser(OUTSIDER)
    absent = f"consultations/{'0' * 64}"
    assert stranger.get(f"/{matter}/evidence").status_code == stranger.get(f"/{absent}/evidence").status_code == 404
    for hidden, missing in (
        (f"/api/{matter}/exports", f"/api/{absent}/exports"),
        (f"/api/exports/{export}/approve", f"/api/exports/{'0' * 32}/approve"),
        (f"/api/exports/{export}/bundle", f"/api/exports/{'0' * 32}/bundle"),
    ):
        answers = [post(stranger, path, {"purpose": "check"} if path.endswith("exports") else None) for path in (hidden, missing)]
        assert [each.status_code for each in answers] == [404, 404]
        assert answers[0].content == answers[1].content


def test_other_members_are_refused_by_name(browser: Any, matter: str) -> None:
    answer = post(browser(THAI_HEAD), f"/api/{matter}/exports", {"purpose": "check", "reason": "what was said at noon"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unknown_field")
    answer = post(browser(THAI_HEAD), f"/api/{matter}/exports", {"purpose": "what was said at noon"})
    assert (answer.status_code, answer.json()) == (400, {"error": "bad_field", "field": "purpose"})


def test_the_list_says_how_each_request_stands(browser: Any, matter: str) -> None:
    export = asked(browser, matter, THAI_HEAD)
    post(browser(INDONESIA), f"/api/exports/{export}/approve")
    row = browser(THAI_HEAD).get(f"/api/{matter}/exports").json()[0]
    assert (row["export"], row["party"], row["names"], row["purpose"], row["state"]) == (export, "THA", "own", "check", "approved")
    EvidenceExport.objects.update(decided_at=timezone.now() - timedelta(days=8))
    assert browser(THAI_HEAD).get(f"/api/{matter}/exports").json()[0]["state"] == "expired"


# -------------------------------------------------------------------------------------------------------------------------- pages


def text(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_page_leads_from_asking_to_the_file(browser: Any, matter: str) -> None:
    page = f"/{matter}/evidence"
    before = text(browser(THAI_HEAD), page)
    assert "Ask for the evidence" in before
    assert "You have not asked for the evidence of this consultation." in before
    export = asked(browser, matter, THAI_HEAD)
    waiting = text(browser(THAI_HEAD), page)
    assert "Your request waits for a Co-Chair" in waiting
    assert "Your decision is asked for" not in waiting
    assert "Your decision is asked for" in text(browser(INDONESIA), page)
    post(browser(INDONESIA), f"/api/exports/{export}/approve")
    assert "The file is yours to receive" in text(browser(THAI_HEAD), page)
    assert "Your decision is asked for" not in text(browser(AUSTRALIA), page)


def test_an_approval_that_ended_is_said_and_one_can_ask_again(browser: Any, matter: str) -> None:
    export = asked(browser, matter, THAI_HEAD)
    post(browser(INDONESIA), f"/api/exports/{export}/approve")
    EvidenceExport.objects.update(decided_at=timezone.now() - timedelta(days=8))
    page = text(browser(THAI_HEAD), f"/{matter}/evidence")
    assert "approval ended" in page
    assert "Ask for the evidence" in page
    assert "The file is yours to receive" not in page


def test_a_request_waits_on_the_first_page_of_the_chairs_and_the_file_on_the_requesters(browser: Any, matter: str) -> None:
    export = asked(browser, matter, OFFICER)
    assert f"RSO · {OFFICER.name} asks for the evidence" in text(browser(INDONESIA), "/")
    assert "asks for the evidence" not in text(browser(THAI_HEAD), "/")
    post(browser(AUSTRALIA), f"/api/exports/{export}/approve")
    assert "asks for the evidence" not in text(browser(INDONESIA), "/")
    assert "The evidence you asked for is approved" in text(browser(OFFICER), "/")


def test_the_page_offers_the_verifiers_with_their_fingerprints(browser: Any, matter: str, settings: Any) -> None:
    page = text(browser(OFFICER), f"/{matter}/evidence")
    raw = (settings.CONSULT_BUNDLE / "consult-verify.pyz").read_bytes()
    assert "consult-verify.pyz</a>" in page
    assert hashlib.sha256(raw).hexdigest() in page


def test_an_officer_finds_the_consultations_whose_evidence_may_be_asked_for(browser: Any, matter: str) -> None:
    assert f'href="/{matter}/evidence"' in text(browser(OFFICER), "/evidence")
    assert "There is no consultation whose evidence you may ask for." in text(browser(OUTSIDER), "/evidence")


def test_who_once_sat_finds_the_way_from_the_first_page(browser: Any, story: Story, matter: str) -> None:
    world = own(story.world)
    world.act(world.stage.withdraw(THAILAND, THAI_HEAD))
    assert "You once sat in 1 consultation that you no longer see." in text(browser(THAI_HEAD), "/")
    assert f'href="/{matter}/evidence"' in text(browser(THAI_HEAD), "/evidence")
    assert browser(THAI_HEAD).get(f"/{matter}").status_code == 404
