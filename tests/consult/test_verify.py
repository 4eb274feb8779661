"""`consult verify` on a database of real acts, before and after its owner has been at it."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live
from django.db import connection, transaction

from consult import verify
from secure import chains, statements
from secure.keys import load_vkeys
from secure.log import events, jcs, policies, policy_chain, store
from secure.log.disclosures import Boxed, Personal, box_of
from secure.log.encoding import parse_event
from secure.log.sequencer import Sequencer
from secure.models import Card, Checkpoint, Disclosure, LogEvent, LogLeaf, LogTile, PendingEvent, StatementRow
from tests.people import AUSTRALIA, INDONESIA, THAILAND
from tests.secure.log.devices import Device, text
from tests.secure.log.logs import Log, make_log
from tests.secure.log.tampering import without_triggers
from tests.stage import Stage
from tests.world import NOW, World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]


@pytest.fixture
def log(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    settings.CONSULT_LOG_VKEYS = tmp_path / "log.vkey"
    made = make_log(tmp_path, origin=settings.CONSULT_ORIGIN)
    monkeypatch.setattr("tests.stage.LOG", made.vkey)
    return made


@pytest.fixture
def sequencer(log: Log) -> Sequencer:
    return log.sequencer()


@pytest.fixture
def stage(sequencer: Sequencer) -> Iterator[Stage]:
    """An installation, a focal point, two device events and a host's event with a name; all of it signed for."""
    stage = Stage()
    stage.found()
    stage.enrol(THAILAND)
    stage.focal_point(THAILAND)
    world = World(stage)
    send(stage)
    settle(sequencer)
    send(stage)
    with transaction.atomic():
        about = [Personal("person", world.account(THAILAND).name, world.card(THAILAND))]
        events.record_host(ns=events.HOST, type="session.began", data={}, at=NOW, names=about)
    settle(sequencer)
    return stage


def send(stage: Stage) -> None:
    """An event of Indonesia's device that names the newest checkpoint."""
    device = Device()
    device.key, device.hash = INDONESIA.device_key(), stage.devices["indonesia 1"]
    device.public_key = device.key.public_key().public_bytes_raw()
    inst = stage.chains.installation[0].scope_name
    newest = store.published()
    seen: list[object] | None = [newest.size, text(newest.root)] if newest else None
    raw = device.event(events.author_place(ns=inst, client_hash=device.hash), seen=seen)
    with transaction.atomic():
        events.record_client(raw=raw, client_hash=device.hash, public_key=device.public_key, at=NOW, expect_type="message.sent")


def settle(sequencer: Sequencer) -> None:
    sequencer.drain(NOW)
    sequencer.publish(NOW)


def verified() -> tuple[int, str]:
    out = io.StringIO()
    return verify.run(out), out.getvalue()


def checks() -> set[int]:
    verifiers = load_vkeys(live.CONSULT_LOG_VKEYS, origin=live.CONSULT_ORIGIN)
    return {fault.check for fault in verify.verify(verifiers=verifiers).faults}


def sql(statement: str, *values: object) -> None:
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def altered(raw: bytes, old: bytes, new: bytes) -> bytes:
    raw = bytes(raw)
    assert old in raw
    return raw.replace(old, new)


@pytest.mark.usefixtures("stage")
def test_an_untouched_record_is_verified_and_says_up_to_where() -> None:
    code, said = verified()
    newest = store.published()
    assert newest is not None
    assert code == verify.VERIFIED, said
    assert f"VERIFIED up to entry {newest.size - 1}" in said
    assert "FAULT" not in said


@pytest.mark.usefixtures("log")
def test_an_empty_record_has_nothing_to_verify_against() -> None:
    code, said = verified()
    assert code == verify.VERIFIED
    assert "No checkpoint has been signed yet" in said


@pytest.mark.usefixtures("stage")
def test_entries_without_any_checkpoint_are_not_called_verified() -> None:
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM secure_checkpoint")
    code, said = verified()
    assert code == verify.UNUSABLE
    assert "No checkpoint has been signed yet" in said


def test_without_the_logs_key_nothing_is_said_about_the_record(settings: Any, tmp_path: Path) -> None:
    settings.CONSULT_LOG_VKEYS = tmp_path / "absent"
    assert verified()[0] == verify.UNUSABLE


def test_newer_entries_are_counted_and_not_called_verified(stage: Stage) -> None:
    send(stage)
    code, said = verified()
    assert code == verify.VERIFIED
    assert "1 newer entries" in said


