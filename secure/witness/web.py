"""One HTTP request with limits: no redirects, a bound on bytes and on time. For hosts that ask witnesses and witnesses that ask hosts."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

SECONDS: Final = 15.0
MAX_ANSWER: Final = 1024 * 1024


class UnreachableError(Exception):
    """No answer, one that is too large or too slow, or an address that is none; one sentence for a log."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str


def fetch(url: str, *, body: bytes | None = None, seconds: float = SECONDS) -> Answer:
    """GET, or POST of `body` as plain text. The whole exchange has `seconds`.

    Raises:
        UnreachableError: there was no whole answer.
    """
    try:
        connection = _connection(url, seconds)
    except ValueError as error:
        raise UnreachableError(f"{url} is no address.") from error
    end = monotonic() + seconds
    deadline = Timer(seconds, _cut, [connection])
    deadline.start()
    try:
        parts = urlsplit(url)
        connection.connect()
        # a host of several addresses may be reached when the time is over already, and nothing was there to be cut
        if monotonic() >= end:
            raise TimeoutError
        connection.request(
            "GET" if body is None else "POST",
            parts.path + (f"?{parts.query}" if parts.query else "") or "/",
            body=body,
            headers={"Content-Type": "text/plain; charset=utf-8"} if body is not None else {},
        )
        response = connection.getresponse()
        content = response.read(MAX_ANSWER + 1)
        if len(content) > MAX_ANSWER or (response.length or 0) > 0:
            raise UnreachableError(f"{url} answers too much, or broke off.")
        return Answer(response.status, content, response.headers.get("Content-Type", ""))
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(f"{url} does not answer ({type(error).__name__}).") from error
    finally:
        deadline.cancel()
        connection.close()


def _connection(url: str, seconds: float) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname, parts.port, timeout=seconds)


def _cut(connection: HTTPConnection) -> None:
    """Ends an exchange that is still under way: whoever waits for its next byte gets an error."""
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
