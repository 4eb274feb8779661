"""A changed build is announced before anybody types: the very same installation, served by really another build."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from secure.codes import fingerprint
from tests.builds import another_build, installed
from tests.e2e.conftest import Sit
from tests.e2e.desk import PATIENCE, Desk
from tests.e2e.plenary import Plenary, convened
from tests.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CHANGED = "This site has changed since you were last here"
GO_ON = "I have looked at it; go on"
BEFORE, AFTER = "Said under the first build.", "Said under the second."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("builds") / "data")
    installation.make()
    installation.start()
    yield installation
    installation.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plenary(sit: Sit, house: Installation) -> Plenary:
    """In session, everybody's browser knowing the first build."""
    made = await convened(sit, house, names={"t.hossain": "Tariq Hossain"})
    for desk in (made.chairs.indonesia, made.delegates["t.hossain"]):
        await desk.enter_room(made.consultation)
    await made.chairs.indonesia.say(BEFORE)
    await made.delegates["t.hossain"].hears(BEFORE)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def renewed(plenary: Plenary, house: Installation, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The host puts another build into service; returns its fingerprint. Open pages are left, as by people who come back later."""
    folder: Path = tmp_path_factory.mktemp("another")
    described = another_build(folder)
    for desk in (*plenary.seated, plenary.focal):
        await desk.page.goto("about:blank")
    house.stop()
    house.code = folder
    house.start()
    return fingerprint(described.name)


def notice(page: Page) -> Locator:
    return page.get_by_role("status").filter(has_text=CHANGED)


async def announced(desk: Desk, name: str) -> None:
    """The notice with both names and the record's word, and nothing else within reach."""
    said = notice(desk.page)
    await expect(said).to_be_visible(timeout=PATIENCE)
    await expect(said).to_contain_text(fingerprint(installed().name))
    await expect(said).to_contain_text(name)
    await expect(said).to_contain_text("The record says: in service since")
    await expect(said).to_contain_text("UTC")


async def test_nobody_is_told_of_a_change_at_the_first_visit(plenary: Plenary) -> None:
    for desk in (*plenary.seated, plenary.focal):
        await expect(notice(desk.page)).to_have_count(0)


async def test_the_composer_is_closed_until_the_change_is_accepted(plenary: Plenary, renewed: str) -> None:
    desk = plenary.delegates["t.hossain"]
    await desk.enter_room(plenary.consultation)
    await announced(desk, renewed)
    await desk.hears(BEFORE)
    await expect(desk.page.get_by_label("Rooms and agenda")).to_contain_text(renewed)
    await desk.shot("build-room")
    assert await desk.widest() <= 0
    writing = desk.page.get_by_role("textbox", name="Message")
    await expect(writing).to_be_disabled()
    await expect(desk.button("Send")).to_be_disabled()
    await expect(desk.button("Attach a paper")).to_be_disabled()
    await desk.press(GO_ON)
    await expect(notice(desk.page)).to_have_count(0)
    await desk.say(AFTER)
    await desk.hears(AFTER)


async def test_once_accepted_it_is_not_announced_again(plenary: Plenary, renewed: str) -> None:
    desk = plenary.delegates["t.hossain"]
    for path in ("/account/password", f"/consultations/{plenary.consultation}/room"):
        await desk.go(path)
        await expect(desk.page.get_by_text(renewed).or_(desk.page.get_by_role("textbox", name="Message")).first).to_be_visible(
            timeout=PATIENCE
        )
        await expect(notice(desk.page)).to_have_count(0)


async def test_a_proposal_cannot_be_typed_before(plenary: Plenary, renewed: str) -> None:
    desk = plenary.chairs.australia
    await desk.go("/proposals/new")
    await announced(desk, renewed)
    await desk.shot("build-proposal")
    assert await desk.widest() <= 0
    main = desk.page.locator("#main")
    await expect(main).to_have_js_property("inert", True)
    await desk.page.locator("#subject").evaluate("field => field.focus()")
    await desk.page.keyboard.type("typed too early")
    assert await desk.page.locator("#subject").input_value() == ""
    # the other tab of the same person hears it too
    tab = await desk.context.new_page()
    await tab.goto("/account/password")
    await expect(notice(tab)).to_be_visible(timeout=PATIENCE)
    await desk.press(GO_ON)
    for page in (desk.page, tab):
        await expect(notice(page)).to_have_count(0)
        await expect(page.locator("#main")).to_have_js_property("inert", False)
    await desk.label("Subject").fill("typed in time")
    assert desk.faults == []
    await tab.close()


async def test_a_code_in_the_address_waits_until_the_change_is_accepted(plenary: Plenary, renewed: str) -> None:
    focal = plenary.focal
    await focal.go(f"/consultations/{plenary.consultation}/delegation")
    await announced(focal, renewed)
    await focal.press(GO_ON)
    code = await focal.invite(opener="Make a code for a new delegate", name="Nusrat Karim")
    desk = plenary.chairs.indonesia
    await desk.go(f"/enrol#{code}")
    await announced(desk, renewed)
    await expect(desk.page.get_by_text("Nusrat Karim")).to_have_count(0)
    await desk.press(GO_ON)
    await desk.sees("Nusrat Karim")


async def test_the_page_about_the_host_names_the_build_the_date_and_the_limit(plenary: Plenary, renewed: str) -> None:
    desk = plenary.chairs.indonesia
    await desk.go("/about/host#build")
    await expect(desk.page.locator("#build")).to_contain_text(renewed)
    await expect(desk.page.locator("#build")).to_contain_text("UTC")
    await desk.shot("build-about")
    assert await desk.widest() <= 0
    await desk.sees("This detects an exchanged page; it does not prevent one.")
    assert [each.faults for each in (*plenary.seated, plenary.focal)] == [[]] * 4
