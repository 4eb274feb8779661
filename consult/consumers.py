"""RoomConsumer: one socket in one room.

An ASGI application of its own rather than a Channels consumer: no channel per connection and no thread hop per event; the layer is
heard once per process (`secure/fanout.py`). The steps: session → seat → hello → welcome → what was missed → live frames.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from channels.db import database_sync_to_async

from consult import rooms, wire
from consult.second_factor import account_for_scope, session_key_of
from consult.sockets import SILENT, EndError, Outbox, Seated, Sender
from consult.wire import Hello, Ping, Send
from meetings.access import access_room
from secure import delivery, fanout, items, limits
from secure.errors import BadInput, Forbidden, NotFound, Refusal, TooLarge, TooMany
from secure.log import store
from secure.writer import Receipt

if TYPE_CHECKING:
    from secure.models import Account

logger = logging.getLogger("consult.socket")

Receive = Callable[[], Awaitable[dict[str, Any]]]
Asgi = Callable[[dict[str, Any], Receive, Sender], Awaitable[None]]

_IN_FLIGHT = 64

frames = limits.Buckets(per_second=limits.FRAMES_PER_SECOND, burst=limits.FRAMES_BURST)


class RoomConsumer:
    """One connection. `as_asgi()` is what the router takes."""

    def __init__(self, scope: dict[str, Any], receive: Receive, send: Sender) -> None:
        self.scope = scope
        self.room = str(scope["url_route"]["kwargs"]["room"])
        self._receive = receive
        self._send = send
        self._outbox = Outbox(send)
        self._strikes = 0
        self._rate_strikes = 0
        self._in_flight = 0

    @classmethod
    def as_asgi(cls) -> Asgi:
        async def application(scope: dict[str, Any], receive: Receive, send: Sender) -> None:
            await cls(scope, receive, send).run()

        return application

    async def run(self) -> None:
        if (await self._receive())["type"] != "websocket.connect":
            return
        account = await account_for_scope(self.scope)
        if account is None:
            # Before the handshake: a stranger costs no socket. The client sees HTTP 403.
            await self._send({"type": "websocket.close", "code": wire.SESSION_ENDED})
            return
        await self._send({"type": "websocket.accept"})
        code = await self._serve(account)
        if code is not None:
            with suppress(Exception):  # the other side may be gone already
                await self._send({"type": "websocket.close", "code": code})

    async def _serve(self, account: Account) -> int | None:
        """Serves until the end; answers the close code, or None if the client went."""
        writing = asyncio.create_task(self._outbox.run())
        try:
            code = await self._until_end(account, writing)
        except EndError as end:
            code = end.code
        except Exception:
            logger.exception("a socket failed")
            code = wire.RESTARTING
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        if code is not None and code not in SILENT:
            with suppress(Exception):
                async with asyncio.timeout(1):
                    await self._outbox.flush()
        return code

    async def _until_end(self, account: Account, writing: asyncio.Task[None]) -> int | None:
        hello = await self._hello()
        if hello is None:
            return None
        try:
            await database_sync_to_async(access_room)(account=account, room_id=self.room, device=hello.device)
        except NotFound:
            await self._last_word(Forbidden("not_seated"))
            return wire.NOT_SEATED
        session_key = session_key_of(self.scope) or ""
        seat = Seated(room=self.room, device=hello.device, account=account.pk, session_key=session_key, outbox=self._outbox)
        hub = fanout.hub(rooms.judge)
        await hub.join(seat)
        self._make_place(hub, seat)
        reading = asyncio.create_task(self._read(seat))
        catching_up = asyncio.create_task(self._catch_up(seat, hello.since))
        try:
            return await _first_end(seat, reading, catching_up, writing)
        finally:
            reading.cancel()
            catching_up.cancel()
            await asyncio.gather(reading, catching_up, return_exceptions=True)
            await hub.leave(seat)

    async def _hello(self) -> Hello | None:
        """The first frame, within its time; None if the client went."""
        try:
            async with asyncio.timeout(limits.HELLO_WITHIN):
                return await self._first_hello()
        except TimeoutError as error:
            raise EndError(wire.BAD_FRAME) from error

    async def _first_hello(self) -> Hello | None:
        """Whatever else comes first is refused, three times at most."""
        while True:
            text = await self._text()
            if text is None:
                return None
            frame = self._parsed(text)
            if isinstance(frame, Hello):
                return frame
            if frame is not None:
                self._strike(BadInput("hello_first"), None)

    def _make_place(self, hub: fanout.Hub, seat: Seated) -> None:
        """The account's oldest socket goes when there are too many."""
        own = [each for each in hub.seats() if isinstance(each, Seated) and each.account == seat.account and not each.ended.done()]
        for each in own[: -limits.SOCKETS_PER_ACCOUNT]:
            each.end(wire.TOO_MANY_SOCKETS)

    # ------------------------------------------------------------------------------------------------------------- to them

    async def _catch_up(self, seat: Seated, since: int) -> None:
        """Welcome, then every item after `since`, a page at a time and never faster than it is read."""
        room, checkpoint = await database_sync_to_async(_opening)(self.room)
        fanout.hub(rooms.judge).learn(self.room, room.head)
        seat.say(wire.welcome(room=self.room, head=room.head, epoch=room.epoch, checkpoint=checkpoint, device=seat.device))
        last = since
        while last < room.head:
            page = await database_sync_to_async(items.items_since)(
                room_id=self.room, since=last, most=limits.ITEMS_PER_PAGE, head=room.head
            )
            if not page.items:
                break
            for frame in items.frames(page.items, head=page.head):
                seat.say(frame)
            last = page.last
            await self._outbox.drained(limits.SEND_BUDGET // 4)
        seat.caught_up(last)

    async def _last_word(self, refusal: Refusal) -> None:
        with suppress(Exception):
            await self._send({"type": "websocket.send", "text": wire.error(refusal, None)})

    # ----------------------------------------------------------------------------------------------------------- from them

    async def _read(self, seat: Seated) -> None:
        while True:
            text = await self._text()
            if text is None:
                return
            if not frames.take(seat.session_key):
                self._refuse_rate(seat, None)
                continue
            frame = self._parsed(text)
            match frame:
                case Ping():
                    seat.say(wire.pong(fanout.hub(rooms.judge).head(self.room)))
                case Send():
                    self._take(frame, seat)
                case Hello():
                    self._strike(BadInput("bad_frame"), None)
                case None:
                    pass

    async def _text(self) -> str | None:
        """The next text frame; None when the client has gone."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        if text is None:
            raise EndError(wire.BINARY)
        return str(text)

    def _parsed(self, text: str) -> wire.Frame | None:
        """The frame, or None after its refusal has been said."""
        try:
            return wire.parse_frame(text)
        except TooLarge as refusal:
            self._outbox.put(wire.error(refusal, None))
            raise EndError(wire.TOO_BIG) from refusal
        except BadInput as refusal:
            self._strike(refusal, wire.ref_of(text))
            return None

    def _strike(self, refusal: Refusal, ref: str | None) -> None:
        self._strikes += 1
        self._outbox.put(wire.error(refusal, ref))
        if self._strikes >= limits.STRIKES:
            raise EndError(wire.BAD_FRAME)

    def _refuse_rate(self, seat: Seated, ref: str | None) -> None:
        self._rate_strikes += 1
        seat.say(wire.error(TooMany("rate", retry_after=1), ref))
        if self._rate_strikes >= limits.RATE_STRIKES:
            raise EndError(wire.RATE)

    def _take(self, frame: Send, seat: Seated) -> None:
        """To the writer; its answer is said when it comes, in the order of sending."""
        if self._in_flight >= _IN_FLIGHT or not rooms.messages.take(str(seat.account)):
            self._refuse_rate(seat, frame.id)
            return
        self._in_flight += 1
        future = rooms.writer().submit(frame.submission(room=self.room, device=seat.device))
        loop = asyncio.get_running_loop()

        def answered(done: Future[Receipt]) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile: nobody is left to be told
                loop.call_soon_threadsafe(self._answer, seat, frame.id, done)

        future.add_done_callback(answered)

    def _answer(self, seat: Seated, ref: str, done: Future[Receipt]) -> None:
        self._in_flight -= 1
        error = done.exception()
        if error is None:
            seat.say(wire.text(wire.ack(done.result())))
        elif not isinstance(error, Refusal):
            seat.say(wire.error(TooMany("busy"), ref))
        else:
            seat.say(wire.error(error, ref))
            if error.code == "not_seated":
                asyncio.get_running_loop().call_later(0.05, seat.end, wire.NOT_SEATED)


async def _first_end(seat: Seated, reading: asyncio.Task[None], *others: asyncio.Task[None]) -> int | None:
    """Waits for what ends a socket: a verdict, the client's going, or the failure of a task. Catching up may end by itself."""
    waiting: set[asyncio.Future[Any]] = {seat.ended, reading, *others}
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if seat.ended in done:
            return seat.ended.result()
        for task in done:
            task.result()
        if reading in done:
            return None


def _opening(room_id: str) -> tuple[delivery.RoomView, str | None]:
    newest = store.published()
    return delivery.room_view(room_id), newest.note.decode() if newest is not None else None
