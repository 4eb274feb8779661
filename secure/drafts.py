"""Statements of two signatures with one of them: kept outside every chain until the second signature, or until thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from secure.errors import Conflict, NotFound
from secure.log import jcs
from secure.models import Draft
from secure.statements import Signed, encode_signed, parse_signed

if TYPE_CHECKING:
    from secure.log.jcs import Json

MOST = 64
"""Drafts waiting at one time."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft and what its first signer enclosed."""

    hash: str
    signed: Signed
    enclosed: Mapping[str, Json]
    at: datetime


def keep(*, signed: Signed, enclosed: Mapping[str, Json], now: datetime) -> str:
    """Keep a half-signed statement; returns its hash. The same one again changes nothing."""
    if Draft.objects.count() >= MOST:
        raise Conflict("too_many_drafts")
    Draft.objects.get_or_create(
        hash=signed.hash,
        defaults={
            "type": signed.statement.type,
            "scope": signed.statement.scope or "",
            "body": jcs.encode(encode_signed(signed)),
            "enclosed": jcs.encode(dict(enclosed)),
            "signed_by": signed.cards[0],
            "at": now,
        },
    )
    return signed.hash


def waiting() -> list[Waiting]:
    """All drafts, oldest first."""
    return [_waiting(row) for row in Draft.objects.order_by("at", "hash")]


def named(draft: str) -> Waiting:
    row = Draft.objects.filter(hash=draft).first()
    if row is None:
        raise NotFound
    return _waiting(row)


def discard(draft: str) -> None:
    """Gone, signed or thrown away; a second time it is not found."""
    if not Draft.objects.filter(hash=draft).delete()[0]:
        raise NotFound


def _waiting(row: Draft) -> Waiting:
    return Waiting(row.hash, parse_signed(jcs.decode(bytes(row.body))), jcs.decode_object(bytes(row.enclosed)), row.at)
