"""Faults of the house, in a served installation: the record goes on or says why not, and what was acknowledged is there afterwards."""

from __future__ import annotations

import http.client
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from secure.log.checkpoint import parse_tree_head
from secure.log.note import split_note
from tests.consult.live import Snapshot
from tests.plenary import Plenary
from tests.room_story import opened
from tests.served import Origin, Sent, Served, Unsent, until
from tests.world import World

pytestmark = pytest.mark.django_db

Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def origin(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """The plenary after its third commit, as a file."""
    with django_db_blocker.unblock():
        empty = Snapshot()
        plenary = Plenary(World(opened()[0])).at(3)
        made = Origin.of(plenary, tmp_path_factory.mktemp("origin") / "plenary.sqlite3")
        empty.put_back()
    return made


@pytest.fixture
def serve(origin: Origin, tmp_path: Path) -> Iterator[Serve]:
    made: list[Served] = []

    def start(**extra: str) -> Served:
        house = Served(tmp_path / "data", origin, **extra)
        made.append(house)
        house.start()
        return house

    yield start
    for house in made:
        if house.process is not None:
            house.kill()


def sent(house: Served, times: int = 1) -> list[Sent]:
    return [house.sender.send() for _ in range(times)]


def covered(house: Served) -> bool:
    """Nothing waits, and the newest checkpoint covers every entry."""
    with sqlite3.connect(house.data / "consult.sqlite3") as database:
        head = database.execute("SELECT size FROM secure_loghead").fetchone()
    return head is not None and house.pending == 0 and head[0] == house.size


def test_killed_under_load_it_has_every_message_it_acknowledged_and_the_record_verifies(serve: Serve) -> None:
    house = serve()
    kept: list[Sent] = []

    def load() -> None:
        try:
            while True:
                kept.append(house.sender.send())
        except (OSError, http.client.HTTPException, Unsent):
            return

    for turn in range(3):
        before = len(kept)
        loading = threading.Thread(target=load)
        loading.start()
        assert until(lambda before=before: len(kept) >= before + 15)
        house.kill()
        loading.join(20)
        assert house.holds(*kept)
        house.start()
        house.sender.caught_up()
        assert until(lambda: covered(house)), f"turn {turn}"
    assert house.stop() == 0
    assert house.faults() == []
    assert house.holds(*kept)


def test_the_signer_dies_with_the_server_however_that_dies(serve: Serve) -> None:
    house = serve()
    assert until(lambda: house.size > 0)
    child = house.signer_pid
    os.kill(child, signal.SIGTERM)  # a service manager tells everybody: the signer's turn comes after the server's
    assert until(lambda: covered(house))
    assert house.signer_pid == child
    house.kill()
    assert until(lambda: not _alive(child), 5)


def test_a_killed_signer_is_missed_by_nobody(serve: Serve) -> None:
    house = serve()
    assert until(lambda: covered(house))
    child, size = house.signer_pid, house.size
    os.kill(child, signal.SIGKILL)
    kept = sent(house, 3)
    assert until(lambda: covered(house) and house.size > size)
    assert house.signer_pid != child
    assert "the record waits for the signer" in house.log
    assert "the signer answers again" in house.log
    assert house.stop() == 0
    assert house.holds(*kept)
    assert house.faults() == []


def test_a_signer_apart_may_go_and_come_meanwhile_entries_get_their_places(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    house = serve(CONSULT_SIGNER=str(path))
    kept = sent(house, 2)
    assert until(lambda: "the record waits for the signer" in house.log)
    assert house.size == 0
    with signer(house.data / "signer", path) as running:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert until(lambda: covered(house) and house.size > 0)
        size = house.size
        running.kill()
    kept += sent(house, 2)
    assert until(lambda: house.log.count("the record waits for the signer") == 2)
    assert until(lambda: house.pending == 0)
    assert house.size == size
    with signer(house.data / "signer", path):
        assert until(lambda: covered(house) and house.size > size, 40)
    house.stop()
    assert house.holds(*kept)
    assert house.faults() == []


class signer:  # noqa: N801  reads as what it does
    """`consult signer` in a process of its own."""

    def __init__(self, folder: Path, path: Path) -> None:
        command = [sys.executable, "-m", "consult", "signer", "--folder", str(folder), "--socket", str(path)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> subprocess.Popen[str]:
        assert self._process.stdout is not None
        assert "Signing" in self._process.stdout.readline()
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)


def test_a_restored_backup_is_not_continued_until_what_is_missing_is_back(serve: Serve, tmp_path: Path) -> None:
    house = serve()
    sent(house, 2)
    assert until(lambda: covered(house))
    house.stop()
    backup, newest = tmp_path / "backup.sqlite3", tmp_path / "newest.sqlite3"
    _copy(house, backup)
    house.start()
    lost = sent(house, 2)
    assert until(lambda: covered(house))
    house.stop()
    size = _published(house)
    _copy(house, newest)
    _put_back(house, backup)
    house.start()
    house.sender.caught_up()
    assert until(lambda: "it comes from a backup" in house.log)
    after = sent(house, 2)
    assert not until(lambda: house.pending < len(after), 3)
    assert house.size < size
    house.stop()
    assert not house.holds(*lost)
    assert house.holds(*after)
    _put_back(house, newest)
    house.start()
    house.sender.caught_up()
    sent(house)
    assert until(lambda: covered(house) and house.size > size)
    house.stop()
    assert house.holds(*lost)
    assert house.faults() == []


def test_a_signer_that_lost_its_memory_signs_nothing_until_it_is_given_back(serve: Serve, tmp_path: Path) -> None:
    house = serve()
    sent(house)
    assert until(lambda: covered(house))
    house.stop()
    size = _published(house)
    (house.data / "signer" / "state").unlink()
    house.start()
    kept = sent(house)
    assert until(lambda: "state" in house.log and "is missing" in house.log)
    assert house.size == size
    (tmp_path / "checkpoint").write_bytes(house.ask("GET", "/log/checkpoint")[1])
    house.stop()
    adopted = house.run("signer", "--adopt", str(tmp_path / "checkpoint"))
    assert (adopted.returncode, f"{size} entries" in adopted.stdout) == (0, True), adopted.stderr
    house.start()
    assert until(lambda: covered(house) and house.size > size)
    house.stop()
    assert house.holds(*kept)
    assert house.faults() == []


def test_on_a_full_disk_acts_stop_with_an_error_and_go_on_when_there_is_room(serve: Serve) -> None:
    """No file may grow beyond what the journal has now, as on a disk that is full; the server is told so by its system."""
    house = serve()
    kept = sent(house, 2)
    assert until(lambda: covered(house))
    assert house.process is not None
    _, hard = resource.prlimit(house.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(house.process.pid, resource.RLIMIT_FSIZE, (4096, hard))
    with pytest.raises(Unsent) as refused:
        kept += sent(house)
    assert refused.value.status == 429
    assert house.ask("GET", "/healthz")[0] == 200
    resource.prlimit(house.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    house.sender.caught_up()
    kept += sent(house, 2)
    assert until(lambda: covered(house), 40)
    house.stop()
    assert house.holds(*kept)
    assert house.faults() == []


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split(") ")[1][:1]


def _copy(house: Served, to: Path) -> None:
    with sqlite3.connect(house.data / "consult.sqlite3") as source, sqlite3.connect(to) as target:
        source.backup(target)


def _put_back(house: Served, backup: Path) -> None:
    for name in ("consult.sqlite3", "consult.sqlite3-wal", "consult.sqlite3-shm"):
        (house.data / name).unlink(missing_ok=True)
    shutil.copyfile(backup, house.data / "consult.sqlite3")


def _published(house: Served) -> int:
    with sqlite3.connect(house.data / "consult.sqlite3") as database:
        (note,) = database.execute("SELECT note FROM secure_checkpoint ORDER BY size DESC").fetchone()
    return parse_tree_head(split_note(note)[0]).size