def test_a_name_that_was_erased_is_no_fault(stage: Stage) -> None:
    Disclosure.objects.all().delete()
    assert checks() == set()


def test_a_policy_that_was_recorded_and_taken_away_is_missed(log: Log, sequencer: Sequencer, stage: Stage) -> None:
    policies.begin(policy_chain.first(log.verifiers, sign=log.signer.sign_policy), log=log.verifiers[0], now=NOW)
    settle(sequencer)
    assert checks() == set()
    sql("DELETE FROM secure_logpolicy")
    assert checks() == {verify.POLICY}


def row(src: str) -> LogEvent:
    return LogEvent.objects.filter(src=src, leaf__isnull=False).order_by("pk").last()  # type: ignore[return-value]


def change_event() -> None:
    event = row("host")
    sql("UPDATE secure_logevent SET body = %s WHERE id = %s", altered(event.body, b"session.began", b"session.ended"), event.pk)


def change_device_event() -> None:
    event = row("client")
    sql("UPDATE secure_logevent SET body = %s WHERE id = %s", altered(event.body, b'"ct_len":300', b'"ct_len":301'), event.pk)


def delete_event() -> None:
    event = row("client")
    sql("UPDATE secure_logleaf SET event_id = NULL WHERE event_id = %s", event.pk)
    sql("DELETE FROM secure_logevent WHERE id = %s", event.pk)


def change_leaf() -> None:
    leaf = LogLeaf.objects.order_by("index")[3]
    sql('UPDATE secure_logleaf SET body = %s WHERE "index" = 3', altered(leaf.body, b'"t":1', b'"t":2'))


def delete_leaf() -> None:
    sql('DELETE FROM secure_logleaf WHERE "index" = 3')


def cut_the_tail() -> None:
    last = LogLeaf.objects.order_by("-index")[0].index
    sql('DELETE FROM secure_logleaf WHERE "index" >= %s', last - 1)


def change_tile() -> None:
    tile = LogTile.objects.get(level=0, n=0)
    hashes = bytes(tile.hashes)
    sql("UPDATE secure_logtile SET hashes = %s", hashes[:32] + bytes([hashes[32] ^ 1]) + hashes[33:])


def change_checkpoint_root() -> None:
    sql("UPDATE secure_checkpoint SET root = %s", "00" * 32)


def change_checkpoint_note() -> None:
    last = Checkpoint.objects.order_by("-size")[0]
    note = altered(last.note, f"\n{last.size}\n".encode(), f"\n{last.size - 1}\n".encode())
    sql("UPDATE secure_checkpoint SET note = %s WHERE size = %s", note, last.size)


def change_head() -> None:
    sql("UPDATE secure_loghead SET frontier = %s", bytes(64))


def change_namespace_count() -> None:
    sql("UPDATE secure_namespace SET count = count - 1 WHERE scope = %s", "host")


def change_device_counter() -> None:
    sql("UPDATE secure_devicecounter SET dseq = dseq - 1")


def keep_an_event_out_of_the_log() -> None:
    with transaction.atomic():
        events.record_host(ns=events.HOST, type="session.began", data={}, at=NOW)
    PendingEvent.objects.all().delete()


def stored(type: str) -> StatementRow:
    return StatementRow.objects.get(type=type)


def change_statement() -> None:
    found = stored("party.key")
    sql("UPDATE secure_statementrow SET body = %s WHERE hash = %s", altered(found.body, b'"THA"', b'"NZL"'), found.hash)


def change_signature() -> None:
    found = stored("party.key")
    signed = json.loads(bytes(found.body))
    signed["signatures"][0][1] = signed["signatures"][1][1]
    body = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
    sql("UPDATE secure_statementrow SET body = %s WHERE hash = %s", body, found.hash)


def delete_last_statement() -> None:
    sql("DELETE FROM secure_statementrow WHERE hash = %s", stored("party.key").hash)


def delete_first_statement() -> None:
    sql("DELETE FROM secure_statementrow WHERE hash = %s", stored("chairs.root").hash)


