"""Group commit: acknowledged means durable, numbered and there once; a refusal leaves nothing and disturbs nobody."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secure import items, limits
from secure.content import Submission
from secure.delivery import Standing
from secure.errors import BadInput, Conflict, Forbidden, NotFound, Refusal, TooLarge
from secure.keys import ReceiptKey
from secure.log import events, jcs
from secure.log.receipts import verify_receipt
from secure.models import Client, DeviceCounter, LogEvent, PendingEvent, Room, RoomItem
from secure.writer import Receipt, Writer, write_batch
from tests import flow, rooms
from tests.flow import NOW, ROOM
from tests.rooms import Sender, after_withdrawal, commit, room_at, seated

KEY = ReceiptKey("consult.test/log/receipts", Ed25519PrivateKey.generate())

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]


@pytest.fixture
def room() -> None:
    """Epoch 3: Indonesia at leaf 0, Australia 1, Thailand 2 and 3, Bangladesh 4."""
    room_at(3)


@pytest.fixture
def writer() -> Iterator[Writer]:
    made = Writer(standing=seated, clock=lambda: NOW, key=KEY)
    yield made
    made.stop()


def indonesia() -> Sender:
    return Sender("indonesia 1", leaf=0)


def write(*submissions: Submission, standing: object = seated, now: object = NOW) -> list[Receipt | Refusal]:
    outcomes, _ = write_batch(submissions, standing=standing, now=now)  # type: ignore[arg-type]
    return outcomes


def only(outcomes: list[Receipt | Refusal]) -> Receipt:
    (outcome,) = outcomes
    assert isinstance(outcome, Receipt), outcome
    return outcome


def stored() -> tuple[object, ...]:
    counts = [table.objects.count() for table in (RoomItem, LogEvent, PendingEvent)]
    return (*counts, Room.objects.get(id=ROOM).head, *DeviceCounter.objects.order_by("pk").values_list("dseq", "last"))


def refused(submission: Submission, code: str, kind: type[Refusal], **options: object) -> Refusal:
    before = stored()
    (outcome,) = write(submission, **options)  # type: ignore[arg-type]
    assert isinstance(outcome, kind)
    assert outcome.code == code
    assert stored() == before
    return outcome


def test_an_object_is_numbered_kept_as_it_came_and_recorded(room: None) -> None:
    sealed = indonesia().sealed(epoch=3)
    receipt = only(write(sealed))
    assert receipt == Receipt(sealed.message_id, 4, events.milliseconds(NOW), hashlib.sha256(sealed.event).digest())
    page = items.items_since(room_id=ROOM, since=3, most=10, head=4)
    (item,) = items.as_objects(page.items)
    assert (item["seq"], item["kind"], item["id"], item["device"]) == (4, "content", sealed.message_id, sealed.device)
    event = LogEvent.objects.get(type="message.sent")
    assert bytes(event.body) == sealed.event
    assert event.pending is not None


def test_the_same_id_again_answers_the_first_acknowledgement(room: None) -> None:
    sender = indonesia()
    sealed = sender.sealed(epoch=3)
    first = only(write(sealed))
    after = stored()
    assert only(write(sealed, now=NOW + timedelta(hours=1))) == first
    assert only(write(sender.signed(sealed, epoch=3))) == replace(first, event=None)
    assert stored() == after


def test_ten_copies_in_one_batch_are_stored_once(room: None) -> None:
    sealed = indonesia().sealed(epoch=3)
    outcomes = write(*[sealed] * 10)
    assert len({repr(outcome) for outcome in outcomes}) == 1
    assert RoomItem.objects.filter(kind="content").count() == 1


def test_another_object_under_a_known_id_is_refused(room: None) -> None:
    sender = indonesia()
    sealed = sender.sealed(epoch=3)
    write(sealed)
    refused(sender.signed(replace(sealed, box=secrets.token_bytes(272)), epoch=3), "id_taken", Conflict)
    other = Sender("australia 1", leaf=1)
    copied = other.sealed(epoch=3)
    header = jcs.encode({**jcs.decode_object(copied.header), "id": sealed.message_id})
    refused(other.signed(replace(copied, header=header, message_id=sealed.message_id), epoch=3), "id_taken", Conflict)


def test_a_devices_events_come_strictly_in_its_own_order(room: None) -> None:
    sender = indonesia()
    only(write(sender.sealed(epoch=3)))
    ahead = sender.sealed(epoch=3, dseq=3)
    assert refused(ahead, "dseq_expected", Conflict).about == {"expected": 2}
    only(write(sender.signed(ahead, epoch=3)))
    assert refused(sender.sealed(epoch=3, dseq=1), "dseq_expected", Conflict).about == {"expected": 3}


def test_a_refused_message_does_not_disturb_the_others_of_its_batch(room: None) -> None:
    first, second, third = indonesia(), Sender("australia 1", leaf=1), Sender("bangladesh_head 1", leaf=4)
    bad = second.sealed(epoch=3)
    outcomes = write(first.sealed(epoch=3), replace(bad, event=b"{}"), replace(bad, room="00" * 32), third.sealed(epoch=3))
    assert [getattr(outcome, "seq", None) or getattr(outcome, "code", None) for outcome in outcomes] == [4, "bad_event", "not_found", 5]
    assert list(RoomItem.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3, 4, 5]
    assert Room.objects.get(id=ROOM).head == 5


def test_each_acknowledgement_carries_a_receipt_for_the_event_that_was_recorded(room: None, writer: Writer) -> None:
    sender = indonesia()
    sealed = sender.sealed(epoch=3)
    first = writer.submit(sealed).result(timeout=20)
    assert first.signed is not None
    assert first.signed.t == first.at
    verify_receipt(first.signed, event=hashlib.sha256(sealed.event).digest(), verifier=KEY.verifier)
    assert LogEvent.objects.filter(hash=hashlib.sha256(sealed.event).hexdigest()).exists()
    assert writer.submit(sealed).result(timeout=20) == first
    other = sender.signed(sealed, epoch=3)
    assert writer.submit(other).result(timeout=20).signed is None, "an event that was not recorded gets no receipt"


def test_an_unforeseen_failure_keeps_nothing_of_its_message_and_lets_the_others_through(room: None, writer: Writer) -> None:
    good, other = indonesia(), Sender("australia 1", leaf=1)
    failing = other.sealed(epoch=3)

    def standing(room_id: str) -> Standing:
        if failing.message_id in waiting:
            raise RuntimeError("unforeseen")
        return seated(room_id)

    waiting = {failing.message_id}
    broken = Writer(standing=standing, clock=lambda: NOW, key=KEY)
    with pytest.raises(RuntimeError, match="unforeseen"):
        broken.submit(failing).result(timeout=20)
    waiting.clear()
    assert broken.submit(good.sealed(epoch=3)).result(timeout=20).seq == 4
    assert broken.submit(failing).result(timeout=20).seq == 5
    broken.stop()


BROKEN_HEADERS: dict[str, dict[str, object]] = {
    "another room": {"room": "11" * 32},
    "another device": {"device": flow.device("australia 1").device},
    "another's leaf": {"leaf": 1},
    "a leaf that is not there": {"leaf": 99},
    "another id": {"id": "22" * 16},
    "a version to come": {"v": 2},
    "an unknown member": {"hidden": 1},
    "a number of no message": {"n": 0},
    "prev that is no hash": {"prev": "zz"},
    "heads that are no heads": {"heads": {"room": ROOM}},
    "an epoch that is no number": {"epoch": "3"},
    "a commitment that is no text": {"commitment": None},
}


@pytest.mark.parametrize("name", BROKEN_HEADERS)
def test_a_header_that_says_anything_amiss_is_refused(room: None, name: str) -> None:
    sender = indonesia()
    sealed = sender.sealed(epoch=3)
    header = jcs.encode({**jcs.decode_object(sealed.header), **BROKEN_HEADERS[name]})
    refused(sender.signed(replace(sealed, header=header), epoch=3), "bad_object", BadInput)


@pytest.mark.parametrize("header", [b"", b"{}", b"[]", b"\xff", b'{"v": 1}', b"not json"])
def test_a_header_that_is_not_canonical_is_refused(room: None, header: bytes) -> None:
    sender = indonesia()
    refused(sender.signed(replace(sender.sealed(epoch=3), header=header), epoch=3), "bad_object", BadInput)


@pytest.mark.parametrize(
    "said",
    [{"ct_sha256": "00" * 32}, {"ct_len": 1}, {"epoch": 2}, {"seq_id": "33" * 16}, {"text": "in the clear"}],
    ids=["hash", "length", "epoch", "id", "something besides"],
)
def test_an_event_about_anything_else_is_refused(room: None, said: dict[str, object]) -> None:
    sender = indonesia()
    refused(sender.signed(sender.sealed(epoch=3), epoch=3, said=said), "bad_event", BadInput)


def test_an_event_signed_by_another_device_is_refused(room: None) -> None:
    sender, other = indonesia(), Sender("australia 1", leaf=1)
    sealed = sender.sealed(epoch=3)
    refused(replace(sealed, event=other.signed(sealed, epoch=3).event), "bad_event", BadInput)
    place = events.author_place(ns=ROOM, client_hash=sender.device.device)
    value = jcs.decode_object(sender.event(place, dict(jcs.decode_object(sealed.event)["data"])))  # type: ignore[call-overload]
    author = value["author"]
    assert isinstance(author, dict)
    broken = jcs.encode({**value, "author": {**author, "sig": author["sig"][:-8] + "AAAAAA=="}})
    refused(replace(sealed, event=broken), "bad_signature", BadInput)


@pytest.mark.parametrize("event", [b"", b"{}", b"\xff\xfe", b"[" * 3000], ids=["empty", "nothing", "not text", "deep"])
def test_an_event_that_is_none_is_refused(room: None, event: bytes) -> None:
    refused(replace(indonesia().sealed(epoch=3), event=event), "bad_event", BadInput)


def test_what_is_too_large_is_refused(room: None) -> None:
    sealed = indonesia().sealed(epoch=3)
    refused(replace(sealed, box=bytes(limits.BOX_BYTES + 1)), "object_too_large", TooLarge)
    refused(replace(sealed, header=bytes(limits.HEADER_BYTES + 1)), "object_too_large", TooLarge)


def test_a_room_that_is_not_there_is_not_found(room: None) -> None:
    refused(replace(indonesia().sealed(epoch=3), room="00" * 32), "not_found", NotFound)


def test_a_device_without_a_seat_cannot_send(room: None) -> None:
    device = flow.device("indonesia 1").device
    refused(
        indonesia().sealed(epoch=3), "not_seated", Forbidden, standing=lambda _: Standing(rooms.SEATED - {device}, flow.heads("seated"))
    )


def test_a_revoked_device_cannot_send(room: None) -> None:
    sealed = indonesia().sealed(epoch=3)
    Client.objects.filter(hash=sealed.device).update(revoked=NOW)
    refused(sealed, "not_seated", Forbidden)


def test_an_epoch_to_come_or_long_past_is_refused_with_the_present_one(room: None) -> None:
    for epoch in (0, 1, 4, 2**40):
        assert refused(indonesia().sealed(epoch=epoch), "stale_epoch", Conflict).about == {"epoch": 3}


def test_after_a_commit_that_removed_nobody_the_former_epoch_lasts_half_a_minute(room: None) -> None:
    sender = indonesia()
    only(write(sender.sealed(epoch=2), now=NOW + limits.EPOCH_GRACE))
    refused(sender.sealed(epoch=2), "stale_epoch", Conflict, now=NOW + limits.EPOCH_GRACE + timedelta(milliseconds=1))


def test_nothing_is_taken_while_the_tree_holds_somebody_without_a_seat(room: None) -> None:
    for epoch in (2, 3):
        refused(indonesia().sealed(epoch=epoch), "removal_due", Conflict, standing=after_withdrawal)
    refused(Sender("thai_head 1", leaf=2).sealed(epoch=3), "not_seated", Forbidden, standing=after_withdrawal)


def test_after_a_removal_the_former_epoch_is_closed_at_once(room: None) -> None:
    commit(flow.step(3))
    sender = indonesia()
    refused(sender.sealed(epoch=3), "stale_epoch", Conflict, standing=after_withdrawal)
    assert only(write(sender.sealed(epoch=4), standing=after_withdrawal)).seq == 5


def test_numbers_have_no_gaps_whatever_was_refused_between(room: None, writer: Writer) -> None:
    sender, other = indonesia(), Sender("australia 1", leaf=1)
    futures = []
    for turn in range(12):
        sealed = sender.sealed(epoch=3, dseq=None) if turn % 3 else other.sealed(epoch=3)
        futures.append(writer.submit(sealed if turn % 4 else replace(sealed, event=b"{}")))
        if turn % 4:
            futures[-1].result(timeout=20)
    receipts = [future.result(timeout=20) for future in futures if future.exception(timeout=20) is None]
    assert [receipt.seq for receipt in receipts] == list(range(4, 4 + len(receipts)))
    assert len(receipts) == 9
    bodies = RoomItem.objects.order_by("seq").values_list("seq", "body")
    assert [(seq, json.loads(body)["seq"]) for seq, body in bodies] == [(seq, seq) for seq in range(1, 13)]


def test_what_waits_is_written_before_the_writer_stops_and_it_can_begin_again(room: None, writer: Writer) -> None:
    future = writer.submit(indonesia().sealed(epoch=3))
    writer.stop()
    assert future.result(timeout=0).seq == 4
    assert writer.submit(indonesia().sealed(epoch=3)).result(timeout=20).seq == 5
