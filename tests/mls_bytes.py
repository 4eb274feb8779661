"""Key packages written by hand from RFC 9420, for tests which need fresh or wrong ones. The keys inside open nothing."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secure.ed25519 import public_bytes
from secure.mls_codec import labelled, vec
from secure.mls_wire import SUITE
from tests.flow import Device


def u16(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def key_package(
    device: Device,
    *,
    now: datetime,
    lasts: timedelta = timedelta(days=28),
    signer: Ed25519PrivateKey | None = None,
    suite: int = SUITE,
    one_key: bool = False,
) -> bytes:
    """MLSMessage(mls_key_package) of this device, signed by its key or, wrongly, by another's."""
    key = signer or Ed25519PrivateKey.from_private_bytes(device.seed)
    begins = int((now - timedelta(hours=1)).timestamp())
    lifetime = begins.to_bytes(8, "big") + (begins + int(lasts.total_seconds())).to_bytes(8, "big")
    encryption_key = secrets.token_bytes(1216)
    identity = bytes.fromhex(device.card) + bytes.fromhex(device.device)
    capabilities = vec(u16(1)) + vec(u16(suite)) + vec(b"") + vec(b"") + vec(u16(1))
    leaf = vec(encryption_key) + vec(public_bytes(key)) + u16(1) + vec(identity) + capabilities + b"\x01" + lifetime + vec(b"")
    leaf += vec(key.sign(labelled("LeafNodeTBS", leaf)))
    init_key = encryption_key if one_key else secrets.token_bytes(1216)
    unsigned = u16(1, suite) + vec(init_key) + leaf + vec(b"")
    return u16(1, 5) + unsigned + vec(key.sign(labelled("KeyPackageTBS", unsigned)))
