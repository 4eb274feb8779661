"""A whole log as files in a folder: what `consult export-log` writes and `consult verify log` reads. Pure.

| file | content |
| --- | --- |
| `leaves.bin`, `events.bin` | records: index (u64), length (u16), bytes, in order |
| `checkpoint` | the newest signed tree head, with cosignatures |
| `checkpoints.bin` | records of every signed tree head, by size |
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

NEWEST, LEAVES, EVENTS, CHECKPOINTS, SERIES = "checkpoint", "leaves.bin", "events.bin", "checkpoints.bin", "series.jsonl"
CHAINS, POLICIES, TILES = "chains", "policies", "tile"
HEADER: Final = struct.Struct(">QH")


def read_records(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(index, bytes) of each record, one at a time. Raises `LogError("bad_bundle")` where a record is cut."""
    while header := file.read(HEADER.size):
        if len(header) != HEADER.size:
            raise LogError("bad_bundle")
        index, length = HEADER.unpack(header)
        raw = file.read(length)
        if len(raw) != length:
            raise LogError("bad_bundle")
        yield index, raw
