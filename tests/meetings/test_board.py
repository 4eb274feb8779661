"""The convening board: how far each party has come, and the one next step of each reader."""

from __future__ import annotations

import pytest

from meetings import board
from secure.errors import NotFound
from secure.models import LogEvent
from tests import flow, room_story
from tests import stage as stages
from tests.people import AUSTRALIA, BANGLADESH, BANGLADESH_HEAD, INDONESIA, MYANMAR, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def read(world: World, person: Person) -> board.Board:
    return board.read_board(account=world.account(person), consultation_id=world.consultation, now=world.now)


def row(world: World, party: str, reader: Person = INDONESIA) -> board.PartyRow:
    return next(each for each in read(world, reader).rows if each.code == party)


def test_before_concurrence_nobody_is_invited() -> None:
    world = World(stages.proposed())
    found = read(world, INDONESIA)
    assert not found.convened
    assert {each.step for each in found.rows} == {"not_invited"}
    assert (found.proposer, found.counterpart) == ("IDN", "AUS")
    assert [each.code for each in found.rows] == ["AUS", "IDN", "IOM", "NZL", "THA", "UNHCR", "BGD", "MMR"]
    assert (found.step, read(world, AUSTRALIA).step) == ("await_counterpart", "sign_or_return")
    with pytest.raises(NotFound):
        read(world, THAILAND)


def test_a_party_moves_from_unreached_to_ready() -> None:
    world = World(stages.concurred())
    steps = [row(world, "THA").step]
    board.mark_reached(account=world.account(THAILAND), consultation_id=world.consultation, now=world.now)
    steps.append(row(world, "THA").step)
    world.act(world.stage.answer(THAILAND, "awaiting_instructions"))
    steps.append(row(world, "THA").step)
    world.act(world.stage.answer(THAILAND, "decline"))
    steps.append(row(world, "THA").step)
    world.act(world.stage.answer(THAILAND, "accept"))
    steps.append(row(world, "THA").step)
    world.act(world.stage.accredit(THAILAND, THAI_HEAD))
    steps.append(row(world, "THA").step)
    world.act(world.stage.undertake(THAI_HEAD))
    steps.append(row(world, "THA").step)
    assert steps == [
        "not_reached",
        "no_answer",
        "awaiting_instructions",
        "declined",
        "needs_delegates",
        "needs_undertaking",
        "needs_device",
    ]
    found = row(world, "THA")
    assert (found.accredited, found.ready, found.zone, found.invited) == (1, 0, "Asia/Bangkok", True)
    assert (found.delegates[0].name, found.delegates[0].seated, found.delegates[0].devices) == (THAI_HEAD.name, True, 1)


def test_a_party_without_a_focal_point_can_be_proposed_and_the_board_says_so() -> None:
    stage = stages.Stage()
    stage.found()
    stage.propose()
    stage.concur()
    world = World(stage)
    found = row(world, "THA")
    assert (found.step, found.focal_point, found.invited) == ("needs_focal_point", "", False)


def test_a_delegate_is_ready_with_a_device_that_can_be_added() -> None:
    from secure import cards, key_packages

    world = World(room_story.opened()[0])
    client = cards.device_named(world.stage.devices["bangladesh_head 1"])
    assert client is not None
    assert row(world, "BGD").step == "needs_device"
    packages = flow.key_packages("bangladesh_head 1")
    key_packages.publish(client=client, key_packages=packages, last_resort=None, now=flow.NOW)
    found = board.read_board(account=world.account(INDONESIA), consultation_id=world.consultation, now=flow.NOW)
    assert next(each for each in found.rows if each.code == "BGD").step == "ready"
    assert found.room is not None
    assert found.room.room == flow.ROOM


def test_each_reader_has_one_next_step() -> None:
    world = World(stages.concurred())
    assert (read(world, INDONESIA).step, read(world, AUSTRALIA).step) == ("open_room", "open_room")
    assert read(world, THAILAND).step == "answer"
    world.act(world.stage.answer(THAILAND, "awaiting_instructions"))
    assert read(world, THAILAND).step == "answer_when_instructed"
    world.act(world.stage.answer(THAILAND))
    assert read(world, THAILAND).step == "accredit"
    world.act(world.stage.accredit(THAILAND, THAI_HEAD))
    assert (read(world, THAILAND).step, read(world, THAI_HEAD).step) == ("nothing", "undertake")
    world.act(world.stage.undertake(THAI_HEAD))
    assert read(world, THAI_HEAD).step == "await_room"


def test_once_the_room_is_open_the_seated_go_in() -> None:
    world = World(room_story.opened()[0])
    assert {read(world, person).step for person in (INDONESIA, AUSTRALIA, BANGLADESH_HEAD)} == {"enter_room"}
    assert read(world, BANGLADESH).step == "nothing"


def test_an_invitation_is_reached_once_and_only_by_its_focal_point() -> None:
    world = World(stages.concurred())
    consultation = world.consultation
    assert not board.mark_reached(account=world.account(INDONESIA), consultation_id=consultation, now=world.now)
    assert board.mark_reached(account=world.account(THAILAND), consultation_id=consultation, now=world.now)
    assert not board.mark_reached(account=world.account(THAILAND), consultation_id=consultation, now=world.now)
    with pytest.raises(NotFound):
        board.mark_reached(account=world.account(OUTSIDER), consultation_id=consultation, now=world.now)
    assert LogEvent.objects.filter(type="invitation.opened").count() == 1
    assert row(world, "THA").reached_at == world.now
    assert row(world, "THA", THAILAND).reached_at == world.now
    assert row(world, "THA", MYANMAR).reached_at is None


def test_whether_an_invitation_was_opened_is_the_party_s_and_the_chairs_to_know() -> None:
    world = World(stages.concurred())
    readers = (INDONESIA, THAILAND, MYANMAR)
    assert [row(world, "THA", reader).step for reader in readers] == ["not_reached", "not_reached", "no_answer"]
    board.mark_reached(account=world.account(THAILAND), consultation_id=world.consultation, now=world.now)
    assert {row(world, "THA", reader).step for reader in readers} == {"no_answer"}
