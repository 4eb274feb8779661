"""The Delivery Service orders commits and refuses what clients would refuse."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction

from secure import delivery, departures
from secure.delivery import Standing
from secure.errors import BadInput, Conflict, Forbidden, NotFound, Refusal
from secure.log.encoding import parse_event
from secure.mls_wire import read_commit
from secure.models import Client, Handshake, KeyPackage, LogEvent, Room, RoomItem, RoomLeaf, Welcome
from tests import flow, rooms
from tests.flow import NOW, ROOM, Step
from tests.rooms import after_withdrawal, commit, offer, room_at, seated

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]


def stored() -> tuple[int, ...]:
    """How much the room holds: equal before and after a refusal."""
    room = Room.objects.get(id=ROOM)
    tables = (Handshake, RoomItem, RoomLeaf, Welcome, LogEvent)
    return (room.epoch, room.head, *(table.objects.count() for table in tables))


def submit(step: Step, *, card: str | None = None, standing: Callable[[str], Standing] = seated) -> delivery.Ordered:
    return delivery.submit_commit(room_id=ROOM, card=card or flow.device(step.by).card, offer=offer(step), standing=standing, now=NOW)


def refused(
    step: Step, code: str, kind: type[Refusal], *, card: str | None = None, standing: Callable[[str], Standing] = seated
) -> Refusal:
    before = stored()
    with pytest.raises(kind, match=code) as found:
        submit(step, card=card, standing=standing)
    assert stored() == before
    return found.value


def test_the_whole_story_is_ordered_and_can_be_read_again() -> None:
    room_at(5)
    view = delivery.room_view(ROOM)
    assert (view.epoch, view.head, view.kind) == (5, 5, "plenary")
    assert (view.group_info, view.tree) == (flow.step(4).after.group_info, flow.step(4).after.tree)
    assert delivery.handshakes(room_id=ROOM, since=0, most=50) == [(number, flow.step(number).commit) for number in range(5)]
    assert delivery.handshakes(room_id=ROOM, since=3, most=1) == [(3, flow.step(3).commit)]
    names = {flow.device(name).device: name for name in flow.story()["devices"]}
    assert [(leaf.leaf, names[leaf.device], leaf.since) for leaf in delivery.leaves(ROOM)] == [
        (0, "indonesia 1", 0),
        (1, "australia 1", 1),
        (2, "bangladesh_head 2", 5),
    ]


def test_who_was_added_finds_a_welcome_and_who_came_from_outside_needs_none() -> None:
    room_at(3)
    found = delivery.joining(room_id=ROOM, client_hash=flow.device("bangladesh_head 1").device)
    assert (found.epoch, found.welcome, found.tree) == (3, flow.step(2).welcome, flow.step(2).after.tree)
    commit(flow.step(3))
    with pytest.raises(NotFound):
        delivery.joining(room_id=ROOM, client_hash=flow.device("thai_head 1").device)
    commit(flow.step(4))
    for name in ("bangladesh_head 1", "bangladesh_head 2", "indonesia 1", "outsider 1"):
        with pytest.raises(NotFound):
            delivery.joining(room_id=ROOM, client_hash=flow.device(name).device)


def test_a_removal_is_shown_with_the_commit_that_proves_it() -> None:
    room_at(3)
    device = flow.device("thai_head 1").device
    inside = departures.removal(room_id=ROOM, client_hash=device)
    assert (inside.removed, inside.departed) == (False, None)
    commit(flow.step(3))
    found = departures.removal(room_id=ROOM, client_hash=device)
    assert (found.removed, found.epoch) == (True, 4)
    assert found.departed == departures.Departed(epoch=3, commit=flow.step(3).commit, before=flow.step(2).after, after=flow.step(3).after)
    commit(flow.step(4))
    assert departures.removal(room_id=ROOM, client_hash=device).departed == found.departed


def test_who_never_was_inside_has_no_proof_of_leaving() -> None:
    room_at(1)
    found = departures.removal(room_id=ROOM, client_hash=flow.device("bangladesh_head 1").device)
    assert (found.removed, found.departed) == (True, None)


def test_every_commit_is_on_the_record_with_devices_as_disclosures_only() -> None:
    room_at(1)
    row = LogEvent.objects.get(type="room.epoch")
    assert parse_event(bytes(row.body)).data["epoch"] == 1
    assert flow.device("thai_head 1").device.encode() not in bytes(row.body)
    assert row.people.get().card == flow.device("indonesia 1").card


def test_of_two_commits_of_one_epoch_the_first_wins() -> None:
    room_at(3)
    commit(flow.step(3))
    refusal = refused(flow.refused("too_late"), "stale_epoch", Conflict, standing=after_withdrawal)
    assert refusal.about == {"epoch": 4}
    assert refused(flow.step(3), "stale_epoch", Conflict, standing=after_withdrawal).about == {"epoch": 4}


def test_of_two_at_once_exactly_one_wins() -> None:
    room_at(3)
    steps = [flow.step(3), flow.refused("too_late"), flow.step(3), flow.refused("too_late")]
    won: list[int] = []
    lost: list[str] = []
    start = threading.Barrier(len(steps))

    def race(step: Step) -> None:
        start.wait()
        try:
            won.append(submit(step, standing=lambda _: Standing(rooms.SEATED - rooms.THAI, flow.heads("withdrawn"))).epoch)
        except Refusal as refusal:
            lost.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=race, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (won, lost) == ([4], ["stale_epoch"] * 3)
    assert list(RoomItem.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3, 4]


def test_a_device_without_a_seat_is_not_let_in() -> None:
    room_at(3)
    refused(flow.refused("ghost"), "not_seated", Forbidden)


def test_a_device_whose_seat_is_new_gone_is_not_let_in() -> None:
    room_at(2)
    refused(flow.step(2), "not_seated", Forbidden, standing=lambda _: Standing(rooms.SEATED - rooms.THAI, flow.heads("seated")))


def test_a_commit_by_somebody_without_a_seat_is_refused() -> None:
    room_at(1)
    australia = flow.device("australia 1").device
    refused(flow.step(1), "not_seated", Forbidden, standing=lambda _: Standing(rooms.SEATED - {australia}, flow.heads("seated")))


def test_who_is_seated_is_not_removed_by_others() -> None:
    room_at(3)
    refused(flow.refused("still_seated"), "still_seated", Forbidden)


def test_a_commit_made_before_the_newest_statement_is_refused() -> None:
    room_at(3)
    refused(flow.refused("stale_head"), "stale_head", Conflict, standing=after_withdrawal)
    refused(flow.step(3), "stale_head", Conflict, standing=seated)


def test_nobody_commits_for_somebody_else() -> None:
    room_at(1)
    refused(flow.step(1), "not_this_device", Forbidden, card=flow.device("indonesia 1").card)


def test_a_revoked_device_is_not_let_in() -> None:
    room_at(0)
    Client.objects.filter(hash=flow.device("thai_head 1").device).update(revoked=NOW)
    refused(flow.step(0), "not_seated", Forbidden)


@pytest.mark.parametrize("part", ["commit", "welcome", "group_info", "tree"])
@pytest.mark.parametrize("raw", [b"", b"\0", b"\x00\x01\x00\x01" + b"\xff" * 40, b"hello"], ids=["empty", "zero", "noise", "text"])
def test_malformed_bytes_are_refused_and_nothing_is_stored(part: str, raw: bytes) -> None:
    room_at(0)
    step = flow.step(0)
    own = part in ("commit", "welcome")
    broken = replace(step, **{part: raw}) if own else replace(step, after=replace(step.after, **{part: raw}))  # type: ignore[arg-type]
    refused(broken, "bad_mls", BadInput)


def test_a_room_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        delivery.submit_commit(room_id="00" * 32, card=flow.device("indonesia 1").card, offer=offer(flow.step(0)), standing=seated, now=NOW)
    assert delivery.room_named("00" * 32) is None


def test_a_room_is_opened_once_for_its_consultation_and_by_its_openers_device() -> None:
    rooms.enrol_all()
    with pytest.raises(Forbidden, match="not_this_device"), transaction.atomic():
        open_by("australia 1")
    rooms.open_room()
    with pytest.raises(Conflict, match="room_exists"), transaction.atomic():
        open_by("indonesia 1")
    assert [room.room for room in delivery.rooms_of(rooms.CONSULTATION)] == [ROOM]


def open_by(name: str) -> None:
    delivery.open_room(
        room_id=ROOM,
        scope=rooms.CONSULTATION,
        kind="plenary",
        group_info=flow.opening().group_info,
        tree=flow.opening().tree,
        client_hash=flow.device(name).device,
        now=NOW,
    )


def test_a_key_package_that_was_used_is_gone() -> None:
    room_at(0)
    assert not KeyPackage.objects.exists()
    client = Client.objects.get(hash=flow.device("australia 1").device)
    used = next(package.ref for package in read_commit(flow.step(0).commit).adds if package.leaf.device == client.hash)
    for ref, last_resort in ((used, False), ("aa" * 64, False)):
        KeyPackage.objects.create(ref=ref, client=client, body=b"", expires=NOW + timedelta(days=1), last_resort=last_resort)
    commit(flow.step(0))
    assert list(KeyPackage.objects.values_list("ref", flat=True)) == ["aa" * 64]
