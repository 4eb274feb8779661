"""The whole conversation over real HTTP: a host and three witnesses, of which one lies and one was restored from a backup."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from secure.log import cosigning, policies, store
from secure.log.checkpoint import TreeHead
from secure.log.cosigning_thread import AGREED, CosigningThread, ask_all, request_from
from secure.log.errors import LogError
from secure.log.note import split_note
from secure.log.policy_chain import open_witnessed
from secure.log.signing import SigningKey
from secure.log.storage import Published
from secure.models import Cosignature, LogPolicy
from secure.witness.folder import load
from secure.witness.witness import WitnessRefusal
from tests.installation import free_port
from tests.secure.log.hosted import NOW, HostedLog, served

pytestmark = pytest.mark.django_db(transaction=True)

A, B, C = ("a.example/consult", "b.example/consult", "c.example/consult")


class Scene:
    """A host and three witnesses' folders, each with an address of its own; `serve` puts one on the network."""

    def __init__(self, tmp_path: Path, stack: ExitStack) -> None:
        self.host = HostedLog(tmp_path)
        self.stack = stack
        self.ports = {name: free_port() for name in "abc"}
        self.folders = {name: self.host.witness(tmp_path / name, url=f"http://127.0.0.1:{port}") for name, port in self.ports.items()}
        self.host.grow()
        self.host.adopt(list(self.folders.values()))
        self.now = NOW

    def round(self) -> Mapping[str, str]:
        """Everybody is asked, a minute after the last time."""
        self.now += timedelta(minutes=1)
        return ask_all(now=self.now)

    def serve(self, *names: str) -> None:
        for name in names:
            self.stack.enter_context(served(self.folders[name], port=self.ports[name]))

    def serve_lies(self, name: str, answer: Callable[[bytes], tuple[int, str, bytes]]) -> None:
        """In this witness's place, somebody who answers what he likes."""

        class Liar(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, content_type, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", self.ports[name]), Liar)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        for end in (server.server_close, thread.join, server.shutdown):
            self.stack.callback(end)

    def keys(self, name: str) -> list[SigningKey]:
        return [SigningKey.parse(line) for line in (self.folders[name] / "witness.key").read_text().split()]

    def witnessed(self) -> Published | None:
        """The newest witnessed checkpoint, checked as a reader does, with nothing but the policy."""
        found = cosigning.witnessed()
        if found is None:
            return None
        numbered = policies.newest()
        assert numbered is not None
        checked = open_witnessed(found.note, policy=numbered.policy)
        assert (checked.size, checked.root) == (found.size, found.root)
        return Published(found.size, found.root, found.note)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


def test_three_honest_witnesses_follow_the_log(scene: Scene) -> None:
    scene.serve("a", "b", "c")
    for _ in range(3):
        grown = scene.host.grow()
        assert scene.round() == {A: AGREED, B: AGREED, C: AGREED}
        assert scene.witnessed() is not None
        assert [each.size for each in cosigning.standings()] == [grown.size] * 3
    assert scene.round() == {A: AGREED, B: AGREED, C: AGREED}


def test_one_lies_and_one_was_restored_and_the_log_is_witnessed_all_the_same(scene: Scene, tmp_path: Path) -> None:
    """A is honest; B signs whatever it is given; C's machine, both copies of its state, goes back to what it was."""
    scene.serve("a", "c")
    scene.serve_lies("b", lambda body: (200, "text/plain", signs_anything(scene.keys("b"), body)))
    early = scene.host.grow()
    assert scene.round() == {A: AGREED, B: AGREED, C: AGREED}
    backup = {name: tmp_path / f"backup-{name}" for name in ("state", "second")}
    for name, copy in backup.items():
        shutil.copytree(scene.folders["c"] / name, copy)
    scene.host.grow()
    scene.round()
    for name, copy in backup.items():
        shutil.rmtree(scene.folders["c"] / name)
        shutil.copytree(copy, scene.folders["c"] / name)

    grown = scene.host.grow()
    # C says how far it believes to be, is given the proof from there, and is with the others again
    assert load(scene.folders["c"]).witness.size(early.note.decode().split("\n")[0]) == early.size
    assert scene.round() == {A: AGREED, B: AGREED, C: AGREED}
    found = scene.witnessed()
    assert found is not None
    assert found.size == grown.size


def test_a_fork_gets_no_quorum_from_one_that_lies_and_one_that_was_restored_half(scene: Scene, tmp_path: Path) -> None:
    """The host itself forks, with its real key: B signs anything, C lost one copy of its state, A is honest. Two of three are needed."""
    scene.serve("a", "c")
    early = scene.host.grow()
    scene.round()
    shutil.copytree(scene.folders["c"] / "state", tmp_path / "old")
    scene.host.grow()
    scene.round()
    shutil.rmtree(scene.folders["c"] / "state")
    shutil.copytree(tmp_path / "old", scene.folders["c"] / "state")

    fork = TreeHead(early.note.decode().split("\n")[0], early.size + 4, bytes(32))
    signed = scene.host.log.keys.sign(size=fork.size, root=fork.root, time=int(NOW.timestamp()))
    lines = signs_anything(scene.keys("b"), b"old 0\n\n" + signed)
    for name in "ac":
        witness = load(scene.folders[name]).witness
        for old in (0, early.size, witness.size(fork.origin)):
            with pytest.raises(WitnessRefusal):
                lines += witness.add_checkpoint(f"old {old}\n\n".encode() + signed, now=NOW)
    numbered = policies.newest()
    assert numbered is not None
    with pytest.raises(LogError, match="below_quorum"):
        open_witnessed(signed + lines, policy=numbered.policy)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((200, "text/plain", b"nonsense\n"), "worth nothing"),
        ((200, "text/plain", b""), "worth nothing"),
        ((200, "text/plain", b"x" * 2_000_000), "too much"),
        ((403, "text/plain", b"no\n"), "refuses (403)"),
        ((409, "text/plain", b"1\n"), "refuses (409)"),
        ((409, "text/x.tlog.size", b"nonsense\n"), "refuses (409)"),
        ((409, "text/x.tlog.size", b"999999\n"), "was the database restored?"),
        ((302, "text/plain", b""), "refuses (302)"),
    ],
)
def test_whatever_one_answers_the_others_are_kept(scene: Scene, answer: tuple[int, str, bytes], outcome: str) -> None:
    scene.serve("a", "c")
    scene.serve_lies("b", lambda _body: answer)
    grown = scene.host.grow()
    outcomes = scene.round()
    assert (outcomes[A], outcomes[C]) == (AGREED, AGREED)
    assert outcome in outcomes[B]
    found = scene.witnessed()
    assert found is not None
    assert found.size == grown.size
    assert not Cosignature.objects.filter(witness=B).exists()


