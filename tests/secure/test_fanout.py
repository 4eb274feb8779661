"""Fan-out: every process hears once per room; the layer may fail, and nobody keeps a seat because of that."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from typing import Any

import pytest
from channels.layers import channel_layers
from django.test.utils import override_settings

from secure import fanout, limits
from secure.fanout import Hub

pytestmark = pytest.mark.engines

ROOM, OTHER = "1a" * 32, "2b" * 32


class Chair:
    """A seat that remembers what it was handed."""

    def __init__(self, device: str, room: str = ROOM) -> None:
        self.room = room
        self.device = device
        self.frames: list[dict[str, Any]] = []
        self.ended: int | None = None
        self.heard = asyncio.Event()

    def deliver(self, frame: str, head: int) -> None:
        self.frames.append(json.loads(frame))
        self.heard.set()

    def end(self, code: int) -> None:
        self.ended = self.ended or code
        self.heard.set()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["t"] == kind]

    async def until(self, condition: Any, timeout: float = 4) -> None:
        async with asyncio.timeout(timeout):
            while not condition():
                self.heard.clear()
                await self.heard.wait()


class Judge:
    """The rule from above: codes by device, heads by room."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.heads: dict[str, int] = {}
        self.asked = 0
        self.broken = False

    async def __call__(self, seats: Collection[Any]) -> tuple[Mapping[Any, int], Mapping[str, int]]:
        self.asked += 1
        if self.broken:
            raise RuntimeError("no database")
        return {seat: self.codes[seat.device] for seat in seats if seat.device in self.codes}, self.heads


@pytest.fixture(autouse=True)
def own_layer() -> Iterator[None]:
    """A layer belongs to the loop it was first used on, and each test has its own."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
async def here(judge: Judge) -> AsyncIterator[Hub]:
    yield fanout.hub(judge)
    await fanout.close()


@pytest.fixture
async def elsewhere(judge: Judge) -> AsyncIterator[Hub]:
    """What another process would have: its own channel on the same layer."""
    hub = Hub(judge)
    yield hub
    await hub.stop()


def item(seq: int) -> str:
    return json.dumps({"seq": seq})


async def test_items_reach_every_seat_of_the_room_in_every_process_in_order(here: Hub, elsewhere: Hub) -> None:
    seats = [Chair("a"), Chair("b"), Chair("c")]
    stranger = Chair("d", OTHER)
    for hub, seat in zip((here, here, elsewhere, elsewhere), (*seats, stranger), strict=True):
        await hub.join(seat)

    def publish() -> None:
        for seq in range(1, 31):
            fanout.publish_items(ROOM, [item(seq)], head=seq)

    threading.Thread(target=publish).start()
    for seat in seats:
        await seat.until(lambda seat=seat: len(seat.of("items")) == 30)
        assert [frame["items"][0]["seq"] for frame in seat.of("items")] == list(range(1, 31))
    assert stranger.of("items") == []
    assert here.head(ROOM) == 30


async def test_who_has_left_hears_nothing_more(here: Hub) -> None:
    stays, goes = Chair("a"), Chair("b")
    await here.join(stays)
    await here.join(goes)
    await here.leave(goes)
    await here.leave(goes)
    fanout.publish_items(ROOM, [item(1)], head=1)
    await stays.until(lambda: stays.of("items"))
    assert goes.of("items") == []


async def test_a_great_batch_becomes_frames_of_bounded_size(here: Hub) -> None:
    seat = Chair("a")
    await here.join(seat)
    texts = [json.dumps({"seq": seq, "box": "x" * 50_000}) for seq in range(1, 61)]
    fanout.publish_items(ROOM, texts, head=60)
    await seat.until(lambda: sum(len(frame["items"]) for frame in seat.of("items")) == 60)
    assert all(len(json.dumps(frame)) < limits.ITEMS_PAGE_BYTES * 1.1 for frame in seat.of("items"))
    assert {frame["head"] for frame in seat.of("items")} == {60}


async def test_devices_in_another_process_are_online_too(here: Hub, elsewhere: Hub) -> None:
    first, second = Chair("a"), Chair("b")
    await here.join(first)
    await elsewhere.join(second)
    for seat in (first, second):
        await seat.until(lambda seat=seat: seat.of("online") and seat.of("online")[-1]["devices"] == ["a", "b"])
    assert fanout.online(ROOM) == ["a", "b"]
    await elsewhere.leave(second)
    await first.until(lambda: first.of("online")[-1]["devices"] == ["a"])


async def test_due_makes_the_guard_look_at_once(here: Hub, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GUARD_EVERY", 60)
    seat = Chair("a")
    await here.join(seat)
    judge.codes["a"] = 4403
    fanout.notify_due([ROOM, OTHER])
    await seat.until(lambda: seat.ended == 4403)
    assert seat.of("due") == [{"t": "due"}]


async def test_a_verdict_is_carried_out_within_two_seconds_without_any_news(here: Hub, judge: Judge) -> None:
    seat, other = Chair("a"), Chair("b")
    await here.join(seat)
    await here.join(other)
    began = time.monotonic()
    judge.codes["a"] = 4401
    await seat.until(lambda: seat.ended == 4401)
    assert time.monotonic() - began < 2
    assert other.ended is None


async def test_a_head_nobody_told_of_is_shown(here: Hub, judge: Judge) -> None:
    seat = Chair("a")
    await here.join(seat)
    judge.heads[ROOM] = 9
    await seat.until(lambda: seat.of("items"))
    assert seat.of("items") == [{"t": "items", "items": [], "head": 9}]


async def test_who_cannot_be_judged_is_not_served(here: Hub, judge: Judge) -> None:
    seat = Chair("a")
    await here.join(seat)
    judge.broken = True
    await seat.until(lambda: seat.ended == 1012)


async def test_with_the_layer_down_verdicts_and_heads_still_arrive_and_nobody_who_writes_is_disturbed(judge: Judge) -> None:
    host = {"address": "redis://127.0.0.1:1/0", "socket_timeout": 1, "socket_connect_timeout": 1}
    down = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [host]}}}
    with override_settings(CHANNEL_LAYERS=down):
        hub = fanout.hub(judge)
        seat = Chair("a")
        await hub.join(seat)
        fanout.publish_items(ROOM, [item(1)], head=1)
        fanout.notify_due([ROOM])
        judge.heads[ROOM] = 1
        await seat.until(lambda: seat.of("items"))
        judge.codes["a"] = 4403
        await seat.until(lambda: seat.ended == 4403)
        await hub.leave(seat)
        await fanout.close()


def test_without_any_socket_in_the_process_news_are_sent_all_the_same() -> None:
    fanout.publish_items(ROOM, [item(1)], head=1)
    fanout.notify_due([ROOM])
    assert fanout.online(ROOM) == []
