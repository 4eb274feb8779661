"""Writes the whole log into a folder, for `consult verify log`. Streams; holds no more than a page of rows."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from secure.errors import Conflict
from secure.log import cosigning, jcs, past, store
from secure.log import folder_format as form
from secure.log.bundle_format import record
from secure.log.merkle import HASH_BYTES
from secure.log.tiles import MAX_LEVEL, WIDTH, TilePlace, tile_path, width_at


def write(folder: Path) -> int:
    """The log up to its newest checkpoint; returns its size. The folder must be new or empty.

    Raises `Conflict`: `folder_in_use`, or `not_signed` before the first checkpoint.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Conflict("folder_in_use")
    with store.snapshot():
        newest, note = store.published(), cosigning.newest()
        if newest is None or note is None:
            raise Conflict("not_signed")
        for name in (form.CHAINS, form.POLICIES, form.TILES):
            (folder / name).mkdir(parents=True)
        _entries(folder, newest.size)
        _checkpoints(folder, newest.size)
        _chains(folder)
        _tiles(folder, newest.size)
        (folder / form.NEWEST).write_bytes(note)
        for number, note in past.policies_at(newest.size).items():
            (folder / form.POLICIES / f"{number}.txt").write_bytes(note)
    return newest.size


def _entries(folder: Path, size: int) -> None:
    with (folder / form.LEAVES).open("wb") as leaves, (folder / form.EVENTS).open("wb") as events:
        for entry in store.entries(0, size):
            leaves.write(record(entry.index, entry.leaf))
            if entry.event:
                events.write(record(entry.index, entry.event))


def _checkpoints(folder: Path, size: int) -> None:
    with (folder / form.CHECKPOINTS).open("wb") as file:
        file.writelines(form.note_record(at, note) for at, note in past.every(size))
    rows = (jcs.encode({"ns": tag, "scope": scope}) + b"\n" for tag, scope, *_ in store.namespaces())
    (folder / form.SERIES).write_bytes(b"".join(rows))


def _chains(folder: Path) -> None:
    """One file open at a time: statements come chain by chain."""
    with ExitStack() as stack:
        scope, file = "", None
        for _hash, _type, of, _n, body in store.statements():
            if of != scope or file is None:
                stack.close()
                scope, file = of, stack.enter_context((folder / form.CHAINS / f"{of}.jsonl").open("wb"))
            file.write(body + b"\n")


def _tiles(folder: Path, size: int) -> None:
    for level in range(MAX_LEVEL + 1):
        n = 0
        while width := width_at(level, n, size):
            path = folder / form.TILES / tile_path(TilePlace(level, n, width))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(store.read_tile(level, n)[: width * HASH_BYTES])
            n += 1
            if width < WIDTH:
                break
