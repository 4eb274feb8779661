"""The only sender to the channel layer: one channel per process, one group per room, a frame encoded once.

The layer is a doorbell and may lose anything; the numbered log is the truth. So nothing here waits for it, and a failure of the layer
is logged and forgotten: sockets see a gap, or the hub's own look at the heads shows it, and what is missing is read from the log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from secure import items, limits

logger = logging.getLogger("consult.fanout")

_LAYER_SECONDS = 5.0
_PRESENCE_EVERY = 10.0
_PRESENCE_LASTS = 35.0


class Seat(Protocol):
    """An open socket in a room, as the hub sees it. Its methods are called on the hub's loop and return at once."""

    room: str
    device: str

    def deliver(self, frame: str, head: int) -> None:
        """Queue a ready frame; `head` is the newest number it tells of, 0 if none."""

    def end(self, code: int) -> None:
        """Close with this code."""


Verdict = Callable[[Collection[Any]], Awaitable[tuple[Mapping[Any, int], Mapping[str, int]]]]
"""From open seats to those which must be closed, with the code, and the newest number of each of their rooms."""


class Hub:
    """This process's ear on the layer and the list of its sockets. Lives on one event loop."""

    def __init__(self, judge: Verdict) -> None:
        self.loop = asyncio.get_running_loop()
        self._judge = judge
        self._seats: dict[str, list[Seat]] = {}
        self._heads: dict[str, int] = {}
        self._elsewhere: dict[str, dict[str, tuple[float, tuple[str, ...]]]] = {}
        self._announced = 0.0
        self._outgoing: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._look = asyncio.Event()
        self._channel = ""
        self._ready = asyncio.Event()
        self._stopping = False
        self._tasks = [self.loop.create_task(each()) for each in (self._listen, self._send, self._guard)]

    async def join(self, seat: Seat) -> None:
        await self._ready.wait()
        first = not self._seats.get(seat.room)
        self._seats.setdefault(seat.room, []).append(seat)
        if first:
            await self._quietly(_layer().group_add(_group(seat.room), self._channel))
            self.say(seat.room, {"type": "room.who", "room": seat.room, "process": self._channel})
        self._announce(seat.room)

    async def leave(self, seat: Seat) -> None:
        held = self._seats.get(seat.room, [])
        if seat not in held:
            return
        held.remove(seat)
        self._announce(seat.room)
        if not held:
            del self._seats[seat.room]
            self._elsewhere.pop(seat.room, None)
            self._heads.pop(seat.room, None)
            await self._quietly(_layer().group_discard(_group(seat.room), self._channel))

    def seats(self) -> list[Seat]:
        return [seat for held in self._seats.values() for seat in held]

    def online(self, room: str) -> list[str]:
        """Devices with an open socket in the room, here or in another process that was heard of lately."""
        now = time.monotonic()
        here = {seat.device for seat in self._seats.get(room, [])}
        for heard, devices in self._elsewhere.get(room, {}).values():
            if now - heard < _PRESENCE_LASTS:
                here.update(devices)
        return sorted(here)

    def head(self, room: str) -> int:
        """The newest number heard of; the guard's look at the log keeps it true within two seconds."""
        return self._heads.get(room, 0)

    def learn(self, room: str, head: int) -> None:
        self._heads[room] = max(head, self._heads.get(room, 0))

    def say(self, room: str, message: dict[str, Any]) -> None:
        """To every process's sockets in the room, this one's too. On this loop only; keeps the order it is called in."""
        self._outgoing.put_nowait((_group(room), message))

    async def stop(self) -> None:
        """Ends its tasks; more than one call to end, because a layer may turn a cancellation into an error of its own."""
        self._stopping = True
        running = set(self._tasks)
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=0.2)

    # ---------------------------------------------------------------------------------------------- what the layer brings

    async def _listen(self) -> None:
        layer = _layer()
        while not self._channel and not self._stopping:
            try:
                self._channel = await layer.new_channel("room")
            except Exception:
                logger.exception("the channel layer does not answer")
                await asyncio.sleep(1)
        self._ready.set()
        while not self._stopping:
            try:
                self._hear(await layer.receive(self._channel))
            except asyncio.CancelledError:
                raise
            except Exception:
                if self._stopping:
                    return
                logger.exception("the channel layer failed; sockets go on by their numbers")
                await asyncio.sleep(1)
                for room in list(self._seats):  # it may have lost its memory: into the groups again
                    await self._quietly(_layer().group_add(_group(room), self._channel))

    def _hear(self, message: dict[str, Any]) -> None:
        room = message["room"]
        match message["type"]:
            case "room.items":
                self._deliver(room, message["frame"], message["head"])
            case "room.due":
                self._look.set()
                self._deliver(room, '{"t":"due"}', 0)
            case "room.who" if message["process"] != self._channel:
                self._announce(room)
            case "room.online" if message["process"] != self._channel:
                self._elsewhere.setdefault(room, {})[message["process"]] = (time.monotonic(), tuple(message["devices"]))
                self._tell_online(room)
            case _:
                pass

    def _deliver(self, room: str, frame: str, head: int) -> None:
        self.learn(room, head)
        for seat in tuple(self._seats.get(room, ())):
            seat.deliver(frame, head)

    async def _send(self) -> None:
        while True:
            group, message = await self._outgoing.get()
            await self._quietly(_layer().group_send(group, message))

    async def _quietly(self, sending: Awaitable[Any]) -> None:
        try:
            async with asyncio.timeout(_LAYER_SECONDS):
                await sending
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.warning("the channel layer failed; sockets go on by their numbers", exc_info=True)

    # ------------------------------------------------------------------------------------------------------------ presence

    def _announce(self, room: str) -> None:
        devices = sorted({seat.device for seat in self._seats.get(room, [])})
        self.say(room, {"type": "room.online", "room": room, "process": self._channel, "devices": devices})
        self._tell_online(room)

    def _tell_online(self, room: str) -> None:
        frame = json.dumps({"t": "online", "devices": self.online(room)}, separators=(",", ":"))
        for seat in tuple(self._seats.get(room, ())):
            seat.deliver(frame, 0)

    # --------------------------------------------------------------------------------------------------------------- guard

    async def _guard(self) -> None:
        """Sessions and seats, again and again: with the layer down too, who lost either is out within two seconds."""
        await self._ready.wait()
        while True:
            with suppress(TimeoutError):
                # Not `wait_for`: in Python 3.11 it can swallow a cancellation.
                async with asyncio.timeout(limits.GUARD_EVERY):
                    await self._look.wait()
            self._look.clear()
            try:
                await self._look_again()
            except asyncio.CancelledError:
                raise
            except Exception:
                # Who cannot be judged is not served: a database that is away ends the sockets, and clients come back.
                logger.exception("open sockets could not be judged")
                for seat in self.seats():
                    seat.end(1012)
            if time.monotonic() - self._announced > _PRESENCE_EVERY:
                self._announced = time.monotonic()
                for room in list(self._seats):
                    self._announce(room)

    async def _look_again(self) -> None:
        seats = self.seats()
        if not seats:
            return
        ending, heads = await self._judge(seats)
        for seat, code in ending.items():
            seat.end(code)
        for room, head in heads.items():
            if head > self._heads.get(room, 0):
                # The layer may have lost something: an empty frame with the head lets clients see the gap.
                self._deliver(room, items.frames([], head=head)[0], head)


