"""One socket's way out: what waits for its reader, and what the hub knows of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from consult import wire
from secure import limits

Sender = Callable[[dict[str, Any]], Awaitable[None]]

SILENT = frozenset({wire.SESSION_ENDED, wire.NOT_SEATED, wire.TOO_SLOW})
"""Codes after which not one frame more is handed over, not even one that waits."""


class EndError(Exception):
    """This socket is to be closed with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Outbox:
    """What waits for one socket's reader, within a budget of bytes and time."""

    def __init__(self, send: Sender) -> None:
        self._send = send
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._bytes = 0

    def put(self, frame: str) -> None:
        self._bytes += len(frame)
        if self._bytes > limits.SEND_BUDGET:
            raise EndError(wire.TOO_SLOW)
        self._waiting.put_nowait(frame)

    async def run(self) -> None:
        while True:
            await self._hand_over(await self._waiting.get())

    async def drained(self, below: int) -> None:
        """Wait until no more than `below` bytes are under way."""
        while self._bytes > below:
            await asyncio.sleep(0.01)

    async def flush(self) -> None:
        while not self._waiting.empty():
            await self._hand_over(self._waiting.get_nowait())

    async def _hand_over(self, frame: str) -> None:
        try:
            # Not `wait_for`: in Python 3.11 it can swallow a cancellation.
            async with asyncio.timeout(limits.SEND_STALL):
                await self._send({"type": "websocket.send", "text": frame})
        except TimeoutError as error:
            raise EndError(wire.TOO_SLOW) from error
        self._bytes -= len(frame)


class Seated:
    """A socket after its hello: what the hub knows of it."""

    def __init__(self, *, room: str, device: str, account: int, session_key: str, outbox: Outbox) -> None:
        self.room = room
        self.device = device
        self.account = account
        self.session_key = session_key
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._outbox = outbox
        self._held: list[tuple[str, int]] | None = []
        self._held_bytes = 0

    def deliver(self, frame: str, head: int) -> None:
        """Live frames wait until what was missed before has been queued, so that numbers arrive in order."""
        if self._held is not None:
            self._held.append((frame, head))
            self._held_bytes += len(frame)
            if self._held_bytes > limits.SEND_BUDGET:
                self.end(wire.TOO_SLOW)
            return
        self.say(frame)

    def say(self, frame: str) -> None:
        if self.ended.done():
            return
        try:
            self._outbox.put(frame)
        except EndError as end:
            self.end(end.code)

    def caught_up(self, last: int) -> None:
        held, self._held = self._held or [], None
        for frame, head in held:
            if head == 0 or head > last:
                self.say(frame)

    def end(self, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result(code)
