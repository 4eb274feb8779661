"""The server's own limits, on raw connections to a real one (body, headers, root path, frames, unread sockets, a clean end)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from consult import server
from tests.installation import Installation


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("server") / "data")
    installation.make()
    installation.start()
    yield installation
    installation.stop()


def exchange(served: Installation, *parts: bytes, seconds: float = 5) -> bytes:
    """Sends the parts and reads until the server is done or silent."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=seconds) as connection:
        answer = b""
        try:
            for part in parts:
                connection.sendall(part)
            while chunk := connection.recv(65536):
                answer += chunk
                if b"Connection: close" not in parts[0] and b"\r\n\r\n" in answer:
                    break
        except (TimeoutError, ConnectionError):
            pass
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def head(served: Installation, method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: localhost:{served.port}", *lines, "", ""]).encode()


def test_it_says_that_it_serves(served: Installation) -> None:
    assert status(exchange(served, head(served, "GET", "/healthz"))) == 200


def test_a_client_cannot_choose_the_root_path(served: Installation) -> None:
    answer = exchange(served, head(served, "GET", "/x/healthz", "Daphne-Root-Path: /x"))
    assert status(answer) == 400


def test_a_large_body_is_refused_before_it_is_read(served: Installation) -> None:
    answer = exchange(served, head(served, "POST", "/api/statements", f"Content-Length: {300 * 1024 * 1024}"))
    assert status(answer) == 413


def test_a_body_that_grows_beyond_the_limit_is_cut(served: Installation) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    parts = [head(served, "POST", "/api/statements", "Transfer-Encoding: chunked"), *[chunk] * (server.BODY_LIMIT // 65536 + 2)]
    assert status(exchange(served, *parts)) == 413


def test_an_unknown_method_is_refused(served: Installation) -> None:
    assert status(exchange(served, head(served, "TRACE", "/"))) == 405


def test_a_foreign_host_is_refused(served: Installation) -> None:
    assert status(exchange(served, b"GET /sign-in HTTP/1.1\r\nHost: evil.example\r\n\r\n")) == 400


def test_the_server_does_not_say_what_it_is(served: Installation) -> None:
    answer = exchange(served, head(served, "GET", "/healthz")).lower()
    assert b"\r\nserver:" not in answer


def test_every_answer_carries_the_policy(served: Installation) -> None:
    for path in ("/sign-in", "/no-such-page", "/api/drafts", "/healthz"):
        answer = exchange(served, head(served, "GET", path)).lower()
        assert b"content-security-policy:" in answer, path
        assert b"require-trusted-types-for" in answer, path
        assert b"x-content-type-options: nosniff" in answer, path
        assert b"cache-control: no-store" in answer, path


def test_headers_in_crumbs_meet_a_deadline(served: Installation) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{served.port}\r\n".encode())
        begun = time.monotonic()
        connection.settimeout(1)
        while time.monotonic() - begun < server.HEADER_SECONDS + 10:
            try:
                connection.sendall(b"X-Slow: 1\r\n")
                answer = connection.recv(4096)
                break
            except TimeoutError:
                continue
            except ConnectionError:
                answer = b""
                break
        else:
            pytest.fail("the connection was never cut")
    assert answer == b"" or status(answer) == 408


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Origin: https://evil.example"], 403),
        (["Origin: null"], 403),
        ([], 403),
        (["Origin: http://localhost"], 403),
    ],
)
def test_a_socket_from_elsewhere_is_refused(served: Installation, lines: list[str], expected: int) -> None:
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    assert status(exchange(served, head(served, "GET", "/ws/rooms/" + "0" * 64, *upgrade, *lines))) == expected


def test_sigterm_ends_it_cleanly(served: Installation) -> None:
    assert served.stop() == 0
    assert "Traceback" not in served.log
    served.start()
