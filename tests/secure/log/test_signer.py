"""The signer signs one past only, whoever asks and whatever became of database, clock and disk."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure.keys import KeyFileError
from secure.log import jcs, signer_state
from secure.log.checkpoint import open_checkpoint
from secure.log.merkle import Frontier, leaf_hash, prove_consistency
from secure.log.note import open_note
from secure.log.signer import SignerAwayError, SignerRefusalError, create_signer, load_signer
from secure.log.signer_socket import SocketSigner, answer, serve
from secure.log.signer_state import StateError
from secure.log.tiles import Subtrees, grow
from tests.secure.log.logs import ORIGIN, Log, make_log

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return make_log(tmp_path)


class Tree:
    """A tree that grows, with its proofs."""

    def __init__(self, word: str = "leaf") -> None:
        self._word = word
        self._frontier = Frontier()
        self._tiles: dict[tuple[int, int], bytes] = {}

    def grown(self, size: int) -> Tree:
        new = [leaf_hash(f"{self._word} {n}".encode()) for n in range(self._frontier.size, size)]
        self._tiles |= grow(self._frontier, new, self._read)
        return self

    @property
    def root(self) -> bytes:
        return self._frontier.root

    def proof(self, since: int) -> list[bytes]:
        return prove_consistency(since, self._frontier.size, Subtrees(self._read))

    def _read(self, level: int, n: int) -> bytes:
        return self._tiles.get((level, n), b"")


@pytest.fixture
def tree(log: Log) -> Tree:
    """Seven leaves, signed."""
    tree = Tree().grown(7)
    log.signer.sign(size=7, root=tree.root, proof=[])
    return tree


def test_both_keys_sign_and_the_head_is_remembered(log: Log) -> None:
    tree = Tree().grown(7)
    note = log.signer.sign(size=7, root=tree.root, proof=[])
    assert set(open_note(note, log.verifiers).signed_by) == set(log.verifiers)
    assert (open_checkpoint(note, log.verifiers).size, open_checkpoint(note, log.verifiers).root) == (7, tree.root)
    assert (log.signer.head().size, log.signer.head().root) == (7, tree.root)


def test_a_tree_that_is_proven_to_grow_is_signed(log: Log, tree: Tree) -> None:
    tree.grown(300)
    assert log.signer.sign(size=300, root=tree.root, proof=tree.proof(7))
    assert log.signer.head().size == 300


def refused(log: Log, code: str, **asked: object) -> None:
    before = log.signer.head()
    with pytest.raises(SignerRefusalError) as refusal:
        log.signer.sign(**asked)  # type: ignore[arg-type]
    assert refusal.value.code == code
    assert log.signer.head() == before


def test_a_smaller_tree_another_root_and_an_unproven_growth_are_refused(log: Log, tree: Tree) -> None:
    other = Tree("other").grown(7)
    refused(log, "smaller", size=6, root=Tree().grown(6).root, proof=[])
    refused(log, "fork", size=7, root=other.root, proof=[])
    tree.grown(9)
    proof = tree.proof(7)
    other.grown(9)
    refused(log, "unproven", size=9, root=tree.root, proof=[])
    refused(log, "unproven", size=9, root=tree.root, proof=proof[:-1])
    refused(log, "unproven", size=9, root=tree.root, proof=[*proof, bytes(32)])
    refused(log, "unproven", size=9, root=other.root, proof=other.proof(7))
    refused(log, "unproven", size=9, root=other.root, proof=proof)


@pytest.mark.parametrize("asked", [{"size": 0}, {"size": -1}, {"size": 2**60}, {"root": b""}, {"root": bytes(33)}])
def test_what_is_no_tree_head_is_refused(log: Log, asked: dict[str, object]) -> None:
    refused(log, "bad_request", **{"size": 1, "root": bytes(32), "proof": [], **asked})


def test_a_first_head_needs_no_proof_and_takes_none(log: Log) -> None:
    refused(log, "unproven", size=7, root=bytes(32), proof=[bytes(32)])
    with pytest.raises(SignerRefusalError):
        log.signer.resign()


def test_the_same_head_is_signed_again_with_the_time_of_now(log: Log, tree: Tree) -> None:
    times = [log.signer_at(lambda minutes=minutes: NOW + timedelta(days=9999, minutes=minutes)).resign() for minutes in (0, 10)]
    first, second = (open_note(note, log.verifiers).signatures[1].time for note in times)
    assert first is not None
    assert second == first + 600
    assert log.signer.head().size == 7


def test_the_time_of_signatures_never_goes_back_though_the_clock_does(log: Log, tree: Tree) -> None:
    late = open_note(log.signer_at(lambda: NOW + timedelta(days=9999)).resign(), log.verifiers).signatures[1].time
    early = open_note(log.signer_at(lambda: NOW).resign(), log.verifiers).signatures[1].time
    assert early == late


# ------------------------------------------------------------------------------------------------------------------------- its memory


def test_keys_and_memory_are_the_owners_alone(log: Log, tree: Tree) -> None:
    assert stat.S_IMODE(log.folder.stat().st_mode) == 0o700
    assert {path.name for path in log.folder.iterdir()} == {"log.key", "log-mldsa.key", "state", "lock"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in log.folder.iterdir()} == {0o600}


def test_the_memory_is_on_disk_before_the_signature_exists(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of what the operating system is asked for: write, sync, put in place, sync the folder; the keys come after."""
    calls: list[str] = []
    for name in ("fsync", "open"):
        plain = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, _plain=plain, _name=name: calls.append(_name) or _plain(*args))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: calls.append("replace") or replace(self, to))
    sign = type(log.keys).sign
    monkeypatch.setattr(type(log.keys), "sign", lambda self, **asked: calls.append("sign") or sign(self, **asked))
    log.signer.sign(size=7, root=Tree().grown(7).root, proof=[])
    assert calls == ["open", "open", "fsync", "replace", "open", "fsync", "sign"]


