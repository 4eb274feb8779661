"""A host that lies, and the browsers of people who do not have to believe it. Every lie is told through a server in front of a real one."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from secure import ed25519, statements
from secure.keys import LogKey
from secure.log.checkpoint import open_checkpoint
from secure.log.note import parse_vkey
from secure.log.receipts import Receipt, verify_receipt
from secure.statements import Signed, Statement, encode_signed
from tests.e2e.conftest import Sit
from tests.e2e.desk import PATIENCE, Desk, consultation_of
from tests.e2e.plenary import Plenary, ask, convened, elsewhere, fetched, hold_worker, room_of, withdraw
from tests.people import Person
from tests.simulator import Answer, Fronted, Json, LyingServer, Question

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

BROWSER = Path(__file__).resolve().parents[2] / "consult" / "browser"
#: somebody whom the host has made up: it holds all keys of theirs, and their card and device are soundly signed
SHADOW = Person("shadow", "Nobody", "BGD", "delegate")
ALARM = re.compile("call the Co-Chairs and the secretariat by telephone", re.IGNORECASE)
STOPPED = "The room is stopped: something did not hold. Nothing is sent from here."


@dataclass
class Stage:
    house: Fronted
    liar: LyingServer
    sit: Sit
    plenary: Plenary


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    installation = Fronted(tmp_path_factory.mktemp("hostile") / "data")
    installation.make()
    installation.start()
    yield installation
    installation.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def liar(house: Fronted) -> AsyncIterator[LyingServer]:
    server = LyingServer(house)
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(sit: Sit, house: Fronted, liar: LyingServer) -> Stage:
    plenary = await convened(sit, house, names={"t.hossain": "Tariq Hossain", "r.islam": "Rahim Islam"})
    for desk in plenary.seated:
        await desk.enter_room(plenary.consultation)
        await hold_worker(desk.context)
    return Stage(house, liar, sit, plenary)


@pytest.fixture(autouse=True)
def honest_again(liar: LyingServer) -> Iterator[None]:
    yield
    liar.honest()


# ------------------------------------------------------------------------------------------------------------ a key at enrolment


async def test_a_swapped_card_is_an_alarm_and_nothing_is_signed(stage: Stage) -> None:
    """The host enrols a card of its own in the place of the person's, and serves it to the inviter."""
    inviter = stage.plenary.chairs.indonesia
    await inviter.go("/parties")
    inst = (await ask(inviter.page, "installation"))["result"]["inst"]
    code = await inviter.invite(opener="Invite the focal point of Myanmar", name="Kyaw Zin Htet")
    person = await stage.sit("kyaw.zin.htet")
    await person.enrol(code, sign_in_name="kyaw.zin.htet")

    async def true_card() -> Json:
        _, rows = await fetched(inviter.page, "GET", "/api/enrolments")
        return next(row for row in rows if row["name"].startswith("Kyaw"))

    enrolment = (await true_card())["enrolment"]
    card, device = shadow(inst, party="MMR")
    forged = {"card": encode_signed(card)}

    def swapped(question: Question, answer: Answer) -> Answer:
        rows = [{**row, **forged} if row["enrolment"] == enrolment else row for row in answer.json]
        return answer.saying(rows)

    await stage.liar.lie(inviter.context, path=r"/api/enrolments$", tell=swapped)
    await stage.liar.lie(inviter.context, path=r"/api/chains$", tell=with_chain(card, device))
    await inviter.go("/parties")
    row = inviter.page.get_by_role("row").filter(has_text="Kyaw Zin Htet").filter(has_text="did not hold your code")
    await expect(row).to_contain_text("do not sign anything", timeout=PATIENCE)
    await expect(row.get_by_role("button", name="Sign")).to_have_count(0)
    assert await ask(inviter.page, "partyKey", enrolment=enrolment, former=None) == {"error": "key_differs"}
    _, drafts = await fetched(inviter.page, "GET", "/api/drafts")
    assert drafts == [], "nothing was signed"


# ------------------------------------------------------------------------------------------------------ statements from elsewhere


