"""The sequencer stopped between any two of its steps: reopened, the whole log verifies, and every act has exactly one entry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from django.db import transaction

from consult import verify
from secure.log import events, store, tree_rows
from secure.log.sequencer import Sequencer
from secure.models import LogLeaf, PendingEvent
from tests.secure.log.frail import Frail, Steps, Stops
from tests.secure.log.logs import Log, make_log

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return make_log(tmp_path)


def act(turn: int) -> None:
    with transaction.atomic():
        for scope in ("a" * 64, "b" * 64):
            events.record_host(ns=scope, type="session.began", data={"turn": turn}, at=NOW)


def work(sequencer: Sequencer, turn: int) -> None:
    """Everything a sequencer does, in its order."""
    now = NOW + timedelta(seconds=turn)
    sequencer.take_over()
    sequencer.drain(now)
    sequencer.publish(now)
    sequencer.sign_again(now + timedelta(minutes=10))


def stopped(log: Log, turn: int, at: int) -> str:
    """Where this sequencer stopped; empty if it came to its end."""
    steps = Steps(at)
    try:
        work(Sequencer(Frail(log.signer, steps), receipts=log.receipts.verifier, storage=Frail(tree_rows, steps)), turn)
    except Stops:
        return steps.stopped_at
    return ""


def sound(log: Log, acts: int) -> None:
    report = verify.verify(verifiers=log.verifiers)
    assert report.faults == []
    assert (report.entries, report.pending) == (report.signed, 0)
    assert LogLeaf.objects.filter(event__type="session.began").count() == 2 * acts
    assert LogLeaf.objects.filter(event__type="log.genesis").count() == 1


def test_stopped_between_any_two_steps_it_loses_nothing_doubles_nothing_and_verifies(log: Log) -> None:
    seen = []
    for at in count():
        act(at)
        seen.append(stopped(log, at, at))
        work(Sequencer(log.signer, receipts=log.receipts.verifier), at)
        sound(log, acts=at + 1)
        if not seen[-1]:
            break
    steps = {"sign", "resign", "keep_leaves", "write_tiles", "move_head", "take_out", "keep_series", "keep_checkpoint", "keep_signed_again"}
    assert {f"{when} {step}" for when in ("before", "after") for step in steps} <= set(seen)
    assert {"before commit", "after commit"} <= set(seen)


def test_stopped_between_any_two_steps_of_its_very_first_turn_the_log_still_begins_once(tmp_path: Path) -> None:
    """A log of its own for each stop would cost a database each: the rows are taken back instead."""
    for at in count():
        with transaction.atomic():
            log = make_log(tmp_path / str(at))
            act(0)
            where = stopped(log, 0, at)
            work(Sequencer(log.signer, receipts=log.receipts.verifier), 0)
            sound(log, acts=1)
            transaction.set_rollback(True)
        if not where:
            break
    assert not LogLeaf.objects.exists()


def test_a_signature_that_was_lost_on_its_way_is_given_again_for_the_same_tree(log: Log) -> None:
    act(0)
    lossy = Sequencer(Loses(log.signer), receipts=log.receipts.verifier)
    lossy.take_over()
    lossy.drain(NOW)
    with pytest.raises(Stops):
        lossy.publish(NOW)
    signed = log.signer.head()
    assert (signed.size, store.published()) == (4, None)
    published = log.sequencer().publish(NOW)
    assert published is not None
    assert (published.size, published.root) == (signed.size, signed.root)
    assert not PendingEvent.objects.exists()


class Loses:
    """A signer whose state is kept and whose signature never arrives."""

    def __init__(self, signer: object) -> None:
        self._signer = signer

    def __getattr__(self, name: str) -> object:
        return getattr(self._signer, name)

    def sign(self, **asked: object) -> bytes:
        self._signer.sign(**asked)  # type: ignore[attr-defined]
        raise Stops
