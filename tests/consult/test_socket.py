"""RoomConsumer on the whole application: what it serves, what it refuses, and whom it stops serving."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from django.conf import settings

from consult import rooms as room_doors
from consult.consumers import RoomConsumer
from meetings import rooms as seats
from secure import fanout, limits, sessions
from secure.keys import load_receipt_key
from secure.log.encoding import unb64
from secure.log.receipts import Receipt, verify_receipt
from secure.models import RoomItem
from secure.writer import write_batch
from tests import flow
from tests.consult.live import Line, Snapshot, dip
from tests.flow import NOW, ROOM
from tests.people import AUSTRALIA, BANGLADESH_HEAD, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, Person
from tests.plenary import Plenary, b64, frame, refusal
from tests.room_story import opened
from tests.rooms import Sender
from tests.world import World, signed_in

AT_EPOCH = 3


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[World, Snapshot]]:
    """The story up to epoch 3, told once, and the database as it then is."""
    with django_db_blocker.unblock():
        empty = Snapshot()
        world = World(opened()[0])
        Plenary(world).at(AT_EPOCH)
        yield world, Snapshot()
        empty.put_back()


@pytest.fixture
async def line(told: tuple[World, Snapshot], transactional_db: None) -> AsyncIterator[Line]:
    world, snapshot = told
    await dip(snapshot.put_back)
    made = Line(Plenary(world))
    yield made
    await made.hang_up()
    await fanout.close()
    await dip(room_doors.writer().stop)


async def sent(sender: Sender, *, epoch: int = AT_EPOCH, dseq: int | None = None) -> dict[str, Any]:
    return await dip(frame, sender, epoch=epoch, dseq=dseq)


def contents() -> int:
    return RoomItem.objects.filter(kind="content").count()


INDONESIAN = Sender("indonesia 1", leaf=0)


# ------------------------------------------------------------------------------------------------------------------- serving


async def test_after_hello_come_welcome_and_everything_that_was_missed(line: Line) -> None:
    socket = await line.of(INDONESIA)
    await socket.say({"t": "hello", "device": INDONESIAN.device.device, "since": 1})
    welcome = await socket.until("welcome")
    assert welcome == {"t": "welcome", "room": ROOM, "head": 3, "epoch": 3, "checkpoint": None, "device": INDONESIAN.device.device}
    items = await socket.until("items")
    assert [(item["seq"], item["kind"]) for item in items["items"]] == [(2, "commit"), (3, "commit")]
    await socket.say({"t": "ping"})
    assert (await socket.until("pong"))["head"] == 3


async def test_a_message_is_acknowledged_and_reaches_every_member_with_one_number(line: Line) -> None:
    indonesia, bangladesh = await line.seated(INDONESIA), await line.seated(BANGLADESH_HEAD)
    whole = await sent(INDONESIAN)
    await indonesia.say(whole)
    ack = await indonesia.until("ack")
    assert (ack["id"], ack["seq"]) == (whole["id"], 4)
    receipt, event = Receipt(ack["receipt"]["t"], unb64(ack["receipt"]["sig"])), hashlib.sha256(unb64(whole["event"])).digest()
    key = load_receipt_key(settings.CONSULT_RECEIPT_KEY, origin=settings.CONSULT_ORIGIN)
    verify_receipt(receipt, event=event, verifier=key.verifier)
    (item,) = (await bangladesh.until("items"))["items"]
    assert (item["seq"], item["id"], item["box"], item["at"]) == (4, whole["id"], whole["object"]["box"], ack["at"])


async def test_the_same_message_over_two_sockets_and_by_post_is_stored_once(line: Line) -> None:
    first, second = await line.seated(INDONESIA), await line.seated(INDONESIA)
    whole = await sent(INDONESIAN)
    await asyncio.gather(*[socket.say(whole) for socket in (first, second, first, second)])
    acks = [await socket.until("ack") for socket in (first, first, second, second)]
    by_post = await dip(line.plenary.post, INDONESIA, "/messages", whole)
    assert [each["seq"] for each in (*acks, by_post.json())] == [4] * 5
    assert await dip(contents) == 1


async def test_who_comes_back_gets_exactly_what_it_missed(line: Line) -> None:
    indonesia, bangladesh = await line.seated(INDONESIA), await line.seated(BANGLADESH_HEAD)
    await bangladesh.hang_up()
    for _ in range(3):
        await indonesia.say(await sent(INDONESIAN))
        await indonesia.until("ack")
    back = await line.of(BANGLADESH_HEAD)
    await back.say({"t": "hello", "device": flow.device("bangladesh_head 1").device, "since": 4})
    await back.until("welcome")
    assert [item["seq"] for item in (await back.until("items"))["items"]] == [5, 6]


async def test_what_the_layer_lost_is_seen_by_the_head_within_two_seconds(line: Line) -> None:
    indonesia = await line.seated(INDONESIA)
    sealed = await dip(Sender("australia 1", leaf=1).sealed, epoch=AT_EPOCH)
    await dip(write_batch, [sealed], standing=seats.standing, now=NOW)
    seen = await indonesia.until("items", timeout=2.5)
    assert (seen["items"], seen["head"]) == ([], 4)
    filled = await dip(line.plenary.get, INDONESIA, "/items?since=3")
    assert [item["id"] for item in filled.json()["items"]] == [sealed.message_id]


async def test_a_commit_reaches_the_sockets_as_an_item(line: Line) -> None:
    australia = await line.seated(AUSTRALIA)
    await dip(line.plenary.withdraw)
    assert (await dip(line.plenary.commit, 3)).status_code == 200
    (item,) = (await australia.until("items"))["items"]
    assert (item["kind"], item["seq"], item["epoch"]) == ("commit", 4, 3)


async def test_everybody_is_told_who_is_online(line: Line) -> None:
    indonesia = await line.seated(INDONESIA)
    bangladesh = await line.seated(BANGLADESH_HEAD)
    both = sorted([INDONESIAN.device.device, flow.device("bangladesh_head 1").device])
    while (await indonesia.until("online"))["devices"] != both:
        pass
    assert (await dip(line.plenary.get, INDONESIA, "")).json()["online"] == both
    await bangladesh.hang_up()
    while (await indonesia.until("online"))["devices"] != [INDONESIAN.device.device]:
        pass


# ---------------------------------------------------------------------------------------------------------------- coming in


async def test_without_both_factors_or_from_a_foreign_page_there_is_no_socket(line: Line) -> None:
    cookie = await dip(line.plenary.cookie, INDONESIA)
    half = await dip(signed_in, line.plenary.world.account(AUSTRALIA), second_factor=False)
    half_key = await dip(lambda: half.session.session_key)
    attempts = [
        await line.socket(None),
        await line.socket("no such session"),
        await line.socket(half_key),
        await line.socket(cookie, origin="http://localhost.evil.example"),
        await line.socket(cookie, origin="null"),
        await line.socket(cookie, host="elsewhere.example"),
    ]
    assert [await socket.open() for socket in attempts] == [False] * 6


@pytest.mark.parametrize(
    ("person", "device", "room"),
    [
        (OUTSIDER, "outsider 1", ROOM),
        (OUTSIDER, "outsider 1", "00" * 32),
        (OUTSIDER, "outsider 1", "x"),
        (OFFICER, "outsider 1", ROOM),
        (INDONESIA, "australia 1", ROOM),
        (INDONESIA, "indonesia 1", "00" * 32),
    ],
    ids=["not seated", "absent room", "no id", "officer", "another's device", "seated, absent room"],
)
async def test_hidden_and_absent_rooms_close_alike(line: Line, person: Person, device: str, room: str) -> None:
    socket = await line.socket(await dip(line.plenary.cookie, person), room=room)
    assert await socket.open()
    await socket.say({"t": "hello", "device": flow.device(device).device, "since": 0})
    assert await socket.hear() == {"t": "error", "code": "not_seated", "ref": None}
    assert await socket.hear() == {"closed": 4403}


async def test_a_socket_that_says_nothing_is_closed(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HELLO_WITHIN", 0.2)
    socket = await line.of(INDONESIA)
    assert await socket.until("closed") == {"closed": 4400}


# ------------------------------------------------------------------------------------------------------------------ bad input

DEEP = "[" * 20_000
BAD_FRAMES = {
    "unknown type": '{"t":"shout"}',
    "no type": "{}",
    "type that is no word": '{"t":["send"]}',
    "not JSON": "{nope",
    "empty": "",
    "a list": "[]",
    "a number": "7",
    "very deep": DEEP,
    "not a number": '{"t":"ping","x":NaN}',
    "a key twice": '{"t":"ping","t":"ping"}',
    "a great number": '{"t":"hello","since":' + "9" * 400 + "}",
    "a lone surrogate": '{"t":"send","id":"\\ud800"}',
    "an unknown member": '{"t":"ping","more":1}',
    "hello again": json.dumps({"t": "hello", "device": INDONESIAN.device.device, "since": 0}),
    "hello with a broken place": json.dumps({"t": "hello", "device": INDONESIAN.device.device, "since": -1}),
    "send without object": '{"t":"send","id":"' + "ab" * 16 + '"}',
    "a layer's own message": '{"type":"room.due","room":"' + ROOM + '"}',
}


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_a_bad_frame_is_refused_the_third_ends_the_socket_and_nobody_else_notices(line: Line, name: str) -> None:
    bad, other = await line.seated(INDONESIA), await line.seated(BANGLADESH_HEAD)
    for _ in range(3):
        await bad.say(BAD_FRAMES[name])
        assert (await bad.until("error"))["code"] == "bad_frame"
    assert await bad.until("closed") == {"closed": 4400}
    await other.say({"t": "ping"})
    assert (await other.until("pong"))["head"] == 3
    assert await dip(contents) == 0


async def test_a_refused_frame_says_which_one_it_was(line: Line) -> None:
    socket = await line.seated(INDONESIA)
    await socket.say({"t": "send", "id": "ab" * 16, "object": None, "event": ""})
    assert await socket.until("error") == {"t": "error", "code": "bad_frame", "ref": "ab" * 16}


async def test_a_frame_above_the_limit_ends_the_socket(line: Line) -> None:
    socket = await line.seated(INDONESIA)
    await socket.say('{"t":"ping","x":"' + "x" * limits.FRAME_BYTES + '"}')
    assert (await socket.until("error"))["code"] == "frame_too_large"
    assert await socket.until("closed") == {"closed": 1009}


async def test_binary_where_text_is_spoken_ends_the_socket(line: Line) -> None:
    socket = await line.seated(INDONESIA)
    await socket.line.send_to(bytes_data=b"\x00\x01")
    assert await socket.until("closed") == {"closed": 1003}


async def test_a_message_that_is_refused_names_the_code_and_the_way_on(line: Line) -> None:
    socket = await line.seated(INDONESIA)
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (await sent(INDONESIAN, dseq=9), {"code": "dseq_expected", "expected": 1}),
        (await sent(INDONESIAN, epoch=1), {"code": "stale_epoch", "epoch": 3}),
        (await sent(Sender("australia 1", leaf=1)), {"code": "bad_object"}),
        (await sent(INDONESIAN) | {"event": "e30="}, {"code": "bad_event"}),
    ]
    for whole, expected in cases:
        await socket.say(whole)
        assert await socket.until("error") == {"t": "error", "ref": whole["id"]} | expected
    assert await dip(contents) == 0
    await socket.say(await sent(INDONESIAN))
    assert (await socket.until("ack"))["seq"] == 4


async def test_a_message_sealed_for_another_room_is_refused(line: Line) -> None:
    socket = await line.seated(INDONESIA)
    whole = await dip(INDONESIAN.sealed, epoch=AT_EPOCH, room="11" * 32)
    body = await sent(INDONESIAN)
    body["object"]["header"] = b64(whole.header)
    await socket.say(body)
    assert (await socket.until("error"))["code"] == "bad_object"
    assert await dip(contents) == 0


# ---------------------------------------------------------------------------------------------------------------- being ended


async def test_signing_out_everywhere_closes_open_sockets_within_two_seconds(line: Line) -> None:
    indonesia, other = await line.seated(INDONESIA), await line.seated(BANGLADESH_HEAD)
    began = time.monotonic()
    await dip(sessions.end_all, account=line.plenary.world.account(INDONESIA), now=NOW)
    assert await indonesia.until("closed") == {"closed": 4401}
    assert time.monotonic() - began < 2
    await other.say({"t": "ping"})
    await other.until("pong")


async def test_who_loses_the_seat_is_closed_at_once_and_the_others_are_told_what_is_due(line: Line) -> None:
    thai, second, indonesia = await line.seated(THAI_HEAD), await line.seated(THAI_HEAD, number=2), await line.seated(INDONESIA)
    began = time.monotonic()
    await dip(line.plenary.withdraw)
    assert await thai.until("closed") == {"closed": 4403}
    assert await second.until("closed") == {"closed": 4403}
    assert time.monotonic() - began < 2
    assert await indonesia.until("due") == {"t": "due"}
    await indonesia.say(await sent(INDONESIAN))
    assert (await indonesia.until("error"))["code"] == "removal_due"


async def test_who_loses_the_seat_while_writing_is_refused_and_nothing_is_stored(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GUARD_EVERY", 60)
    thai = await line.seated(THAI_HEAD)
    whole = await sent(Sender("thai_head 1", leaf=2))
    monkeypatch.setattr(fanout, "notify_due", lambda _rooms: None)
    await dip(line.plenary.withdraw)
    await thai.say(whole)
    assert (await thai.until("error"))["code"] == "not_seated"
    assert await thai.until("closed") == {"closed": 4403}
    assert await dip(contents) == 0


async def test_of_too_many_sockets_the_oldest_goes(line: Line) -> None:
    opened_ = [await line.seated(INDONESIA) for _ in range(limits.SOCKETS_PER_ACCOUNT + 1)]
    assert await opened_[0].until("closed") == {"closed": 4409}
    await opened_[-1].say({"t": "ping"})
    await opened_[-1].until("pong")


async def test_a_flood_is_refused_and_then_ended(line: Line) -> None:
    flooding, other = await line.seated(INDONESIA), await line.seated(BANGLADESH_HEAD)
    for _ in range(limits.FRAMES_BURST + limits.RATE_STRIKES + 60):
        await flooding.say({"t": "ping"})
    refused = await flooding.until("error")
    assert (refused["code"], refused["retry_after"]) == ("rate", 1)
    while "closed" not in (last := await flooding.hear()):
        pass
    assert last == {"closed": 4429}
    await other.say({"t": "ping"})
    await other.until("pong")


async def test_a_reader_that_does_not_read_is_ended_and_the_others_go_on(line: Line) -> None:
    """On a server that waits for its readers. Daphne does not: there `consult/server.py` counts."""
    other = await line.seated(BANGLADESH_HEAD)
    cookie = await dip(line.plenary.cookie, INDONESIA)
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    closed: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            closed.append(message["code"])
        elif message["type"] == "websocket.send":
            await asyncio.Event().wait()

    scope = {"url_route": {"kwargs": {"room": ROOM}}, "headers": [(b"cookie", f"consult={cookie}".encode())]}
    await incoming.put({"type": "websocket.connect"})
    await incoming.put({"type": "websocket.receive", "text": json.dumps({"t": "hello", "device": INDONESIAN.device.device, "since": 3})})
    stuck = asyncio.create_task(RoomConsumer(scope, incoming.get, send).run())
    await other.until("online")
    item = json.dumps({"seq": 4, "kind": "content", "box": "x" * 500_000})
    while not closed:
        fanout.publish_items(ROOM, [item], head=4)
        await asyncio.sleep(0.05)
    await asyncio.wait_for(stuck, timeout=5)
    assert closed == [4408]
    await other.say({"t": "ping"})
    await other.until("pong")


# ------------------------------------------------------------------------------------------------------------------- by post


async def test_a_message_by_post_reaches_the_sockets(line: Line) -> None:
    bangladesh = await line.seated(BANGLADESH_HEAD)
    whole = await sent(INDONESIAN)
    ack = (await dip(line.plenary.post, INDONESIA, "/messages", whole)).json()
    assert (ack["t"], ack["id"], ack["seq"]) == ("ack", whole["id"], 4)
    assert (await bangladesh.until("items"))["items"][0]["id"] == whole["id"]


async def test_a_message_by_post_in_anothers_name_is_not_found(line: Line) -> None:
    assert refusal(await dip(line.plenary.post, AUSTRALIA, "/messages", await sent(INDONESIAN))) == (404, "not_found")
    assert await dip(contents) == 0


async def test_after_a_withdrawal_nothing_is_taken_until_the_removal_is_committed(line: Line) -> None:
    async def post(epoch: int) -> tuple[int, str | int]:
        answer = await dip(line.plenary.post, INDONESIA, "/messages", await sent(INDONESIAN, epoch=epoch))
        return answer.status_code, answer.json().get("error") or answer.json()["seq"]

    await dip(line.plenary.withdraw)
    assert await post(3) == (409, "removal_due")
    await dip(line.plenary.commit, 3)
    assert await post(3) == (409, "stale_epoch")
    assert await post(4) == (200, 5)


async def test_a_device_out_of_turn_is_told_its_number(line: Line) -> None:
    answer = await dip(line.plenary.post, INDONESIA, "/messages", await sent(INDONESIAN, dseq=5))
    assert answer.json() == {"error": "dseq_expected", "expected": 1}
    place = await dip(line.plenary.get, INDONESIA, f"/author?device={INDONESIAN.device.device}")
    assert place.json()["dseq"] == 1
    other = await dip(line.plenary.get, INDONESIA, f"/author?device={flow.device('australia 1').device}")
    assert other.status_code == 404
