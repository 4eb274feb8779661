"""The log's signing key. No other file sees it: callers get an object that can sign a tree head and name its verifier.

The file is one line, the private-key form of Go's `sumdb/note` (`PRIVATE+KEY+<name>+<id>+<base64 of 0x01 and the seed>`), so that
other tools for signed notes read it too. Name = the log's origin.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secure import ed25519
from secure.log.checkpoint import TreeHead
from secure.log.encoding import b64, unb64
from secure.log.errors import LogError
from secure.log.note import ED25519, Verifier, check_key_name, sign_with

_PREFIX = "PRIVATE+KEY+"


class KeyFileError(Exception):
    """The log's key file is missing, readable by others, or not what it should be; one sentence for the operator."""


class LogKey:
    """The log's Ed25519 key under its origin."""

    def __init__(self, origin: str, key: Ed25519PrivateKey) -> None:
        self.origin = origin
        self._key = key

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.origin, ed25519.public_bytes(self._key))

    @property
    def vkey(self) -> str:
        """The verifier key as text: what `chairs.root` names and what a member state keeps."""
        return self.verifier.vkey

    def sign(self, *, size: int, root: bytes) -> bytes:
        """A signed checkpoint of this tree head."""
        return sign_with(TreeHead(self.origin, size, root).text, name=self.origin, key=self._key)


def create_log_key(path: Path, *, origin: str) -> LogKey:
    """Makes the key and its file, readable by its owner only. An existing file is never overwritten."""
    check_key_name(origin)
    key = Ed25519PrivateKey.generate()
    verifier = Verifier(origin, ed25519.public_bytes(key))
    text = f"{_PREFIX}{origin}+{verifier.key_id.hex()}+{b64(bytes([ED25519]) + key.private_bytes_raw())}\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyFileError(f"{path} already exists; the log's key is made once.") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return LogKey(origin, key)


def load_log_key(path: Path, *, origin: str) -> LogKey:
    """Reads the key.

    Raises:
        KeyFileError: no such file, wrong permissions, a damaged key, or the key of another origin.
    """
    try:
        mode, text = stat.S_IMODE(path.stat().st_mode), path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"The log's key {path} cannot be read; `consult init` makes it.") from error
    if mode & 0o077:
        raise KeyFileError(f"The log's key {path} can be read by others: set its mode to 600.")
    try:
        name, id_, encoded = text.removeprefix(_PREFIX).split("+", 2)
        raw = unb64(encoded, 33)
    except (ValueError, LogError) as error:
        raise KeyFileError(f"The log's key {path} is damaged.") from error
    key = LogKey(name, Ed25519PrivateKey.from_private_bytes(raw[1:]))
    if not text.startswith(_PREFIX) or raw[0] != ED25519 or key.verifier.key_id.hex() != id_:
        raise KeyFileError(f"The log's key {path} is damaged.")
    if name != origin:
        raise KeyFileError(f"The log's key {path} belongs to {name}, not to {origin}.")
    return key
