"""ML-DSA-44 (FIPS 204): the second signature under every checkpoint, which a quantum computer does not forge. Pure."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

PUBLIC_BYTES: Final = 1312
SIGNATURE_BYTES: Final = 2420
SEED_BYTES: Final = 32


def verify(*, public_key: bytes, message: bytes, signature: bytes) -> bool:
    """True for a valid signature with an empty context, as C2SP tlog-cosignature uses it."""
    if len(public_key) != PUBLIC_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        MLDSA44PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_bytes(key: MLDSA44PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
