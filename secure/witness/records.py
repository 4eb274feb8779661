"""How far a witness has gone with each log: written before anything is signed, and kept twice.

The copies are files of canonical JSON in the folders `state` and `second`. `second` is best a link to another disk: when one of the two
is restored from a backup they differ, the higher one counts, and the operator is told. Both restored at once cannot be noticed here;
against that stands the quorum of the other witnesses.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from secure.log import jcs
from secure.log.encoding import b64, natural, unb64
from secure.log.errors import LogError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Record:
    """The newest point agreed to: a log's size and root."""

    size: int
    root: bytes


class DamagedRecordError(Exception):
    """A record cannot be read, or its two copies contradict each other: nothing is signed until an operator has looked."""


class Records:
    """The records of one witness. `locked` serialises everybody who checks and writes, other processes included."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder / "second", folder / "state")
        self._lock_file = folder / "lock"
        self._mutex = Lock()

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self._mutex:
            descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)

    def read(self, origin: str) -> Record | None:
        """The higher of the two copies; None if there is none yet.

        Raises:
            DamagedRecordError: a copy is damaged, or they name two roots for one size.
        """
        copies = [_read(folder / _name(origin), origin) for folder in self._folders]
        found = sorted({copy for copy in copies if copy}, key=lambda record: record.size)
        if not found:
            return None
        if len({record.size for record in found}) != len(found):
            raise DamagedRecordError(f"The two copies of the state for {origin} contradict each other.")
        if len(found) == 2 or None in copies:
            logger.warning("%s: one copy of the state is older than the other; was it restored? Going on from %d.", origin, found[-1].size)
        return found[-1]

    def write(self, origin: str, record: Record) -> None:
        """Both copies, on the disk when this returns. The first of them to be written is not the first to be restored."""
        raw = jcs.encode({"origin": origin, "root": b64(record.root), "size": record.size})
        for folder in self._folders:
            _write(folder / _name(origin), raw)


def _name(origin: str) -> str:
    return f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.json"


def _read(path: Path, origin: str) -> Record | None:
    try:
        return _parse(path.read_bytes(), origin)
    except FileNotFoundError:
        return None
    except (OSError, LogError) as error:
        raise DamagedRecordError(f"The state {path} cannot be read.") from error


def _parse(raw: bytes, origin: str) -> Record:
    value = jcs.decode_object(raw, max_bytes=4096)
    if set(value) != {"origin", "root", "size"} or value["origin"] != origin:
        raise LogError("bad_encoding")
    return Record(natural(value["size"]), unb64(value["root"], 32))


def _write(path: Path, raw: bytes) -> None:
    """Whole or not at all: a new file beside it, flushed, then put in its place."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
