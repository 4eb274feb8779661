"""Whether the two founding statements of a new account are lawful: the rule that `secure.enrolling.complete` is given."""

from __future__ import annotations

from collections.abc import Sequence

from meetings.judging import judge
from meetings.reading import lawful
from secure.statements import Signed


def lawful_account(statements: Sequence[Signed]) -> None:
    """Refuses an `account.card` and the `device.add` after it, unless both would be accepted now."""
    card, *devices = statements
    standing = lawful(card)
    for device in devices:
        standing = judge(standing, device)
