"""What people type, and what their files hold, is nowhere but in their browsers.

Strings made up for this run are looked for in every byte the server keeps or says.
"""

from __future__ import annotations

import base64
import json
import secrets

import pytest
import pytest_asyncio
from playwright.async_api import FilePayload

from tests.e2e import house as setting
from tests.e2e.conftest import Sit
from tests.e2e.desk import Desk, consultation_of
from tests.e2e.plenary import Plenary, convened, fetched, room_of
from tests.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


def canary(kind: str) -> str:
    """Cannot come about by chance, and has a letter which JSON escapes and UTF-8 spells in two bytes."""
    return f"Kanarienvögel-{kind}-{secrets.token_hex(12)}"


RETURNED = {kind: canary(f"returned-{kind}") for kind in ("subject", "situation", "agenda", "reason")}
HELD = {kind: canary(kind) for kind in ("subject", "situation", "agenda", "message", "draft", "name", "content", "reply")}
REFERENCE = f"CM-{secrets.token_hex(6)}"


def disguises(text: str) -> set[bytes]:
    """The text as it may lie in bytes: UTF-8, UTF-16 and Latin-1, escaped for JSON, in hex, in base64 at each of its three alignments."""
    plain = [text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), json.dumps(text)[1:-1].encode(), text.encode("latin-1")]
    found = set(plain)
    for raw in plain:
        found |= {raw.hex().encode(), raw.hex().upper().encode()}
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + raw)
            # the first group depends on what stands before, the last on what follows
            inner = coded[4 if shift else 0 : -4]
            found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    # the part without the odd letter, for an encoding nobody has thought of
    return found | {text.rsplit("-", 1)[1].encode(), text.rsplit("-", 1)[1].encode("utf-16-le")}


def where(text: str, places: dict[str, bytes]) -> list[str]:
    return [name for name, raw in places.items() if any(shape in raw for shape in disguises(text))]


