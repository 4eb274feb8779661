"""Signed notes as C2SP signed-note has them: text, a blank line, one line per signature. Pure.

The only error that leaves this file is `LogError`: `bad_note` for the form, `bad_signature` for a signature by a known key that
does not hold or for a note which no known key has signed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secure import ed25519
from secure.errors import BadInput
from secure.log.encoding import b64, unb64
from secure.log.errors import LogError

ED25519: Final = 0x01
MAX_NOTE: Final = 1_000_000
MAX_SIGNATURES: Final = 100

_KEY_NAME = re.compile(r"[^\s+]{1,255}")
_SIGNATURE = re.compile(r"— (\S+) (\S+)")


@dataclass(frozen=True)
class Verifier:
    """A named Ed25519 public key. `key_id` is the first four bytes of SHA-256(name, newline, 0x01, key)."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.public_key)

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([ED25519]) + self.public_key)}"


@dataclass(frozen=True)
class Note:
    """An opened note: its text, newline included, and the keys whose signatures hold."""

    text: bytes
    signed_by: tuple[Verifier, ...]


def key_id(name: str, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([ED25519]) + public_key).digest()[:4]


def check_key_name(name: str) -> None:
    if _KEY_NAME.fullmatch(name) is None:
        raise LogError("bad_note")


def parse_vkey(text: str) -> Verifier:
    """Reads `name+id+key`; refuses a wrong id, another algorithm and a weak key."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise LogError("bad_note")
    name, id_, encoded = parts
    check_key_name(name)
    key = unb64(encoded, 33)
    if key[0] != ED25519:
        raise LogError("bad_note")
    _refuse_weak(key[1:])
    verifier = Verifier(name, key[1:])
    if verifier.key_id.hex() != id_:
        raise LogError("bad_note")
    return verifier


def sign_note(text: bytes, *, name: str, public_key: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The note with one signature by `sign`."""
    check_key_name(name)
    _check_text(text)
    signature = b64(key_id(name, public_key) + sign(text))
    return text + f"\n— {name} {signature}\n".encode()


def sign_with(text: bytes, *, name: str, key: Ed25519PrivateKey) -> bytes:
    return sign_note(text, name=name, public_key=ed25519.public_bytes(key), sign=key.sign)


def open_note(text: bytes, verifiers: Sequence[Verifier]) -> Note:
    """Opens a note. At least one known key must have signed it, and no signature by a known key may fail.

    Signatures by keys that are not known are passed over, as C2SP asks.
    """
    if len(text) > MAX_NOTE:
        raise LogError("bad_note")
    split = text.rfind(b"\n\n")
    if split < 0:
        raise LogError("bad_note")
    body, block = text[: split + 1], text[split + 2 :]
    _check_text(body)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    signed_by: dict[Verifier, None] = {}
    for name, id_, signature in _signatures(block):
        verifier = known.get((name, id_))
        if verifier is None:
            continue
        if verifier in signed_by:
            raise LogError("bad_note")
        if not ed25519.verify(public_key=verifier.public_key, message=body, signature=signature):
            raise LogError("bad_signature")
        signed_by[verifier] = None
    if not signed_by:
        raise LogError("bad_signature")
    return Note(body, tuple(signed_by))


def _signatures(block: bytes) -> list[tuple[str, bytes, bytes]]:
    try:
        lines = block.decode().split("\n")
    except UnicodeDecodeError as error:
        raise LogError("bad_note") from error
    if lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
        raise LogError("bad_note")
    found = []
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise LogError("bad_note")
        check_key_name(match[1])
        raw = unb64(match[2])
        if len(raw) < 5:
            raise LogError("bad_note")
        found.append((match[1], raw[:4], raw[4:]))
    return found


def _check_text(text: bytes) -> None:
    """UTF-8 without control characters but newline, and ending in one."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        raise LogError("bad_note") from error
    if not decoded.endswith("\n") or any(ord(sign) < 0x20 and sign != "\n" for sign in decoded):
        raise LogError("bad_note")


def _refuse_weak(public_key: bytes) -> None:
    try:
        ed25519.refuse_weak_key(public_key)
    except BadInput as error:
        raise LogError(error.code) from error
