"""The shred store: keys of 32 bytes, a file each, outside the database and its backups. Who deletes one shreds what it opened, in
every copy of the database (NIST SP 800-88r1, 2.5: cryptographic erase).

Pure. Several processes of one machine may use one folder: a key appears whole or not at all, and of two that make it the first wins.
A key that is not there is no error: what it opened can no longer be read, and callers say so in words.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32
_NAME = re.compile(r"[a-z0-9-]{1,100}")


class ShredStore:
    """Keys by name. Names are the store's only index and hold no personal data: card hashes, tags, numbers of rows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self, name: str) -> bytes | None:
        """The key, or None if it was shredded or lost."""
        try:
            found = self._path(name).read_bytes()
        except OSError:
            return None
        return found if len(found) == KEY_BYTES and any(found) else None

    def make(self, name: str) -> bytes:
        """The key of this name, made now if there is none. On disk before it is used.

        Raises:
            OSError: the folder cannot be written; then the act that needs the key does not happen.
        """
        found = self.key(name)
        if found is not None:
            return found
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        arriving = self._folder / f".{secrets.token_hex(16)}"
        try:
            _write_new(arriving, secrets.token_bytes(KEY_BYTES))
            self._settle(arriving, self._path(name))
        finally:
            arriving.unlink(missing_ok=True)
        _sync(self._folder)
        return self._path(name).read_bytes()

    def shred(self, name: str) -> bool:
        """Overwrites the key's file and takes it away; False if it was gone already."""
        path = self._path(name)
        try:
            handle = os.open(path, os.O_WRONLY)
        except FileNotFoundError:
            return False
        try:
            os.write(handle, bytes(KEY_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        path.unlink(missing_ok=True)
        _sync(self._folder)
        return True

    def _settle(self, arriving: Path, path: Path) -> None:
        """A link appears at once and whole, and never in the place of another. A damaged file of this name makes way."""
        try:
            os.link(arriving, path)
        except FileExistsError:
            if self.key(path.name) is None:
                arriving.replace(path)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("a key's name is lower-case letters, digits and hyphens")
        return self._folder / name


def _write_new(path: Path, octets: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """A new or removed name survives a power cut only once its folder is synced."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