async def test_a_statement_of_another_consultation_is_refused_by_server_and_browser(stage: Stage) -> None:
    """Australia's concurrence with the first consultation, played again as if it were about the second."""
    chairs, first = stage.plenary.chairs, stage.plenary.consultation
    second = await proposed(chairs.indonesia, reference="CM-2017-02")
    _, served = await fetched(chairs.australia.page, "POST", "/api/chains", {"consultation": first, "have": {}})
    concur = next(each for each in served["statements"][first] if each["statement"]["type"] == "consultation.concur")
    moved = {**concur, "statement": {**concur["statement"], "scope": second, "n": 1, "prev": second, "body": {"proposal": second}}}

    await chairs.australia.go(f"/consultations/{second}")
    for replayed, code in ((concur, "head_moved"), (moved, "bad_signature")):
        status, answer = await fetched(chairs.australia.page, "POST", "/api/statements", {**replayed, "enclosed": {"wraps": []}})
        assert (status // 100, answer["error"]) == (4, code), answer
    _, after = await fetched(chairs.australia.page, "POST", "/api/chains", {"consultation": second, "have": {}})
    assert after["heads"][second] == 1, "nothing was stored"

    for replayed in (concur, moved):
        stage.liar.honest()
        await stage.liar.lie(chairs.indonesia.context, path=r"/api/chains$", tell=with_more(second, replayed))
        await chairs.indonesia.go(f"/consultations/{second}")
        await chairs.indonesia.sees("A signed act that the server shows does not hold")
        assert await ask(chairs.indonesia.page, "consultation", consultation=second) == {"error": "chain_broken"}
    stage.liar.honest()
    view = (await ask(chairs.indonesia.page, "consultation", consultation=second))["result"]
    assert view["state"] == "proposed", "what was refused was not kept"


async def proposed(desk: Desk, *, reference: str) -> str:
    await desk.go("/proposals/new")
    for label, text in (("Reference", reference), ("Subject", "Second matter"), ("Situation", "Something else."), ("Agenda", "One item")):
        await (desk.page.locator("#agenda") if label == "Agenda" else desk.label(label)).fill(text)
    await desk.page.get_by_label("Routine").check()
    await desk.press("Look at it as it will stand")
    await desk.press("Sign and propose")
    await desk.page.wait_for_url("**/consultations/*")
    return consultation_of(desk.page)


# --------------------------------------------------------------------------------------------------------------- another sender


async def test_a_relabelled_message_is_not_shown_as_from_the_person_it_names(stage: Stage) -> None:
    """Tariq writes; the host tells Australia that Indonesia did: in the envelope, then in the header as well."""
    chairs, tariq = stage.plenary.chairs, stage.plenary.delegates["t.hossain"]
    for desk in (chairs.indonesia, chairs.australia, tariq):
        await desk.enter_room(stage.plenary.consultation)
    room = await room_of(chairs.indonesia)
    impostor = (await ask(chairs.indonesia.page, "roomView", room=room))["result"]["own"]["device"]
    told = iter((envelope_of(impostor), header_of(impostor)))
    log = chairs.australia.page.get_by_role("log")
    for text, words in (
        ("First word of Tariq.", "does not come from the person it names"),
        ("Second word of Tariq.", "was altered on its way"),
    ):
        stage.liar.honest()
        await stage.liar.lie_in_frames(chairs.australia.context, tell=in_items(next(told)))
        await tariq.say(text)
        await chairs.indonesia.hears(text)
        await expect(log.get_by_role("listitem").filter(has_text=words).last).to_be_visible(timeout=PATIENCE)
        await expect(log.get_by_text(text)).to_have_count(0)
        assert await log.get_by_role("listitem").filter(has_text=words).filter(has_text="Indonesia").count() == 0
    stage.liar.honest()
    await chairs.australia.enter_room(stage.plenary.consultation)
    await expect(await chairs.australia.hears("Second word of Tariq.")).to_contain_text("Bangladesh")


def envelope_of(device: str) -> Any:
    return lambda item: {**item, "device": device}


def header_of(device: str) -> Any:
    def change(item: dict[str, Json]) -> dict[str, Json]:
        header = {**json.loads(base64.b64decode(item["header"])), "device": device}
        written = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
        return {**item, "device": device, "header": base64.b64encode(written).decode()}

    return change


def in_items(change: Any) -> Any:
    """Every message of an `items` frame changed."""

    def tell(frame: dict[str, Json]) -> list[dict[str, Json]]:
        if frame["t"] != "items":
            return [frame]
        return [{**frame, "items": [change(item) if item["kind"] == "content" else item for item in frame["items"]]}]

    return tell


# -------------------------------------------------------------------------------------------------------------- another record


async def test_a_forked_record_stops_the_browser_it_is_shown_to(stage: Stage) -> None:
    """The host has the record's key: it signs another past, and shows it to one browser of Tariq's."""
    plenary, forger = stage.plenary, Forger(stage.house.log_key)
    desk = await second_browser(stage, "t.hossain")
    room = await room_of(desk)
    await stage.liar.lie(desk.context, path=r"/log/checkpoint$", tell=forger.rewrites)
    await desk.page.reload()
    await desk.sees("the record is being rewritten")
    await desk.sees(STOPPED)
    await expect(desk.button("Send")).to_be_disabled()
    kept = await saved_evidence(desk)
    pinned, shown = (open_checkpoint(note.encode(), [forger.verifier]) for note in (kept["pinned"]["note"], kept["served"]))
    assert pinned.size <= shown.size
    assert pinned.root != shown.root == forger.root, "both are kept, with the signature that says whose they are"

    stage.liar.honest()
    await ask(desk.page, "outboxAdd", room=room, text="Never to be sent on a forked record.", replyTo=None)
    await ask(desk.page, "outboxPost", room=room)
    await plenary.chairs.indonesia.enter_room(plenary.consultation)
    await plenary.chairs.indonesia.say("The others go on.")
    await plenary.chairs.indonesia.hears("The others go on.")
    await expect(plenary.chairs.indonesia.page.get_by_text("Never to be sent")).to_have_count(0)
    await desk.go("/")
    await desk.sees("the record is being rewritten")
    await desk.sees(ALARM)


async def test_an_older_checkpoint_stops_the_browser_it_is_shown_to(stage: Stage) -> None:
    desk = await second_browser(stage, "t.hossain")
    _, note = await fetched(desk.page, "GET", "/log/checkpoint")
    await desk.say("Something new for the record.")
    await desk.hears("Something new for the record.")
    while (await fetched(desk.page, "GET", "/log/checkpoint"))[1].split("\n")[1] == note.split("\n")[1]:
        await desk.page.wait_for_timeout(200)
    await ask(desk.page, "roomSync", room=await room_of(desk))
    await stage.liar.lie(desk.context, path=r"/log/checkpoint$", tell=lambda _question, answer: Answer(200, answer.headers, note.encode()))
    await desk.page.reload()
    await desk.sees("the record is being rewritten")
    await desk.sees(STOPPED)
    kept = await saved_evidence(desk)
    assert kept["served"] == note


async def test_a_browser_shown_another_record_from_its_first_day_learns_it_from_the_others(stage: Stage) -> None:
    """All that the host serves it of the record fits together; only what others have seen, inside the encryption, does not."""
    plenary, forger = stage.plenary, Forger(stage.house.log_key)
    australia = plenary.chairs.australia
    await australia.enter_room(plenary.consultation)
    await ask(australia.page, "roomSync", room=await room_of(australia))
    desk = await second_browser(stage, "t.hossain", before=forger)
    await australia.say("Seen by us, not by you.")
    await desk.hears("Seen by us, not by you.")
    await ask(desk.page, "roomSync", room=await room_of(desk))
    await desk.sees("the record is being rewritten")
    kept = await saved_evidence(desk)
    members = (await ask(desk.page, "roomView", room=await room_of(desk)))["result"]["members"]
    others = {device["device"] for member in members for device in member["devices"] if not device["own"]}
    assert kept["peer"]["device"] in others
    assert json.loads(base64.b64decode(kept["peer"]["header"]))["device"] == kept["peer"]["device"], "whose word it is, as they signed it"


async def test_a_message_left_out_of_the_record_is_an_alarm_for_its_sender(stage: Stage) -> None:
    """The host acknowledges, shows the message to everybody, and denies to its sender that the record holds it."""
    plenary = stage.plenary
    desk, other = plenary.delegates["r.islam"], plenary.delegates["t.hossain"]
    for each in (desk, other):
        await each.enter_room(plenary.consultation)
    room = await room_of(desk)
    await stage.liar.lie(
        desk.context, path=rf"/api/rooms/{room}/proof", tell=lambda _, answer: answer.saying({"error": "not_found"}, status=404)
    )
    await desk.say("Heard, and left out.")
    await other.hears("Heard, and left out.")
    end = time.monotonic() + 90
    while "left_out" not in [alarm["kind"] for alarm in (await ask(desk.page, "alarms"))["result"]]:
        assert time.monotonic() < end, "no alarm"
        await other.say("The record goes on.")
        await desk.page.wait_for_timeout(4_000)
        await ask(desk.page, "roomSync", room=room)
    await desk.sees("left it out of the record")
    await expect(desk.button("Send")).to_be_enabled()
    kept = await saved_evidence(desk)
    receipt = Receipt(kept["receipt"]["t"], base64.b64decode(kept["receipt"]["sig"]))
    verify_receipt(receipt, event=base64.b64decode(kept["event"]), verifier=parse_vkey(kept["receipts"]))
    denied, newest = (open_checkpoint(kept[when]["note"].encode(), [stage.house.log_key.verifier]) for when in ("denied", "newest"))
    assert denied.size < newest.size, "the record went on without it"


class Forger:
    """A host which holds the record's key and signs a past of its own."""

    def __init__(self, key: LogKey) -> None:
        self.key = key
        self.verifier = key.verifier
        self.root = hashlib.sha256(b"another past").digest()
        self.note = b""

    def rewrites(self, question: Question, answer: Answer) -> Answer:
        """In place of the checkpoint that was newest when this was first asked: another root, truly signed. From then on it stands."""
        size = open_checkpoint(answer.body, [self.verifier]).size
        self.note = self.note or self.key.sign(size=size, root=self.root)
        return Answer(200, answer.headers, self.note)

    def proves(self, question: Question, answer: Answer) -> Answer:
        """Whatever is asked, there is an answer of the right form."""
        return answer.saying({"hashes": [base64.b64encode(self.root).decode()] * 3}, status=200)


async def second_browser(stage: Stage, sign_in_name: str, *, before: Forger | None = None) -> Desk:
    """A new browser of that delegate, in the room; `before` it comes in, the host begins to show it another record."""
    plenary = stage.plenary
    desk = await elsewhere(stage.sit, plenary.delegates[sign_in_name], sign_in_name=sign_in_name)
    await hold_worker(desk.context)
    if before is not None:
        await stage.liar.lie(desk.context, path=r"/log/checkpoint$", tell=before.rewrites)
        await stage.liar.lie(desk.context, path=r"/log/consistency/", tell=before.proves)
    await desk.enter_room(plenary.consultation)
    await ask(desk.page, "roomSync", room=await room_of(desk))
    return desk


async def saved_evidence(desk: Desk) -> dict[str, Any]:
    async with desk.page.expect_download() as download:
        await desk.button("Save the evidence").first.click()
    path = await (await download.value).path()
    kept: dict[str, Any] = json.loads(Path(path).read_text())["kept"]
    return kept


# ------------------------------------------------------------------------------------------------------------- a hidden withdrawal


async def test_a_hidden_withdrawal_stops_those_it_is_hidden_from(stage: Stage) -> None:
    """Bangladesh withdraws Rahim. Indonesia has seen it; from Australia the host hides it, and later from Indonesia too."""
    plenary, chairs = stage.plenary, stage.plenary.chairs
    await chairs.australia.enter_room(plenary.consultation)
    await stage.liar.lie(chairs.australia.context, path=r"/api/chains$", tell=without_last(plenary.consultation, "withdraw"))
    await chairs.indonesia.enter_room(plenary.consultation)
    await withdraw(plenary, name="Rahim Islam")
    await expect(chairs.indonesia.page.get_by_role("log").get_by_text("can no longer read").last).to_be_visible(timeout=PATIENCE)
    await chairs.indonesia.say("Only for those who know.")
    await chairs.australia.page.reload()
    await chairs.australia.sees("The server shows less than this browser has already seen")
    await chairs.australia.sees(STOPPED)

    await stage.liar.lie(chairs.indonesia.context, path=r"/api/chains$", tell=without_last(plenary.consultation, "withdraw"))
    await chairs.indonesia.page.reload()
    await chairs.indonesia.sees("The server shows less than this browser has already seen")
    room = await room_of(chairs.indonesia)
    assert await ask(chairs.indonesia.page, "roomSync", room=room) == {"error": "host_rolled_back"}


def without_last(consultation: str, kind: str) -> Any:
    """The consultation's chain cut before the first statement of that type."""
    cut: list[int] = []

    def tell(question: Question, answer: Answer) -> Answer:
        served = answer.json
        chain = served.get("statements", {}).get(consultation, [])
        cut.extend(each["statement"]["n"] for each in chain if each["statement"]["type"] == kind and not cut)
        if not cut and served.get("heads", {}).get(consultation) is None:
            return answer
        end = cut[0] if cut else served["heads"][consultation] - 1
        served["statements"][consultation] = [each for each in chain if each["statement"]["n"] < end]
        served["heads"][consultation] = min(end, served["heads"][consultation])
        return answer.saying(served)

    return tell


# ------------------------------------------------------------------------------------------------------------------------- a ghost


async def test_a_ghost_in_the_room_freezes_it_for_everybody(stage: Stage) -> None:
    """The host makes up a person, signs card and device soundly, and brings the device into the group by a sound commit."""
    plenary, watching = stage.plenary, [stage.plenary.chairs.indonesia, stage.plenary.delegates["t.hossain"]]
    for desk in watching:
        await desk.enter_room(plenary.consultation)
    room, page = await room_of(watching[0]), watching[0].page
    ghost = commit_of_the_ghost(await public_state(page, plenary.consultation, room))
    refused, answer = await fetched(page, "POST", f"/api/rooms/{room}/commits", {**ghost["commit"], "welcome": None})
    assert (refused, answer["error"]) == (403, "not_this_device"), "an honest server does not take it"

    contexts = [desk.context for desk in watching]
    await stage.liar.lie(*contexts, path=r"/api/chains$", tell=with_chain(*ghost["chain"]))
    await stage.liar.lie(*contexts, path=rf"/api/rooms/{room}/handshakes", tell=with_handshake(ghost["commit"]))
    await stage.liar.lie(*contexts, path=rf"/api/rooms/{room}$", tell=in_next_epoch(ghost["commit"]))
    for desk in watching:
        await desk.page.reload()
        await desk.sees("The room is stopped because something did not hold")
        await desk.sees(STOPPED)
        found = [alarm for alarm in (await ask(desk.page, "alarms"))["result"] if alarm["room"] == room]
        assert [(alarm["kind"], set(alarm["devices"])) for alarm in found] == [("ghost", {ghost["chain"][1].hash})]
    stage.liar.honest()
    _, before = await fetched(page, "GET", f"/api/rooms/{room}/items?since=0&limit=500")
    await expect(watching[0].button("Send")).to_be_disabled()
    await ask(watching[0].page, "outboxAdd", room=room, text="Never to be heard by a ghost.", replyTo=None)
    await ask(watching[0].page, "outboxPost", room=room)
    await watching[0].page.wait_for_timeout(3_000)
    _, after = await fetched(page, "GET", f"/api/rooms/{room}/items?since=0&limit=500")
    assert after["head"] == before["head"], "nothing was sent, and honesty afterwards does not undo an alarm"
    await watching[0].go("/")
    await watching[0].sees("Somebody is in a room who has no seat")
    await watching[0].sees(ALARM)


def shadow(inst: str, *, party: str = SHADOW.party, up: str | None = None) -> tuple[Signed, Signed]:
    """Card and device of the person whom the host made up."""
    body = {
        "account_key": base64.b64encode(SHADOW.account_key).decode(),
        "xwing_key": base64.b64encode(SHADOW.xwing_key).decode(),
        "installation": inst,
        "party": party,
    }
    up = up or inst
    unsigned = Statement("account.card", inst, None, 0, None, up, statements.new_nonce(), body)
    card = statements.sign(unsigned, card=None, key=SHADOW.key)
    key = base64.b64encode(ed25519.public_bytes(SHADOW.device_key())).decode()
    device = Statement("device.add", inst, card.hash, 1, card.hash, up, statements.new_nonce(), {"signature_key": key})
    return card, statements.sign(device, card=card.hash, key=SHADOW.key)


async def public_state(page: Page, consultation: str, room: str) -> dict[str, Any]:
    _, chains = await fetched(page, "POST", "/api/chains", {"consultation": consultation, "have": {}})
    _, served = await fetched(page, "GET", f"/api/rooms/{room}")
    by_scope = {scope: [statements.parse_signed(each) for each in chain] for scope, chain in chains["statements"].items()}
    inst = next(scope for scope, chain in by_scope.items() if chain[0].statement.type == "chairs.root")
    heads = {"installation": by_scope[inst][-1].hash, "consultation": by_scope[consultation][-1].hash, "room": by_scope[room][-1].hash}
    return {"room": room, "group_info": served["group_info"], "tree": served["tree"], "heads": heads, "inst": inst}


def commit_of_the_ghost(public: dict[str, Any]) -> dict[str, Any]:
    card, device = shadow(public["inst"], up=public["heads"]["installation"])
    seed = base64.b64encode(SHADOW.seed("device 1")).decode()
    wanted = {
        **{name: public[name] for name in ("room", "group_info", "tree", "heads")},
        "card": card.hash,
        "device": device.hash,
        "seed": seed,
    }
    made = subprocess.run(
        [*node(), str(BROWSER / "tests" / "ghost.mjs")], input=json.dumps(wanted), capture_output=True, text=True, check=False, timeout=90
    )
    assert made.returncode == 0, made.stderr
    return {"chain": (card, device), "commit": json.loads(made.stdout)}


def node() -> list[str]:
    """The node that builds the front end."""
    sys.path.insert(0, str(BROWSER.parents[1]))
    from hatch_build import npm, system_node

    return [system_node() or npm()[0][0]]


def with_chain(card: Signed, device: Signed) -> Any:
    """The chains, and one account more."""

    def tell(question: Question, answer: Answer) -> Answer:
        served = answer.json
        if card.hash not in question.json["have"]:
            served["statements"][card.hash] = [encode_signed(card), encode_signed(device)]
        served["heads"][card.hash] = 2
        return answer.saying(served)

    return tell


def with_more(scope: str, *more: Json) -> Any:
    def tell(question: Question, answer: Answer) -> Answer:
        served = answer.json
        if scope in served["heads"]:
            served["statements"][scope] = [*served["statements"].get(scope, []), *more]
            served["heads"][scope] += len(more)
        return answer.saying(served)

    return tell


def with_handshake(commit: Json) -> Any:
    def tell(question: Question, answer: Answer) -> Answer:
        start = int(question.path.rpartition("=")[2])
        return answer.saying({"handshakes": [{"epoch": commit["epoch"], "commit": commit["commit"]}] if start <= commit["epoch"] else []})

    return tell


def in_next_epoch(commit: Json) -> Any:
    def tell(question: Question, answer: Answer) -> Answer:
        return answer.saying({**answer.json, "epoch": commit["epoch"] + 1, "group_info": commit["group_info"], "tree": commit["tree"]})

    return tell
