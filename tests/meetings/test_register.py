"""The Register: plain words, filters, proofs; what is looked up is itself an entry; a proposal is not there before concurrence."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import pytest

from meetings import register
from meetings.register import Line, Search
from meetings.register_words import KINDS, SENTENCES
from meetings.statements import TABLE
from secure.codes import fingerprint
from secure.errors import BadInput, Forbidden, NotFound
from secure.log import builds
from secure.log.leaves import parse_leaf
from secure.log.merkle import leaf_hash, verify_inclusion
from secure.models import LogEvent
from tests import stage as stages
from tests.disclosed import told
from tests.people import AUSTRALIA, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def lines(world: World, wanted: Search | None = None, person: Person = OFFICER) -> list[Line]:
    """All pages of a search."""
    account = world.account(person)
    page = register.search(account=account, wanted=wanted or Search(), zone=UTC, now=world.now)
    found = list(page.lines)
    while page.more:
        page = register.more(account=account, ticket=page.more)
        found.extend(page.lines)
    return found


def look_ups() -> int:
    return LogEvent.objects.filter(type__startswith="register.").count()


@pytest.fixture
def world() -> World:
    stage = stages.concurred()
    stage.answer(THAILAND)
    stage.accredit(THAILAND, THAI_HEAD)
    world = World(stage)
    world.sealed()
    return world


def test_every_act_has_its_sentence() -> None:
    assert set(TABLE) <= set(SENTENCES)
    assert {kind for kind, _ in SENTENCES.values()} == set(KINDS)


def test_entries_read_as_sentences_with_party_before_person(world: World) -> None:
    found = {line.type: line for line in lines(world)}
    accredit = found["accredit"]
    assert accredit.text == (
        f"Thailand accredited Thailand · {THAI_HEAD.name} as head of delegation. Signed by Thailand · {THAILAND.name}."
    )
    assert (accredit.reference, accredit.kind, accredit.party, accredit.covered) == ("BP/CM/2017/1", "accreditation", "THA", True)
    assert found["invitation.answer"].text == f"Thailand answered its invitation: accepted. Signed by Thailand · {THAILAND.name}."
    assert found["consultation.concur"].text == f"Australia · {AUSTRALIA.name} concurred: the consultation is convened."
    root = found["chairs.root"].text
    assert f"Indonesia · {INDONESIA.name}" in root
    assert f"Australia · {AUSTRALIA.name}" in root


def test_another_build_is_an_entry_that_names_it_as_the_pages_do(world: World) -> None:
    builds.deploy(version="0.1.0", manifest="1a" * 32, now=world.now)
    world.sealed()
    (line,) = lines(world, Search(kind="service"))
    assert line.text == f"The host put another build into service: {fingerprint('1a' * 32)}, version 0.1.0."
    assert line.source == "on the host’s word"


def test_a_proposal_appears_only_after_concurrence() -> None:
    world = World(stages.proposed())
    world.sealed()
    hidden = next(event for event in LogEvent.objects.filter(type="consultation.propose"))
    assert "consultation.propose" not in {line.type for line in lines(world)}
    with pytest.raises(NotFound):
        register.open_entry(account=world.account(OFFICER), number=hidden.leaf.index, now=world.now)
    world.act(world.stage.concur())
    world.sealed()
    assert {"consultation.propose", "consultation.concur"} <= {line.type for line in lines(world)}


def test_filters_by_person_party_kind_and_time(world: World) -> None:
    assert {line.type for line in lines(world, Search(kind="accreditation"))} == {"invitation.answer", "accredit"}
    thai = lines(world, Search(party="THA"))
    assert {"accredit", "invitation.answer", "account.card"} <= {line.type for line in thai}
    assert all("Thailand" in line.text for line in thai)
    about = lines(world, Search(person="Anong"))
    assert {"accredit", "account.card"} <= {line.type for line in about}
    assert all(THAI_HEAD.name in line.text for line in about)
    day = world.now.date()
    assert lines(world, Search(since=day, until=day))
    assert lines(world, Search(since=day + timedelta(days=1))) == []
    assert lines(world, Search(until=day - timedelta(days=1))) == []
    for wrong in (Search(kind="everything"), Search(until=date.max), Search(since=date.min)):
        with pytest.raises(BadInput):
            lines(world, wrong)


def test_a_search_is_one_entry_and_paging_is_none(world: World) -> None:
    account = world.account(OFFICER)
    before = look_ups()
    page = register.search(account=account, wanted=Search(since=world.now.date()), zone=UTC, now=world.now)
    assert look_ups() == before + 1
    assert page.more
    assert page.total > len(page.lines) == register.PAGE
    following = register.more(account=account, ticket=page.more)
    assert look_ups() == before + 1
    assert following.lines[0].number < page.lines[-1].number
    register.search(account=account, wanted=Search(), zone=UTC, now=world.now)
    assert look_ups() == before + 1


def test_a_name_that_was_searched_for_is_no_part_of_the_event(world: World) -> None:
    lines(world, Search(person="Anong"))
    event = LogEvent.objects.get(type="register.searched")
    assert b"Anong" not in bytes(event.body)
    assert told(event) == {"sought": "Anong"}


def test_an_opened_entry_is_an_entry_and_comes_with_a_proof_that_holds(world: World) -> None:
    number = next(line.number for line in lines(world) if line.type == "consultation.concur")
    before = look_ups()
    opened = register.open_entry(account=world.account(OFFICER), number=number, now=world.now)
    assert look_ups() == before + 1
    proof = opened.proof
    assert proof is not None
    verify_inclusion(leaf_hash(proof.leaf), number, proof.tree_size, proof.hashes, proof.root)
    assert parse_leaf(proof.leaf)
    assert opened.statement == world.stage.chains.consultation[1].hash
    assert opened.people == (f"Australia · {AUSTRALIA.name}",)
    with pytest.raises(NotFound):
        register.open_entry(account=world.account(OFFICER), number=10**6, now=world.now)


def test_a_readers_own_look_ups_are_shown_to_the_reader(world: World) -> None:
    lines(world, Search(kind="room"))
    world.sealed()
    assert [line.type for line in register.own_look_ups(account=world.account(OFFICER))] == ["register.searched"]
    assert register.own_look_ups(account=world.account(INDONESIA)) == []


def test_the_register_is_the_secretariats_and_the_chairs(world: World) -> None:
    ticket = register.search(account=world.account(OFFICER), wanted=Search(), zone=UTC, now=world.now).more
    assert ticket
    for person in (THAILAND, THAI_HEAD, OUTSIDER):
        account = world.account(person)
        with pytest.raises(Forbidden):
            lines(world, person=person)
        with pytest.raises(Forbidden):
            register.open_entry(account=account, number=1, now=world.now)
        with pytest.raises(Forbidden):
            register.more(account=account, ticket=ticket)
    assert lines(world, person=AUSTRALIA)


def test_a_ticket_is_its_readers_own_and_cannot_be_made_up(world: World) -> None:
    ticket = register.search(account=world.account(OFFICER), wanted=Search(), zone=UTC, now=world.now).more
    assert ticket
    for wrong in ("", "made up", ticket[:-2], f"{ticket}A"):
        with pytest.raises(BadInput, match="bad_ticket"):
            register.more(account=world.account(OFFICER), ticket=wrong)
    with pytest.raises(BadInput, match="bad_ticket"):
        register.more(account=world.account(INDONESIA), ticket=ticket)
