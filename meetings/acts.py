"""The closed table of acts: statement type → the one function that performs it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secure.models import Account
    from secure.statements import Signed


@dataclass(frozen=True, slots=True)
class Performed:
    """Where the statement now stands."""

    hash: str
    scope: str
    n: int


def submit(*, actor: Account, signed: Signed, enclosed: Mapping[str, object], now: datetime) -> Performed:
    """Perform a fully signed act. `enclosed` as docs/protocol.md, section 5, says for its type."""
    raise NotImplementedError
