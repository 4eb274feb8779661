"""Ed25519 (RFC 8032) with the strictness the browser has too: one spelling of a key, one verdict on a signature.

OpenSSL alone accepts keys of small order, under which a signature binds nobody. `tests/vectors/ed25519.json` holds this file and
`consult/browser/crypto/ed25519.ts` to the same answers.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from secure.errors import BadInput

# Curve constants of RFC 8032, section 5.1.
FIELD_PRIME: Final = 2**255 - 19
GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493

# y coordinates of the eight points of small order: 1, -1, 0 and the two of order 8 (each with either sign of x).
SMALL_ORDER_Y: Final = frozenset(
    {
        0,
        1,
        FIELD_PRIME - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)


def refuse_weak_key(public_key: bytes) -> None:
    """Refuses keys that are not canonical (y >= p) or of small order, as `weak_key`. A point off the curve merely verifies nothing."""
    if len(public_key) != 32 or not _is_sound_point(public_key):
        raise BadInput("weak_key")


def verify(*, public_key: bytes, message: bytes, signature: bytes) -> bool:
    """True for a valid signature by a sound key. Weak keys, S >= L and a weak R are never valid."""
    if len(public_key) != 32 or len(signature) != 64 or not _is_sound_point(public_key):
        return False
    if int.from_bytes(signature[32:], "little") >= GROUP_ORDER or not _is_sound_point(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes that go into a card or a `device.add`."""
    return key.public_key().public_bytes_raw()


def _is_sound_point(encoded: bytes) -> bool:
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    return y < FIELD_PRIME and y not in SMALL_ORDER_Y
