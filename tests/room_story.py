"""The consultation as far as a room needs it: who is seated, which devices they have, and the heads at each turn of the story.

Deterministic, so that the MLS bytes of `tests/vectors/mls_flow.json` fit it. After a change of the stage make them again:

    .venv/bin/python -m tests.room_story > consult/browser/tests/flow_world.json && node consult/browser/tests/flow.gen.mjs
"""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import asdict
from functools import cache

from secure.mls_checks import Heads
from secure.statements import Signed
from tests.people import AUSTRALIA, BANGLADESH, BANGLADESH_HEAD, INDONESIA, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.stage import Stage, concurred

SITTING = ((THAILAND, THAI_HEAD), (BANGLADESH, BANGLADESH_HEAD))
DEVICES: tuple[tuple[Person, int], ...] = (
    (INDONESIA, 1),
    (AUSTRALIA, 1),
    (THAI_HEAD, 1),
    (THAI_HEAD, 2),
    (BANGLADESH_HEAD, 1),
    (BANGLADESH_HEAD, 2),
    (OUTSIDER, 1),
)


@cache
def opened() -> tuple[Stage, Signed]:
    """Thailand's and Bangladesh's heads are seated; Indonesia has signed `room.open`."""
    stage = concurred()
    for party, head in SITTING:
        stage.add_device(head, 2)
        stage.answer(party)
        stage.accredit(party, head)
        stage.undertake(head)
    return stage, stage.open_room(INDONESIA)


@cache
def withdrawn() -> tuple[Stage, Signed]:
    """Then Thailand has withdrawn its head."""
    stage = opened()[0].copy()
    return stage, stage.withdraw(THAILAND, THAI_HEAD)


def heads_of(stage: Stage, room: str) -> Heads:
    chains = stage.chains
    return Heads(installation=chains.installation[-1].hash, consultation=chains.consultation[-1].hash, room=room)


def world() -> dict[str, object]:
    """What the generator of MLS bytes needs to know."""
    stage, room = opened()
    later, _ = withdrawn()
    return {
        "room": room.hash,
        "devices": {
            f"{person.id} {number}": {
                "card": stage.card(person),
                "device": stage.devices[f"{person.id} {number}"],
                "seed": base64.b64encode(person.seed(f"device {number}")).decode(),
            }
            for person, number in DEVICES
        },
        "heads": {"seated": asdict(heads_of(stage, room.hash)), "withdrawn": asdict(heads_of(later, room.hash))},
    }


if __name__ == "__main__":
    json.dump(world(), sys.stdout, indent=1)
