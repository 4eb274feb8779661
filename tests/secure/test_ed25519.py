"""Keys and signatures are judged as in the browser (tests/vectors/ed25519.json)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from secure.ed25519 import public_bytes, refuse_weak_key, verify
from secure.errors import BadInput
from tests.vectors.reading import vectors

FILE = vectors("ed25519")


@pytest.mark.parametrize("row", FILE["signatures"], ids=lambda row: row["name"])
def test_a_signature_is_judged_as_the_vectors_say(row: dict[str, Any]) -> None:
    key, message, signature = (bytes.fromhex(row[part]) for part in ("key", "message", "signature"))
    assert verify(public_key=key, message=message, signature=signature) is row["valid"]


@pytest.mark.parametrize("key", FILE["weak_keys"].values(), ids=FILE["weak_keys"])
def test_a_weak_key_is_refused(key: str) -> None:
    with pytest.raises(BadInput, match="weak_key"):
        refuse_weak_key(bytes.fromhex(key))


def test_the_library_alone_would_accept_a_signature_that_binds_nobody() -> None:
    row = next(row for row in FILE["signatures"] if row["name"].startswith("a key of order 8"))
    key, message, signature = (bytes.fromhex(row[part]) for part in ("key", "message", "signature"))
    Ed25519PublicKey.from_public_bytes(key).verify(signature, message)


def test_an_ordinary_key_signs_and_verifies() -> None:
    key = Ed25519PrivateKey.generate()
    refuse_weak_key(public_bytes(key))
    assert verify(public_key=public_bytes(key), message=b"Good morning.", signature=key.sign(b"Good morning."))
