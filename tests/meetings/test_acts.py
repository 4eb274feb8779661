"""Acts through `meetings.acts`: the whole story, then each way of doing it wrong."""

from __future__ import annotations

import pytest

from meetings import acts
from meetings.models import Composition, Consultation, Delegate, SeatedDevice
from secure.errors import Conflict, Refusal
from tests import stage as stages
from tests.people import THAI_HEAD, THAILAND
from tests.world import World

pytestmark = pytest.mark.django_db


def test_the_story_goes_in_and_the_rows_follow() -> None:
    world = World(stages.concurred())
    assert Consultation.objects.get().state == "concurred"
    world.act(world.stage.answer(THAILAND))
    world.act(world.stage.accredit(THAILAND, THAI_HEAD))
    assert Composition.objects.get(party="THA").answer == "accept"
    assert not Delegate.objects.get(card=world.card(THAI_HEAD)).seated
    world.act(world.stage.undertake(THAI_HEAD))
    assert Delegate.objects.get(card=world.card(THAI_HEAD)).seated
    devices = set(SeatedDevice.objects.values_list("device", flat=True))
    assert devices == {world.stage.devices[f"{name} 1"] for name in ("indonesia", "australia", "thai_head")}
