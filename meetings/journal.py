"""Acts of the host and of the secretariat that are no statements: an event of the record, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from meetings import installation
from secure.log import events
from secure.log.disclosures import Personal

Value = str | int | None


def note(
    *,
    type: str,
    about: Mapping[str, Value],
    now: datetime,
    by: str = "",
    scope: str | None = None,
    names: Sequence[Personal] = (),
    party: str = "",
) -> None:
    """Record that it happened. `about`: codes, hashes and numbers. `names`: personal fields, erasable. `party`: the code of the one
    it concerns. `by`: the card of whoever acted.

    `scope` is the chain it belongs to; the installation if not given.
    """
    ns = scope or installation.established().inst
    events.record_host(ns=ns, type=type, data=dict(about), at=now, names=names, party=party, by=[by] if by else [])
