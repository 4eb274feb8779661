from __future__ import annotations

import stat
from pathlib import Path

import pytest

from secure.keys import KeyFileError, create_log_key, load_log_key
from secure.log.checkpoint import open_checkpoint
from secure.log.note import parse_vkey

ORIGIN = "consult.example.int/consult"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.key"


def test_the_key_is_the_owners_alone_and_signs_after_it_was_read_again(path: Path) -> None:
    made = create_log_key(path, origin=ORIGIN)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    note = load_log_key(path, origin=ORIGIN).sign(size=7, root=bytes(32))
    assert open_checkpoint(note, [parse_vkey(made.vkey)]).size == 7


def test_a_key_is_made_once(path: Path) -> None:
    create_log_key(path, origin=ORIGIN)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="already exists"):
        create_log_key(path, origin=ORIGIN)
    assert path.read_bytes() == before


def test_a_key_that_others_can_read_is_refused(path: Path) -> None:
    create_log_key(path, origin=ORIGIN)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="600"):
        load_log_key(path, origin=ORIGIN)


def test_the_key_of_another_origin_is_refused(path: Path) -> None:
    create_log_key(path, origin="elsewhere.example/consult")
    with pytest.raises(KeyFileError, match="elsewhere"):
        load_log_key(path, origin=ORIGIN)


def test_a_missing_key_names_the_command_that_makes_it(path: Path) -> None:
    with pytest.raises(KeyFileError, match="consult init"):
        load_log_key(path, origin=ORIGIN)


@pytest.mark.parametrize("change", ["", "x", "PRIVATE+KEY+a+b", "cut", "id", "prefix", "binary"])
def test_a_damaged_key_is_refused(path: Path, change: str) -> None:
    create_log_key(path, origin=ORIGIN)
    text = path.read_text()
    name_end = text.index("+", len("PRIVATE+KEY+")) + 1
    damaged = {
        "cut": text[:-5],
        "id": text[:name_end] + "00000000" + text[name_end + 8 :],
        "prefix": text.removeprefix("PRIVATE+KEY+"),
    }.get(change, change)
    path.write_bytes(b"\xff\xfe" if change == "binary" else damaged.encode())
    with pytest.raises(KeyFileError):
        load_log_key(path, origin=ORIGIN)
