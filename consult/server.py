"""Daphne with the limits it lacks: body, headers, frames, unsent bytes, and a clean end.

Each class adds to Daphne's one thing; the numbers and their reasons are below.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server as DaphneServer
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import defer, reactor
from twisted.web import http

logger = logging.getLogger("consult.server")

#: a commit with its tree, base64, fits many times over; a sealed chunk is 256 KiB
BODY_LIMIT = 2 * 1024 * 1024
#: seconds to send the request line and all headers; a slow line from a ministry abroad needs one
HEADER_SECONDS = 15
#: seconds to send a body of BODY_LIMIT: 17 KiB a second
BODY_SECONDS = 120
#: bytes; the application refuses above 64 KiB with an error frame first, this is the transport's own bar
FRAME_LIMIT = 128 * 1024
#: a browser sends a message in one frame; one-byte fragments are an attack on the loop
FRAGMENTS = 64
#: bytes waiting for a socket that does not read; beyond it the client is too slow and resumes later
SEND_BUDGET = 1024 * 1024
#: seconds that open answers and sockets get to end after SIGTERM
DRAIN_SECONDS = 8
TOO_SLOW = 4408
RESTARTING = 1012


class Request(WebRequest):  # type: ignore[misc]
    """A request that must arrive within its time and size, and may not choose its own root path."""

    deadline: Any = None
    refused = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel.begun = True
        self.deadline = reactor.callLater(HEADER_SECONDS, self.too_late)

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """Headers are complete; the body begins."""
        self._rest()
        if length is not None and length > BODY_LIMIT:
            self.refuse(b"413 Content Too Large")
            return
        self.deadline = reactor.callLater(BODY_SECONDS, self.too_late)
        super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self.refused:
            return
        if self.content.tell() + len(data) > BODY_LIMIT:
            self.refuse(b"413 Content Too Large")
            return
        super().handleContentChunk(data)

    def process(self) -> Any:
        self._rest()
        if self.refused:
            return None
        if self.requestHeaders.hasHeader(b"daphne-root-path"):
            return self.basic_error(400, b"Bad Request", "This header is not accepted.")
        return super().process()

    def too_late(self) -> None:
        self.deadline = None
        self.refuse(b"408 Request Timeout")

    def refuse(self, status: bytes) -> None:
        """Answers on the bare connection and ends it: what follows on it is not read."""
        self._rest()
        self.refused = True
        if self.channel is not None:
            self.channel.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.channel.loseConnection()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self._rest()
        super().connectionLost(reason)

    def _rest(self) -> None:
        if self.deadline is not None and self.deadline.active():
            self.deadline.cancel()
        self.deadline = None


class Connections(HTTPFactory):  # type: ignore[misc]
    """Gives each connection its request class, and a deadline for its first request line."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        reactor.callLater(HEADER_SECONDS, self.drop_silent, protocol)
        return protocol

    @staticmethod
    def drop_silent(protocol: Any) -> None:
        channel = getattr(protocol, "_channel", protocol)
        if isinstance(channel, http.HTTPChannel) and channel.transport and not getattr(channel, "begun", False):
            channel.loseConnection()


class Socket(WebSocketProtocol):  # type: ignore[misc]
    """A socket that is closed cleanly, with a code, when it sends in crumbs or does not read."""

    fragments = 0
    paused = False
    unsent = 0

    def onOpen(self) -> None:  # noqa: N802
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        super().onOpen()

    def pauseProducing(self) -> None:  # noqa: N802
        """The transport's buffer is full: from here on we count."""
        self.paused = True

    def resumeProducing(self) -> None:  # noqa: N802
        self.paused, self.unsent = False, 0

    def stopProducing(self) -> None:  # noqa: N802
        self.paused = True

    def onMessageBegin(self, isBinary: bool) -> None:  # noqa: N802, N803
        self.fragments = 0
        super().onMessageBegin(isBinary)

    def onMessageFrameBegin(self, length: int) -> None:  # noqa: N802
        self.fragments += 1
        super().onMessageFrameBegin(length)
        if self.fragments > FRAGMENTS:
            self.muted = True
            self.sendClose(code=1009)

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802
        if self.paused:
            self.unsent += len(content)
            if self.unsent > SEND_BUDGET:
                self.muted = True
                self.application_queue.put_nowait({"type": "websocket.disconnect", "code": TOO_SLOW})
                self.sendClose(code=TOO_SLOW)
                return
        super().serverSend(content, binary)


class SocketFactory(WebSocketFactory):  # type: ignore[misc]
    protocol = Socket


class Server(DaphneServer):  # type: ignore[misc]
    """`ready` is called once, when every endpoint listens; `ending` once, when the server begins to stop."""

    def __init__(self, application: Any, *, endpoints: list[str], ready: Callable[[], None], ending: Callable[[], None]) -> None:
        super().__init__(
            application,
            endpoints=endpoints,
            server_name="",
            websocket_max_message_size=FRAME_LIMIT,
            websocket_max_frame_size=FRAME_LIMIT,
            http_timeout=60,
        )
        self.when_ready = ready
        self.when_ending = ending
        self.listens = True

    def run(self) -> None:
        # Daphne builds its factories in `run`; ours take their place there
        from daphne import server as daphne_server

        daphne_server.HTTPFactory = Connections
        daphne_server.WebSocketFactory = _clean_sockets
        reactor.callWhenRunning(self._announce)
        super().run()

    def listen_error(self, failure: Any) -> None:
        """Daphne logs it and stops; the process must not end as if all had been well."""
        self.listens = False
        super().listen_error(failure)

    def _announce(self) -> None:
        listening = defer.gatherResults(self.listeners)
        listening.addCallback(lambda _: self.when_ready() if self.listens else None)

    def kill_all_applications(self) -> Any:
        """SIGTERM: nothing new comes in, sockets are told that we restart, answers under way may end."""
        self.when_ending()
        for protocol in list(self.connections):
            if isinstance(protocol, Socket) and protocol.state == Socket.STATE_OPEN:
                protocol.sendClose(code=RESTARTING)
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._drain()))

    async def _drain(self) -> None:
        end = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < end and any("disconnected" not in each for each in self.connections.values()):
            await asyncio.sleep(0.05)
        running = [each["application_instance"] for each in self.connections.values() if "application_instance" in each]
        for instance in running:
            instance.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _clean_sockets(owner: Server, **kwargs: Any) -> SocketFactory:
    """Failures close with a code instead of a bare reset; the name given to strangers is empty."""
    factory = SocketFactory(owner, **kwargs)
    factory.setProtocolOptions(failByDrop=False)
    return factory
