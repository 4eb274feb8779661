"""The bundle of a consultation that was disposed of: what went is pruned, as both Co-Chairs signed, and all the rest still proves."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from meetings import disposal, drafting, report
from meetings.evidence import Verdict
from secure.log import bundle_format as form
from secure.log.entries import PRUNED
from secure.models import Namespace
from tests.evidence import Parts, Story, checks, said, verified
from tests.people import AUSTRALIA, INDONESIA, OFFICER

pytestmark = pytest.mark.django_db

BASIS = "agreed_early"


@pytest.fixture
def story(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Story:
    settings.CONSULT_SHRED, settings.CONSULT_BLOBS = tmp_path / "shred", tmp_path / "papers"
    story = Story.told(monkeypatch, tmp_path / "signer")
    with django_capture_on_commit_callbacks(execute=True):
        dispose(story)
    story.world.now += timedelta(minutes=5)
    story.sign()
    return story


def dispose(story: Story) -> None:
    world = story.world
    disposal.request(account=world.account(OFFICER), consultation_id=world.consultation, basis=BASIS, now=world.now)
    story.sign()
    _, listed = disposal.manifest_for(account=world.account(INDONESIA), consultation_id=world.consultation)
    named = hashlib.sha256(listed).hexdigest()
    draft = drafting.draft_dispose(world.stage.standing, basis=BASIS, manifest=named)
    world.act(world.stage.put(world.stage.sign(draft, INDONESIA, AUSTRALIA)))


def test_what_went_is_pruned_and_the_rest_is_verified(story: Story) -> None:
    outcome = verified(story.bundle())
    assert said(outcome) == []
    assert outcome.verdict is Verdict.VERIFIED
    series = Namespace.objects.get(scope=story.world.consultation).tag
    absent = [item for item in outcome.findings.items if item.leaf.ns == series and item.absent == PRUNED]
    assert len(absent) > 5
    assert "destroyed after the time for which it was kept" in report.render(outcome).decode()


def test_a_bundle_without_the_signed_disposal_is_found_out(story: Story) -> None:
    parts = Parts.of(story.bundle())
    name = f"{form.CHAINS}{story.world.consultation}.jsonl"
    parts[name] = b"".join(line + b"\n" for line in form.lines(parts[name])[:-1])
    assert 26 in checks(verified(parts.packed()))
