"""The installation as its own chain tells it: two chair cards, and the focal point of each party that has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from secure import chains
from secure.errors import Conflict

if TYPE_CHECKING:
    from secure.statements import Signed


@dataclass(frozen=True, slots=True)
class Installation:
    """State after the newest statement. `head` is its hash, `count` the number of statements in the chain."""

    inst: str
    head: str
    count: int
    log: str
    chairs: Mapping[str, str]
    """party → card"""
    focal_points: Mapping[str, str]
    """party → card"""

    def is_chair(self, card: str) -> bool:
        return card in self.chairs.values()

    def focal_point_of(self, card: str) -> str | None:
        """The party this card is the present focal point of."""
        return next((party for party, holder in self.focal_points.items() if holder == card), None)


def current() -> Installation | None:
    """None until both Co-Chairs have signed `chairs.root`. Read anew only when the chain has grown."""
    scope = chains.founded_by("chairs.root")
    if not scope:
        return None
    head = chains.head(scope[0])
    return _fold(scope[0], head.hash) if head else None


def established() -> Installation:
    """The installation, for acts which need one."""
    found = current()
    if found is None:
        raise Conflict("no_installation")
    return found


@lru_cache(maxsize=16)
def _fold(inst: str, head: str) -> Installation:
    """`head` is the cache's key: a chain up to one head never changes."""
    return fold(inst, chains.read(inst))


def fold(inst: str, chain: list[Signed]) -> Installation:
    """The state a chain leads to. The chain has been checked when it was stored."""
    root = chain[0].statement.body
    chairs = {entry["party"]: entry["card"] for entry in root["chairs"]}
    focal_points: dict[str, str] = {}
    for signed in chain[1:]:
        if signed.statement.type == "party.key":
            focal_points[signed.statement.body["party"]] = signed.statement.body["card"]
    return Installation(
        inst=inst,
        head=chain[-1].hash,
        count=len(chain),
        log=root["log"],
        chairs=MappingProxyType(chairs),
        focal_points=MappingProxyType(focal_points),
    )
