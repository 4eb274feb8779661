"""Every screen of the demonstration, at a desk and on a telephone: nothing complains, nothing sticks out, everything has a name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from meetings import evidence
from secure.log.trust import read_trust
from tests.e2e.desk import PATIENCE, Desk, consultation_of
from tests.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CONVENED = "CM-2017-02"
#: what a reader without eyes or without a mouse needs of every page
UNNAMED = """
() => [...document.querySelectorAll("button, a[href], input:not([type=hidden], [tabindex='-1']), select, textarea, summary, [role=tab]")]
  .filter((control) => control.checkVisibility())
  .filter((control) => !control.textContent.trim() && !control.getAttribute("aria-label") && !(control.labels ?? []).length)
  .map((control) => control.outerHTML.slice(0, 120))
"""
HEADINGS = """
() => [...document.querySelectorAll("h1, h2, h3, h4")]
  .filter((heading) => heading.checkVisibility()).map((heading) => Number(heading.tagName[1]))
"""


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Makes itself in its own folder: people, keys and two consultations."""
    installation = Installation(tmp_path_factory.mktemp("screens") / "data")
    installation.start(("--data", str(installation.data), "demo", "--port", str(installation.port)))
    yield installation
    installation.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visitors(chromium: Browser, demonstration: Installation) -> AsyncIterator[dict[str, Desk]]:
    desks = {slug: await walk_in(chromium, demonstration, slug) for slug in ("indonesia", "bangladesh-head", "secretariat")}
    yield desks
    for desk in desks.values():
        await desk.context.close()


async def walk_in(chromium: Browser, demonstration: Installation, slug: str) -> Desk:
    origin = f"http://{slug}.localhost:{demonstration.port}"
    desk = await Desk.sit(chromium, demonstration, slug, origin=origin)
    await desk.go("/demonstration/enter")
    await desk.press(re.compile("^Walk in as"))
    await desk.page.wait_for_url(f"{origin}/", timeout=PATIENCE)
    return desk


async def looked_at(desk: Desk, name: str, *, shot: bool = True) -> None:
    """Measured at a telephone's width, and photographed where the story does not do it."""
    await desk.page.wait_for_load_state("networkidle")
    assert await desk.widest() <= 0, f"{name} sticks out at 360 pixels"
    assert await desk.evaluate(UNNAMED) == [], f"{name} has a control without a name"
    levels = await desk.evaluate(HEADINGS)
    assert levels.count(1) == 1, f"{name} has one first heading, not {levels}"
    assert all(after - before <= 1 for before, after in pairwise(levels)), f"{name} jumps a heading: {levels}"
    if shot:
        await desk.shot(f"screens-{name}")


async def test_the_demonstration_shows_every_page_whole_at_a_desk_and_on_a_telephone(visitors: dict[str, Desk]) -> None:
    chair, head = visitors["indonesia"], visitors["bangladesh-head"]
    await chair.go("/")
    await looked_at(chair, "home")
    await chair.page.get_by_role("link", name="Go and open it").click()
    await chair.sees(CONVENED)
    consultation = consultation_of(chair.page)
    await chair.press("Open the room")
    await expect(chair.page.get_by_role("link", name="Enter the room")).to_be_visible(timeout=PATIENCE)
    await expect(chair.page.get_by_text("Reached", exact=True)).to_have_count(6)
    await looked_at(chair, "board")

    # both at once, as delegations arrive: who comes second meets a room that has just moved on
    await asyncio.gather(*(desk.enter_room(consultation) for desk in (chair, head)))
    await chair.say("The floor is open on item 1.")
    await head.hears("The floor is open on item 1.")
    await head.say("Bangladesh asks that rescue come first.")
    await chair.hears("Bangladesh asks that rescue come first.")
    await expect(head.page.get_by_role("alert")).to_have_count(0)
    await looked_at(head, "room")

    for name in ("chairs", "parties", "proposals/new", "register", "account/password", "account/recovery-codes"):
        await chair.go(f"/{name}")
        await looked_at(chair, name, shot=False)
    for name in ("account", "register/2", "about/host"):
        await chair.go(f"/{name}")
        await looked_at(chair, name.replace("/", "-"))
    await head.go(f"/consultations/{consultation}")
    await looked_at(head, "board-delegate", shot=False)
    await head.go(f"/consultations/{consultation}/undertaking")
    await looked_at(head, "undertaking", shot=False)
    assert chair.faults + head.faults == []


