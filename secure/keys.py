"""The installation's own keys: the two that sign the log, and the one that signs receipts. No other file sees them.

A key file is one line, the private-key form of Go's `sumdb/note` (`PRIVATE+KEY+<name>+<id>+<base64 of the key's type and its seed>`),
so that other tools for signed notes read it too. The log's keys bear its origin as their name, the receipts' key `<origin>/receipts`.
Beside them lies `log.vkey`, which is no secret: the log's two public keys, a line each, for everybody but the signer.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from secure import ed25519
from secure.log import cosignature, mldsa, receipts
from secure.log.checkpoint import TreeHead
from secure.log.encoding import b64, unb64
from secure.log.errors import LogError
from secure.log.note import ED25519, MLDSA, Verifier, check_key_name, parse_vkey, sign_with
from secure.log.receipts import Receipt

_PREFIX: Final = "PRIVATE+KEY+"
_SEED: Final = 32
LOG: Final = "log.key"
LOG_MLDSA: Final = "log-mldsa.key"


class KeyFileError(Exception):
    """A key file is missing, readable by others, or not what it should be; one sentence for the operator."""


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
        """A checkpoint of this tree head with this one signature."""
        return sign_with(TreeHead(self.origin, size, root).text, name=self.origin, key=self._key)

    def sign_note(self, text: bytes) -> bytes:
        """A note of this text."""
        return sign_with(text, name=self.origin, key=self._key)


class LogKeys:
    """Both keys of the log: Ed25519, which browsers check, and ML-DSA-44, which outlives it."""

    def __init__(self, key: LogKey, mldsa_key: MLDSA44PrivateKey) -> None:
        self.log = key
        self._mldsa = mldsa_key

    @property
    def origin(self) -> str:
        return self.log.origin

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        return (self.log.verifier, Verifier(self.origin, mldsa.public_bytes(self._mldsa), MLDSA))

    def sign(self, *, size: int, root: bytes, time: int) -> bytes:
        """A checkpoint with both signatures; `time` in seconds stands in the second."""
        head = TreeHead(self.origin, size, root)
        message = cosignature.mldsa_message(cosignature.subtree_of(head.text), name=self.origin, time=time)
        signature = self.verifiers[1].key_id + cosignature.pack(time, self._mldsa.sign(message))
        return self.log.sign(size=size, root=root) + f"— {self.origin} {b64(signature)}\n".encode()


class ReceiptKey:
    """Signs that an event was kept (secure/log/receipts.py)."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        self._name = name
        self._key = key

    @property
    def verifier(self) -> Verifier:
        return Verifier(self._name, ed25519.public_bytes(self._key))

    def sign(self, *, event: bytes, t: int) -> Receipt:
        """For the event with this SHA-256, kept at `t` ms."""
        origin = self._name.removesuffix(receipts.SUFFIX)
        return Receipt(t, self._key.sign(receipts.message(origin=origin, event=event, t=t)))


def create_log_keys(folder: Path, *, origin: str) -> LogKeys:
    """Makes both keys, each file readable by its owner only. An existing file is never overwritten."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = create_log_key(folder / LOG, origin=origin)
    other = MLDSA44PrivateKey.generate()
    _write(folder / LOG_MLDSA, Verifier(origin, mldsa.public_bytes(other), MLDSA), other.private_bytes_raw())
    return LogKeys(key, other)


def create_log_key(path: Path, *, origin: str) -> LogKey:
    return LogKey(origin, _create_ed25519(path, name=origin))


def create_receipt_key(path: Path, *, origin: str) -> ReceiptKey:
    name = origin + receipts.SUFFIX
    return ReceiptKey(name, _create_ed25519(path, name=name))


def load_log_keys(folder: Path, *, origin: str | None = None) -> LogKeys:
    """Reads both keys; without `origin` the files say it.

    Raises:
        KeyFileError: no such file, wrong permissions, a damaged key, or the keys of another or of two origins.
    """
    name, seed = _read(folder / LOG, ED25519, origin)
    _, other = _read(folder / LOG_MLDSA, MLDSA, name)
    return LogKeys(LogKey(name, Ed25519PrivateKey.from_private_bytes(seed)), MLDSA44PrivateKey.from_seed_bytes(other))


def check_log_keys(folder: Path) -> None:
    """Are they there, and their owner's alone? Raises `KeyFileError`; reads nothing of them."""
    for path in (folder / LOG, folder / LOG_MLDSA):
        _check_mode(path)


