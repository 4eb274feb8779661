"""What the Register reads: filters, names, and proofs that hold outside."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction

from meetings.roster import ordered
from secure import chains
from secure.errors import NotFound
from secure.log import disclosures, events, record
from secure.log.checkpoint import open_checkpoint
from secure.log.disclosures import Personal
from secure.log.leaves import EntryLeaf, parse_leaf
from secure.log.merkle import leaf_hash, verify_inclusion
from secure.log.record import Filter
from secure.log.sequencer import Sequencer
from secure.models import Account, Card
from secure.statements import Signed
from tests.people import INDONESIA, THAILAND, Person
from tests.secure.log.logs import Log, make_log
from tests.stage import Stage

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

SOMEBODY = "5b" * 32
NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return make_log(tmp_path)


@pytest.fixture
def sequencer(log: Log) -> Sequencer:
    return log.sequencer()


def settle(sequencer: Sequencer) -> None:
    sequencer.drain(NOW)
    sequencer.publish(NOW)


def enrol(person: Person, signed: Signed) -> None:
    account = Account.objects.create(sign_in_name=person.id, name=person.name)
    Card.objects.create(hash=signed.hash, account=account, party=person.party, account_key=person.account_key, xwing_key=person.xwing_key)


@pytest.fixture
def stage(sequencer: Sequencer) -> Stage:
    """The chairs' chains and Thailand's focal point, an hour between each statement; two acts on the host's word."""
    stage = Stage()
    stage.found()
    stage.enrol(THAILAND)
    stage.focal_point(THAILAND)
    statements = ordered(stage.chains)
    with transaction.atomic():
        for hours, signed in enumerate(statements):
            chains.append(signed=signed, now=NOW + timedelta(hours=hours))
        for person in (INDONESIA, THAILAND):
            enrol(person, stage.chains.accounts[stage.card(person)][0])
        thai = stage.card(THAILAND)
        about = [Personal("person", THAILAND.name, thai)]
        events.record_host(ns=events.HOST, type="session.began", data={}, at=NOW, names=about, by=[thai])
        somebody = [Personal("person", "Somebody", SOMEBODY)]
        events.record_host(ns=events.HOST, type="session.failed", data={}, at=NOW, names=somebody, party="THA")
    settle(sequencer)
    return stage


@pytest.mark.usefixtures("stage")
def test_entries_come_newest_first_and_page_by_number() -> None:
    everything = record.entries()
    numbers = [entry.number for entry in everything]
    assert numbers == sorted(numbers, reverse=True)
    assert record.count() == len(everything) == 11
    first = record.entries(limit=4)
    assert [entry.number for entry in [*first, *record.entries(before=first[-1].number)]] == numbers


def test_a_statements_entry_says_who_signed_and_what(stage: Stage) -> None:
    entry = next(entry for entry in record.entries() if entry.type == "party.key")
    assert entry.src == "state"
    assert entry.statement == stage.chains.installation[1].hash
    assert entry.body is not None
    assert entry.body["party"] == "THA"
    assert [(person.party, person.name) for person in entry.people] == [("IDN", INDONESIA.name)]
    assert (entry.scope, entry.place) == (stage.chains.installation[0].scope_name, 2)


def types(**wanted: object) -> list[str]:
    return sorted(entry.type for entry in record.entries(filter=Filter(**wanted)))  # type: ignore[arg-type]


def test_entries_are_found_by_kind_time_scope_person_and_party(stage: Stage) -> None:
    assert types(types=["party.key", "chairs.root"]) == ["chairs.root", "party.key"]
    assert types(scopes=[stage.chains.installation[0].scope_name]) == ["chairs.root", "party.key"]
    founded = record.entries(filter=Filter(types=["chairs.root"]))[0].at
    assert types(since=founded, until=founded + timedelta(hours=1)) == ["chairs.root"]
    assert types(person=stage.card(THAILAND)) == ["account.card", "device.add", "session.began"]
    assert types(person="somchai") == ["account.card", "device.add", "session.began"]
    assert types(party="THA") == ["account.card", "device.add", "session.began", "session.failed"]
    assert types(party="THA", types=["session.failed"]) == ["session.failed"]
    assert types(person="nobody at all") == []
    assert record.types() == ["account.card", "chairs.root", "device.add", "log.genesis", "party.key", "session.began", "session.failed"]


@pytest.mark.usefixtures("stage")
def test_an_erased_name_is_counted_and_its_entry_stays() -> None:
    number = next(entry.number for entry in record.entries() if entry.type == "session.failed")
    assert record.entry(number).names == {"person": "Somebody"}
    assert disclosures.shred_subject(SOMEBODY)
    entry = record.entry(number)
    assert (entry.names, entry.party, entry.erased) == ({}, "THA", 1)


def test_every_entrys_proof_holds_outside(stage: Stage, log: Log) -> None:
    for entry in record.entries():
        proof = record.proof(entry.number)
        assert proof is not None
        head = open_checkpoint(proof.note, log.verifiers)
        verify_inclusion(leaf_hash(proof.leaf), proof.number, head.size, proof.hashes, head.root)
        leaf = parse_leaf(proof.leaf)
        assert isinstance(leaf, EntryLeaf)
        assert leaf.evh == hashlib.sha256(proof.event).digest()


def test_an_entry_has_no_proof_before_a_checkpoint_covers_it(stage: Stage, sequencer: Sequencer) -> None:
    with transaction.atomic():
        events.record_host(ns=events.HOST, type="session.began", data={}, at=NOW)
    sequencer.drain(NOW)
    newest = record.entries(limit=1)[0]
    assert not newest.signed
    assert record.proof(newest.number) is None
    settle(sequencer)
    assert record.entry(newest.number).signed
    assert record.proof(newest.number) is not None


@pytest.mark.usefixtures("stage")
@pytest.mark.parametrize("number", [11, 12, 10**9])
def test_a_state_leaf_or_an_unknown_number_is_no_entry(number: int) -> None:
    """Number 11 is the state leaf under the checkpoint."""
    for ask in (record.entry, record.proof):
        with pytest.raises(NotFound):
            ask(number)


@pytest.mark.usefixtures("stage")
def test_a_page_costs_the_same_few_queries_however_long(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_max_num_queries(7):
        record.entries(limit=200)