async def test_evidence_is_asked_for_approved_and_saved(visitors: dict[str, Desk], tmp_path: Path) -> None:
    chair, officer = visitors["indonesia"], visitors["secretariat"]
    await officer.go("/evidence")
    await looked_at(officer, "evidence-overview")
    await officer.page.get_by_role("link", name=CONVENED).click()
    await looked_at(officer, "evidence-empty")
    await officer.press("Ask for the evidence")
    await officer.label("What for").select_option("To check the record")
    await officer.shot("screens-evidence-ask")
    await officer.page.get_by_role("button", name="Ask", exact=True).click()
    await officer.sees("Your request waits for a Co-Chair")
    await looked_at(officer, "evidence-waiting", shot=False)

    await chair.go("/")
    await chair.sees("asks for the evidence")
    await looked_at(chair, "home-evidence")
    await chair.page.get_by_role("link", name="Look and decide").click()
    await looked_at(chair, "evidence-decide")
    await chair.press("Approve")
    await chair.page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    await chair.sees("Approved. The person who asked can receive the file from now on.")

    await officer.go("/")
    await officer.page.get_by_role("link", name="Get the file").click()
    async with officer.page.expect_download() as waiting:
        await officer.press("Make and save the file")
    download = await waiting.value
    assert download.suggested_filename == f"{CONVENED}-evidence.zip"
    await officer.sees("Saved as")
    await looked_at(officer, "evidence-saved")
    await download.save_as(tmp_path / "evidence.zip")
    policy = await officer.evaluate("fetch('/log/policy').then((answer) => answer.text())")
    outcome = evidence.verify((tmp_path / "evidence.zip").read_bytes(), read_trust(policy.encode()))
    assert (outcome.findings.faults, outcome.findings.missing, outcome.findings.doubts) == ([], [], [])
    assert outcome.verdict is evidence.Verdict.VERIFIED

    await officer.go("/register?kind=exports")
    await officer.sees("received the evidence of this consultation, as one file")
    await officer.sees(re.compile("Agreed by 1 of 1 witness"))
    await looked_at(officer, "register-witnessed")
    assert chair.faults + officer.faults == []


async def test_a_message_is_written_and_sent_by_keyboard_alone(visitors: dict[str, Desk]) -> None:
    chair, head = visitors["indonesia"], visitors["bangladesh-head"]
    await chair.go("/")
    await chair.page.get_by_role("link", name=re.compile(CONVENED)).focus()
    await chair.page.keyboard.press("Enter")
    await chair.page.get_by_role("link", name="Enter the room").focus()
    await chair.page.keyboard.press("Enter")
    await expect(chair.page.get_by_text("Connected · everything sent")).to_be_visible(timeout=PATIENCE)
    writing = chair.page.get_by_role("textbox", name="Message")
    for _ in range(60):
        if await writing.evaluate("area => area === document.activeElement"):
            break
        await chair.page.keyboard.press("Tab")
    await chair.page.keyboard.type("Written without a mouse.")
    await chair.page.keyboard.press("Control+Enter")
    await head.enter_room(consultation_of(chair.page))
    await head.hears("Written without a mouse.")

    await head.page.get_by_role("link", name="Skip to where you write").focus()
    await head.page.keyboard.press("Enter")
    await expect(head.page.get_by_role("textbox", name="Message")).to_be_focused()
    await head.page.keyboard.press("ArrowUp")
    await expect(await head.hears("Written without a mouse.")).to_be_focused()
    await head.page.keyboard.press("ArrowDown")
    await expect(head.page.get_by_role("textbox", name="Message")).to_be_focused()


async def test_a_code_pasted_into_the_open_enrolment_page_is_read_and_leaves_the_address(visitors: dict[str, Desk]) -> None:
    chair = visitors["indonesia"]
    await chair.go("/enrol")
    await chair.evaluate("location.hash = 'no-such-code'")
    await chair.sees("The code has a typing error")
    assert "#" not in chair.page.url
