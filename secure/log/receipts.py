"""Receipts: the host's signed word, given with the acknowledgement, that it keeps an event and will have it in the log. Pure.

Whoever holds a receipt, a later witnessed checkpoint and the complete log without the event can prove that it was suppressed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from secure import ed25519
from secure.log import jcs
from secure.log.encoding import b64
from secure.log.errors import LogError
from secure.log.note import ED25519, Verifier

PREFIX: Final = b"consult/receipt/v1\n"
MMD: Final = 10_000
"""ms within which the event stands under a signed checkpoint: the maximum merge delay of RFC 6962, section 3."""
SUFFIX: Final = "/receipts"
"""The receipts' key is called after the log's origin."""


@dataclass(frozen=True)
class Receipt:
    """`t`: ms, when the event was kept. `sig`: over `message`."""

    t: int
    sig: bytes


def message(*, origin: str, event: bytes, t: int) -> bytes:
    """What is signed; `event` is the SHA-256 of the event's bytes."""
    return PREFIX + jcs.encode({"event": b64(event), "mmd": MMD, "origin": origin, "t": t})


def verify_receipt(receipt: Receipt, *, event: bytes, verifier: Verifier) -> None:
    """Raises `LogError("bad_signature")` unless the log's receipts key gave this receipt for the event with this SHA-256."""
    origin = verifier.name.removesuffix(SUFFIX)
    said = message(origin=origin, event=event, t=receipt.t)
    named = verifier.type == ED25519 and origin != verifier.name
    if not named or not ed25519.verify(public_key=verifier.public_key, message=said, signature=receipt.sig):
        raise LogError("bad_signature")
