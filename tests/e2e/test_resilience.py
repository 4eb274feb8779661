"""Lines break, servers restart, browsers are wiped, people come late: nothing said is lost, doubled, or shown to somebody it is not for."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, WebSocketRoute, expect

from tests.e2e import house as setting
from tests.e2e.conftest import Sit
from tests.e2e.desk import PATIENCE
from tests.e2e.plenary import Plenary, convened, elsewhere
from tests.simulator import Fronted, LyingServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CONNECTED = "Connected · everything sent"
EARLIEST = "Said before anybody came late."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    installation = Fronted(tmp_path_factory.mktemp("resilience") / "data")
    installation.make()
    installation.start()
    yield installation
    installation.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(house: Fronted) -> AsyncIterator[LyingServer]:
    """The line to the server, which can break; nobody lies here."""
    server = LyingServer(house)
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plenary(sit: Sit, house: Fronted, line: LyingServer) -> Plenary:
    made = await convened(sit, house, names={"t.hossain": "Tariq Hossain"})
    for desk in (made.chairs.indonesia, made.delegates["t.hossain"]):
        await desk.enter_room(made.consultation)
    await made.chairs.indonesia.say(EARLIEST)
    await made.delegates["t.hossain"].hears(EARLIEST)
    return made


def said(page: Page, text: str) -> Locator:
    return page.get_by_role("log").get_by_role("listitem").filter(has_text=text)


async def once(page: Page, *texts: str) -> None:
    """Each of these is in the conversation exactly once, in this order, and nothing waits."""
    for text in texts:
        await expect(said(page, text)).to_have_count(1, timeout=PATIENCE)
    await expect(page.get_by_text(CONNECTED)).to_be_visible(timeout=PATIENCE)
    whole = await page.get_by_role("log").inner_text()
    places = [whole.index(text) for text in texts]
    assert places == sorted(places)


async def test_two_tabs_of_one_person_send_and_show_each_message_once(plenary: Plenary) -> None:
    chair, tariq = plenary.chairs.indonesia, plenary.delegates["t.hossain"]
    tab = await chair.context.new_page()
    await tab.goto(chair.page.url)
    await expect(tab.get_by_text(CONNECTED)).to_be_visible(timeout=PATIENCE)
    for number in (1, 2, 3):
        for page, name in ((chair.page, "left"), (tab, "right")):
            await page.get_by_role("textbox", name="Message").fill(f"Point {number}, {name} tab.")
            await page.get_by_role("button", name="Send").click()
    for page in (chair.page, tab, tariq.page):
        for number in (1, 2, 3):
            for name in ("left", "right"):
                await expect(said(page, f"Point {number}, {name} tab.")).to_have_count(1, timeout=PATIENCE)
        await expect(page.get_by_text(CONNECTED)).to_be_visible(timeout=PATIENCE)
    await tab.close()


async def test_what_was_written_offline_survives_a_reload_and_goes_out_once(plenary: Plenary, line: LyingServer) -> None:
    chair, tariq = plenary.chairs.indonesia, plenary.delegates["t.hossain"]
    texts = ("Written on the train.", "Written in the tunnel.")
    await tariq.context.set_offline(True)
    await line.cut(tariq.context)
    await expect(tariq.page.get_by_text("No connection").first).to_be_visible(timeout=PATIENCE)
    for text in texts:
        await tariq.say(text)
    await tariq.sees("2 messages wait")
    # the page goes and comes again: nothing is left but what the browser keeps
    await tariq.page.goto("about:blank")
    await expect(said(chair.page, texts[0])).to_have_count(0)
    line.honest()
    await tariq.context.set_offline(False)
    await tariq.go(f"/consultations/{plenary.consultation}/room")
    await once(tariq.page, *texts)
    await once(chair.page, *texts)
    await tariq.page.reload()
    await once(tariq.page, *texts)


async def test_a_restart_of_the_server_loses_and_doubles_nothing(plenary: Plenary, house: Fronted) -> None:
    chair, tariq = plenary.chairs.indonesia, plenary.delegates["t.hossain"]
    await chair.say("Before the restart.")
    await tariq.hears("Before the restart.")
    assert house.stop() == 0
    await expect(tariq.page.get_by_text("No connection").first).to_be_visible(timeout=PATIENCE)
    await tariq.say("While the server was away.")
    await tariq.sees("Waiting to be sent")
    house.start()
    for desk in (chair, tariq):
        await once(desk.page, "Before the restart.", "While the server was away.")
        await desk.page.reload()
        await once(desk.page, "Before the restart.", "While the server was away.")


async def test_where_sockets_are_blocked_messages_go_by_post(plenary: Plenary) -> None:
    chair, tariq = plenary.chairs.indonesia, plenary.delegates["t.hossain"]

    async def blocked(route: WebSocketRoute) -> None:
        await route.close(code=1011)

    page = await tariq.context.new_page()
    await page.route_web_socket("**/ws/**", blocked)
    await tariq.page.goto("about:blank")
    await page.goto(f"/consultations/{plenary.consultation}/room")
    await expect(page.get_by_text("Connected the slow way · everything sent")).to_be_visible(timeout=PATIENCE)
    await page.get_by_role("textbox", name="Message").fill("By post from Dhaka.")
    await page.get_by_role("button", name="Send").click()
    await once(chair.page, "By post from Dhaka.")
    await chair.say("Received in Jakarta.")
    await expect(said(page, "Received in Jakarta.")).to_have_count(1, timeout=PATIENCE)
    await expect(said(page, "By post from Dhaka.")).to_have_count(1)
    await page.close()
    await tariq.enter_room(plenary.consultation)
    await once(tariq.page, "By post from Dhaka.", "Received in Jakarta.")


async def test_who_comes_late_reads_as_far_back_as_the_seat_says(plenary: Plenary, sit: Sit) -> None:
    """Bangladesh may read from the opening; an officer, seated by both Co-Chairs, from joining."""
    chair = plenary.chairs.indonesia
    late = await setting.delegate(sit, plenary.focal, plenary.consultation, name="Rahim Islam", sign_in_name="r.islam", capacity="Adviser")
    officer = await setting.officer(sit, plenary.chairs, name="Nalini Perera", sign_in_name="n.perera")
    await chair.go(f"/consultations/{plenary.consultation}")
    await chair.label("Person").select_option(label="Nalini Perera · Secretariat")
    await chair.press("Sign the seat")
    await chair.sees("Signed. The other Co-Chair finds it")
    await setting.second(plenary.chairs.australia)
    await setting.undertake(officer, plenary.consultation)
    await chair.enter_room(plenary.consultation)

    await late.enter_room(plenary.consultation)
    await once(late.page, EARLIEST, "Point 1, left tab.", "Before the restart.")
    await officer.enter_room(plenary.consultation)
    await officer.sees("before the time your seat may read are not shown")
    assert await said(officer.page, EARLIEST).count() == 0
    await chair.say("Welcome to both.")
    for desk in (late, officer):
        await desk.hears("Welcome to both.")
    assert await officer.page.get_by_text("before the time your seat may read").count() == 1, "one line, however much it is"


async def test_who_comes_back_begins_where_they_stopped_reading(plenary: Plenary) -> None:
    chair, tariq = plenary.chairs.indonesia, plenary.delegates["t.hossain"]
    await chair.enter_room(plenary.consultation)
    await tariq.enter_room(plenary.consultation)
    await chair.say("Read before the break.")
    await tariq.hears("Read before the break.")
    await tariq.page.goto("about:blank")
    for number in range(12):
        await chair.say(f"Decided in the break, {number}.")
        await chair.hears(f"Decided in the break, {number}.")
    await tariq.enter_room(plenary.consultation)
    await expect(tariq.page.get_by_text(re.compile(r"^New since .+ · \d\d:\d\d UTC$"))).to_be_in_viewport(timeout=PATIENCE)
    newest = said(tariq.page, "Decided in the break, 11.")
    await expect(newest).not_to_be_in_viewport()
    await tariq.press("New messages below · 12")
    await expect(newest).to_be_in_viewport()
    await expect(tariq.button("New messages below")).to_have_count(0)


async def test_a_wiped_browser_reads_the_conversation_again_from_the_sheet(plenary: Plenary, sit: Sit) -> None:
    tariq = plenary.delegates["t.hossain"]
    fresh = await elsewhere(sit, tariq, sign_in_name="t.hossain")
    await fresh.enter_room(plenary.consultation)
    await once(fresh.page, EARLIEST, "Before the restart.", "While the server was away.", "By post from Dhaka.")
    await fresh.say("Back with the paper in my hand.")
    await plenary.chairs.indonesia.hears("Back with the paper in my hand.")
    plenary.delegates["elsewhere"] = fresh


async def test_signing_out_everywhere_ends_the_other_browsers_socket_within_seconds(plenary: Plenary) -> None:
    tariq, other = plenary.delegates["t.hossain"], plenary.delegates["elsewhere"]
    await other.enter_room(plenary.consultation)
    await tariq.go("/account")
    begun = time.monotonic()
    # the page asks once more; a person at a desk says yes
    await tariq.press("Sign out everywhere")
    await expect(other.page.get_by_text("Signed out", exact=True)).to_be_visible(timeout=5_000)
    assert time.monotonic() - begun < 3
    await expect(other.button("Send")).to_be_disabled()
    await expect(other.page.get_by_role("main").get_by_role("link", name="Sign in")).to_be_visible()
    await other.page.reload()
    await expect(other.page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_no_page_complained_of_anything_but_the_line(plenary: Plenary) -> None:
    """A broken line, a server that is away and a session that was ended are said by the browser itself, whatever the page does."""
    said_by_browser = ("ERR_INTERNET_DISCONNECTED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_REFUSED", "WebSocket connection", "status of 401")
    desks = [*plenary.seated, plenary.focal]
    assert [fault for desk in desks for fault in desk.faults if not any(words in fault for words in said_by_browser)] == []
