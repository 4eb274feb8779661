"""Briefs and reasons as the server keeps them: ciphertext named by its SHA-256, and the key wrapped for one card after another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from secure.errors import BadInput, Conflict, NotFound
from secure.models import SealedText, Wrap

CIPHERTEXT_BYTES = 256 * 1024
"""A brief of 100 pages of plain text."""
WRAP_BYTES = 2048
"""An X-Wing encapsulation (1120), the 32-byte key and a tag, with room for a header."""


@dataclass(frozen=True, slots=True)
class SealedFor:
    """A sealed text as one card may have it; `box` is None while nobody has wrapped the key for it."""

    scope: str
    ciphertext: bytes
    commitment: str
    box: bytes | None


def keep(*, ciphertext: bytes, sha256: str, commitment: str, scope: str) -> None:
    """Keep a sealed text under the hash its statement names. Runs inside the transaction which stores the statement."""
    if hashlib.sha256(ciphertext).hexdigest() != sha256:
        raise BadInput("brief_altered")
    _, fresh = SealedText.objects.get_or_create(
        sha256=sha256, defaults={"commitment": commitment, "ciphertext": ciphertext, "scope": scope}
    )
    if not fresh:
        raise Conflict("sealed_text_used")


def wrap(*, sha256: str, boxes: Mapping[str, bytes]) -> None:
    """Keep wraps by card. The first one for a card stays: nobody can replace it by one that does not open."""
    with transaction.atomic(savepoint=False):
        rows = [Wrap(sealed_id=sha256, card=card, box=box) for card, box in sorted(boxes.items())]
        Wrap.objects.bulk_create(rows, ignore_conflicts=True)


def wrapped_for(sha256: str) -> frozenset[str]:
    """The cards that can open it."""
    return frozenset(Wrap.objects.filter(sealed_id=sha256).values_list("card", flat=True))


def scope_of(sha256: str) -> str:
    """The chain whose statement names the text."""
    scope = SealedText.objects.filter(sha256=sha256).values_list("scope", flat=True).first()
    if scope is None:
        raise NotFound
    return scope


def commitment_of(sha256: str) -> str:
    """Commitment to its key, base64, as the statement carries it."""
    return SealedText.objects.filter(sha256=sha256).values_list("commitment", flat=True).first() or ""


def read(*, sha256: str, card: str) -> SealedFor:
    """The sealed text with this card's wrap. Who may ask is the caller's to decide, by `scope`."""
    row = SealedText.objects.filter(sha256=sha256).first()
    if row is None:
        raise NotFound
    found = Wrap.objects.filter(sealed=row, card=card).first()
    return SealedFor(row.scope, bytes(row.ciphertext), row.commitment, bytes(found.box) if found else None)
