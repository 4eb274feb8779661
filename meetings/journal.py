"""Acts of the host and of the secretariat that are no statements: an event of the record, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from meetings import installation
from secure.log import events

Value = str | int | None


def note(
    *, type: str, about: Mapping[str, Value], now: datetime, scope: str | None = None, names: Mapping[str, str] | None = None
) -> None:
    """Record that it happened. `about`: codes, hashes and numbers. `names`: personal fields, erasable. `scope`: the installation if not given."""
    events.record_host(
        ns=scope or installation.established().inst, type=type, data=dict(about), at=now, names=dict(names or {})
    )
