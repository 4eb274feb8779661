"""Acts of the host and of the secretariat that are no statements: an event of the record, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from meetings import installation
from secure.log import events

Value = str | int | None


def note(
    *,
    type: str,
    about: Mapping[str, Value],
    now: datetime,
    by: str = "",
    scope: str | None = None,
    names: Mapping[str, str] | None = None,
) -> None:
    """Record that it happened. `about`: codes, hashes and numbers. `names`: personal fields, erasable. `by`: the card of whoever acted.

    `scope` is the chain it belongs to; the installation if not given.
    """
    ns = scope or installation.established().inst
    events.record_host(ns=ns, type=type, data=dict(about), at=now, names=dict(names or {}), by=[by] if by else [])
