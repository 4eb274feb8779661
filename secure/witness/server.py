"""`add-checkpoint` over HTTP (C2SP tlog-witness). TLS is a proxy's business.

A request has a body of at most 512 KiB with its length declared; a connection lives for at most a minute, and 32 are open at once.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from secure.witness.records import DamagedRecordError
from secure.witness.witness import MAX_REQUEST, Witness, WitnessRefusal

SILENCE: Final = 15.0
LIFETIME: Final = 60.0
CONNECTIONS: Final = 32
SIZE: Final = "text/x.tlog.size"
PLAIN: Final = "text/plain; charset=utf-8"

logger = logging.getLogger(__name__)


def make_server(
    witness: Witness, *, listen: str, port: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> ThreadingHTTPServer:
    """A server bound to its address; `serve_forever` serves, `shutdown` ends it."""

    class Handler(_Handler):
        def answer(self, body: bytes) -> bytes:
            return witness.add_checkpoint(body, now=clock())

    return _Server((listen, port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._places = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """One more connection, if there is a place; otherwise it is closed at once."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        end = threading.Timer(LIFETIME, _cut, [request])
        end.daemon = True
        try:
            end.start()
            super().process_request_thread(request, client_address)
        except RuntimeError:  # no thread is left for the clock
            self.shutdown_request(request)
        finally:
            end.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "witness", ""
    timeout = SILENCE

    def answer(self, body: bytes) -> bytes:
        raise NotImplementedError

    def do_POST(self) -> None:
        if self.path != "/add-checkpoint":
            self._say(404, "not found")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or "Transfer-Encoding" in self.headers:
            self._say(411, "the length is missing")
            return
        if len(length) > 9 or int(length) > MAX_REQUEST:
            self._say(413, "too large")
            return
        body = self.rfile.read(int(length))
        if len(body) == int(length):
            self._add(body)

    def do_GET(self) -> None:
        self._say(405 if self.path == "/add-checkpoint" else 404, "not found")

    def _add(self, body: bytes) -> None:
        try:
            self._send(200, self.answer(body), PLAIN)
        except WitnessRefusal as refusal:
            logger.warning("refused: %s %s", refusal.code, refusal.about)
            if refusal.status == 409:
                self._send(409, f"{refusal.about['size']}\n".encode(), SIZE)
            else:
                self._send(refusal.status, f"{refusal.code}\n".encode(), PLAIN)
        except (DamagedRecordError, OSError):
            logger.critical("nothing is signed: the state cannot be read or written", exc_info=True)
            self._send(500, b"the state of this witness needs its operator\n", PLAIN)

    def _say(self, status: int, text: str) -> None:
        """An answer before the body was read: the connection cannot go on."""
        self.close_connection = True
        self._send(status, f"{text}\n".encode(), PLAIN)

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody's address is kept."""


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
