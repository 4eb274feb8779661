"""A private key that signs notes, of any of the three types, and its one-line form. Pure: files are the caller's.

The line is the private-key form of Go's `sumdb/note`: `PRIVATE+KEY+<name>+<id>+<base64 of the type and the 32-byte seed>`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from secure import ed25519
from secure.log import cosignature, mldsa
from secure.log.encoding import b64, unb64
from secure.log.errors import LogError
from secure.log.note import ED25519, KEY_BYTES, MLDSA, Verifier, check_key_name, check_text

PREFIX: Final = "PRIVATE+KEY+"
SEED_BYTES: Final = 32


class SigningKey:
    """One key under its name. Signs texts; never shows its seed but in `line`."""

    def __init__(self, name: str, type: int, seed: bytes) -> None:
        check_key_name(name)
        if type not in KEY_BYTES or len(seed) != SEED_BYTES:
            raise LogError("bad_note")
        self._seed = seed
        self._sign: Callable[[bytes], bytes]
        if type == MLDSA:
            mldsa_key = MLDSA44PrivateKey.from_seed_bytes(seed)
            self._sign, public_key = mldsa_key.sign, mldsa.public_bytes(mldsa_key)
        else:
            key = Ed25519PrivateKey.from_private_bytes(seed)
            self._sign, public_key = key.sign, ed25519.public_bytes(key)
        self.verifier = Verifier(name, public_key, type)

    @classmethod
    def generate(cls, name: str, type: int) -> SigningKey:
        return cls(name, type, secrets.token_bytes(SEED_BYTES))

    @classmethod
    def parse(cls, line: str) -> SigningKey:
        """Reads the one-line form. Raises `LogError("bad_note")` or `LogError("bad_encoding")`."""
        parts = line.removeprefix(PREFIX).split("+", 2)
        if not line.startswith(PREFIX) or len(parts) != 3:
            raise LogError("bad_note")
        raw = unb64(parts[2], 1 + SEED_BYTES)
        key = cls(parts[0], raw[0], raw[1:])
        if key.verifier.key_id.hex() != parts[1]:
            raise LogError("bad_note")
        return key

    @property
    def line(self) -> str:
        raw = bytes([self.verifier.type]) + self._seed
        return f"{PREFIX}{self.verifier.name}+{self.verifier.key_id.hex()}+{b64(raw)}"

    def sign(self, text: bytes, *, time: int = 0) -> bytes:
        """The signature line for a note of this text. A plain Ed25519 signature (0x01) carries no time."""
        check_text(text)
        verifier = self.verifier
        if verifier.type == ED25519:
            signature = self._sign(text)
        elif verifier.type == MLDSA:
            message = cosignature.mldsa_message(cosignature.subtree_of(text), name=verifier.name, time=time)
            signature = cosignature.pack(time, self._sign(message))
        else:
            signature = cosignature.pack(time, self._sign(cosignature.ed25519_message(text, time=time)))
        return f"— {verifier.name} {b64(verifier.key_id + signature)}\n".encode()
