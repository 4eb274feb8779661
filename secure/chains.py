"""Chains of statements as the server keeps them: one per scope, grown by compare-and-swap, never rewritten.

Nothing here asks who may sign; the layer above judges a statement before it is appended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Max

from secure.errors import BadInput, Conflict
from secure.log import events, jcs
from secure.log.disclosures import Personal
from secure.models import StatementRow
from secure.statements import Signed, encode_signed, parse_signed

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Head:
    """The newest statement of a chain."""

    n: int
    hash: str


def append(*, signed: Signed, now: datetime, names: Sequence[Personal] = (), party: str = "") -> str:
    """Puts a judged statement at its place and writes the record's event; returns its hash.

    Runs inside the caller's transaction. Whoever comes second for a place gets 409 `head_moved` with the present head. `names` are
    personal fields for the record's disclosures, `party` is the code of the party it concerns.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("a statement and its event belong into one transaction")
    statement = signed.statement
    scope = signed.scope_name
    last = _last(scope)
    if (statement.n, statement.prev) != ((last.n + 1, last.hash) if last else (0, None)):
        raise _head_moved(last)
    _refuse_older_view(statement.up, last)
    row = StatementRow(
        hash=signed.hash,
        type=statement.type,
        scope=scope,
        n=statement.n,
        prev=statement.prev or "",
        up=statement.up or "",
        body=jcs.encode(encode_signed(signed)),
        at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise _head_moved(_last(scope)) from error
    events.record_state(ns=scope, type=statement.type, statement=signed.hash, at=now, names=names, party=party, by=signed.cards)
    return signed.hash


def head(scope: str) -> Head | None:
    """The chain's newest statement, or None if there is no such chain."""
    row = _last(scope)
    return Head(row.n, row.hash) if row else None


def read(scope: str, start: int = 0) -> list[Signed]:
    """The chain from place `start` on, in order."""
    rows = StatementRow.objects.filter(scope=scope, n__gte=start).order_by("n")
    return [_signed(row) for row in rows]


def read_many(scopes: list[str]) -> dict[str, list[Signed]]:
    """Whole chains by name, in one query; a name without a chain is absent."""
    chains: dict[str, list[Signed]] = {}
    for row in StatementRow.objects.filter(scope__in=scopes).order_by("scope", "n"):
        chains.setdefault(row.scope, []).append(_signed(row))
    return chains


def counts(scopes: Iterable[str]) -> dict[str, int]:
    """How many statements each chain has; a name without a chain is absent."""
    rows = StatementRow.objects.filter(scope__in=set(scopes)).values("scope").annotate(last=Max("n"))
    return {row["scope"]: row["last"] + 1 for row in rows.order_by("scope")}


def settled(read: Callable[[], Answer]) -> Answer:
    """What `read` finds while no statement comes in, so that chains which name one another are read as of one moment.

    Reads again if one came in meanwhile; after the fifth time the caller gets the last answer, and its client asks again.
    """
    for _ in range(5):
        before = StatementRow.objects.count()
        answer = read()
        if StatementRow.objects.count() == before:
            break
    return answer


def founded_by(type: str) -> list[str]:
    """The names of all chains whose founding statement has this type, oldest first."""
    return list(StatementRow.objects.filter(type=type, n=0).order_by("at", "hash").values_list("scope", flat=True))


def founded_under(type: str, *, ups: list[str]) -> list[str]:
    """The names of all chains of this type founded under one of these statements, oldest first."""
    rows = StatementRow.objects.filter(type=type, n=0, up__in=ups).order_by("at", "hash")
    return list(rows.values_list("scope", flat=True))


def find(hash: str) -> Signed | None:
    """One statement by its hash."""
    row = StatementRow.objects.filter(hash=hash).first()
    return _signed(row) if row else None


def _refuse_older_view(up: str | None, last: StatementRow | None) -> None:
    """Along one chain `up` never goes back: it must be the predecessor's or a later statement of the same enclosing chain."""
    before = last.up if last else ""
    if not up:
        if before:
            raise BadInput("up_back")
        return
    named = StatementRow.objects.filter(hash=up).first()
    if named is None:
        raise BadInput("up_unknown")
    if not last or before == up:
        return
    former = StatementRow.objects.filter(hash=before).first()
    if former is None or former.scope != named.scope or named.n < former.n:
        raise BadInput("up_back")


def _last(scope: str) -> StatementRow | None:
    return StatementRow.objects.filter(scope=scope).order_by("-n").first()


def _head_moved(last: StatementRow | None) -> Conflict:
    return Conflict("head_moved", n=last.n if last else None, head=last.hash if last else None)


def _signed(row: StatementRow) -> Signed:
    return _parsed(bytes(row.body))


@lru_cache(maxsize=4096)
def _parsed(body: bytes) -> Signed:
    """Stored bytes never change, and every act reads the chains it is judged by."""
    return parse_signed(jcs.decode(body))