_hub: Hub | None = None


def hub(judge: Verdict) -> Hub:
    """The hub of the running loop; made when the first socket comes."""
    global _hub  # noqa: PLW0603  one ear per process
    if _hub is None or _hub.loop is not asyncio.get_running_loop():
        _hub = Hub(judge)
    return _hub


def running() -> Hub | None:
    return _hub if _hub is not None and _hub.loop.is_running() else None


async def close() -> None:
    """Ends the hub of this process, if there is one."""
    global _hub
    ending, _hub = _hub, None
    if ending is not None and ending.loop is asyncio.get_running_loop():
        await ending.stop()
        put_down = getattr(_layer(), "close_pools", None)
        if put_down is not None:
            with suppress(Exception):  # Redis may be gone; its connections belong to this loop
                await put_down()


def online(room_id: str) -> list[str]:
    """Devices with a socket in the room, as far as this process has heard."""
    found = running()
    return found.online(room_id) if found is not None else []


def publish_items(room_id: str, texts: Sequence[str], *, head: int) -> None:
    """New items, in any thread, after their transaction has committed. Never raises: the log has them."""
    for frame in items.frames(texts, head=head):
        _say(room_id, {"type": "room.items", "room": room_id, "frame": frame, "head": head})


def notify_due(room_ids: Iterable[str]) -> None:
    """Seats, heads or history of these rooms have changed: look again. For `transaction.on_commit`; never raises."""
    for room_id in room_ids:
        _say(room_id, {"type": "room.due", "room": room_id})


def _say(room_id: str, message: dict[str, Any]) -> None:
    here = running()
    try:
        if here is not None:
            here.loop.call_soon_threadsafe(here.say, room_id, message)
        else:
            _say_from_outside(_group(room_id), message)
    except Exception:
        logger.warning("the channel layer failed; sockets go on by their numbers", exc_info=True)


def _say_from_outside(group: str, message: dict[str, Any]) -> None:
    """From a process without sockets. Where a loop runs in this very thread, the send becomes a task of it."""
    layer = _layer()
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        async_to_sync(layer.group_send)(group, message)
        return
    task = loop.create_task(layer.group_send(group, message))
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


def _layer() -> Any:
    """Settings always name one; its methods differ a little from layer to layer, so it is not typed."""
    return get_channel_layer()


def _group(room_id: str) -> str:
    return f"room.{room_id}"
