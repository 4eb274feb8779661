"""A witness that fetches: from hosts over real HTTP, honest ones and others."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from secure.log.note import split_note
from secure.witness.folder import create, load
from secure.witness.pull import pull
from secure.witness.web import UnreachableError
from secure.witness.witness import Witness, WitnessRefusal
from tests.secure.witness.logs import LOG, NOW, ORIGIN, NumberLog


class Host(ThreadingHTTPServer):
    """Serves `log` at `size`; `answers` overrules it by path. What is posted is kept in `posted`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Doors)
        self.log, self.size = NumberLog(40), 10
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.posted: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str) -> tuple[int, bytes]:
        if path in self.answers:
            return self.answers[path]
        if path == "/log/offered":
            return 200, self.log.checkpoint(self.size)
        old, new = map(int, path.removeprefix("/log/consistency/").split("/"))
        return 200, json.dumps({"hashes": [b64encode(hash_).decode() for hash_ in self.log.proof(old, new)]}).encode()


class _Doors(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        self._send(*self.server.answer(self.path))

    def do_POST(self) -> None:
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._send(*self.server.answers.get(self.path, (200, b"{}")))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    create(tmp_path / "w", name="witness.example/w", log=LOG.verifier.vkey)
    return load(tmp_path / "w").witness


def test_it_follows_and_posts_what_it_signed(host: Host, witness: Witness) -> None:
    for size in (10, 10, 33):
        host.size = size
        assert pull(witness, url=host.url, now=NOW) == size
        text, lines = split_note(host.posted[-1])
        assert text == host.log.head(size).text
        assert lines.count(b"\n") == 2


@pytest.mark.parametrize(
    ("path", "answer", "error"),
    [
        ("/log/offered", (200, NumberLog(40, word="other", fork_at=5).checkpoint(33)), WitnessRefusal),
        ("/log/offered", (200, NumberLog(40).checkpoint(9)), WitnessRefusal),
        ("/log/offered", (200, b"nonsense"), WitnessRefusal),
        ("/log/offered", (404, b"not found\n"), UnreachableError),
        ("/log/offered", (200, b"x" * 2_000_000), UnreachableError),
        ("/log/consistency/10/33", (200, b"{}"), WitnessRefusal),
        ("/log/consistency/10/33", (200, b"[]"), WitnessRefusal),
        ("/log/consistency/10/33", (200, b"null"), WitnessRefusal),
        ("/log/consistency/10/33", (200, b'{"hashes":5}'), WitnessRefusal),
        ("/log/consistency/10/33", (200, b'{"hashes":["AAAA"]}'), WitnessRefusal),
        ("/log/consistency/10/33", (200, json.dumps({"hashes": [b64encode(bytes(32)).decode()] * 100}).encode()), WitnessRefusal),
        ("/log/consistency/10/33", (200, b"[" * 100_000), WitnessRefusal),
        ("/log/consistency/10/33", (404, b""), UnreachableError),
    ],
)
def test_from_a_host_that_shows_something_else_nothing_is_taken_and_nothing_signed(
    host: Host, witness: Witness, path: str, answer: tuple[int, bytes], error: type[Exception]
) -> None:
    pull(witness, url=host.url, now=NOW)
    host.size, host.answers = 33, {path: answer}
    with pytest.raises(error):
        pull(witness, url=host.url, now=NOW)
    assert len(host.posted) == 1
    assert witness.size(ORIGIN) == 10
    host.answers = {}
    assert pull(witness, url=host.url, now=NOW) == 33


def test_a_host_that_does_not_take_the_signature_is_told_as_such(host: Host, witness: Witness) -> None:
    host.answers = {"/log/cosignatures": (403, b"")}
    with pytest.raises(UnreachableError, match="did not take"):
        pull(witness, url=host.url, now=NOW)
