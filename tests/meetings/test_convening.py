"""Propose, return, withdraw, concur, open the room."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from meetings import convening, drafting, rooms
from meetings.models import Consultation
from secure import delivery
from secure.errors import BadInput, Conflict, Forbidden, NotFound
from tests import flow, room_story
from tests import stage as stages
from tests.people import AUSTRALIA, INDONESIA, THAI_HEAD, THAILAND
from tests.stage import sealed
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def test_a_proposal_waits_for_the_other_chair() -> None:
    world = World(stages.proposed())
    matter = Consultation.objects.get()
    assert (matter.state, matter.reference, matter.proposer) == ("proposed", "BP/CM/2017/1", world.card(INDONESIA))
    assert matter.composition.count() == 8
    assert world.holders(matter.brief) == {world.card(INDONESIA), world.card(AUSTRALIA)}


def test_the_proposer_cannot_concur_with_the_own_proposal() -> None:
    world = World(stages.proposed())
    signed = world.stage.sign(drafting.draft_concur(world.stage.standing), INDONESIA)
    with pytest.raises(Forbidden, match="wrong_signer"):
        world.act(signed)
    assert Consultation.objects.get().state == "proposed"


def test_concurrence_convenes() -> None:
    world = World(stages.proposed())
    world.act(world.stage.concur())
    matter = Consultation.objects.get()
    assert (matter.state, matter.concurred_at) == ("concurred", world.now)


@pytest.mark.parametrize(
    ("signer", "draft", "state"),
    [(AUSTRALIA, drafting.draft_return, "returned"), (INDONESIA, drafting.draft_withdraw_proposal, "withdrawn")],
)
def test_a_proposal_ends_with_a_sealed_reason_for_the_two(signer: Any, draft: Any, state: str) -> None:
    world = World(stages.proposed())
    world.act(world.stage.act(draft(world.stage.standing, reason=sealed("reason")), signer))
    matter = Consultation.objects.get()
    assert (matter.state, matter.ended_at) == (state, world.now)
    assert world.holders(matter.reason) == {world.card(INDONESIA), world.card(AUSTRALIA)}
    with pytest.raises(Conflict, match="not_due"):
        world.act(world.stage.sign(drafting.draft_concur(world.stage.standing), AUSTRALIA))


def test_a_party_nobody_knows_cannot_be_proposed() -> None:
    world = World(stages.installed())
    body: Any = world.stage.propose().statement.body
    rows = [*body["composition"], {"party": "ZZZ", "capacity": "invited", "history": "opening"}]
    stage = stages.installed()
    proposal = stage.sign(replace(drafting.draft(stage.standing, "consultation.propose", {**body, "composition": rows})), INDONESIA)
    with pytest.raises(BadInput, match="unknown_party"):
        world.act(proposal)
    assert not Consultation.objects.exists()


# ---------------------------------------------------------------------------------------------------------------------- the room


@pytest.fixture
def opened() -> World:
    """The room of `tests/vectors/mls_flow.json`, just opened by Indonesia."""
    return World(room_story.opened()[0])


def test_the_opener_is_the_rooms_first_leaf_and_the_others_are_due(opened: World) -> None:
    assert Consultation.objects.get().state == "open"
    view = delivery.room_view(flow.ROOM)
    assert (view.scope, view.kind, view.epoch) == (opened.consultation, "plenary", 0)
    due = rooms.due(flow.ROOM)
    seated = {
        opened.stage.devices[name] for name in ("australia 1", "thai_head 1", "thai_head 2", "bangladesh_head 1", "bangladesh_head 2")
    }
    assert {each.device for each in due.add} == seated
    assert (due.remove, due.history) == ((), ())
    assert due.heads == room_story.heads_of(opened.stage, flow.ROOM)


def test_a_withdrawal_is_due_at_once_and_seats_follow(opened: World) -> None:
    gone = {opened.stage.devices["thai_head 1"], opened.stage.devices["thai_head 2"]}
    assert rooms.seated_devices(flow.ROOM) >= gone
    opened.act(opened.stage.withdraw(THAILAND, THAI_HEAD))
    assert not rooms.seated_devices(flow.ROOM) & gone
    assert not rooms.is_seated(flow.ROOM, opened.card(THAI_HEAD))


def test_the_room_is_opened_once(opened: World) -> None:
    fresh = room_story.opened()[0].copy()
    fresh.chains = replace(fresh.chains, rooms={})
    with pytest.raises(Conflict, match="room_exists"):
        opened.act(fresh.open_room(AUSTRALIA))
    assert len(delivery.rooms_of(opened.consultation)) == 1


@pytest.mark.parametrize(
    "enclosed",
    [
        {},
        {"group_info": "AAAA", "tree": "AAAA"},
        {
            "group_info": base64.b64encode(flow.step(0).after.group_info).decode(),
            "tree": base64.b64encode(flow.step(0).after.tree).decode(),
        },
    ],
)
def test_a_room_opens_only_with_one_lawful_leaf(enclosed: dict[str, Any]) -> None:
    stage = room_story.opened()[0].copy()
    opening = next(iter(stage.chains.rooms.values()))[0]
    stage.chains = replace(stage.chains, rooms={})
    world = World(stage)
    with pytest.raises(BadInput):
        world.act(opening, enclosed)
    assert delivery.rooms_of(world.consultation) == []


# --------------------------------------------------------------------------------------------------------------- in preparation


def test_a_proposal_in_preparation_is_its_authors_alone() -> None:
    world = World(stages.installed())
    indonesia, australia = world.account(INDONESIA), world.account(AUSTRALIA)
    convening.keep_draft(account=indonesia, draft="ab" * 16, box=b"one", now=world.now)
    convening.keep_draft(account=indonesia, draft="ab" * 16, box=b"two", now=world.now)
    assert [bytes(draft.box) for draft in convening.drafts_of(indonesia)] == [b"two"]
    assert convening.drafts_of(australia) == []
    with pytest.raises(NotFound):
        convening.keep_draft(account=australia, draft="ab" * 16, box=b"mine", now=world.now)
    with pytest.raises(NotFound):
        convening.discard_draft(account=australia, draft="ab" * 16)
    with pytest.raises(Forbidden, match="chairs_only"):
        convening.keep_draft(account=world.account(THAILAND), draft="cd" * 16, box=b"mine", now=world.now)
    convening.discard_draft(account=indonesia, draft="ab" * 16)
    assert convening.drafts_of(indonesia) == []