def test_without_memory_nothing_is_signed_and_the_reason_is_a_sentence(log: Log, tree: Tree) -> None:
    (log.folder / "state").unlink()
    for ask in (log.signer.head, log.signer.resign, lambda: log.signer.sign(size=8, root=bytes(32), proof=[])):
        with pytest.raises(SignerRefusalError, match="missing") as refusal:
            ask()
        assert refusal.value.code == "no_state"
    assert not (log.folder / "state").exists()


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b"[]", b'{"v":1}', b"x" * 9999])
def test_a_damaged_memory_is_none(log: Log, tree: Tree, raw: bytes) -> None:
    (log.folder / "state").write_bytes(raw)
    with pytest.raises(SignerRefusalError, match="damaged"):
        log.signer.head()


def test_anothers_memory_is_none(log: Log, tmp_path: Path) -> None:
    other = make_log(tmp_path / "other", origin="elsewhere.example/consult")
    (log.folder / "state").write_bytes((other.folder / "state").read_bytes())
    with pytest.raises(SignerRefusalError, match="elsewhere"):
        log.signer.head()


def test_what_a_crash_left_half_written_is_passed_over(log: Log, tree: Tree) -> None:
    (log.folder / "state.new").write_bytes(b'{"origin":')
    assert log.signer.head().size == 7
    assert log.signer.resign()


