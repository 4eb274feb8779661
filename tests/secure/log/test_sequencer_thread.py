"""The sequencer at work: what it does while signer or database are away, and what it says."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

from secure.log import events, sequencer_thread, store, tree_rows
from secure.log.note import open_note
from secure.log.sequencer import Sequencer
from secure.log.sequencer_thread import SequencerThread
from secure.log.signer import SignerAwayError
from secure.models import CheckpointAgain, LogLeaf, PendingEvent
from tests.secure.log.logs import Log, make_log
from tests.secure.log.test_sequencer import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

Start = Callable[..., SequencerThread]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return make_log(tmp_path)


@pytest.fixture
def start(log: Log, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(sequencer_thread, "DRAIN_EVERY", 0.02)
    threads: list[SequencerThread] = []

    def started(*, signer: object = None, storage: object = None) -> SequencerThread:
        sequencer = Sequencer(signer or log.signer, receipts=log.receipts.verifier, storage=storage or tree_rows)  # type: ignore[arg-type]
        threads.append(SequencerThread(sequencer))
        threads[-1].start()
        return threads[-1]

    yield started
    for thread in threads:
        thread.stop()


class Away:
    """Stands for a signer or a storage, and while `away` fails at the calls named."""

    def __init__(self, inner: object, error: Exception, *calls: str) -> None:
        self._inner = inner
        self._error = error
        self._calls = calls
        self.away = True

    def __getattr__(self, name: str) -> object:
        if self.away and name in self._calls:
            raise self._error
        return getattr(self._inner, name)


def act() -> None:
    with transaction.atomic():
        events.record_host(ns=events.HOST, type="session.began", data={}, at=NOW)


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 15
    while time.monotonic() < end and not true():
        time.sleep(0.02)
    return true()


def signed(size: int) -> bool:
    newest = store.published()
    return newest is not None and newest.size >= size


def test_while_the_signer_is_away_entries_get_their_places_and_it_is_said_once(
    log: Log, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    signer = Away(log.signer, SignerAwayError("The signer does not answer."), "sign")
    thread = start(signer=signer)
    act()
    assert until(lambda: not PendingEvent.objects.exists() and LogLeaf.objects.count() == 3)
    act()
    assert until(lambda: not PendingEvent.objects.exists())
    assert until(lambda: "the record waits for the signer" in caplog.text)
    assert store.published() is None
    signer.away = False
    assert until(lambda: signed(4))
    thread.stop()
    assert caplog.text.count("the record waits for the signer") == 1
    assert "the signer answers again" in caplog.text


def test_before_the_signer_has_said_what_it_signed_nothing_gets_a_place(log: Log, start: Start) -> None:
    signer = Away(log.signer, SignerAwayError("The signer does not answer."), "head", "sign")
    start(signer=signer)
    act()
    time.sleep(0.3)
    assert PendingEvent.objects.count() == 1
    signer.away = False
    assert until(lambda: signed(3))


def test_while_the_database_cannot_write_everything_waits_and_then_goes_on(
    log: Log, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    storage = Away(tree_rows, DatabaseError("database or disk is full"), "keep_leaves")
    start(storage=storage)
    act()
    assert until(lambda: "the record waits for the database: database or disk is full" in caplog.text)
    assert PendingEvent.objects.count() == 1
    storage.away = False
    assert until(lambda: signed(3))


def test_a_quiet_record_is_signed_again_after_its_time(log: Log, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer_thread, "PUBLISH_EVERY", 0.02)
    monkeypatch.setattr(sequencer_thread, "SIGN_AGAIN_AFTER", 1.0)
    thread = start()
    assert until(lambda: signed(2))
    newest = store.published()
    assert until(CheckpointAgain.objects.exists)
    thread.stop()
    again = store.published()
    assert newest is not None
    assert again is not None
    assert (again.size, again.root) == (newest.size, newest.root)
    first, second = (open_note(each.note, log.verifiers).signatures[1].time for each in (newest, again))
    assert first is not None
    assert second is not None
    assert second > first


def test_a_record_that_grows_is_not_signed_twice(log: Log) -> None:
    """The freshly signed time belongs to one size: a grown record shows its own signature."""
    sequencer = log.sequencer()
    sequencer.publish(NOW)
    again = sequencer.sign_again(NOW)
    assert store.published() == again
    act()
    sequencer.drain(NOW)
    assert sequencer.publish(NOW) == store.published()


def test_a_damaged_record_ends_the_thread_with_words_and_acts_go_on(
    log: Log, start: Start, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    log.sequencer().publish(NOW)
    (log.folder / "state").write_bytes((make_log(tmp_path / "other").folder / "state").read_bytes())
    thread = start()
    act()
    thread.join(10)
    assert not thread.is_alive()
    record = next(record for record in caplog.records if record.levelno == logging.CRITICAL)
    assert "its state comes from a backup" in record.getMessage()
    assert "docs/operations.md" in record.getMessage()
    assert PendingEvent.objects.count() == 1
