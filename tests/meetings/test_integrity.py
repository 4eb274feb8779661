"""The integrity light, state by state: a host's real log, real witnesses with folders of their own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from meetings import integrity
from meetings.integrity import Integrity, State
from secure.log import cosigning, events, store
from secure.log.note import split_note
from secure.log.policy import Needed
from secure.witness.folder import load
from secure.witness.witness import Request, write_request
from tests.secure.log.hosted import NOW, HostedLog

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


class Scene:
    """A host with one checkpoint, and the witnesses `a`, `b`, `c` once they are appointed: two of three must agree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = HostedLog(folder)

    def appoint(self, names: str) -> None:
        self.host.grow()
        self.host.adopt([self.host.witness(self.folder / name) for name in names])

    def agree(self, name: str, *, minutes: int = 0) -> None:
        """This witness signs the newest checkpoint, so many minutes after the beginning."""
        published, now = store.published(), NOW + timedelta(minutes=minutes)
        assert published is not None
        witness = load(self.folder / name).witness
        text, _ = split_note(published.note)
        old = witness.size(text.decode().split("\n")[0])
        proof = store.consistency(old, published.size) if 0 < old < published.size else []
        lines = witness.add_checkpoint(write_request(Request(old, proof, published.note)), now=now)
        cosigning.take(text + b"\n" + lines, now=now)

    def light(self, *, minutes: float = 0) -> Integrity:
        return integrity.read(now=NOW + timedelta(minutes=minutes))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_record_without_an_entry_says_so(db: None) -> None:
    light = integrity.read(now=NOW)
    assert (light.state, light.signed, light.needed, light.witnesses) == (State.EMPTY, None, None, ())


def test_signed_and_nobody_else_signs_along(scene: Scene) -> None:
    published = scene.host.grow()
    light = scene.light(minutes=60)
    assert light.state is State.ALONE
    assert light.signed == integrity.Point(published.size - 1, NOW)
    assert (light.agreed, light.needed, light.waiting_since) == (None, None, None)


def test_entries_that_wait_longer_than_a_minute_mean_that_the_signer_does_not_answer(scene: Scene) -> None:
    scene.appoint("abc")
    scene.host.grow()
    for name in "abc":
        scene.agree(name)
    with transaction.atomic():
        events.record_host(ns=events.HOST, type="session.began", data={}, at=NOW)
    assert scene.light(minutes=1).state is State.AGREED
    light = scene.light(minutes=1.1)
    assert (light.state, light.waiting_since) == (State.STOPPED, NOW)
    scene.host.grow()
    assert scene.light(minutes=1.1).waiting_since is None


def test_witnesses_who_have_never_been_heard(scene: Scene) -> None:
    scene.appoint("abc")
    scene.host.grow()
    light = scene.light()
    assert (light.state, light.agreed, light.agreeing) == (State.APART, None, 0)
    assert [(each.name, each.last, each.heard) for each in light.witnesses] == [(f"{name}.example/consult", None, False) for name in "abc"]
    assert light.needed == Needed(2, ("a.example/consult", "b.example/consult", "c.example/consult"))


def test_enough_agree_and_one_is_silent(scene: Scene) -> None:
    scene.appoint("abc")
    scene.host.grow()
    for name in "abc":
        scene.agree(name)
    grown = scene.host.grow()
    for name in "ab":
        scene.agree(name, minutes=20)
    light = scene.light(minutes=21)
    assert light.state is State.SILENT
    assert light.agreed == integrity.Point(grown.size - 1, NOW + timedelta(minutes=20))
    assert (light.agreeing, light.heard, light.silent) == (2, 2, 1)
    assert [each.heard for each in light.witnesses] == [True, True, False]


def test_a_quarter_of_an_hour_is_not_silence_yet(scene: Scene) -> None:
    scene.appoint("abc")
    scene.host.grow()
    for name in "abc":
        scene.agree(name)
    assert scene.light(minutes=15).state is State.AGREED
    assert scene.light(minutes=15.1).state is State.APART


def test_all_agree_to_the_newest_point(scene: Scene) -> None:
    scene.appoint("abc")
    grown = scene.host.grow()
    for name in "abc":
        scene.agree(name, minutes=1)
    light = scene.light(minutes=2)
    assert light.state is State.AGREED
    assert (light.agreeing, light.silent) == (3, 0)
    assert light.agreed == integrity.Point(grown.size - 1, NOW + timedelta(minutes=1))


def test_fewer_than_needed_agree_to_what_is_new(scene: Scene) -> None:
    """What enough of them had agreed to before is still told, with its time."""
    scene.appoint("abc")
    before = scene.host.grow()
    for name in "abc":
        scene.agree(name)
    scene.host.grow()
    scene.agree("a", minutes=30)
    light = scene.light(minutes=31)
    assert light.state is State.APART
    assert light.agreed == integrity.Point(before.size - 1, NOW)
    assert (light.heard, light.silent) == (1, 2)
