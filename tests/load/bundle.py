"""The evidence bundle of a long consultation: how fast a ministry's machine verifies it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from meetings import evidence
from meetings.evidence import Verdict
from secure.log.trust import read_trust
from tests.evidence import POLICY, Story
from tests.load.measure import Measure, best, seconds
from tests.people import AUSTRALIA, BANGLADESH_HEAD, INDONESIA, THAI_HEAD

ENTRIES = 4500
CHECKPOINTS = 40
WRITERS = (INDONESIA, AUSTRALIA, THAI_HEAD, BANGLADESH_HEAD)


def measures() -> Iterator[Measure]:
    """Most entries are messages, each signed by its device and naming the newest checkpoint; a checkpoint follows every hundredth."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        story = Story.told(monkeypatch, Path(folder) / "signer")
        for _ in range(CHECKPOINTS):
            story.write(*WRITERS * (ENTRIES // CHECKPOINTS // len(WRITERS)))
            story.world.now += timedelta(minutes=1)
            story.sign()
        made: list[bytes] = []
        writing = seconds(lambda: made.append(story.bundle()))
    raw, trust = made[0], read_trust(POLICY)
    outcome = evidence.verify(raw, trust)
    if outcome.verdict is not Verdict.VERIFIED:
        raise RuntimeError(f"the bundle does not hold: {outcome.findings.faults[:3]}")
    rate = best(lambda: len(outcome.findings.items) / seconds(lambda: evidence.verify(raw, trust)))
    yield Measure(f"bundle of {len(outcome.findings.items)} entries: verified", rate, "entries/s", 3000)
    yield Measure("the same: written, its report with it", writing, "s")
    yield Measure("the same: size", len(raw) / 1e6, "MB")
