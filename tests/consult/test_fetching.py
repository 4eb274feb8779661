"""Fetching from a host that nobody trusts: it can be silent, slow or endless, and is told so in a sentence."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import repeat

import pytest

from consult.fetching import UnreachableError, fetch

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@contextmanager
def answering(pieces: Callable[[], Iterator[bytes]], *, pause: float = 0) -> Iterator[str]:
    """A host that takes one request and sends these pieces."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                for piece in pieces():
                    connection.sendall(piece)
                    if ended.wait(pause):
                        return
                ended.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        ended.set()
        thread.join()


def endless(piece: bytes) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        yield HEAD
        yield from repeat(piece)

    return pieces


def test_an_endless_answer_is_read_to_one_byte_beyond_what_it_may_have() -> None:
    with answering(endless(b"x" * 4096)) as address:
        assert fetch(address, most=10_000).body == b"x" * 10_001


def test_a_silent_host_is_given_up() -> None:
    with answering(lambda: iter(()), pause=0) as address, pytest.raises(UnreachableError, match="timed out"):
        fetch(address, most=10, silence=0.3)


def test_a_host_that_drips_is_given_up() -> None:
    with answering(endless(b"x"), pause=0.02) as address, pytest.raises(UnreachableError, match="too long"):
        fetch(address, most=10_000, whole=0.3)


@pytest.mark.parametrize("spoken", [b"SSH-2.0-x\r\n", b"HTTP/1.1 99999 x\r\n\r\n", b"HTTP/1.1 200 OK\r\nx" + b"y" * 70_000])
def test_what_is_no_answer_is_said_to_be_none(spoken: bytes) -> None:
    with answering(lambda: iter((spoken,))) as address, pytest.raises(UnreachableError):
        fetch(address, most=10, silence=0.5)
