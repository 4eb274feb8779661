"""What a room is due, while it follows the story of `tests/vectors/mls_flow.json`."""

from __future__ import annotations

import pytest

from meetings import rooms
from meetings.rooms import DueHistory
from secure.errors import NotFound
from secure.models import HistoryGrant
from tests.flow import NOW, ROOM
from tests.people import AUSTRALIA, THAI_HEAD
from tests.plenary import Plenary

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def test_who_came_in_is_given_what_went_before_if_the_composition_says_so() -> None:
    """Thailand and Australia read from the opening; Bangladesh from its second sitting, so it is owed nothing."""
    world = Plenary().at(3).world
    owed = {card: DueHistory(card, 0, 0) for card in (world.card(THAI_HEAD), world.card(AUSTRALIA))}
    assert set(rooms.due(ROOM).history) == set(owed.values())
    slice_ = {"room_id": ROOM, "from_epoch": 0, "to_epoch": 0, "box": b"sealed", "by": world.card(AUSTRALIA), "at": NOW}
    HistoryGrant.objects.create(card=world.card(THAI_HEAD), **slice_)
    assert rooms.due(ROOM).history == (owed[world.card(AUSTRALIA)],)


def test_a_leaf_without_a_seat_is_due_to_go_and_is_owed_nothing() -> None:
    plenary = Plenary().at(3)
    world = plenary.world
    before = rooms.due(ROOM)
    assert before.remove == ()
    plenary.withdraw()
    after = rooms.due(ROOM)
    assert {each.device for each in after.remove} == {world.stage.devices[f"thai_head {number}"] for number in (1, 2)}
    assert world.card(THAI_HEAD) not in {each.card for each in (*after.add, *after.history)}
    assert after.heads.consultation != before.heads.consultation


def test_a_room_that_does_not_exist_is_not_found() -> None:
    for ask in (rooms.due, rooms.heads, rooms.seated_devices, rooms.standing):
        with pytest.raises(NotFound):
            ask("0" * 64)
