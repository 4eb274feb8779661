"""A server that lies: it stands in front of a real installation, passes everything on, and changes what it is told to change.

It has what a hostile host has: every request and answer, every socket frame in the clear of TLS, and whatever else the installation
behind it stores. It has no key of anybody. Lies are told to chosen browsers, known by their session cookie.
"""

from __future__ import annotations

import asyncio
import json
import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import BrowserContext

from secure.keys import LogKey, load_log_key
from tests.installation import Installation, free_port

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding", "sec-websocket-extensions"}
TEXT, CLOSE = 1, 8

Json = Any
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Question:
    method: str
    path: str
    headers: Headers
    body: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    def saying(self, value: Json, status: int | None = None) -> Answer:
        kept = [(name, text) for name, text in self.headers if name.lower() != "content-type"]
        return Answer(status or self.status, [*kept, ("Content-Type", "application/json")], json.dumps(value).encode())


#: what to say in place of the true answer
Tell = Callable[[Question, Answer], Answer]
#: the frames to send in place of a true one
TellFrame = Callable[[dict[str, Json]], Iterable[dict[str, Json]]]


@dataclass(frozen=True)
class Lie:
    """`whom`: session cookies' values. `path` is matched from the beginning."""

    whom: frozenset[str]
    path: re.Pattern[str]
    tell: Tell


@dataclass(frozen=True)
class FrameLie:
    whom: frozenset[str]
    tell: TellFrame


@dataclass(frozen=True)
class Loan:
    """Requests of these browsers are answered as if another browser had asked: all the help a host can give."""

    whom: frozenset[str]
    path: re.Pattern[str]
    lender: str


@dataclass
class Fronted(Installation):
    """An installation which people reach at `front`, where the lying server listens."""

    front: int = field(default_factory=free_port)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.front}"

    @property
    def log_key(self) -> LogKey:
        """The record's key, as whoever owns the machine reads it."""
        path = next(self.data.rglob("log.key"))
        return load_log_key(path, origin=path.read_text(encoding="utf-8").split("+")[2])


