"""Signed notes as C2SP signed-note has them: text, a blank line, one line per signature. Pure.

Three types of key sign: Ed25519 (0x01) the text as it stands; Ed25519 (0x04) and ML-DSA-44 (0x06) a time and what C2SP
tlog-cosignature says. The only error that leaves this file is `LogError`: `bad_note` for the form, `bad_signature` for a signature by
a known key that does not hold or for a note which no known key has signed.
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
from secure.log import cosignature, mldsa
from secure.log.encoding import b64, unb64
from secure.log.errors import LogError

ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
MLDSA: Final = 0x06
KEY_BYTES: Final = {ED25519: 32, COSIGNATURE: 32, MLDSA: mldsa.PUBLIC_BYTES}
"""The types of key that are known here, and how long their public keys are."""
MAX_NOTE: Final = 1_000_000
MAX_SIGNATURES: Final = 300
"""The largest policy (secure/log/policy.py) has 128 witness keys, and the one before it may have had 128 others."""

_KEY_NAME = re.compile(r"[^\s+\ud800-\udfff]{1,255}")
_SIGNATURE = re.compile(r"— (\S+) (\S+)")


@dataclass(frozen=True)
class Verifier:
    """A named public key of one type. `key_id` is the first four bytes of SHA-256(name, newline, type, key)."""

    name: str
    public_key: bytes
    type: int = ED25519

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, self.public_key, self.type)

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.type]) + self.public_key)}"


@dataclass(frozen=True)
class Signature:
    """A signature that holds. `time` is what a cosignature says, in seconds since 1970; None for a plain one. `line` as in the note."""

    verifier: Verifier
    time: int | None
    line: bytes


@dataclass(frozen=True)
class Note:
    """An opened note: its text, newline included, and the signatures of known keys, all of which hold."""

    text: bytes
    signatures: tuple[Signature, ...]

    @property
    def signed_by(self) -> tuple[Verifier, ...]:
        return tuple(signature.verifier for signature in self.signatures)


def key_id(name: str, public_key: bytes, type: int = ED25519) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([type]) + public_key).digest()[:4]


def check_key_name(name: str) -> None:
    if _KEY_NAME.fullmatch(name) is None:
        raise LogError("bad_note")


def parse_vkey(text: str) -> Verifier:
    """Reads `name+id+key`; refuses a wrong id, an unknown type and a weak key."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise LogError("bad_note")
    name, id_, encoded = parts
    check_key_name(name)
    raw = unb64(encoded)
    if not raw or len(raw) - 1 != KEY_BYTES.get(raw[0]):
        raise LogError("bad_note")
    verifier = Verifier(name, raw[1:], raw[0])
    if verifier.type != MLDSA:
        _refuse_weak(verifier.public_key)
    if verifier.key_id.hex() != id_:
        raise LogError("bad_note")
    return verifier


def sign_note(text: bytes, *, name: str, public_key: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The note with one plain signature by `sign`."""
    check_key_name(name)
    check_text(text)
    signature = b64(key_id(name, public_key) + sign(text))
    return text + f"\n— {name} {signature}\n".encode()


def sign_with(text: bytes, *, name: str, key: Ed25519PrivateKey) -> bytes:
    return sign_note(text, name=name, public_key=ed25519.public_bytes(key), sign=key.sign)


def split_note(note: bytes) -> tuple[bytes, bytes]:
    """(text, signature lines), in the form of a note; nothing is verified."""
    split = note.rfind(b"\n\n") if len(note) <= MAX_NOTE else -1
    if split < 0:
        raise LogError("bad_note")
    text, lines = note[: split + 1], note[split + 2 :]
    check_text(text)
    _parse_lines(lines)
    return text, lines


def open_note(text: bytes, verifiers: Sequence[Verifier]) -> Note:
    """Opens a note. At least one known key must have signed it, and no signature by a known key may fail.

    Signatures by keys that are not known are passed over, as C2SP asks.
    """
    body, lines = split_note(text)
    signatures = check_lines(body, lines, verifiers)
    if not signatures:
        raise LogError("bad_signature")
    return Note(body, signatures)


def check_lines(body: bytes, lines: bytes, verifiers: Sequence[Verifier]) -> tuple[Signature, ...]:
    """The signatures by known keys among these lines; perhaps none. One that does not hold, or a key that signed twice, is refused."""
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    found: dict[Verifier, Signature] = {}
    for name, raw, line in _parse_lines(lines):
        verifier = known.get((name, raw[:4]))
        if verifier is None:
            continue
        if verifier in found:
            raise LogError("bad_note")
        found[verifier] = Signature(verifier, _verify(verifier, body, raw[4:]), line)
    return tuple(found.values())


def _verify(verifier: Verifier, body: bytes, raw: bytes) -> int | None:
    """The cosignature's time, None for a plain signature. Raises `LogError("bad_signature")` unless it holds."""
    time: int | None = None
    if verifier.type == ED25519:
        holds = ed25519.verify(public_key=verifier.public_key, message=body, signature=raw)
    elif verifier.type == COSIGNATURE:
        time, raw = cosignature.unpack(raw)
        holds = ed25519.verify(public_key=verifier.public_key, message=cosignature.ed25519_message(body, time=time), signature=raw)
    else:
        time, raw = cosignature.unpack(raw)
        message = cosignature.mldsa_message(cosignature.subtree_of(body), name=verifier.name, time=time)
        holds = mldsa.verify(public_key=verifier.public_key, message=message, signature=raw)
    if not holds:
        raise LogError("bad_signature")
    return time


def _parse_lines(block: bytes) -> list[tuple[str, bytes, bytes]]:
    """(key name, key id and signature, the line itself) of each line."""
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
        found.append((match[1], raw, f"{line}\n".encode()))
    return found


def check_text(text: bytes) -> None:
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
