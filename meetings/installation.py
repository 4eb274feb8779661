"""The installation as its own chain tells it: two chair cards, and the focal point of each party that has one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from meetings import enclosures
from meetings.models import Composition, Consultation, Party
from secure import chains, enrolment, sealed_texts
from secure.errors import BadInput, Conflict
from secure.statements import ROOT

if TYPE_CHECKING:
    from meetings.act import Act
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
    scope = chains.founded_by(ROOT)
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


# ------------------------------------------------------------------------------------------------------------------------ acts


def lock() -> None:
    """One statement of the installation at a time: two foundings would be two chains, which no place number keeps apart."""
    list(Party.objects.select_for_update().filter(chairing=True).order_by("code"))


def found(act: Act) -> None:
    """Both Co-Chairs have compared fingerprints outside the product and signed `chairs.root`."""
    enclosures.refuse_others(act.enclosed)
    refuse_unknown_parties(chair["party"] for chair in act.body["chairs"])


def replace_focal_point(act: Act) -> None:
    """A party's focal point, with the briefs of the live consultations it is in wrapped for the new card."""
    refuse_unknown_parties([act.body["party"]])
    boxes = check_wraps(act)
    for brief, box in boxes.items():
        sealed_texts.wrap(sha256=brief, boxes={act.body["card"]: box})
    enrolment.mark_confirmed(card=act.body["card"], now=act.now)


def check_wraps(act: Act) -> dict[str, bytes]:
    """Brief → box. Missing ones are refused while the first Co-Chair signs; what was convened since is served by the next holder."""
    enclosures.refuse_others(act.enclosed, "wraps")
    boxes = enclosures.wraps_by_consultation(act.enclosed, card=act.body["card"])
    live = {
        consultation.id: consultation.brief
        for consultation in live_consultations(party=act.body["party"])
        if act.body["card"] not in sealed_texts.wrapped_for(consultation.brief)
    }
    if not act.late and not set(live) <= set(boxes):
        raise BadInput("wraps_missing")
    return {live[consultation]: box for consultation, box in boxes.items() if consultation in live}


def live_consultations(*, party: str | None = None) -> list[Consultation]:
    """Convened and not ended; those a party is in."""
    found = Consultation.objects.filter(state__in=(Consultation.State.CONCURRED, Consultation.State.OPEN))
    if party is not None:
        found = found.filter(id__in=Composition.objects.filter(party_id=party).values("consultation_id"))
    return list(found.order_by("id"))


def refuse_unknown_parties(codes: Iterable[str]) -> None:
    """Every code is a member's."""
    named = set(codes)
    if Party.objects.filter(code__in=named).count() != len(named):
        raise BadInput("unknown_party")
