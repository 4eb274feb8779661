"""Keys which can be destroyed: made once, whole, the owner's alone; gone for good."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from secure.log.shred import KEY_BYTES, ShredStore


def test_a_key_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    store = ShredStore(tmp_path / "shred")
    made = store.make("subject-1")
    assert len(made) == KEY_BYTES
    assert store.make("subject-1") == store.key("subject-1") == ShredStore(tmp_path / "shred").key("subject-1") == made
    assert store.make("subject-2") != made
    assert stat.S_IMODE((tmp_path / "shred").stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "shred").iterdir()} == {
        "subject-1": 0o600,
        "subject-2": 0o600,
    }


def test_a_shredded_key_is_overwritten_before_its_file_goes(tmp_path: Path) -> None:
    store = ShredStore(tmp_path)
    made = store.make("scope-1")
    os.link(tmp_path / "scope-1", tmp_path / "held")
    assert store.shred("scope-1")
    assert store.key("scope-1") is None
    assert (tmp_path / "held").read_bytes() == bytes(KEY_BYTES) != made
    assert not store.shred("scope-1")
    assert store.make("scope-1") != made


def test_a_lost_store_and_a_damaged_key_are_no_keys(tmp_path: Path) -> None:
    store = ShredStore(tmp_path / "never made")
    assert store.key("scope-1") is None
    assert not store.shred("scope-1")
    store.make("scope-1")
    for damaged in (b"", b"short", bytes(KEY_BYTES)):
        (tmp_path / "never made" / "scope-1").write_bytes(damaged)
        assert store.key("scope-1") is None
    assert store.make("scope-1") == store.key("scope-1")


@pytest.mark.parametrize("name", ["", "../log.key", "a/b", "UPPER", ".hidden", "a" * 101])
def test_a_name_stays_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        ShredStore(tmp_path).make(name)


def _made(folder: Path) -> list[bytes]:
    return [ShredStore(folder).make(f"scope-{n}") for n in range(50)]


def test_processes_that_make_a_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        first, *others = pool.map(_made, [tmp_path] * 3)
    assert all(other == first for other in others)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"scope-{n}" for n in range(50))
