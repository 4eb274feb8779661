"""Answers, delegations, seats, devices: what the rows say after each, and when a seat ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meetings import drafting
from meetings.models import Composition, Delegate, SeatedDevice
from secure import cards
from secure.errors import BadInput, Conflict
from secure.models import Enrolment
from tests import stage as stages
from tests.people import INDONESIA, MYANMAR, MYANMAR_HEAD, OFFICER, SUCCESSOR, THAI_ADVISER, THAI_HEAD, THAILAND, Person
from tests.stage import Stage
from tests.standing import own, standing
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def accepted() -> Stage:
    """Thailand has accepted; its head is seated."""
    stage = stages.concurred()
    stage.answer(THAILAND)
    stage.accredit(THAILAND, THAI_HEAD)
    stage.undertake(THAI_HEAD)
    return stage


stood = standing(accepted)


@pytest.fixture
def world(stood: World) -> World:
    return own(stood)


def seated(world: World, person: Person) -> bool:
    device = SeatedDevice.objects.filter(card=world.card(person)).exists()
    assert device == Delegate.objects.filter(card=world.card(person), seated=True).exists()
    return device


def withdraw(world: World) -> None:
    world.act(world.stage.withdraw(THAILAND, THAI_HEAD))


def decline(world: World) -> None:
    world.act(world.stage.answer(THAILAND, "decline"))


def exclude(world: World) -> None:
    world.act(world.stage.exclude(THAI_HEAD))


def new_head(world: World) -> None:
    world.act(world.stage.accredit(THAILAND, THAI_ADVISER, "head"))


def revoke_device(world: World) -> None:
    device = world.stage.devices["thai_head 1"]
    world.act(world.stage.act(drafting.draft_device_revoke(world.stage.standing, card=world.card(THAI_HEAD), device=device), THAI_HEAD))


def compromised_focal_point(world: World) -> None:
    world.act(world.stage.focal_point(SUCCESSOR, "compromised"))


@pytest.mark.parametrize("end", [withdraw, decline, exclude, new_head, compromised_focal_point])
def test_a_seat_ends_with_the_act_that_ends_it(world: World, end: Callable[[World], None]) -> None:
    assert seated(world, THAI_HEAD)
    end(world)
    assert not seated(world, THAI_HEAD)


def test_an_excluded_or_revoked_device_ends_alone(world: World) -> None:
    world.stage.add_device(THAI_HEAD, 2)
    world.act(world.stage.chains.accounts[world.card(THAI_HEAD)][2])
    devices = [world.stage.devices[f"thai_head {number}"] for number in (1, 2)]
    assert set(SeatedDevice.objects.filter(card=world.card(THAI_HEAD)).values_list("device", flat=True)) == set(devices)
    revoke_device(world)
    assert cards.device_named(devices[0]) is None
    assert list(SeatedDevice.objects.filter(card=world.card(THAI_HEAD)).values_list("device", flat=True)) == devices[1:]
    world.act(world.stage.exclude(THAI_HEAD, devices[1]))
    assert not SeatedDevice.objects.filter(card=world.card(THAI_HEAD)).exists()
    assert Delegate.objects.get(card=world.card(THAI_HEAD)).seated


def test_somebody_withdrawn_may_be_accredited_again_and_keeps_the_undertaking(world: World) -> None:
    withdraw(world)
    assert Delegate.objects.get(card=world.card(THAI_HEAD)).withdrawn_at == world.now
    world.act(world.stage.accredit(THAILAND, THAI_HEAD, "adviser"))
    place = Delegate.objects.get(card=world.card(THAI_HEAD))
    assert (place.capacity, place.seated, place.withdrawn_at) == ("adviser", True, None)


def test_declining_is_an_answer_and_may_be_taken_back(world: World) -> None:
    decline(world)
    assert Composition.objects.get(party="THA").answer == "decline"
    world.act(world.stage.answer(THAILAND, "accept"))
    assert seated(world, THAI_HEAD)


def test_an_officer_sits_by_both_chairs_and_the_undertaking(world: World) -> None:
    world.act(world.stage.seat(OFFICER))
    assert not seated(world, OFFICER)
    world.act(world.stage.undertake(OFFICER))
    assert seated(world, OFFICER)
    world.act(world.stage.unseat(OFFICER))
    assert not seated(world, OFFICER)


def test_the_undertaking_is_the_one_the_proposal_names(world: World) -> None:
    world.act(world.stage.accredit(THAILAND, THAI_ADVISER, "adviser"))
    body = {"card": world.card(THAI_ADVISER), "text": "0" * 64}
    signed = world.stage.sign(drafting.draft(world.stage.standing, "undertaking", body), THAI_ADVISER)
    with pytest.raises(BadInput, match="undertaking_differs"):
        world.act(signed)


def test_a_party_cannot_accredit_another_partys_person(world: World) -> None:
    draft = drafting.draft_accredit(world.stage.standing, party="THA", card=world.card(MYANMAR_HEAD), capacity="adviser")
    with pytest.raises(BadInput, match="wrong_party"):
        world.act(world.stage.sign(draft, THAILAND))


def test_an_excluded_person_cannot_come_back(world: World) -> None:
    exclude(world)
    draft = drafting.draft_accredit(world.stage.standing, party="THA", card=world.card(THAI_HEAD), capacity="adviser")
    with pytest.raises(Conflict, match="excluded"):
        world.act(world.stage.sign(draft, THAILAND))


def test_a_device_key_serves_one_device(world: World) -> None:
    key = THAI_HEAD.device_key(1).public_key().public_bytes_raw()
    draft = drafting.draft_device_add(world.stage.standing, card=world.card(MYANMAR), signature_key=key)
    with pytest.raises(Conflict, match="device_key_used"):
        world.act(world.stage.sign(draft, MYANMAR))


def test_accrediting_marks_the_code_as_confirmed(world: World) -> None:
    confirmed = dict(Enrolment.objects.values_list("name", "confirmed"))
    assert confirmed[THAI_HEAD.name] is not None
    assert confirmed[MYANMAR_HEAD.name] is None
    assert confirmed[INDONESIA.name] is None
