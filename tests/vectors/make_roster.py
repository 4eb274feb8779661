"""Writes roster.json: who sits, with which devices, after which story. Run as `python -m tests.vectors.make_roster`.

The expectations are written here by hand; the generator refuses to write a file that Python does not agree with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meetings import drafting
from meetings.roster import Chains, Heads, Seat, at, seated_devices, seats
from secure.errors import Refusal
from tests.people import (
    AUSTRALIA,
    BANGLADESH,
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
from tests.stage import Stage
from tests.vectors.make_statements import chains_value
from tests.vectors.stories import STORIES

FILE = Path(__file__).with_name("roster.json")
CHAIRS = {"australia": "AUS chair", "indonesia": "IDN chair"}
CHAIR_DEVICES = ("australia 1", "indonesia 1")
THAI = {"thai_head": "THA head"}
BURMESE = {"myanmar_head": "MMR head"}
BOTH_THAI = ("thai_head 1", "thai_head 2")


class Cases:
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.pool: dict[str, Any] = {}

    def add(self, name: str, stage: Stage, seated: dict[str, str], devices: Sequence[str], heads: Heads | None = None) -> None:
        """`seated`: person → "PARTY capacity"; `devices`: "person number"."""
        expected = {stage.cards[person]: seat.split() for person, seat in seated.items()}
        chains = at(stage.chains, heads) if heads else stage.chains
        assert seats(chains) == {card: Seat(party, capacity, ("plenary",)) for card, (party, capacity) in expected.items()}, name
        owners = {stage.devices[device]: stage.cards[device.split()[0]] for device in devices}
        assert seated_devices(chains) == owners, name
        self._row(name, stage.chains, heads, {
            "seats": {card: {"party": party, "capacity": capacity, "rooms": ["plenary"]} for card, (party, capacity) in expected.items()},
            "devices": owners,
        })  # fmt: skip

    def refused(self, name: str, chains: Chains, code: str, heads: Heads | None = None) -> None:
        with pytest.raises(Refusal) as refusal:
            seats(at(chains, heads) if heads else chains)
        assert refusal.value.code == code, name
        self._row(name, chains, heads, {"refused": code})

    def _row(self, name: str, chains: Chains, heads: Heads | None, expected: dict[str, Any]) -> None:
        named = heads and {"installation": heads.installation, "consultation": heads.consultation, "room": heads.room}
        self.rows.append({"name": name, "chains": chains_value(chains, self.pool), "heads": named, **expected})


def before_and_at_concurrence(cases: Cases) -> None:
    for name in ("empty", "enrolled", "installed", "proposed", "returned", "withdrawn"):
        cases.add(f"nobody sits: {name}", STORIES[name](), {}, ())
    cases.add("both chairs sit from concurrence on", STORIES["concurred"](), CHAIRS, CHAIR_DEVICES)
    cases.add("accredited without an undertaking is no seat", STORIES["accredited"](), CHAIRS, CHAIR_DEVICES)
    sat = {**CHAIRS, **THAI, **BURMESE}
    cases.add(
        "accredited, accepted and undertaken; a party that awaits instructions does not sit",
        STORIES["sitting"](),
        sat,
        (*CHAIR_DEVICES, *BOTH_THAI, "myanmar_head 1"),
    )


def answers(cases: Cases) -> None:
    stage = STORIES["sitting"]()
    stage.answer(BANGLADESH)
    everybody = {**CHAIRS, **THAI, **BURMESE, "bangladesh_head": "BGD head"}
    cases.add("a late acceptance seats", stage, everybody, (*CHAIR_DEVICES, *BOTH_THAI, "myanmar_head 1", "bangladesh_head 1"))
    for word in ("decline", "awaiting_instructions"):
        stage = STORIES["sitting"]()
        stage.answer(THAILAND, word)
        cases.add(f"a party that changes to {word} loses its seats", stage, {**CHAIRS, **BURMESE}, (*CHAIR_DEVICES, "myanmar_head 1"))
    stage.answer(THAILAND)
    cases.add(
        "and has them again when it accepts again", stage, {**CHAIRS, **THAI, **BURMESE}, (*CHAIR_DEVICES, *BOTH_THAI, "myanmar_head 1")
    )


def delegations(cases: Cases) -> None:
    rest, devices = {**CHAIRS, **BURMESE}, (*CHAIR_DEVICES, "myanmar_head 1")
    stage = STORIES["advised"]()
    cases.add(
        "an adviser beside the head", stage, {**rest, **THAI, "thai_adviser": "THA adviser"}, (*devices, *BOTH_THAI, "thai_adviser 1")
    )
    stage.accredit(THAILAND, THAI_ADVISER, "head")
    cases.add("a new head replaces the former", stage, {**rest, "thai_adviser": "THA head"}, (*devices, "thai_adviser 1"))
    stage.accredit(THAILAND, THAI_HEAD, "alternate")
    both = {**rest, "thai_adviser": "THA head", "thai_head": "THA alternate"}
    cases.add(
        "the former head comes back as alternate; the undertaking still stands", stage, both, (*devices, *BOTH_THAI, "thai_adviser 1")
    )
    stage = STORIES["advised"]()
    stage.accredit(THAILAND, THAI_ADVISER, "interpreter")
    changed = {**rest, **THAI, "thai_adviser": "THA interpreter"}
    cases.add("a card's capacity changes", stage, changed, (*devices, *BOTH_THAI, "thai_adviser 1"))
    stage = STORIES["sitting"]()
    stage.withdraw(THAILAND, THAI_HEAD)
    cases.add("withdrawn", stage, rest, devices)
    stage.accredit(THAILAND, THAI_HEAD)
    cases.add("withdrawn and accredited again", stage, {**rest, **THAI}, (*devices, *BOTH_THAI))


def keys(cases: Cases) -> None:
    rest, devices = {**CHAIRS, **BURMESE}, (*CHAIR_DEVICES, "myanmar_head 1")
    stage = STORIES["retired"]()
    cases.add("a retired focal point's accreditations stay", stage, {**rest, **THAI}, (*devices, *BOTH_THAI))
    stage.withdraw(SUCCESSOR, THAI_HEAD)
    cases.add("and its successor may withdraw them", stage, rest, devices)
    stage = STORIES["compromised"]()
    cases.add("a compromised focal point's accreditations are void", stage, rest, devices)
    stage.accredit(SUCCESSOR, THAI_HEAD)
    cases.add("until its successor issues them again", stage, {**rest, **THAI}, (*devices, *BOTH_THAI))
    heads = Heads(stage.chains.installation[-2].hash, stage.chains.consultation[-2].hash)
    cases.add("at the heads before, they counted", stage, {**rest, **THAI}, (*devices, *BOTH_THAI), heads)
    early = Heads(stage.chains.installation[-2].hash, stage.chains.consultation[-1].hash)
    cases.refused("a statement is newer than the installation named beside it", stage.chains, "up_unknown", early)


def removals(cases: Cases) -> None:
    rest = {**CHAIRS, **THAI}
    devices = (*CHAIR_DEVICES, *BOTH_THAI)
    stage = STORIES["excluded"]()
    cases.add("an excluded card has no seat", stage, rest, devices)
    cases.add("an excluded device has none; its card still sits", STORIES["device excluded"](), {**rest, **BURMESE}, devices)
    stage = STORIES["device excluded"]()
    stage.add_device(MYANMAR_HEAD, 2)
    cases.add("another device of that card sits", stage, {**rest, **BURMESE}, (*devices, "myanmar_head 2"))
    stage = STORIES["sitting"]()
    stage.exclude(MYANMAR_HEAD, stage.devices["thai_head 1"])
    cases.add("excluding another card's device does nothing", stage, {**rest, **BURMESE}, (*devices, "myanmar_head 1"))
    stage = STORIES["sitting"]()
    stage.exclude(AUSTRALIA, stage.devices["australia 1"])
    cases.add("a chair's device is excluded; the chair sits", stage, {**rest, **BURMESE}, ("indonesia 1", *BOTH_THAI, "myanmar_head 1"))
    cases.add("a revoked device has no seat", STORIES["revoked"](), {**rest, **BURMESE}, (*CHAIR_DEVICES, "thai_head 2", "myanmar_head 1"))
    stage = STORIES["revoked"]()
    stage.act(drafting.draft_device_revoke(stage.standing, card=stage.card(INDONESIA), device=stage.devices["indonesia 1"]), INDONESIA)
    cases.add("a chair without a device sits", stage, {**rest, **BURMESE}, ("australia 1", "thai_head 2", "myanmar_head 1"))


def officers(cases: Cases) -> None:
    stage = STORIES["staffed"]()
    staffed = {**CHAIRS, "officer": "RSO secretariat", "chair_staff": "IDN chair_staff"}
    devices = (*CHAIR_DEVICES, "officer 1", "chair_staff 1")
    cases.add("both Co-Chairs seat an officer and a chair's staff", stage, staffed, devices)
    stage.unseat(OFFICER)
    cases.add("unseated", stage, {**CHAIRS, "chair_staff": "IDN chair_staff"}, (*CHAIR_DEVICES, "chair_staff 1"))
    stage.seat(OFFICER)
    cases.add("and seated again", stage, staffed, devices)
    stage.exclude(CHAIR_STAFF)
    cases.add("excluded after being seated", stage, {**CHAIRS, "officer": "RSO secretariat"}, (*CHAIR_DEVICES, "officer 1"))
    stage = STORIES["concurred"]()
    stage.seat(OFFICER)
    cases.add("seated without an undertaking is no seat", stage, CHAIRS, CHAIR_DEVICES)


def disposal(cases: Cases) -> None:
    stage = STORIES["disposed"]()
    chains = stage.chains
    cases.add("nobody sits once it was disposed of", stage, {}, ())
    before = Heads(chains.installation[-1].hash, chains.consultation[-2].hash, next(iter(chains.rooms)))
    devices = (*CHAIR_DEVICES, *BOTH_THAI, "myanmar_head 1")
    cases.add("at the heads before the disposal they sat", stage, {**CHAIRS, **THAI, **BURMESE}, devices, before)


def heads_and_breaks(cases: Cases) -> None:
    stage = STORIES["opened"]()
    chains = stage.chains
    room = next(iter(chains.rooms))
    sat = {**CHAIRS, **THAI, **BURMESE}
    devices = (*CHAIR_DEVICES, *BOTH_THAI, "myanmar_head 1")
    newest = Heads(chains.installation[-1].hash, chains.consultation[-1].hash, room)
    cases.add("at the newest heads", stage, sat, devices, newest)
    cases.add(
        "at the concurrence only the chairs sat", stage, CHAIRS, CHAIR_DEVICES, Heads(newest.installation, chains.consultation[1].hash)
    )
    cases.add("at the proposal nobody sat", stage, {}, (), Heads(newest.installation, chains.consultation[0].hash))
    nobody = "ab" * 32
    cases.refused("an unknown head of the installation", chains, "unknown_head", replace(newest, installation=nobody))
    cases.refused("an unknown head of the consultation", chains, "unknown_head", replace(newest, consultation=nobody))
    cases.refused("an unknown head of the room", chains, "unknown_head", replace(newest, room=nobody))
    cases.refused(
        "a statement is missing", replace(chains, consultation=(*chains.consultation[:2], *chains.consultation[3:])), "head_moved"
    )
    swapped = (*chains.consultation[:2], chains.consultation[3], chains.consultation[2], *chains.consultation[4:])
    cases.refused("two statements changed places", replace(chains, consultation=swapped), "head_moved")
    accounts = {card: chain for card, chain in chains.accounts.items() if card != stage.card(MYANMAR)}
    cases.refused("a focal point's card is missing", replace(chains, accounts=accounts), "unknown_card")
    cases.refused("the installation is missing", replace(chains, installation=()), "no_installation")


def text() -> str:
    cases = Cases()
    for part in (before_and_at_concurrence, answers, delegations, keys, removals, officers, disposal, heads_and_breaks):
        part(cases)
    value = {"source": "tests/vectors/make_roster.py", "pool": cases.pool, "cases": cases.rows}
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
