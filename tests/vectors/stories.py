"""Where the chains stand, by name: how the cases of statements.json and roster.json begin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from meetings import drafting
from meetings.standing import Standing
from tests.people import (
    AUSTRALIA,
    BANGLADESH,
    BANGLADESH_HEAD,
    CAST,
    CHAIR_STAFF,
    INDONESIA,
    MYANMAR,
    MYANMAR_HEAD,
    OFFICER,
    SUCCESSOR,
    THAI_ADVISER,
    THAI_HEAD,
    THAILAND,
)
from tests.stage import Stage, concurred, installed, proposed, sealed


def empty() -> Stage:
    return Stage()


def enrolled() -> Stage:
    """Both chairs and, before there is an installation, Thailand have cards."""
    stage = Stage()
    for person in (INDONESIA, AUSTRALIA, THAILAND):
        stage.enrol(person)
    return stage


def founded_alone() -> Stage:
    stage = Stage()
    stage.found()
    return stage


def founded() -> Stage:
    """Everybody has a card; no party has a focal point."""
    stage = founded_alone()
    for person in CAST[2:]:
        stage.enrol(person)
    return stage


def stray() -> Stage:
    """With a card of Bangladesh that was made for no installation."""
    stage = founded()
    drafted = drafting.draft_card(Standing(), account_key=BANGLADESH.account_key, xwing_key=BANGLADESH.xwing_key, party="BGD")
    stage.cards["stray"] = stage.act(drafted, BANGLADESH).hash
    return stage


def returned() -> Stage:
    stage = proposed()
    stage.act(drafting.draft_return(stage.standing, reason=sealed("reason")), AUSTRALIA)
    return stage


def withdrawn() -> Stage:
    stage = proposed()
    stage.act(drafting.draft_withdraw_proposal(stage.standing, reason=sealed("reason")), INDONESIA)
    return stage


def accredited() -> Stage:
    """Thailand and Myanmar accept, Bangladesh awaits instructions; the heads are accredited and have signed nothing."""
    stage = concurred()
    for person, answer in ((THAILAND, "accept"), (MYANMAR, "accept"), (BANGLADESH, "awaiting_instructions")):
        stage.answer(person, answer)
    for by, person in ((THAILAND, THAI_HEAD), (MYANMAR, MYANMAR_HEAD), (BANGLADESH, BANGLADESH_HEAD)):
        stage.accredit(by, person)
    return stage


def sitting() -> Stage:
    """The three heads have signed the undertaking; Bangladesh still awaits instructions. Thailand's head has two devices."""
    stage = accredited()
    for person in (THAI_HEAD, MYANMAR_HEAD, BANGLADESH_HEAD):
        stage.undertake(person)
    stage.add_device(THAI_HEAD, 2)
    return stage


def revoked() -> Stage:
    stage = sitting()
    device = stage.devices["thai_head 1"]
    stage.act(drafting.draft_device_revoke(stage.standing, card=stage.card(THAI_HEAD), device=device), THAI_HEAD)
    return stage


def excluded() -> Stage:
    stage = sitting()
    stage.exclude(MYANMAR_HEAD)
    return stage


def device_excluded() -> Stage:
    stage = sitting()
    stage.exclude(MYANMAR_HEAD, stage.devices["myanmar_head 1"])
    return stage


def staffed() -> Stage:
    """Both Co-Chairs have seated an officer and Indonesia's staff; Indonesia's chair is its party's focal point too."""
    stage = installed()
    stage.focal_point(INDONESIA)
    stage.propose()
    stage.concur()
    stage.seat(OFFICER)
    stage.seat(CHAIR_STAFF, "chair_staff")
    for person in (OFFICER, CHAIR_STAFF):
        stage.undertake(person)
    stage.answer(THAILAND)
    stage.accredit(THAILAND, THAI_HEAD)
    return stage


def opened() -> Stage:
    stage = sitting()
    stage.open_room()
    return stage


def disposed() -> Stage:
    """The room was open; then both Co-Chairs disposed of the consultation."""
    stage = opened()
    stage.dispose()
    return stage


def disposed_unopened() -> Stage:
    """Disposed of before anybody opened a room."""
    stage = sitting()
    stage.dispose("legal_order")
    return stage


def retired() -> Stage:
    """Thailand's focal point was replaced by one who takes over in good order."""
    stage = sitting()
    stage.focal_point(SUCCESSOR, "retired")
    return stage


def compromised() -> Stage:
    """Thailand's focal point was replaced because the key is in wrong hands."""
    stage = sitting()
    stage.focal_point(SUCCESSOR, "compromised")
    return stage


def advised() -> Stage:
    """Thailand has an adviser beside its head; both have signed."""
    stage = sitting()
    stage.accredit(THAILAND, THAI_ADVISER, "adviser")
    stage.undertake(THAI_ADVISER)
    return stage


_MADE: Mapping[str, Callable[[], Stage]] = {
    "empty": empty,
    "enrolled": enrolled,
    "founded with nobody else": founded_alone,
    "founded": founded,
    "founded with a stray card": stray,
    "installed": installed,
    "proposed": proposed,
    "returned": returned,
    "withdrawn": withdrawn,
    "concurred": concurred,
    "accredited": accredited,
    "sitting": sitting,
    "revoked": revoked,
    "excluded": excluded,
    "device excluded": device_excluded,
    "staffed": staffed,
    "opened": opened,
    "disposed": disposed,
    "disposed without a room": disposed_unopened,
    "retired": retired,
    "compromised": compromised,
    "advised": advised,
}


@cache
def _story(name: str) -> Stage:
    return _MADE[name]()


STORIES: Mapping[str, Callable[[], Stage]] = {name: (lambda name=name: _story(name).copy()) for name in _MADE}  # type: ignore[misc]
"""A fresh copy of the stage at every call."""
