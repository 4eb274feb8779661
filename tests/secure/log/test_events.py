from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from secure.errors import BadInput, Conflict, Refusal
from secure.log import events
from secure.log.disclosures import Personal, opened
from secure.log.encoding import b64, parse_event
from secure.models import Account, Checkpoint, DeviceCounter, Disclosure, LogEvent, LogLeaf, Namespace, PendingEvent, RecoveryBox
from tests.secure.log.devices import Device

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)
ROOM = "5a" * 32


def opened_room() -> LogEvent:
    return events.record_state(ns=ROOM, type="room.open", statement=ROOM, at=NOW)


def send(device: Device, raw: bytes | None = None, **expected: str) -> None:
    raw = raw or device.event(events.author_place(ns=ROOM, client_hash=device.hash))
    events.record_client(
        raw=raw, client_hash=device.hash, public_key=device.public_key, at=NOW, **({"expect_type": "message.sent"} | expected)
    )


def test_the_first_event_of_a_namespace_fixes_slot_and_salt_and_no_later_one_does() -> None:
    first, second = opened_room(), events.record_host(ns=ROOM, type="room.served", data={}, at=NOW)
    namespace = Namespace.objects.get(scope=ROOM)
    written = parse_event(bytes(first.body)).data
    assert written["slot"] == namespace.slot
    assert written["statement"] == ROOM
    assert set(parse_event(bytes(second.body)).data) == {"_sd"}
    assert PendingEvent.objects.count() == 2


def test_names_are_recorded_as_digests_only() -> None:
    about = [Personal("person", "Julie Bishop", "5c" * 32)]
    row = events.record_host(ns=events.HOST, type="session.failed", data={}, at=NOW, names=about, party="AUS")
    assert b"Bishop" not in bytes(row.body)
    kept = Disclosure.objects.get(event=row)
    assert b"Bishop" not in bytes(kept.box)
    first = {"slot": row.namespace.slot, "salt": b64(bytes(row.namespace.salt))}
    assert parse_event(bytes(row.body)).data == {"_sd": [kept.digest], "party": "AUS", **first}
    (found,) = opened(Disclosure.objects.filter(event=row).select_related("event"))
    assert (found.name, found.value, found.subject, found.holds) == ("person", "Julie Bishop", "5c" * 32, True)


def test_a_devices_events_count_and_chain() -> None:
    opened_room()
    device, other = Device(), Device()
    assert events.author_place(ns=ROOM, client_hash=device.hash).dseq == 1
    for _ in range(3):
        send(device)
    send(other)
    assert events.author_place(ns=ROOM, client_hash=device.hash).dseq == 4
    assert events.author_place(ns=ROOM, client_hash=other.hash).dseq == 2


def test_the_same_event_twice_or_out_of_turn_is_told_the_expected_number() -> None:
    opened_room()
    device = Device()
    first = device.event(events.author_place(ns=ROOM, client_hash=device.hash))
    send(device, first)
    place = events.author_place(ns=ROOM, client_hash=device.hash)
    for raw in (first, device.event(place, dseq=3), device.event(place, dprev="A" * 43 + "=")):
        with pytest.raises(Conflict, match="dseq_expected") as caught:
            send(device, raw)
        assert caught.value.about == {"expected": 2}
    assert LogEvent.objects.filter(src="client").count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "room.open"},
        {"src": "host"},
        {"ns": "00" * 16},
        {"kid": "A" * 43 + "="},
        {"dseq": 0},
        {"seen": [5, "A" * 43 + "="]},
        {"seen": [0, "A" * 43 + "="]},
        {"data": {"slot": 1, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}},
        {"v": 2},
        {"extra": 1},
    ],
)
def test_a_device_event_with_anything_amiss_is_refused_and_leaves_nothing(changes: dict[str, object]) -> None:
    opened_room()
    device = Device()
    raw = device.event(events.author_place(ns=ROOM, client_hash=device.hash), **changes)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        send(device, raw)
    assert not DeviceCounter.objects.exists()
    assert LogEvent.objects.count() == 1


def test_an_event_signed_by_another_device_is_refused() -> None:
    opened_room()
    device, thief = Device(), Device()
    raw = json.loads(device.event(events.author_place(ns=ROOM, client_hash=device.hash)))
    raw["author"]["sig"] = json.loads(thief.event(events.author_place(ns=ROOM, client_hash=device.hash)))["author"]["sig"]
    with pytest.raises(BadInput, match="bad_signature"):
        send(device, json.dumps(raw, sort_keys=True, separators=(",", ":")).encode())


def test_an_event_belongs_to_the_namespace_it_is_expected_in() -> None:
    opened_room()
    events.record_state(ns="6b" * 32, type="room.open", statement="6b" * 32, at=NOW)
    with pytest.raises(BadInput, match="bad_event"):
        send(Device(), expect_ns="6b" * 32)


def test_a_device_cannot_found_a_namespace() -> None:
    with pytest.raises(BadInput, match="bad_event"):
        events.author_place(ns="7c" * 32, client_hash="00" * 32)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_recorded_outside_the_transaction_of_its_act() -> None:
    with pytest.raises(RuntimeError):
        opened_room()
    assert not LogEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "wrong", [{"type": "Not A Type"}, {"data": {"Key": 1}}, {"data": {"word": 1.5}}, {"names": [Personal("person", "\ud800", "5c" * 32)]}]
)
def test_an_act_whose_event_cannot_be_written_does_not_happen(wrong: dict[str, object]) -> None:
    account = Account.objects.create(sign_in_name="retno", name="Retno Marsudi")

    @transaction.atomic
    def act() -> None:
        RecoveryBox.objects.create(account=account, box=b"sealed", number=1, at=NOW)
        event = {"ns": events.HOST, "type": "recovery.replaced", "data": {}, "at": NOW} | wrong
        events.record_host(**event)  # type: ignore[arg-type]

    with pytest.raises(Refusal):
        act()
    assert not RecoveryBox.objects.exists()
    assert not LogEvent.objects.exists()
    assert not Namespace.objects.exists()


@pytest.mark.parametrize("statement", ["UPDATE {} SET body = body", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["secure_logevent", "secure_logleaf", "secure_checkpoint"])
def test_the_database_refuses_to_change_or_delete_what_was_recorded(table: str, statement: str) -> None:
    row = opened_room()
    PendingEvent.objects.all().delete()
    LogLeaf.objects.create(index=0, event=row, body=b"{}")
    Checkpoint.objects.create(size=1, root="00" * 32, note=b"note", at=NOW)
    sql = statement.format(table).replace("body = body", "root = root") if table.endswith("checkpoint") else statement.format(table)
    with pytest.raises(DatabaseError, match="written once"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
