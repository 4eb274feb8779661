"""How well the past is kept at this moment: is everything signed, and have the witnesses agreed? The Register's light follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from secure.log import cosigning, policies, store
from secure.log.policy import Needed, needed

SIGNED_WITHIN: Final = timedelta(minutes=1)
"""An entry is signed within seconds; one that waits longer says that the signer does not answer."""
HEARD_WITHIN: Final = timedelta(minutes=15)
"""Witnesses with an address are asked every minute. Several rounds may fail before we call one silent."""


class State(StrEnum):
    """The worst that is true comes first."""

    STOPPED = "stopped"
    """entries wait and nobody signs them"""
    EMPTY = "empty"
    """nothing has been recorded"""
    ALONE = "alone"
    """nobody outside this host signs along"""
    APART = "apart"
    """fewer witnesses than needed have agreed of late"""
    SILENT = "silent"
    """enough agree, and one has not been heard for a while"""
    AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the record, the last one it fixes, and when it was signed or agreed to."""

    entry: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Witness:
    """`last` is the newest point it agreed to, None if it never did."""

    name: str
    last: Point | None
    heard: bool


@dataclass(frozen=True, slots=True)
class Integrity:
    """`signed` is the newest point this host signed, `agreed` the newest one that enough witnesses agreed to.

    `waiting_since` is when the oldest entry was recorded that nobody has signed yet; `needed`, whose word counts and how many of them.
    """

    state: State
    signed: Point | None
    agreed: Point | None
    waiting_since: datetime | None
    witnesses: tuple[Witness, ...]
    needed: Needed | None

    @property
    def agreeing(self) -> int:
        """How many witnesses stand at the agreed point or beyond it."""
        agreed = self.agreed
        return sum(each.last is not None and each.last.entry >= agreed.entry for each in self.witnesses) if agreed else 0

    @property
    def heard(self) -> int:
        return sum(each.heard for each in self.witnesses)

    @property
    def silent(self) -> int:
        return len(self.witnesses) - self.heard


def read(*, now: datetime) -> Integrity:
    """As it stands in the database."""
    newest, at = store.published(), store.published_at()
    signed = Point(newest.size - 1, at) if newest and at else None
    witnesses = tuple(_witness(each, now) for each in cosigning.standings())
    found = cosigning.witnessed() if witnesses else None
    agreed = Point(found.size - 1, found.agreed_at) if found and found.agreed_at else None
    waiting = store.waiting_since()
    policy = policies.newest()
    return Integrity(
        state=_state(signed=signed, agreed=agreed, waiting=waiting, witnesses=witnesses, now=now),
        signed=signed,
        agreed=agreed,
        waiting_since=waiting,
        witnesses=witnesses,
        needed=needed(policy.policy) if policy else None,
    )


def _witness(standing: cosigning.Standing, now: datetime) -> Witness:
    last = Point(standing.size - 1, standing.at) if standing.at else None
    return Witness(standing.name, last, heard=last is not None and now - last.at <= HEARD_WITHIN)


def _state(*, signed: Point | None, agreed: Point | None, waiting: datetime | None, witnesses: tuple[Witness, ...], now: datetime) -> State:
    if waiting is not None and now - waiting > SIGNED_WITHIN:
        return State.STOPPED
    if signed is None:
        return State.EMPTY
    if not witnesses:
        return State.ALONE
    if agreed is None or now - agreed.at > HEARD_WITHIN:
        return State.APART
    return State.AGREED if all(each.heard for each in witnesses) else State.SILENT