def test_a_signature_over_something_else_or_by_another_key_is_not_kept(scene: Scene) -> None:
    scene.serve("a", "c")
    other = TreeHead("consult.example.int/consult", 1, bytes(32)).text
    mallory = SigningKey(B, scene.keys("b")[0].verifier.type, bytes(32))
    answers = [
        b"".join(key.sign(other, time=1) for key in scene.keys("b")),
        mallory.sign(other, time=1),
    ]
    scene.serve_lies("b", lambda _body: (200, "text/plain", answers[0]))
    scene.host.grow()
    assert "bad_signature" in scene.round()[B]
    answers[0] = answers[1]
    assert "not_a_witness" in scene.round()[B]
    assert not Cosignature.objects.filter(witness=B).exists()


def test_a_witness_that_is_ahead_of_what_is_offered_waits_for_the_next_round(scene: Scene) -> None:
    scene.serve("a", "b", "c")
    scene.host.grow()
    assert scene.round() == {A: AGREED, B: AGREED, C: AGREED}
    newer = scene.host.grow()
    ahead = load(scene.folders["b"]).witness
    text = split_note(newer.note)[0]
    cosigning.take(text + b"\n" + ahead.add_checkpoint(request_from(newer, ahead.size(text.decode().split("\n")[0])), now=NOW), now=NOW)
    assert "ahead" in ask_all(now=scene.now)[B]
    assert scene.round() == {A: AGREED, B: AGREED, C: AGREED}


def test_unreachable_witnesses_hold_up_nobody(scene: Scene) -> None:
    scene.serve("c")
    scene.host.grow()
    outcomes = scene.round()
    assert outcomes[C] == AGREED
    assert "does not answer" in outcomes[A]
    assert scene.witnessed() is None
    scene.serve("a")
    scene.round()
    assert scene.witnessed() is not None


def test_a_database_behind_its_witnesses_is_an_alarm_in_the_servers_log(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.serve_lies("b", lambda _body: (409, "text/x.tlog.size", b"999999\n"))
    scene.host.grow()
    thread = CosigningThread(first=scene.host.first_policy, log=scene.host.verifiers[0], every=0.02)
    with caplog.at_level(logging.WARNING):
        thread.start()
        wait_for(lambda: "was the database restored?" in caplog.text and f"{A}" in caplog.text)
        thread.stop()
    assert not thread.is_alive()
    assert caplog.text.count("was the database restored?") == 1


def test_the_thread_begins_the_policies_and_goes_on_asking(tmp_path: Path) -> None:
    host = HostedLog(tmp_path)
    thread = CosigningThread(first=host.first_policy, log=host.verifiers[0], every=0.02)
    host.grow()
    thread.start()
    wait_for(LogPolicy.objects.exists)
    folder = host.witness(tmp_path / "a", url=f"http://127.0.0.1:{free_port()}")
    host.adopt([folder])
    with served(folder, port=int(load_url(folder).rsplit(":", 1)[1]), now=NOW + timedelta(minutes=1)):
        wait_for(lambda: cosigning.witnessed() is not None)
        thread.stop()


def signs_anything(keys: list[SigningKey], request: bytes) -> bytes:
    text = split_note(request.partition(b"\n\n")[2])[0]
    return b"".join(key.sign(text, time=int(NOW.timestamp())) for key in keys)


def load_url(folder: Path) -> str:
    return (folder / "witness.txt").read_text().split("\n")[0].split(" ")[3]


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it did not come to that")


def test_the_host_that_has_signed_nothing_asks_nobody(tmp_path: Path) -> None:
    HostedLog(tmp_path)
    assert store.published() is None
    assert ask_all(now=NOW) == {}
