"""Codes which people carry by hand, and card fingerprints which they read aloud (docs/protocol.md, section 3).

The browser's side is `consult/browser/crypto/codes.ts`; `tests/vectors/codes.json` holds the two together.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from secure.errors import BadInput

HALF: Final = 10
"""80 bits each: the secret, and what a code says of the installation."""
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NO_INSTALLATION: Final = bytes(HALF)


@dataclass(frozen=True)
class Code:
    """An enrolment code. `inst` is the first 10 bytes of the installation's name, None before there is one."""

    secret: bytes
    inst: bytes | None

    @property
    def text(self) -> str:
        """21 bytes as Crockford base32, in groups of four."""
        body = self.secret + (self.inst or _NO_INSTALLATION)
        return in_groups(to_crockford(body + _checksum(body)))

    @property
    def locator(self) -> str:
        """Hex, 16 bytes: all of the code that the server gets."""
        return _derive(self.secret, info=b"consult/enrol/locator/v1", length=16).hex()

    def mac(self, card: str) -> str:
        """The mark, base64, which shows the inviter that whoever made this card held the code."""
        key = _derive(self.secret, info=b"consult/enrol/mac/v1", length=32)
        mark = hmac.digest(key, b"consult/enrol/v1\n" + bytes.fromhex(card), "sha256")
        return base64.b64encode(mark).decode()

    def fits(self, inst: str | None) -> bool:
        """Whether this is the installation that the code is for."""
        return self.inst == (None if inst is None else bytes.fromhex(inst)[:HALF])


def new_code(*, inst: str | None) -> Code:
    """A fresh code for this installation (hex), or for none yet."""
    return Code(secrets.token_bytes(HALF), None if inst is None else bytes.fromhex(inst)[:HALF])


def parse_code(text: str) -> Code:
    """Reads what a person typed. Refuses `code_mistyped`."""
    raw = from_crockford(text, 2 * HALF + 1)
    body = raw[: 2 * HALF]
    if raw[2 * HALF :] != _checksum(body):
        raise BadInput("code_mistyped")
    inst = body[HALF:]
    return Code(body[:HALF], None if inst == _NO_INSTALLATION else inst)


def fingerprint(name: str) -> str:
    """For reading aloud: the first 100 bits of a card's or a build's hash, 20 characters in groups of four."""
    return in_groups(to_crockford(bytes.fromhex(name))[:20])


def to_crockford(raw: bytes) -> str:
    """Crockford base32, most significant bit first; the last character is filled up with zero bits."""
    length = -(-len(raw) * 8 // 5)
    number = int.from_bytes(raw, "big") << (length * 5 - len(raw) * 8)
    return "".join(_CROCKFORD[number >> (5 * at) & 31] for at in reversed(range(length)))


def from_crockford(text: str, length: int) -> bytes:
    """What a person typed: case, blanks and hyphens do not matter; O, I and L are taken for 0, 1 and 1. Refuses `code_mistyped`."""
    typed = "".join(text.upper().split()).translate(str.maketrans("OIL", "011", "-"))
    characters = -(-length * 8 // 5)
    if len(typed) != characters or any(character not in _CROCKFORD for character in typed):
        raise BadInput("code_mistyped")
    number = 0
    for character in typed:
        number = number << 5 | _CROCKFORD.index(character)
    spare = characters * 5 - length * 8
    if number & ((1 << spare) - 1):
        raise BadInput("code_mistyped")
    return (number >> spare).to_bytes(length, "big")


def in_groups(text: str) -> str:
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _derive(secret: bytes, *, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(secret)


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(b"consult/code/v1\n" + body).digest()[:1]
