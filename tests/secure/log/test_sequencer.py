from __future__ import annotations

import hashlib
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from secure.log import events, store
from secure.log.checkpoint import open_checkpoint
from secure.log.encoding import parse_event
from secure.log.leaves import EntryLeaf, StateLeaf, parse_leaf
from secure.log.merkle import leaf_hash, root_hash, verify_consistency, verify_inclusion
from secure.log.note import open_note
from secure.log.sequencer import DamagedError, FencedError, Sequencer
from secure.log.sequencer_thread import SequencerThread
from secure.models import Checkpoint, LogEvent, LogHead, LogLeaf, LogTile, Namespace, PendingEvent
from tests.secure.log.logs import Log, make_log
from tests.secure.log.tampering import without_triggers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return make_log(tmp_path)


@pytest.fixture
def sequencer(log: Log) -> Sequencer:
    return log.sequencer()


def act(name: str = events.HOST, times: int = 1) -> None:
    with transaction.atomic():
        for _ in range(times):
            events.record_host(ns=name, type="session.began", data={}, at=NOW)


def leaves() -> list[EntryLeaf | StateLeaf]:
    return [parse_leaf(entry.leaf) for entry in store.entries(0, store.head().size)]


def recomputed(size: int) -> bytes:
    return root_hash(leaf_hash(entry.leaf) for entry in store.entries(0, size))


def test_acts_get_places_and_every_checkpoint_ends_in_a_state_leaf(sequencer: Sequencer, log: Log) -> None:
    act("a" * 64, 2)
    act("b" * 64)
    assert sequencer.drain(NOW) == 3
    checkpoint = sequencer.publish(NOW)
    assert checkpoint is not None
    head = open_checkpoint(checkpoint.note, log.verifiers)
    assert (head.size, head.root) == (5, recomputed(5))
    assert set(open_note(checkpoint.note, log.verifiers).signed_by) == set(log.verifiers)
    assert [type(leaf) for leaf in leaves()] == [EntryLeaf, EntryLeaf, EntryLeaf, EntryLeaf, StateLeaf]
    assert not PendingEvent.objects.exists()


def test_the_log_begins_by_naming_its_keys(sequencer: Sequencer, log: Log) -> None:
    act()
    sequencer.drain(NOW)
    first = next(store.entries(0, 1))
    assert first.event is not None
    event = parse_event(first.event)
    ed25519, mldsa = log.verifiers
    named = {name: event.data[name] for name in ("origin", "log", "mldsa", "receipts")}
    assert (event.type, event.src) == ("log.genesis", "host")
    assert named == {"origin": log.origin, "log": ed25519.vkey, "mldsa": mldsa.vkey, "receipts": log.receipts.verifier.vkey}
    log.sequencer().publish(NOW)
    assert LogEvent.objects.filter(type="log.genesis").count() == 1


def test_a_namespace_counts_without_gaps_and_chains_its_leaves(sequencer: Sequencer) -> None:
    for _ in range(5):
        act("a" * 64)
        act("b" * 64, 2)
        sequencer.drain(NOW)
        sequencer.publish(NOW)
    tag = Namespace.objects.get(scope="b" * 64).tag
    count, head = 0, bytes(32)
    for entry in store.entries(0, store.head().size):
        leaf = parse_leaf(entry.leaf)
        if isinstance(leaf, EntryLeaf) and leaf.ns == tag:
            assert (leaf.cseq, leaf.cprev) == (count + 1, head)
            count, head = leaf.cseq, leaf_hash(entry.leaf)
    assert count == 10


def test_time_never_goes_back_though_the_clock_does(sequencer: Sequencer) -> None:
    act()
    sequencer.drain(NOW)
    act()
    sequencer.drain(NOW - timedelta(days=1))
    sequencer.publish(NOW - timedelta(days=2))
    assert {leaf.t for leaf in leaves()} == {events.milliseconds(NOW)}


def test_an_unchanged_log_is_signed_once(sequencer: Sequencer) -> None:
    assert sequencer.publish(NOW) is not None
    assert sequencer.drain(NOW) == 0
    assert sequencer.publish(NOW + timedelta(hours=1)) is None
    assert Checkpoint.objects.count() == 1