@dataclass
class LyingServer:
    house: Fronted
    lies: list[Lie] = field(default_factory=list)
    frame_lies: list[FrameLie] = field(default_factory=list)
    loans: list[Loan] = field(default_factory=list)
    #: close code of every socket that ended, by session
    closed: list[tuple[str, int]] = field(default_factory=list)
    #: sessions whose line is down: their sockets are torn, their requests go unanswered
    cut_off: set[str] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _sockets: dict[asyncio.StreamWriter, str] = field(default_factory=dict)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.house.front, limit=2**22)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    # ---------------------------------------------------------------------------------------------------------------- what to tell

    async def lie(self, *to: BrowserContext, path: str, tell: Tell) -> None:
        self.lies.append(Lie(await _sessions(to), re.compile(path), tell))

    async def lie_in_frames(self, *to: BrowserContext, tell: TellFrame) -> None:
        self.frame_lies.append(FrameLie(await _sessions(to), tell))

    async def lend(self, *to: BrowserContext, of: BrowserContext, path: str) -> None:
        (lender,) = await _sessions([of])
        self.loans.append(Loan(await _sessions(to), re.compile(path), lender))

    async def cut(self, context: BrowserContext) -> None:
        """The line of this browser breaks, without a word of goodbye."""
        who = await session(context)
        self.cut_off.add(who)
        for writer in [writer for writer, told in self._sockets.items() if told == who]:
            writer.transport.abort()

    def honest(self) -> None:
        """From now on nothing is changed, and every line is up."""
        self.cut_off.clear()
        self.lies.clear()
        self.frame_lies.clear()
        self.loans.clear()

    # -------------------------------------------------------------------------------------------------------------------- passing on

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a browser that goes, or the end of the test
        finally:
            self._open.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """@returns whether the connection may carry one more request"""
        start, headers = await _read_head(reader)
        method, path, _ = start.split(" ", 2)
        question = Question(method, path, self._lent(path, headers), await _read_body(reader, headers))
        told = _session_of(headers)
        if told in self.cut_off:
            return False
        if _value(headers, "upgrade").lower() == "websocket":
            await self._socket(question, told, reader, writer)
            return False
        try:
            answer = await self._ask(question)
        except OSError:
            return False  # nobody behind us: so does a real front when it gives up
        for lie in list(self.lies):
            if told in lie.whom and lie.path.match(path):
                answer = lie.tell(question, answer)
        head = _head_text(f"HTTP/1.1 {answer.status} Told", [*_kept(answer.headers), ("Content-Length", str(len(answer.body)))])
        writer.write(head + (b"" if method == "HEAD" else answer.body))
        await writer.drain()
        return True

    def _lent(self, path: str, headers: Headers) -> Headers:
        told = _session_of(headers)
        for loan in self.loans:
            if told in loan.whom and loan.path.match(path):
                return [(name, text.replace(told, loan.lender) if name.lower() == "cookie" else text) for name, text in headers]
        return headers

    async def _ask(self, question: Question) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.house.port, limit=2**22)
        try:
            writer.write(_head_of(question, [("Content-Length", str(len(question.body))), ("Connection", "close")]) + question.body)
            start, headers = await _read_head(reader)
            status = int(start.split(" ", 2)[1])
            body = b"" if question.method == "HEAD" or status in (204, 304) else await _read_body(reader, headers, to_end=True)
            return Answer(status, headers, body)
        finally:
            writer.close()

    # ----------------------------------------------------------------------------------------------------------------------- sockets

    async def _socket(self, question: Question, told: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self.house.port, limit=2**22)
        try:
            back_writer.write(_head_of(question, [("Connection", "Upgrade")]))
            start, headers = await _read_head(back_reader)
            writer.write(_head_text(start, [*_kept(headers), ("Connection", "Upgrade")]))
            if " 101 " in start:
                self._sockets[writer] = told
                up = asyncio.ensure_future(_pour(reader, back_writer))
                await self._frames(told, back_reader, writer)
                up.cancel()
        finally:
            self._sockets.pop(writer, None)
            back_writer.close()

    async def _frames(self, told: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The server's frames, which are short, whole and unmasked, one by one."""
        while True:
            first, second = await reader.readexactly(2)
            length = second & 127
            if length > 125:
                length = struct.unpack(">H" if length == 126 else ">Q", await reader.readexactly(2 if length == 126 else 8))[0]
            payload = await reader.readexactly(length)
            told_frames = [payload]
            if first & 15 == TEXT:
                told_frames = self._told(told, payload)
            for frame in told_frames:
                writer.write(bytes([first]) + _length(len(frame)) + frame)
            await writer.drain()
            if first & 15 == CLOSE:
                self.closed.append((told, struct.unpack(">H", payload[:2])[0] if len(payload) > 1 else 1005))
                return

    def _told(self, told: str, payload: bytes) -> list[bytes]:
        frames: list[dict[str, Json]] = [json.loads(payload)]
        for lie in self.frame_lies:
            if told in lie.whom:
                frames = [changed for frame in frames for changed in lie.tell(frame)]
        return [json.dumps(frame).encode() for frame in frames]


async def session(context: BrowserContext) -> str:
    """The session cookie's value, by which a browser is known."""
    for cookie in await context.cookies():
        if cookie.get("name") == "consult":
            return str(cookie.get("value"))
    raise AssertionError("not signed in")


async def _sessions(contexts: Iterable[BrowserContext]) -> frozenset[str]:
    return frozenset([await session(context) for context in contexts])


def _session_of(headers: Headers) -> str:
    found = re.search(r"(?:^|;\s*)consult=([^;]+)", _value(headers, "cookie"))
    return found[1] if found else ""


def _value(headers: Headers, wanted: str) -> str:
    return next((text for name, text in headers if name.lower() == wanted), "")


def _head_of(question: Question, extra: Headers) -> bytes:
    return _head_text(f"{question.method} {question.path} HTTP/1.1", [*_kept(question.headers), *extra])


def _kept(headers: Headers) -> Headers:
    return [(name, text) for name, text in headers if name.lower() not in HOP_BY_HOP]


def _head_text(start: str, headers: Headers) -> bytes:
    return "".join([start, "\r\n", *(f"{name}: {text}\r\n" for name, text in headers), "\r\n"]).encode("latin-1")


def _length(count: int) -> bytes:
    if count < 126:
        return bytes([count])
    return bytes([126]) + struct.pack(">H", count) if count < 2**16 else bytes([127]) + struct.pack(">Q", count)


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, Headers]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = head.rstrip("\r\n").split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return start, [(name.strip(), text.strip()) for name, text in pairs]


async def _read_body(reader: asyncio.StreamReader, headers: Headers, *, to_end: bool = False) -> bytes:
    if _value(headers, "transfer-encoding").lower() == "chunked":
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return body
    length = _value(headers, "content-length")
    if length:
        return await reader.readexactly(int(length))
    return await reader.read(-1) if to_end else b""


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while raw := await reader.read(2**16):
            writer.write(raw)
            await writer.drain()
    except ConnectionError:  # the other side went first
        return
    writer.close()