def test_a_disk_that_is_full_signs_nothing_and_is_no_refusal(log: Log, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    tree.grown(9)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(SignerAwayError, match="No space left"):
            log.signer.sign(size=9, root=tree.root, proof=tree.proof(7))
    assert log.signer.head().size == 7
    assert log.signer.sign(size=9, root=tree.root, proof=tree.proof(7))


def test_keys_and_memory_are_made_once(log: Log, tree: Tree) -> None:
    with pytest.raises(KeyFileError, match="already exists"):
        create_signer(log.folder, origin=ORIGIN, clock=lambda: NOW)
    with pytest.raises(StateError, match="already exists"):
        signer_state.create(log.folder, origin=ORIGIN)
    assert load_signer(log.folder, clock=lambda: NOW).head().size == 7


def test_two_processes_of_one_folder_sign_one_past(log: Log, tree: Tree) -> None:
    """Threads stand for processes: the lock is the file's. Each offers its own ninth leaf; one of them is signed."""
    outcomes: list[str] = []

    def offer(word: str) -> None:
        mine = Tree().grown(7)
        mine._word = word
        mine.grown(9)
        try:
            log.signer_at(lambda: NOW).sign(size=9, root=mine.root, proof=mine.proof(7))
            outcomes.append("signed")
        except SignerRefusalError as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=offer, args=(f"word {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["fork"] * 7 + ["signed"]


def test_a_memory_is_not_put_back_while_a_request_is_answered(log: Log, tree: Tree) -> None:
    assert tree.root == log.signer.head().root
    adopting = threading.Thread(target=signer_state.adopt, args=(log.folder, log.signer.resign()), kwargs={"verifiers": log.verifiers})
    with signer_state.Held(log.folder, origin=log.origin):
        adopting.start()
        adopting.join(0.2)
        assert adopting.is_alive()
    adopting.join()


def test_a_lost_memory_comes_back_from_a_checkpoint_it_signed_and_from_nothing_else(log: Log, tree: Tree, tmp_path: Path) -> None:
    old = log.signer.resign()
    tree.grown(9)
    new = log.signer.sign(size=9, root=tree.root, proof=tree.proof(7))
    with pytest.raises(StateError, match="9 entries"):
        signer_state.adopt(log.folder, old, verifiers=log.verifiers)
    (log.folder / "state").unlink()
    foreign = make_log(tmp_path / "other").signer.sign(size=9, root=tree.root, proof=[])
    for bad in (foreign, b"", new[:-5], new.replace(b"\n9\n", b"\n8\n")):
        with pytest.raises(StateError, match="no checkpoint"):
            signer_state.adopt(log.folder, bad, verifiers=log.verifiers)
    assert signer_state.adopt(log.folder, new, verifiers=log.verifiers).size == 9
    tree.grown(12)
    assert log.signer.sign(size=12, root=tree.root, proof=tree.proof(9))


# ------------------------------------------------------------------------------------------------------------------- across processes


@pytest.fixture
def across(log: Log) -> Iterator[SocketSigner]:
    """The same signer asked through a socket."""
    path = log.folder / "socket"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(8)
    thread = threading.Thread(target=serve, args=(log.signer, listening), kwargs={"seconds": 0.5}, daemon=True)
    thread.start()

    def connect() -> closing[socket.socket]:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        return closing(connection)

    yield SocketSigner(connect, verifiers=log.verifiers)
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


def test_across_a_socket_it_answers_the_same(log: Log, across: SocketSigner) -> None:
    tree = Tree().grown(7)
    note = across.sign(size=7, root=tree.root, proof=[])
    assert open_checkpoint(note, log.verifiers).size == 7
    assert across.head() == log.signer.head()
    tree.grown(1000)
    assert open_checkpoint(across.sign(size=1000, root=tree.root, proof=tree.proof(7)), log.verifiers).size == 1000
    assert open_checkpoint(across.resign(), log.verifiers).size == 1000
    with pytest.raises(SignerRefusalError, match="1000 entries") as refusal:
        across.sign(size=8, root=bytes(32), proof=[])
    assert refusal.value.code == "smaller"


def test_a_caller_that_says_nothing_holds_up_the_others_for_a_moment_only(log: Log, across: SocketSigner) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(log.folder / "socket"))
        silent.sendall(b'{"do":')
        assert across.head().size == 0


def test_a_signer_that_is_not_there_is_away(log: Log) -> None:
    def connect() -> closing[socket.socket]:
        raise ConnectionRefusedError(111, "Connection refused")

    with pytest.raises(SignerAwayError, match="does not answer"):
        SocketSigner(connect, verifiers=log.verifiers).head()


@pytest.mark.parametrize(
    "said", [b"", b"\n", b"{}\n", b'{"note":7}\n', b'{"size":1}\n', b"x" * 20_000, b'{"root":"AA==","size":1,"time":1}\n']
)
def test_an_answer_that_is_none_is_away(log: Log, said: bytes) -> None:
    own, its = socket.socketpair()
    its.sendall(said)
    its.shutdown(socket.SHUT_WR)
    with its, own, pytest.raises(SignerAwayError):
        SocketSigner(lambda: closing(own), verifiers=log.verifiers).head()


def asked(log: Log, line: bytes) -> dict[str, object]:
    return jcs.decode_object(answer(log.signer, line).removesuffix(b"\n"))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b'{"do":"policy"}',
        b'{"do":["head"]}',
        b'{"do":"head","size":1}',
        b'{ "do":"head"}',
        b'{"do":"sign","proof":{},"root":"","size":1}',
        b'{"do":"sign","proof":[1],"root":"","size":1}',
        b'{"do":"sign","proof":[],"root":"AA","size":true}',
        b'{"do":"resign","do":"head"}',
        b"\xff",
    ],
)
def test_only_the_tables_requests_are_known(log: Log, line: bytes) -> None:
    assert asked(log, line)["refused"] == "bad_request"


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return make_log(tmp_path_factory.mktemp("idle"))


values = st.dictionaries(st.text(max_size=5), st.integers() | st.text()).map(lambda value: str(value).encode())


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=200), values))
def test_no_bytes_make_it_do_anything_but_refuse(idle: Log, line: bytes) -> None:
    assert asked(idle, line)["refused"] == "bad_request"
    assert idle.signer.head().size == 0
