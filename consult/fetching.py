"""Fetching from a host that nobody trusts: no redirects, bounded sizes, bounded waits; what the network does is told in a sentence."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Final

#: a slow line from a capital far away answers within this; between two pieces of one answer too
SILENCE_SECONDS: Final = 20
#: for one file altogether: the largest font takes a minute at 3 KiB a second
FILE_SECONDS: Final = 120
CHUNK: Final = 64 * 1024
#: what any browser says, so that a checker does not stand out by what it asks
HEADERS: Final = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "*/*",
    "Accept-Language": "en-GB,en;q=0.5",
}


class UnreachableError(Exception):
    """No answer could be had; the text says why, in a sentence."""


@dataclass(frozen=True)
class Answer:
    """`body` has at most one byte more than was asked for: then the file is longer."""

    status: int
    headers: Message
    body: bytes


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is elsewhere is not what was asked for."""

    def redirect_request(self, *_told: object) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def fetch(address: str, *, most: int, silence: float = SILENCE_SECONDS, whole: float = FILE_SECONDS) -> Answer:
    """One answer, whatever its status.

    Raises:
        UnreachableError: no connection, no trusted certificate, or too slow.
    """
    request = urllib.request.Request(address, headers=HEADERS)  # noqa: S310  the caller has checked the scheme
    try:
        with _opener.open(request, timeout=silence) as answer:
            return Answer(answer.status, answer.headers, _body(answer, most, whole))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, b"")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UnreachableError(f"{address}: {getattr(error, 'reason', None) or error or type(error).__name__}") from error


def _body(answer: http.client.HTTPResponse, most: int, whole: float) -> bytes:
    end = time.monotonic() + whole
    body = b""
    while len(body) <= most and (piece := answer.read1(min(CHUNK, most + 1 - len(body)))):
        body += piece
        if time.monotonic() > end:
            raise TimeoutError("it takes too long")
    return body
