"""Who may see a consultation, its room and its chains, in each state. Hidden and absent look alike."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from meetings import access, briefs, parties
from secure.errors import BadInput, Forbidden, NotFound
from tests import flow, room_story
from tests import stage as stages
from tests.people import (
    AUSTRALIA,
    BANGLADESH,
    BANGLADESH_HEAD,
    CAST,
    INDONESIA,
    MYANMAR,
    MYANMAR_HEAD,
    NEW_ZEALAND,
    OFFICER,
    OUTSIDER,
    THAI_ADVISER,
    THAI_HEAD,
    THAILAND,
    Person,
)
from tests.stage import sealed
from tests.world import AUSTRALIAN, World, wraps

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

CHAIRS = {INDONESIA, AUSTRALIA}
FOCAL = {person for person in CAST if person.purpose == "focal_point" and person.id not in ("outsider", "successor")}


def who_sees(world: World) -> set[Person]:
    found = set()
    for person in CAST:
        try:
            access.access_consultation(account=world.account(person), consultation_id=world.consultation)
        except NotFound:
            continue
        found.add(person)
    return found


def who_sits(world: World) -> set[Person]:
    found = set()
    for person in CAST:
        try:
            access.access_room(account=world.account(person), room_id=flow.ROOM)
        except NotFound:
            continue
        found.add(person)
    return found


def test_a_proposal_is_the_two_chairs_alone() -> None:
    world = World(stages.proposed())
    assert who_sees(world) == CHAIRS
    for person in set(CAST) - CHAIRS:
        assert access.visible_consultations(world.account(person)) == []


def test_a_consultation_becomes_visible_step_by_step() -> None:
    world = World(stages.concurred())
    assert who_sees(world) == CHAIRS | FOCAL
    world.act(world.stage.accredit(THAILAND, THAI_HEAD))
    assert who_sees(world) == CHAIRS | FOCAL  # the party has not accepted
    world.act(world.stage.answer(THAILAND))
    assert who_sees(world) == CHAIRS | FOCAL | {THAI_HEAD}
    world.act(world.stage.seat(OFFICER))
    assert who_sees(world) == CHAIRS | FOCAL | {THAI_HEAD, OFFICER}
    world.act(world.stage.withdraw(THAILAND, THAI_HEAD))
    world.act(world.stage.unseat(OFFICER))
    assert who_sees(world) == CHAIRS | FOCAL


def test_a_room_is_found_by_those_who_sit_in_it() -> None:
    world = World(room_story.opened()[0])
    assert who_sits(world) == {INDONESIA, AUSTRALIA, THAI_HEAD, BANGLADESH_HEAD}
    world.act(world.stage.exclude(THAI_HEAD))
    assert who_sits(world) == {INDONESIA, AUSTRALIA, BANGLADESH_HEAD}


def test_a_room_is_found_with_ones_own_seated_device_only() -> None:
    world = World(room_story.opened()[0])
    account, devices = world.account(THAI_HEAD), world.stage.devices
    place = access.access_room(account=account, room_id=flow.ROOM, device=devices["thai_head 2"])
    assert place.device is not None
    assert place.device.hash == devices["thai_head 2"]
    world.act(world.stage.exclude(THAI_HEAD, devices["thai_head 2"]))
    for device in (devices["thai_head 2"], devices["indonesia 1"], "0" * 64):
        with pytest.raises(NotFound):
            access.access_room(account=account, room_id=flow.ROOM, device=device)
    with pytest.raises(NotFound):
        access.access_room(account=account, room_id="0" * 64)


def allowed(world: World, people: Iterable[Person], device: str) -> set[Person]:
    found = set()
    for person in people:
        try:
            access.access_removal(account=world.account(person), room_id=flow.ROOM, device=world.stage.devices[device])
        except NotFound:
            continue
        found.add(person)
    return found


def test_a_removal_is_shown_to_those_seated_and_to_whoever_may_take_the_seat() -> None:
    world = World(room_story.opened()[0])
    world.act(world.stage.withdraw(THAILAND, THAI_HEAD))
    assert allowed(world, CAST, "thai_head 1") == {INDONESIA, AUSTRALIA, BANGLADESH_HEAD, THAILAND}


# -------------------------------------------------------------------------------------------------------------- chains and briefs


def test_the_chains_of_a_consultation_are_those_its_roster_follows_from() -> None:
    world = World(room_story.opened()[0])
    scopes = set(access.visible_chains(account=world.account(THAI_HEAD), consultation_id=world.consultation))
    assert {world.consultation, flow.ROOM, world.card(THAI_HEAD), world.card(BANGLADESH_HEAD), world.card(INDONESIA)} <= scopes
    assert world.card(MYANMAR_HEAD) not in scopes
    assert world.card(THAI_ADVISER) not in scopes
    for person in (OUTSIDER, OFFICER, THAI_ADVISER):
        with pytest.raises(NotFound):
            access.visible_chains(account=world.account(person), consultation_id=world.consultation)


def test_without_a_consultation_one_sees_offices_and_ones_own_people() -> None:
    world = World(stages.proposed())
    scopes = set(access.visible_chains(account=world.account(THAI_HEAD), consultation_id=None))
    offices = {world.card(person) for person in (INDONESIA, AUSTRALIA, THAILAND, MYANMAR, BANGLADESH, NEW_ZEALAND)}
    assert offices | {world.card(THAI_HEAD)} <= scopes
    assert world.consultation not in scopes
    assert world.card(THAI_ADVISER) not in scopes
    inviter = set(access.visible_chains(account=world.account(INDONESIA), consultation_id=None))
    assert {world.card(THAI_ADVISER), world.card(OFFICER)} <= inviter


def test_before_there_is_an_installation_the_two_chairs_see_each_other() -> None:
    stage = stages.Stage()
    for chair in (INDONESIA, AUSTRALIA):
        stage.enrol(chair)
    world = World(stage)
    assert parties.is_chair(world.account(INDONESIA))
    scopes = access.visible_chains(account=world.account(INDONESIA), consultation_id=None)
    assert set(scopes) == {world.card(INDONESIA), world.card(AUSTRALIA)}


def test_a_brief_is_read_by_those_who_see_the_consultation() -> None:
    world = World(stages.concurred())
    name = sealed("brief").sha256
    found = briefs.read_sealed(account=world.account(THAILAND), sha256=name)
    assert (found.ciphertext, found.box) == (b"brief", b"a wrapped key")
    for person in (OUTSIDER, OFFICER, THAI_HEAD):
        with pytest.raises(NotFound):
            briefs.read_sealed(account=world.account(person), sha256=name)
    with pytest.raises(NotFound):
        briefs.read_sealed(account=world.account(THAILAND), sha256="0" * 64)


def test_a_holder_wraps_for_those_who_may_read_and_cannot_yet() -> None:
    """Australia's own focal point need not be served by the concurrence; a chair that is online serves it."""
    stage = stages.installed()
    stage.enrol(AUSTRALIAN)
    stage.focal_point(AUSTRALIAN)
    stage.propose()
    world = World(stage)
    concur = world.stage.concur()
    own = world.card(AUSTRALIAN)
    world.act(concur, {"wraps": [row for row in world.enclosed(concur)["wraps"] if row["card"] != own]})
    indonesia, consultation = world.account(INDONESIA), world.consultation
    assert briefs.unwrapped(account=indonesia, consultation_id=consultation) == [own]
    with pytest.raises(Forbidden, match="no_wrap_of_your_own"):
        briefs.wrap(account=world.account(AUSTRALIAN), consultation_id=consultation, enclosed={"wraps": wraps(own)})
    with pytest.raises(BadInput, match="wrap_not_entitled"):
        briefs.wrap(account=indonesia, consultation_id=consultation, enclosed={"wraps": wraps(world.card(OUTSIDER))})
    with pytest.raises(NotFound):
        briefs.wrap(account=world.account(OUTSIDER), consultation_id=consultation, enclosed={"wraps": []})
    assert briefs.wrap(account=indonesia, consultation_id=consultation, enclosed={"wraps": wraps(own)}) == 1
    assert briefs.unwrapped(account=indonesia, consultation_id=consultation) == []


def test_nobody_replaces_a_wrap_by_one_that_does_not_open() -> None:
    world = World(stages.concurred())
    again = {"wraps": [{"card": world.card(THAILAND), "box": "b3RoZXI="}]}
    assert briefs.wrap(account=world.account(INDONESIA), consultation_id=world.consultation, enclosed=again) == 0
    assert briefs.read_sealed(account=world.account(THAILAND), sha256=sealed("brief").sha256).box == b"a wrapped key"
