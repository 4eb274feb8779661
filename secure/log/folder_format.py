"""A whole log as files in a folder: what `consult export-log` writes and `consult verify log` reads. Pure.

| file | content |
| --- | --- |
| `leaves.bin`, `events.bin` | records: index (u64), length (u16), bytes, in order |
| `checkpoint` | the newest signed tree head, with cosignatures |
| `checkpoints.bin` | every signed tree head, by size: records whose length is a u32, for the signatures of many witnesses |
| `series.jsonl` | `{"ns", "scope"}` of each series |
| `chains/<scope>.jsonl` | signed statements, one canonical line each |
| `policies/<number>.txt` | policies as signed notes |
| `tile/<level>/<n>` | tiles as C2SP tlog-tiles lays them out, partial ones as far as the last checkpoint |
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from secure.log.errors import LogError
from secure.log.note import MAX_NOTE

NEWEST, LEAVES, EVENTS, CHECKPOINTS, SERIES = "checkpoint", "leaves.bin", "events.bin", "checkpoints.bin", "series.jsonl"
CHAINS, POLICIES, TILES = "chains", "policies", "tile"
HEADER: Final = struct.Struct(">QH")
NOTE_HEADER: Final = struct.Struct(">QI")


def note_record(size: int, note: bytes) -> bytes:
    return NOTE_HEADER.pack(size, len(note)) + note


def read_records(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(index, bytes) of each record, one at a time. Raises `LogError("bad_bundle")` where a record is cut."""
    return _read(file, HEADER)


def read_notes(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(size, note) of each tree head, as `read_records`; one of more than `MAX_NOTE` bytes is none."""
    return _read(file, NOTE_HEADER, most=MAX_NOTE)


def _read(file: BinaryIO, form: struct.Struct, *, most: int = 0xFFFF) -> Iterator[tuple[int, bytes]]:
    while header := file.read(form.size):
        if len(header) != form.size:
            raise LogError("bad_bundle")
        index, length = form.unpack(header)
        if length > most:
            raise LogError("bad_bundle")
        raw = file.read(length)
        if len(raw) != length:
            raise LogError("bad_bundle")
        yield index, raw