def load_log_key(path: Path, *, origin: str) -> LogKey:
    """Reads the Ed25519 key alone. Raises `KeyFileError` as `load_log_keys` does."""
    _, seed = _read(path, ED25519, origin)
    return LogKey(origin, Ed25519PrivateKey.from_private_bytes(seed))


def load_receipt_key(path: Path, *, origin: str) -> ReceiptKey:
    """Raises `KeyFileError` as `load_log_keys` does."""
    name, seed = _read(path, ED25519, origin + receipts.SUFFIX)
    return ReceiptKey(name, Ed25519PrivateKey.from_private_bytes(seed))


def write_vkeys(path: Path, verifiers: tuple[Verifier, ...]) -> None:
    """The public keys, a line each."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write("".join(f"{verifier.vkey}\n" for verifier in verifiers))


def load_vkeys(path: Path, *, origin: str) -> tuple[Verifier, ...]:
    """The log's public keys, Ed25519 first.

    Raises:
        KeyFileError: no such file, or it does not name the two keys of this origin.
    """
    try:
        verifiers = tuple(map(parse_vkey, path.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"The log's public keys {path} cannot be read; `consult init` writes them.") from error
    except LogError as error:
        raise KeyFileError(f"The log's public keys {path} are damaged.") from error
    if [(verifier.name, verifier.type) for verifier in verifiers] != [(origin, ED25519), (origin, MLDSA)]:
        raise KeyFileError(f"{path} does not name the two keys of {origin}.")
    return verifiers


def _create_ed25519(path: Path, *, name: str) -> Ed25519PrivateKey:
    check_key_name(name)
    key = Ed25519PrivateKey.generate()
    _write(path, Verifier(name, ed25519.public_bytes(key)), key.private_bytes_raw())
    return key


def _write(path: Path, verifier: Verifier, seed: bytes) -> None:
    text = f"{_PREFIX}{verifier.name}+{verifier.key_id.hex()}+{b64(bytes([verifier.type]) + seed)}\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyFileError(f"{path} already exists; a key is made once.") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path, type: int, expected: str | None) -> tuple[str, bytes]:
    """(name, seed) of a key file."""
    _check_mode(path)
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"The key {path} cannot be read; `consult init` makes it.") from error
    try:
        name, id_, encoded = text.removeprefix(_PREFIX).split("+", 2)
        raw = unb64(encoded, 1 + _SEED)
    except (ValueError, LogError) as error:
        raise KeyFileError(f"The key {path} is damaged.") from error
    if not text.startswith(_PREFIX) or raw[0] != type or _verifier(name, type, raw[1:]).key_id.hex() != id_:
        raise KeyFileError(f"The key {path} is damaged.")
    if expected is not None and name != expected:
        raise KeyFileError(f"The key {path} belongs to {name}, not to {expected}.")
    return name, raw[1:]


def _check_mode(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise KeyFileError(f"The key {path} cannot be read; `consult init` makes it.") from error
    if mode & 0o077:
        raise KeyFileError(f"The key {path} can be read by others: set its mode to 600.")


def _verifier(name: str, type: int, seed: bytes) -> Verifier:
    if type == MLDSA:
        return Verifier(name, mldsa.public_bytes(MLDSA44PrivateKey.from_seed_bytes(seed)), MLDSA)
    return Verifier(name, ed25519.public_bytes(Ed25519PrivateKey.from_private_bytes(seed)))