def kept_bytes(house: Installation) -> dict[str, bytes]:
    """Every file of the installation, the database with its journal, and its log at DEBUG."""
    files = [path for path in house.data.rglob("*") if path.is_file()]
    return {str(path.relative_to(house.data)): path.read_bytes() for path in files} | {"server.log": house.log_path.read_bytes()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(sit: Sit, house: Installation) -> tuple[Plenary, Desk]:
    """One proposal returned with a reason, one convened and talked about, a paper exchanged; the officer looks at everything there is."""
    texts = setting.Texts(REFERENCE, HELD["subject"], HELD["situation"], HELD["agenda"])
    plenary = await convened(sit, house, names={"t.hossain": "Tariq Hossain"}, texts=texts)
    officer = await setting.officer(sit, plenary.chairs, name="Nalini Perera", sign_in_name="n.perera", keep_answers=True)
    await returned(plenary.chairs)
    await talked(plenary)
    await looked(officer, plenary)
    return plenary, officer


async def returned(chairs: setting.Chairs) -> None:
    desk = chairs.indonesia
    await desk.go("/proposals/new")
    for label, kind in (("Subject", "subject"), ("Situation", "situation")):
        await desk.label(label).fill(RETURNED[kind])
    await desk.label("Reference").fill(f"{REFERENCE}-R")
    await desk.page.locator("#agenda").fill(RETURNED["agenda"])
    await desk.page.get_by_label("Immediate").check()
    await desk.press("Look at it as it will stand")
    await desk.press("Sign and propose")
    await desk.page.wait_for_url("**/consultations/*")
    other = chairs.australia
    await other.go(f"/consultations/{consultation_of(desk.page)}")
    await other.sees(RETURNED["subject"])
    await other.press("Return with a reason")
    await other.page.locator("#return-reason").fill(RETURNED["reason"])
    await other.press("Sign and return")
    await other.sees("Why it was returned")
    await desk.page.reload()
    await desk.sees(RETURNED["reason"])


async def talked(plenary: Plenary) -> None:
    chair, tariq = plenary.chairs.indonesia, plenary.delegates["t.hossain"]
    for desk in (chair, tariq):
        await desk.enter_room(plenary.consultation)
    await chair.say(HELD["message"])
    await tariq.hears(HELD["message"])
    paper: FilePayload = {"name": f"{HELD['name']}.txt", "mimeType": "text/plain", "buffer": HELD["content"].encode()}
    await tariq.page.get_by_label("Papers to attach").set_input_files(paper)
    await chair.hears(HELD["name"])
    await (await tariq.hears(HELD["message"])).get_by_role("button", name="Reply").click()
    await tariq.say(HELD["reply"])
    await chair.hears(HELD["reply"])
    await tariq.page.get_by_role("textbox", name="Message").fill(HELD["draft"])
    await tariq.page.wait_for_timeout(800)


async def looked(officer: Desk, plenary: Plenary) -> None:
    """Every page an officer has, and every door an officer may try by hand."""
    room = await room_of(plenary.chairs.indonesia)
    for path in ("/", "/register", f"/consultations/{plenary.consultation}", f"/consultations/{plenary.consultation}/room", "/account"):
        await officer.page.goto(path)
    await officer.go("/register")
    await officer.page.locator("main a[href*='/register/']").first.click()
    await officer.page.wait_for_load_state()
    doors = ["/api/consultations", "/api/drafts", "/api/proposal-drafts", "/api/enrolments", "/log/checkpoint"]
    doors.append(f"/api/consultations/{plenary.consultation}")
    doors += [f"/api/rooms/{room}{tail}" for tail in ("", "/due", "/items?since=0", "/handshakes?from=0", "/history")]
    for path in doors:
        await fetched(officer.page, "GET", path)
    await fetched(officer.page, "POST", "/api/chains", {"consultation": plenary.consultation, "have": {}})
    await fetched(officer.page, "POST", "/api/chains", {"consultation": None, "have": {}})
    # what was refused to an officer is not a fault of the page
    officer.faults[:] = [fault for fault in officer.faults if "Failed to load resource" not in fault]


async def test_the_search_finds_what_is_not_sealed(played: tuple[Plenary, Desk], house: Installation) -> None:
    """The reference is public within the installation, so a search that misses it would be no search."""
    _, officer = played
    found = where(REFERENCE, kept_bytes(house))
    assert any(name.startswith("consult.sqlite3") for name in found), found
    assert where(REFERENCE, {"answers": b"\n".join(officer.answers)}) == ["answers"]
    assert b" DEBUG " in house.log_path.read_bytes(), "the log says all it can"
    papers = [path for path in (house.data / "papers").rglob("*") if path.is_file()]
    assert papers, "the paper lies in the folder"
    for disguised in disguises(HELD["content"]):
        assert where(HELD["content"], {"planted": b"\0" * 7 + disguised + b"\xff"}) == ["planted"]


@pytest.mark.parametrize("kind", sorted(HELD))
async def test_what_was_said_and_sent_is_nowhere_on_the_server(played: tuple[Plenary, Desk], house: Installation, kind: str) -> None:
    assert where(HELD[kind], kept_bytes(house)) == []


@pytest.mark.parametrize("kind", sorted(RETURNED))
async def test_what_a_returned_proposal_said_is_nowhere_on_the_server(played: tuple[Plenary, Desk], house: Installation, kind: str) -> None:
    assert where(RETURNED[kind], kept_bytes(house)) == []


async def test_no_answer_to_the_secretariat_holds_any_of_it(played: tuple[Plenary, Desk]) -> None:
    _, officer = played
    answers = {str(place): raw for place, raw in enumerate(officer.answers)}
    assert len(answers) > 15
    assert {text: where(text, answers) for text in [*HELD.values(), *RETURNED.values()] if where(text, answers)} == {}


async def test_nothing_is_written_when_the_server_stops(played: tuple[Plenary, Desk], house: Installation) -> None:
    """The journal is folded into the database, and last words go to the log."""
    house.stop()
    places = kept_bytes(house)
    assert {text: where(text, places) for text in [*HELD.values(), *RETURNED.values()] if where(text, places)} == {}
    assert where(REFERENCE, places) != []
