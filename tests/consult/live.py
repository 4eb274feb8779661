"""Sockets against the whole application: one opened plenary, put back as it was before each test."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connection

from consult.asgi import application
from tests import flow
from tests.flow import ROOM
from tests.people import Person
from tests.plenary import Plenary

P = ParamSpec("P")
T = TypeVar("T")


async def dip(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Something synchronous, from an async test."""
    return await sync_to_async(act)(*args, **kwargs)


class Snapshot:
    """The database of this moment, to be put back as often as a test needs it: by SQLite's own backup, which is quick."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._kept = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(self._kept)

    def put_back(self) -> None:
        connection.ensure_connection()
        self._kept.backup(connection.connection)


class Socket:
    """One browser's socket in the room."""

    def __init__(self, cookie: str | None, *, room: str = ROOM, origin: str = "http://localhost", host: str = "localhost") -> None:
        headers = [(b"origin", origin.encode()), (b"host", host.encode())]
        if cookie is not None:
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode()))
        self.line = WebsocketCommunicator(application, f"/ws/rooms/{room}", headers=headers)

    async def open(self) -> bool:
        connected, _ = await self.line.connect(timeout=5)
        return connected

    async def say(self, frame: object) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.line.send_input({"type": "websocket.receive", "text": text})

    async def hear(self, timeout: float = 5) -> dict[str, Any]:
        """The next frame; a close is `{"closed": code}`."""
        message = await self.line.receive_output(timeout)
        if message["type"] == "websocket.close":
            return {"closed": message["code"]}
        found: dict[str, Any] = json.loads(message["text"])
        return found

    async def until(self, kind: str, timeout: float = 5) -> dict[str, Any]:
        """The next frame of this kind, or the close; others are passed over."""
        async with asyncio.timeout(timeout):
            while True:
                frame = await self.hear(timeout)
                if frame.get("t") == kind or (kind == "closed" and "closed" in frame):
                    return frame
                assert "closed" not in frame, frame

    async def silent(self) -> bool:
        return await self.line.receive_nothing(timeout=0.3, interval=0.02)

    async def hang_up(self) -> None:
        with suppress(Exception):
            await self.line.disconnect(timeout=2)


class Line:
    """Opens sockets for a test and ends them with it."""

    def __init__(self, plenary: Plenary) -> None:
        self.plenary = plenary
        self.sockets: list[Socket] = []

    async def socket(self, cookie: str | None, **options: str) -> Socket:
        made = Socket(cookie, **options)
        self.sockets.append(made)
        return made

    async def of(self, person: Person) -> Socket:
        """An open socket of this person, before its hello."""
        made = await self.socket(await dip(self.plenary.cookie, person))
        assert await made.open()
        return made

    async def seated(self, person: Person, *, number: int = 1, since: int = 0) -> Socket:
        """After hello and welcome, and after everything that was missed."""
        made = await self.of(person)
        await made.say({"t": "hello", "device": flow.device(f"{person.id} {number}").device, "since": since})
        welcome = await made.until("welcome")
        last = since
        while last < welcome["head"]:
            frame = await made.until("items")
            last = max([last, *[item["seq"] for item in frame["items"]]])
        return made

    async def hang_up(self) -> None:
        await asyncio.gather(*[socket.hang_up() for socket in self.sockets])
