"""Chains on the server: one statement per place, its event in the same transaction, nothing rewritten."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from meetings import drafting
from secure import chains
from secure.errors import BadInput, Conflict, Refusal
from secure.log.disclosures import Personal
from secure.models import StatementRow
from secure.models.log import LogEvent
from secure.statements import ROOT, Signed
from tests.people import AUSTRALIA, INDONESIA, MYANMAR, THAI_HEAD, THAILAND
from tests.stage import Stage
from tests.vectors.stories import STORIES

NOW = datetime(2026, 10, 13, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.engines


def store(*statements: Signed) -> None:
    for signed in statements:
        with transaction.atomic():
            chains.append(signed=signed, now=NOW)


def answered() -> tuple[Stage, Sequence[Signed]]:
    """Thailand's answer is next; everything before it is stored."""
    stage = STORIES["concurred"]()
    store(*stage.chains.installation, *stage.chains.consultation)
    drafted = drafting.draft_answer(stage.standing, party="THA", answer="accept")
    rival = drafting.draft_answer(stage.standing, party="MMR", answer="accept")
    return stage, (stage.sign(drafted, THAILAND), stage.sign(rival, MYANMAR))


@pytest.mark.django_db
def test_what_is_appended_is_read_back_signatures_and_all() -> None:
    stage, (answer, _) = answered()
    store(answer)
    scope = stage.chains.consultation[0].hash
    assert chains.read(scope) == [*stage.chains.consultation, answer]
    assert chains.read(scope, 2) == [answer]
    assert chains.head(scope) == chains.Head(2, answer.hash)
    assert chains.find(answer.hash) == answer
    assert chains.find("ab" * 32) is None
    assert chains.head("ab" * 32) is None


@pytest.mark.django_db
def test_chains_are_found_by_what_founded_them() -> None:
    stage = STORIES["opened"]()
    room = next(iter(stage.chains.rooms.values()))
    store(*stage.chains.installation, *stage.chains.consultation, *room)
    inst, consultation = stage.chains.installation[0].scope_name, stage.chains.consultation[0].hash
    assert chains.founded_by(ROOT) == [inst]
    assert chains.founded_under("room.open", ups=[signed.hash for signed in stage.chains.consultation]) == [room[0].hash]
    assert chains.founded_under("room.open", ups=[stage.chains.consultation[0].hash]) == []
    found = chains.read_many([inst, consultation, "ab" * 32])
    assert found == {inst: list(stage.chains.installation), consultation: list(stage.chains.consultation)}


@pytest.mark.django_db
def test_the_second_for_a_place_learns_the_present_head_and_stores_nothing() -> None:
    _, (answer, rival) = answered()
    store(answer)
    events = LogEvent.objects.count()
    with pytest.raises(Conflict, match="head_moved") as refusal:
        store(rival)
    assert refusal.value.about == {"n": 2, "head": answer.hash}
    assert chains.find(rival.hash) is None
    assert LogEvent.objects.count() == events


@pytest.mark.django_db
def test_the_same_statement_twice_is_refused_and_the_head_says_it_is_there() -> None:
    _, (answer, _) = answered()
    store(answer)
    with pytest.raises(Conflict, match="head_moved") as refusal:
        store(answer)
    assert refusal.value.about["head"] == answer.hash
    assert StatementRow.objects.filter(hash=answer.hash).count() == 1


@pytest.mark.django_db
def test_a_chain_begins_at_its_beginning() -> None:
    stage = STORIES["concurred"]()
    with pytest.raises(Conflict, match="head_moved") as refusal:
        store(stage.chains.installation[1])
    assert refusal.value.about == {"n": None, "head": None}


@pytest.mark.django_db
@pytest.mark.parametrize(("place", "code"), [(0, "up_back"), (1, "up_back"), (None, "up_unknown")])
def test_up_never_goes_back_and_never_points_nowhere(place: int | None, code: str) -> None:
    stage, (answer, _) = answered()
    up = "ab" * 32 if place is None else stage.chains.installation[place].hash
    older = stage.sign(replace(answer.statement, up=up), THAILAND)
    with pytest.raises(BadInput, match=code):
        store(older)


@pytest.mark.django_db
def test_up_stays_in_the_enclosing_chain() -> None:
    stage, (answer, _) = answered()
    astray = stage.sign(replace(answer.statement, up=stage.chains.consultation[1].hash), THAILAND)
    with pytest.raises(BadInput, match="up_back"):
        store(astray)
    with pytest.raises(BadInput, match="up_back"):
        store(stage.sign(replace(answer.statement, up=None), THAILAND))


@pytest.mark.django_db
def test_every_statement_leaves_its_event_and_the_event_names_its_signers() -> None:
    stage, (answer, _) = answered()
    store(answer)
    event = LogEvent.objects.get(statement=answer.hash)
    assert (event.src, event.type, event.namespace.scope) == ("state", "invitation.answer", answer.scope_name)
    assert [person.card for person in event.people.all()] == [stage.card(THAILAND)]
    root = LogEvent.objects.get(statement=stage.chains.installation[0].hash)
    assert sorted(person.card for person in root.people.all()) == sorted([stage.card(INDONESIA), stage.card(AUSTRALIA)])


@pytest.mark.django_db(transaction=True)
def test_a_statement_whose_event_cannot_be_written_does_not_happen() -> None:
    _, (answer, _) = answered()
    with pytest.raises(transaction.TransactionManagementError):
        chains.append(signed=answer, now=NOW)
    with pytest.raises(Refusal), transaction.atomic():
        chains.append(signed=answer, now=NOW, names=[Personal("person", "\ud800", "5c" * 32)])
    assert chains.find(answer.hash) is None


@pytest.mark.django_db
def test_people_count_up_in_their_own_chains() -> None:
    stage = STORIES["revoked"]()
    store(*stage.chains.installation)
    account = stage.chains.accounts[stage.card(THAI_HEAD)]
    store(*account)
    assert [signed.statement.n for signed in chains.read(stage.card(THAI_HEAD))] == [0, 1, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_gets_the_place() -> None:
    _, rivals = answered()
    barrier = threading.Barrier(2)
    verdicts: list[str] = []

    def attempt(signed: Signed) -> None:
        barrier.wait(10)
        try:
            store(signed)
            verdicts.append("stored")
        except Refusal as refusal:
            verdicts.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(signed,)) for signed in rivals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(verdicts) == ["head_moved", "stored"]
    assert sum(chains.find(signed.hash) is not None for signed in rivals) == 1


@pytest.mark.django_db
def test_chains_that_name_one_another_are_read_as_of_one_moment() -> None:
    stage, (answer, _) = answered()
    scope = stage.chains.consultation[0].hash
    seen: list[int] = []

    def read() -> int:
        found = len(chains.read(scope))
        if not seen:
            store(answer)  # somebody acts between two looks
        seen.append(found)
        return found

    assert chains.settled(read) == 3
    assert seen == [2, 3]
