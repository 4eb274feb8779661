"""Which build is in service, in the record: said once for each change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from secure.log import builds
from secure.log.encoding import parse_event
from secure.models import LogEvent
from tests.secure.log.tampering import without_triggers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)
ONE, OTHER = "1a" * 32, "2b" * 32


def test_a_build_is_recorded_when_it_is_another_one() -> None:
    assert builds.newest() is None
    said = [builds.deploy(version="1", manifest=name, now=NOW + timedelta(hours=at)) for at, name in enumerate((ONE, ONE, OTHER, ONE))]
    assert said == [True, False, True, True]
    assert builds.newest() == builds.Deployment(version="1", manifest=ONE, at=NOW + timedelta(hours=3))


def test_the_event_is_the_hosts_word_in_the_records_own_namespace() -> None:
    builds.deploy(version="0.1.0", manifest=ONE, now=NOW)
    row = LogEvent.objects.get(type="build.deployed")
    event = parse_event(bytes(row.body))
    assert (row.namespace.scope, event.src) == ("log", "host")
    assert {name: event.data[name] for name in ("version", "manifest")} == {"version": "0.1.0", "manifest": ONE}


def test_what_is_no_event_any_more_says_nothing_and_the_build_is_recorded_anew() -> None:
    builds.deploy(version="1", manifest=ONE, now=NOW)
    with without_triggers():
        LogEvent.objects.update(body=b"{")
    assert builds.newest() is None
    assert builds.deploy(version="1", manifest=ONE, now=NOW)
