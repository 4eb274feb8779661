"""Whoever loses the seat is served nothing from that moment, and cannot open the next message with all old keys and the host's help."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.conftest import Sit
from tests.e2e.desk import PATIENCE, Desk
from tests.e2e.plenary import Plenary, ask, convened, elsewhere, excluded, fetched, hold_worker, room_of, withdraw
from tests.simulator import Answer, Fronted, LyingServer, Question, session

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

NO_SEAT = 4403
#: seconds; the server judges open sockets every other second, and at once when a statement says so
AT_ONCE = 4


@dataclass
class Stage:
    liar: LyingServer
    sit: Sit
    plenary: Plenary


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    installation = Fronted(tmp_path_factory.mktemp("removal") / "data")
    installation.make()
    installation.start()
    yield installation
    installation.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(sit: Sit, house: Fronted) -> AsyncIterator[Stage]:
    liar = LyingServer(house)
    await liar.start()
    names = {"t.hossain": "Tariq Hossain", "r.islam": "Rahim Islam", "s.begum": "Salma Begum"}
    yield Stage(liar, sit, await convened(sit, house, names=names))
    await liar.stop()


async def test_a_withdrawn_delegate_is_out_at_once_and_for_good(stage: Stage) -> None:
    plenary, rahim = stage.plenary, stage.plenary.delegates["r.islam"]
    await in_session(plenary, rahim)
    await withdraw(plenary, name="Rahim Islam")
    await put_out(stage, rahim)
    await expect(plenary.focal.page.get_by_text("Removed, proven").first).to_be_visible(timeout=PATIENCE)
    await nothing_more_opens(
        stage, rahim, hidden=(plenary.consultation, "withdraw"), secret="After Rahim: the shelters are in sector four."
    )


async def test_an_excluded_delegate_is_out_at_once_and_for_good(stage: Stage) -> None:
    plenary, salma = stage.plenary, stage.plenary.delegates["s.begum"]
    await in_session(plenary, salma, besides=[plenary.delegates["t.hossain"]])
    await excluded(plenary, name="Salma Begum")
    await put_out(stage, salma)
    signer = plenary.chairs.australia
    await signer.go(f"/consultations/{plenary.consultation}")
    removal = signer.page.locator("[data-removals] li").filter(has_text="Salma Begum")
    await expect(removal).to_contain_text("Removed, proven", timeout=PATIENCE)
    await nothing_more_opens(stage, salma, hidden=(plenary.consultation, "exclude"), secret="After Salma: the water comes from the north.")


async def test_a_browser_taken_out_of_use_reads_nothing_more_while_its_owner_does(stage: Stage) -> None:
    plenary, tariq = stage.plenary, stage.plenary.delegates["t.hossain"]
    lost = await elsewhere(stage.sit, tariq, sign_in_name="t.hossain")
    device = await in_session(plenary, lost, besides=[plenary.chairs.indonesia])
    await tariq.go("/account")
    await (
        tariq.page.locator("[data-devices]")
        .get_by_role("row")
        .filter(has_text="in use")
        .get_by_role("button", name="Take out of use")
        .click()
    )
    await tariq.page.locator("dialog[open]").get_by_role("button", name="Take out of use").click()
    await tariq.sees("That browser is out of use")
    await put_out(stage, lost, serves_account=True)
    await tariq.go(f"/consultations/{plenary.consultation}")
    await expect(tariq.page.locator("[data-removals] li").filter(has_text=device[:8])).to_contain_text("Removed, proven", timeout=PATIENCE)
    await tariq.enter_room(plenary.consultation)
    card = (await ask(lost.page, "status"))["result"]["card"]
    await nothing_more_opens(stage, lost, hidden=(card, "device.revoke"), secret="After the lost browser: we meet at nine.")
    await tariq.hears("After the lost browser")
    log = plenary.chairs.indonesia.page.get_by_role("log")
    await expect(log.get_by_text("Bangladesh, Tariq Hossain can no longer read in one of their browsers.")).to_be_visible()


# ---------------------------------------------------------------------------------------------------------------------- in parts


async def in_session(plenary: Plenary, leaving: Desk, *, besides: list[Desk] | None = None) -> str:
    """Everybody in the room, the leaving browser reads what is said, and its worker is within reach; answers its device."""
    await hold_worker(leaving.context)
    chair = plenary.chairs.indonesia
    for desk in [chair, *(besides or []), leaving]:
        await desk.enter_room(plenary.consultation)
    greeting = f"Still with {leaving.name}."
    await chair.say(greeting)
    await leaving.hears(greeting)
    view = (await ask(leaving.page, "roomView", room=await room_of(leaving)))["result"]
    assert view["epoch"] is not None
    return str(view["own"]["device"])


async def put_out(stage: Stage, desk: Desk, *, serves_account: bool = False) -> None:
    """The socket is closed with the code, the page says so, and every door of the room answers as if there were none."""
    who, room = await session(desk.context), await room_of(desk)
    end = asyncio.get_running_loop().time() + AT_ONCE
    while (who, NO_SEAT) not in stage.liar.closed and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.1)
    assert (who, NO_SEAT) in stage.liar.closed
    await desk.sees("You no longer have a seat here")
    await expect(desk.button("Send")).to_be_disabled()
    await expect(desk.button("Attach a paper")).to_be_disabled()
    if serves_account:
        return
    for tail in ("", "/due", "/items?since=0", "/handshakes?from=0", "/history"):
        assert await fetched(desk.page, "GET", f"/api/rooms/{room}{tail}") == (404, {"error": "not_found"})


async def nothing_more_opens(stage: Stage, gone: Desk, *, hidden: tuple[str, str], secret: str) -> None:
    """The host answers the removed browser as it would answer a Co-Chair, and hides the act; its own worker gets every stored byte."""
    plenary, chair = stage.plenary, stage.plenary.chairs.indonesia
    await chair.enter_room(plenary.consultation)
    await expect(chair.page.get_by_role("log").get_by_text("can no longer read").last).to_be_visible(timeout=PATIENCE)
    room = await room_of(chair)
    await chair.say(secret)
    await chair.hears(secret)
    await expect(chair.page.get_by_text("Connected · everything sent")).to_be_visible(timeout=PATIENCE)
    _, stored = await fetched(chair.page, "GET", f"/api/rooms/{room}/items?since=0&limit=500")

    await stage.liar.lend(gone.context, of=chair.context, path=rf"/api/rooms/{room}|/api/chains$|/ws/rooms/{room}")
    await stage.liar.lie(gone.context, path="/api/chains$", tell=without(*hidden))
    try:
        await gone.go("/")
        newest = max(item["seq"] for item in stored["items"] if item["kind"] == "content")
        for attempt in ("roomSync", "roomItems", "roomOpenItems", "roomSync", "roomOpenItems"):
            given: dict[str, Any] = {"roomItems": {"since": 0, "limit": 100}, "roomOpenItems": {"items": stored["items"]}}.get(attempt, {})
            answer = await ask(gone.page, attempt, room=room, **given)
            assert secret not in json.dumps(answer, ensure_ascii=False)
            for entry in answer.get("result", {}).get("entries", []):
                if entry["seq"] == newest:
                    assert (entry["kind"], entry["cause"]) == ("unopened", "key_missing"), entry
        assert attempt_opened_what_it_could(answer), "what it had read before, it still can"
        block = (await ask(gone.page, "roomView", room=room)).get("result", {}).get("block")
        assert block is not None, "and it sends nothing"
    finally:
        stage.liar.honest()
    # what was refused to the removed browser is not a fault of its page
    gone.faults[:] = [fault for fault in gone.faults if "Failed to load resource" not in fault]


def attempt_opened_what_it_could(answer: dict[str, Any]) -> bool:
    return any(entry["kind"] == "text" for entry in answer.get("result", {}).get("entries", []))


def without(scope: str, kind: str) -> Any:
    """The chain as it was before the newest statement of that type."""
    ends: list[int] = []

    def tell(question: Question, answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        served = answer.json
        chain = served["statements"].get(scope, [])
        ends.extend(each["statement"]["n"] for each in chain if each["statement"]["type"] == kind)
        if ends:
            served["statements"][scope] = [each for each in chain if each["statement"]["n"] < max(ends)]
            served["heads"][scope] = min(max(ends), served["heads"][scope])
        return answer.saying(served)

    return tell
