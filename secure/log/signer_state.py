"""What the signer remembers: one line of canonical JSON in a file of its own, replaced whole and synced before anything is signed.

`{"v":1,"origin":…,"size":…,"root":"<base64>","time":…}`; time in seconds. A missing file is an error, never a beginning: a signer
without memory would sign a second past. `create` makes the first one, `adopt` puts a checkpoint that the signer itself had signed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from secure.log import jcs
from secure.log.checkpoint import open_checkpoint
from secure.log.encoding import b64, natural, unb64
from secure.log.errors import LogError
from secure.log.merkle import EMPTY_ROOT
from secure.log.note import Verifier

STATE: Final = "state"
LOCK: Final = "lock"
_MOST: Final = 4096


class StateError(Exception):
    """The signer's state is missing or damaged; one sentence for the operator."""


@dataclass(frozen=True)
class SignedHead:
    """The last head that was signed; `time` in seconds, never decreasing. Size 0: none yet."""

    size: int
    root: bytes
    time: int


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else reads or writes the state meanwhile. Raises `OSError` if the folder cannot be used."""
    lock = os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


class Held:
    """The state for the time of one request, under its lock."""

    def __init__(self, folder: Path, *, origin: str) -> None:
        self._folder = folder
        self._origin = origin
        self._lock = ExitStack()
        self.last = SignedHead(0, EMPTY_ROOT, 0)

    def __enter__(self) -> Held:
        """Raises `StateError`, or `OSError` if the folder cannot be used."""
        with ExitStack() as taken:
            taken.enter_context(locked(self._folder))
            self.last = _read(self._folder / STATE, self._origin)
            self._lock = taken.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keep(self, head: SignedHead) -> None:
        """On disk when this returns."""
        _replace(self._folder, self._origin, head)
        self.last = head

    def close(self) -> None:
        self._lock.close()


def create(folder: Path, *, origin: str) -> None:
    """The state of a signer that has signed nothing. An existing one is left alone, as a `StateError`."""
    if (folder / STATE).exists():
        raise StateError(f"{folder / STATE} already exists; a signer begins once.")
    _replace(folder, origin, SignedHead(0, EMPTY_ROOT, 0))


def adopt(folder: Path, note: bytes, *, verifiers: Sequence[Verifier]) -> SignedHead:
    """Sets the state to a checkpoint that the signer's own keys have signed: for a state that was lost, or came from an old copy.

    Raises:
        StateError: the checkpoint is not signed with all keys, or smaller than what the signer remembers.
    """
    try:
        head = open_checkpoint(note, verifiers)
    except LogError as error:
        raise StateError("This is no checkpoint that was signed with these keys.") from error
    path = folder / STATE
    with locked(folder):
        known = _read(path, head.origin) if path.exists() else SignedHead(0, EMPTY_ROOT, 0)
        if head.size < known.size or (head.size == known.size and head.root != known.root):
            raise StateError(f"The signer has already signed a log of {known.size} entries.")
        adopted = SignedHead(head.size, head.root, known.time)
        _replace(folder, head.origin, adopted)
    return adopted


def _read(path: Path, origin: str) -> SignedHead:
    see = "Without it nothing is signed: see docs/operations.md, 'The signer'."
    try:
        named, head = _parse(path.read_bytes())
    except FileNotFoundError as error:
        raise StateError(f"The signer's state {path} is missing. {see}") from error
    except LogError as error:
        raise StateError(f"The signer's state {path} is damaged. {see}") from error
    if named != origin:
        raise StateError(f"The signer's state {path} belongs to {named}, not to {origin}.")
    return head


def _parse(raw: bytes) -> tuple[str, SignedHead]:
    """(origin, head)."""
    value = jcs.decode_object(raw, max_bytes=_MOST)
    if set(value) != {"v", "origin", "size", "root", "time"} or value["v"] != 1:
        raise LogError("bad_encoding")
    return str(value["origin"]), SignedHead(natural(value["size"]), unb64(value["root"], 32), natural(value["time"]))


def _replace(folder: Path, origin: str, head: SignedHead) -> None:
    """A new file, synced, put in the old one's place, and the folder synced: after a power cut there is the old state or the new."""
    raw = jcs.encode({"v": 1, "origin": origin, "size": head.size, "root": b64(head.root), "time": head.time})
    path = folder / f"{STATE}.new"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    path.replace(folder / STATE)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
