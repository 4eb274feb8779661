"""One act on its way: a judged statement, what came with it, and what stands after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from meetings.standing import Consultation, Standing, convened

if TYPE_CHECKING:
    from secure.statements import Signed


@dataclass(frozen=True, slots=True)
class Act:
    """What every act function gets. It runs inside the transaction that has stored the statement."""

    signed: Signed
    enclosed: Mapping[str, object]
    after: Standing
    now: datetime
    late: bool
    """the second signature of a draft: what the first signer enclosed was checked when the draft was made"""

    @property
    def type(self) -> str:
        return self.signed.statement.type

    @property
    def body(self) -> Mapping[str, Any]:
        """It fits its row of `meetings.statements.TABLE`."""
        return self.signed.statement.body

    @property
    def consultation(self) -> Consultation:
        """As it stands after the act."""
        return convened(self.after)