def test_proofs_from_stored_tiles_hold_across_tile_borders(sequencer: Sequencer) -> None:
    heads = []
    for batch in (1, 254, 3, 300, 20):
        act(times=batch)
        sequencer.drain(NOW)
        newest = sequencer.publish(NOW)
        assert newest is not None
        heads.append(newest)
    last = heads[-1]
    for index in (0, 200, 255, 256, 511, 512, last.size - 1):
        leaf = next(store.entries(index, index + 1)).leaf
        verify_inclusion(leaf_hash(leaf), index, last.size, store.inclusion(index, last.size), last.root)
    for head in heads:
        verify_consistency(head.size, head.root, last.size, last.root, store.consistency(head.size, last.size))
    assert {(tile.level, tile.n) for tile in LogTile.objects.all()} == {(0, 0), (0, 1), (0, 2), (1, 0)}


def test_an_act_that_was_rolled_back_has_no_entry(sequencer: Sequencer) -> None:
    with transaction.atomic():
        act()
        transaction.set_rollback(True)
    assert sequencer.drain(NOW) == 0


def test_a_sequencer_that_was_replaced_can_neither_drain_nor_publish(sequencer: Sequencer, log: Log) -> None:
    act()
    log.sequencer()
    with pytest.raises(FencedError):
        sequencer.drain(NOW)
    with pytest.raises(FencedError):
        sequencer.publish(NOW)
    assert not LogLeaf.objects.exists()
    assert PendingEvent.objects.count() == 1


def test_a_log_is_never_continued_with_another_key(sequencer: Sequencer, tmp_path: Path) -> None:
    sequencer.publish(NOW)
    other = make_log(tmp_path / "other")
    with pytest.raises(DamagedError, match="this key"):
        other.sequencer()
    act()
    assert sequencer.drain(NOW) == 1


@pytest.mark.parametrize("part", ["leaf", "event", "tile", "earlier", "missing"])
def test_what_is_stored_otherwise_than_it_was_written_is_not_signed(sequencer: Sequencer, part: str) -> None:
    act(times=2)
    sequencer.drain(NOW)
    sequencer.publish(NOW)
    act(times=2)
    sequencer.drain(NOW)
    with without_triggers(), connection.cursor() as cursor:
        leaf = bytes(LogLeaf.objects.get(index=4).body)
        tile = bytes(LogTile.objects.get(level=0, n=0).hashes)
        if part == "leaf":
            cursor.execute('UPDATE secure_logleaf SET body = %s WHERE "index" = 4', [flipped(leaf)])
        elif part == "event":
            cursor.execute("UPDATE secure_logevent SET body = %s WHERE id = (SELECT max(id) FROM secure_logevent)", [b"{}"])
        elif part == "missing":
            cursor.execute('DELETE FROM secure_logleaf WHERE "index" = 4')
        else:
            at = 0 if part == "earlier" else 4 * 32
            cursor.execute("UPDATE secure_logtile SET hashes = %s", [tile[:at] + flipped(tile[at:])])
    with pytest.raises(DamagedError):
        sequencer.publish(NOW)
    assert Checkpoint.objects.count() == 1


def test_a_pending_event_that_was_changed_is_not_given_a_place(sequencer: Sequencer) -> None:
    act()
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute("UPDATE secure_logevent SET body = %s", [b"{}"])
    with pytest.raises(DamagedError):
        sequencer.drain(NOW)


def test_acts_of_many_threads_all_get_their_one_place(log: Log) -> None:
    thread = SequencerThread(Sequencer(log.signer, receipts=log.receipts.verifier))
    thread.start()
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for _ in range(10):
                act(name)
                time.sleep(random.random() / 100)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(f"{n % 3}" * 64,)) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    thread.stop()
    assert not thread.is_alive()
    assert not failures
    assert sum(isinstance(leaf, EntryLeaf) for leaf in leaves()) == 61
    last = store.published()
    assert last is not None
    assert last.root == recomputed(last.size)


def test_a_thread_that_was_replaced_ends(log: Log) -> None:
    first = SequencerThread(Sequencer(log.signer, receipts=log.receipts.verifier))
    first.start()
    deadline = time.monotonic() + 10
    while not LogHead.objects.filter(epoch=1).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    log.sequencer()
    act()
    first.join(10)
    assert not first.is_alive()


def flipped(raw: bytes) -> bytes:
    return bytes([raw[0] ^ 1]) + raw[1:]


def test_the_event_hash_is_that_of_its_bytes() -> None:
    act()
    row = PendingEvent.objects.select_related("event").get().event
    assert row.hash == hashlib.sha256(bytes(row.body)).hexdigest()


def test_the_log_has_one_head() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        LogHead.objects.create(id=2)
