"""Personal values in boxes: readable with both keys, gone with either, and never another's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from secure.log import disclosures, events
from secure.log.disclosures import Personal
from secure.models import Disclosure, LogEvent
from tests.disclosed import told

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)
ANONG, SURIN = "5c" * 32, "5d" * 32


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    settings.CONSULT_SHRED = tmp_path / "shred"
    return tmp_path / "shred"


def recorded(*names: Personal, ns: str = events.HOST) -> LogEvent:
    return events.record_host(ns=ns, type="session.began", data={}, at=NOW, names=names)


def test_a_value_opens_with_its_subjects_and_its_scopes_key() -> None:
    event = recorded(Personal("person", "Anong", ANONG), Personal("sought", "Surin", SURIN))
    assert told(event) == {"person": "Anong", "sought": "Surin"}
    for row in Disclosure.objects.all():
        assert not any(name in bytes(row.box) for name in (b"Anong", b"Surin"))


def test_a_subjects_key_gone_takes_that_persons_values_everywhere_and_nobody_elses() -> None:
    first, second = recorded(Personal("person", "Anong", ANONG)), recorded(Personal("person", "Anong", ANONG), ns="4a" * 32)
    other = recorded(Personal("person", "Surin", SURIN))
    disclosures.shred_subject(ANONG)
    assert (told(first), told(second), told(other)) == ({}, {}, {"person": "Surin"})


def test_a_scopes_key_gone_takes_everybodys_values_there_and_none_elsewhere() -> None:
    here, there = recorded(Personal("person", "Anong", ANONG)), recorded(Personal("person", "Anong", ANONG), ns="4a" * 32)
    disclosures.shred_scope(there.namespace_id)
    assert (told(here), told(there)) == ({"person": "Anong"}, {})


def test_a_lost_store_makes_values_unreadable_and_acts_go_on(store: Path) -> None:
    event = recorded(Personal("person", "Anong", ANONG))
    for path in store.iterdir():
        path.unlink()
    store.rmdir()
    assert told(event) == {}
    later = recorded(Personal("person", "Anong", ANONG))
    assert (told(event), told(later)) == ({}, {"person": "Anong"})


def test_a_box_moved_to_another_event_or_cut_does_not_open() -> None:
    first = recorded(Personal("person", "Anong", ANONG))
    second = recorded(Personal("person", "Surin", ANONG))
    Disclosure.objects.filter(event=second).update(box=first.disclosures.get().box)
    assert told(second) == {}
    Disclosure.objects.filter(event=second).update(box=b"too short")
    assert told(second) == {}
