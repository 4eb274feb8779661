"""The witness over real HTTP on the loopback: statuses and types of C2SP tlog-witness, and the limits of a server that strangers reach."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread, Timer

import pytest

from secure.log.note import check_lines
from secure.log.policy import parse_policy
from secure.witness import server as serving
from secure.witness.folder import create, load
from secure.witness.server import make_server
from secure.witness.web import Answer, UnreachableError, fetch
from secure.witness.witness import MAX_REQUEST
from tests.secure.witness.logs import LOG, NOW, NumberLog

HONEST = NumberLog(30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "witness", name="witness.example/w", log=LOG.verifier.vkey)
    return tmp_path / "witness"


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    server = make_server(load(folder).witness, listen="127.0.0.1", port=0, clock=lambda: NOW)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def post(port: int, body: bytes) -> Answer:
    return fetch(f"http://127.0.0.1:{port}/add-checkpoint", body=body)


def test_it_answers_with_cosignatures(port: int, folder: Path) -> None:
    answer = post(port, HONEST.request(0, 9))
    policy = parse_policy((folder / "witness.txt").read_bytes() + b"quorum none\n")
    assert answer.status == 200
    assert len(check_lines(HONEST.head(9).text, answer.body, policy.verifiers)) == 2
    assert post(port, HONEST.request(9, 20)).status == 200


def test_each_refusal_has_the_status_of_the_format(port: int) -> None:
    assert post(port, HONEST.request(0, 9)).status == 200
    moved = post(port, HONEST.request(0, 20))
    assert (moved.status, moved.body, moved.content_type) == (409, b"9\n", "text/x.tlog.size")
    assert post(port, b"nonsense").status == 400
    assert post(port, NumberLog(20, word="x").request(9, 20)).status == 422


def test_the_connection_stays_for_the_next_request(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    own = []
    for old, size, status in [(0, 9, 200), (9, 12, 200), (9, 12, 409), (12, 20, 200)]:
        connection.request("POST", "/add-checkpoint", body=HONEST.request(old, size))
        response = connection.getresponse()
        response.read()
        assert response.status == status
        own.append(connection.sock.getsockname())
    connection.close()
    assert len(set(own)) == 1


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("GET /add-checkpoint", "", 405),
        ("GET /", "", 404),
        ("POST /other", "Content-Length: 1\r\n", 404),
        ("POST /add-checkpoint", "", 411),
        ("POST /add-checkpoint", "Content-Length: -1\r\n", 411),
        ("POST /add-checkpoint", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 411),
        ("POST /add-checkpoint", f"Content-Length: {MAX_REQUEST + 1}\r\n", 413),
        ("POST /add-checkpoint", "Content-Length: 99999999999999999999\r\n", 413),
        ("PUT /add-checkpoint", "Content-Length: 3\r\n", 501),
    ],
)
def test_other_requests_are_refused_before_anything_is_read(port: int, request_line: str, headers: str, status: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"{request_line} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
        assert connection.recv(65536).split(b" ")[1] == str(status).encode()


def test_a_client_that_sends_nothing_is_let_go_and_more_than_its_places_are_not_taken(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LIFETIME", 0.3)
    idle = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(serving.CONNECTIONS + 4)]
    assert all(connection.recv(10) == b"" for connection in idle)
    for connection in idle:
        connection.close()
    assert post(port, HONEST.request(0, 9)).status == 200


def test_places_are_given_back_when_the_machine_has_no_thread_left(port: int) -> None:
    def none(_timer: Timer) -> None:
        raise RuntimeError("can't start new thread")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Timer, "start", none)
        for _ in range(serving.CONNECTIONS + 1):
            with socket.create_connection(("127.0.0.1", port), 10) as idle:
                assert idle.recv(10) == b""
    assert post(port, HONEST.request(0, 9)).status == 200


def test_a_state_that_cannot_be_written_is_the_operators_matter(port: int, folder: Path) -> None:
    (folder / "second").rmdir()
    assert post(port, HONEST.request(0, 9)).status == 500
    (folder / "second").mkdir()
    assert post(port, HONEST.request(0, 9)).status == 200


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "nonsense", "http://user:word@127.0.0.1/", "http://127.0.0.1:99999/"])
def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    with pytest.raises(UnreachableError):
        fetch(url)


def drip(listening: socket.socket) -> None:
    """Answers one connection with a byte now and then, for ever."""
    connection, _ = listening.accept()
    with connection:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                connection.sendall(b"x")
                connection.settimeout(0.05)
                try:
                    if connection.recv(4096) == b"":
                        return
                except TimeoutError:
                    continue
        except OSError:
            return


def test_an_answer_that_never_ends_is_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=drip, args=[listening])
        thread.start()
        with pytest.raises(UnreachableError):
            fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/", seconds=0.5)
        thread.join()


def test_so_is_one_that_is_reached_late_at_a_second_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first address takes no connection until the time is over; the second one takes it and drips."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as full, socket.socket() as waiting:
        port = listening.getsockname()[1]
        full.bind(("127.0.0.2", port))
        full.listen(0)
        waiting.connect(("127.0.0.2", port))
        places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_told, **_named: places)
        thread = Thread(target=drip, args=[listening])
        thread.start()
        with pytest.raises(UnreachableError):
            fetch(f"http://witness.example:{port}/", seconds=0.5)
        thread.join()