def slip_in_a_statement() -> None:
    found = stored("party.key")
    signed = statements.parse_signed(jcs.decode(bytes(found.body)))
    ghost = statements.Statement("party.key", signed.statement.inst, found.scope, 2, found.hash, None, statements.new_nonce(), {})
    one, two = sorted(signed.cards)
    twice = statements.cosign(statements.sign(ghost, card=one, key=INDONESIA.key), card=two, key=AUSTRALIA.key)
    body = jcs.encode(statements.encode_signed(twice))
    StatementRow.objects.create(hash=twice.hash, type="party.key", scope=found.scope, n=2, prev=found.hash, body=body, at=NOW)


def accept_what_one_chair_signed_alone() -> None:
    """The host writes it as properly as any: chain, event and signature hold. Only the rules do not allow it."""
    found = stored("party.key")
    former = statements.parse_signed(jcs.decode(bytes(found.body))).statement
    body = {**former.body, "former": "retired"}
    alone = statements.Statement("party.key", former.inst, found.scope, 2, found.hash, None, statements.new_nonce(), body)
    card = Card.objects.get(account__sign_in_name=INDONESIA.id)
    with transaction.atomic():
        chains.append(signed=statements.sign(alone, card=card.hash, key=INDONESIA.key), now=NOW)


def change_name() -> None:
    """The host has the keys: it boxes another name properly, under the digest that stands in the event."""
    kept = Disclosure.objects.select_related("event").order_by("pk")[0]
    event = parse_event(bytes(kept.event.body))
    other = Boxed(Personal("person", "Somebody Else", kept.subject), bytes(32), kept.digest)
    Disclosure.objects.filter(pk=kept.pk).update(box=box_of(other, tag=event.ns, event_id=event.id))


def add_name() -> None:
    """A value that no event ever held, in a row of its own."""
    kept = Disclosure.objects.order_by("pk")[0]
    Disclosure.objects.create(event=kept.event, digest="A" * 43 + "=", subject=kept.subject, box=bytes(kept.box))


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (change_event, {5}),
        (change_device_event, {5, 7}),
        (delete_event, {5}),
        (change_leaf, {11, 12}),
        (delete_leaf, {1}),
        (cut_the_tail, {1}),
        (change_tile, {12}),
        (change_checkpoint_root, {11}),
        (change_checkpoint_note, {11}),
        (change_head, {verify.STORED}),
        (change_namespace_count, {verify.STORED}),
        (change_device_counter, {verify.STORED}),
        (keep_an_event_out_of_the_log, {verify.STORED}),
        (change_statement, {verify.STATEMENT}),
        (change_signature, {verify.SIGNATURE}),
        (delete_last_statement, {verify.EVENT_OF_STATEMENT}),
        (delete_first_statement, {verify.STATEMENT, verify.EVENT_OF_STATEMENT}),
        (slip_in_a_statement, {verify.EVENT_OF_STATEMENT}),
        (accept_what_one_chair_signed_alone, {verify.RULES}),
        (change_name, {verify.DISCLOSURE}),
        (add_name, {verify.DISCLOSURE}),
    ],
)
@pytest.mark.usefixtures("stage")
def test_whatever_the_databases_owner_changes_is_found(tamper: Any, expected: set[int]) -> None:
    tamper()
    assert checks() >= expected
    code, said = verified()
    assert code == verify.TAMPERED
    assert "NOT VERIFIED" in said


def test_a_log_rewritten_with_its_own_key_is_found_by_whoever_kept_a_checkpoint(stage: Stage, log: Log) -> None:
    kept = store.published()
    assert kept is not None
    first = Checkpoint.objects.order_by("size")[0]
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM secure_checkpoint WHERE size > %s", [first.size])
        cursor.execute('DELETE FROM secure_logleaf WHERE "index" >= %s', [first.size])
    out = io.StringIO()
    assert verify.run(out, pin=(kept.size, kept.root)) == verify.TAMPERED
    assert "cut or forked" in out.getvalue()


def test_another_logs_key_verifies_nothing(stage: Stage, settings: Any, tmp_path: Path) -> None:
    settings.CONSULT_LOG_VKEYS = tmp_path / "other" / "log.vkey"
    make_log(tmp_path / "other", origin=settings.CONSULT_ORIGIN)
    assert checks() == {11, verify.SIGNATURE, verify.GENESIS}


def test_verifying_does_not_hold_up_an_act(stage: Stage, sequencer: Sequencer) -> None:
    with store.snapshot():
        before = store.head().size

        def act() -> None:
            send(stage)
            sequencer.drain(NOW + timedelta(seconds=1))
            connection.close()

        thread = threading.Thread(target=act)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert store.head().size == before
    assert store.head().size == before + 1
