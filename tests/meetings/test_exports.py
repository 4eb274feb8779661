"""Handing out evidence: who may ask, who decides, who receives, and what each step leaves in the record."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import timedelta

import pytest
from django.db import DatabaseError

from meetings import access, exports, register
from meetings.models import EvidenceExport
from secure.errors import BadInput, Conflict, Forbidden, Gone, NotFound, TooMany
from secure.models import Disclosure, LogEvent
from tests.people import AUSTRALIA, BANGLADESH, BANGLADESH_HEAD, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.stage import Stage, concurred, proposed
from tests.standing import own, standing
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def seated() -> Stage:
    """Thailand's head sits. Bangladesh has accepted and accredited its head, who has not signed the undertaking."""
    stage = concurred()
    for party, head in ((THAILAND, THAI_HEAD), (BANGLADESH, BANGLADESH_HEAD)):
        stage.answer(party)
        stage.accredit(party, head)
    stage.undertake(THAI_HEAD)
    return stage


whole = standing(seated)


@pytest.fixture
def world(whole: World) -> World:
    return own(whole)


def ask(world: World, person: Person, purpose: str = "check") -> EvidenceExport:
    return exports.request(account=world.account(person), consultation_id=world.consultation, purpose=purpose, now=world.now)


def approve(world: World, row: EvidenceExport, by: Person = INDONESIA) -> None:
    exports.approve(account=world.account(by), export_id=row.id, now=world.now)


def receive(world: World, row: EvidenceExport, person: Person) -> bytes:
    out = io.BytesIO()
    exports.download(account=world.account(person), export_id=row.id, out=out, now=world.now)
    return out.getvalue()


def events() -> list[LogEvent]:
    return list(LogEvent.objects.filter(type__startswith="export.").order_by("pk"))


@pytest.mark.parametrize("person", [OFFICER, INDONESIA, AUSTRALIA, THAI_HEAD])
def test_officers_chairs_and_those_who_sit_may_ask(world: World, person: Person) -> None:
    row = ask(world, person)
    assert row.whole is (person is not THAI_HEAD)
    assert exports.may_ask(account=world.account(person), consultation_id=world.consultation)


@pytest.mark.parametrize("person", [THAILAND, BANGLADESH_HEAD, OUTSIDER])
def test_for_all_others_the_consultation_is_as_one_that_does_not_exist(world: World, person: Person) -> None:
    """A focal point without a seat, a delegate who never had one, and a stranger."""
    account = world.account(person)
    for consultation in (world.consultation, "0" * 64):
        with pytest.raises(NotFound):
            exports.request(account=account, consultation_id=consultation, purpose="check", now=world.now)
        with pytest.raises(NotFound):
            exports.of_consultation(account=account, consultation_id=consultation, now=world.now)
    assert access.evidence_of(account) == []
    assert events() == []


@pytest.mark.parametrize("whole", [proposed], indirect=True, ids=["proposed"])
@pytest.mark.parametrize("person", [INDONESIA, OFFICER])
def test_a_proposal_has_no_evidence_for_anybody(whole: World, person: Person) -> None:
    with pytest.raises(NotFound):
        ask(whole, person)


@pytest.mark.parametrize("how", ["withdrawn", "excluded"])
def test_who_once_sat_may_still_ask(world: World, how: str) -> None:
    world.act(world.stage.withdraw(THAILAND, THAI_HEAD) if how == "withdrawn" else world.stage.exclude(THAI_HEAD))
    with pytest.raises(NotFound):
        access.access_consultation(account=world.account(THAI_HEAD), consultation_id=world.consultation)
    assert not ask(world, THAI_HEAD).whole


def test_the_other_chair_decides_and_nobody_a_request_of_their_own(world: World) -> None:
    row = ask(world, INDONESIA)
    for act in (exports.approve, exports.decline):
        with pytest.raises(Forbidden, match="own_request"):
            act(account=world.account(INDONESIA), export_id=row.id, now=world.now)
    for person in (OFFICER, THAI_HEAD):
        expected = Forbidden if person is OFFICER else NotFound
        with pytest.raises(expected):
            exports.approve(account=world.account(person), export_id=row.id, now=world.now)
    approve(world, row, AUSTRALIA)
    row.refresh_from_db()
    assert (row.state, row.decided_by) == ("approved", world.card(AUSTRALIA))


def test_a_delegate_cannot_approve_even_the_own_request(world: World) -> None:
    row = ask(world, THAI_HEAD)
    with pytest.raises(Forbidden, match="chairs_only"):
        exports.approve(account=world.account(THAI_HEAD), export_id=row.id, now=world.now)


@pytest.mark.parametrize("first", ["approve", "decline", "withdraw"])
def test_a_request_is_decided_once(world: World, first: str) -> None:
    row = ask(world, THAI_HEAD)
    by = THAI_HEAD if first == "withdraw" else INDONESIA
    getattr(exports, first)(account=world.account(by), export_id=row.id, now=world.now)
    for act, person in ((exports.approve, AUSTRALIA), (exports.decline, AUSTRALIA), (exports.withdraw, THAI_HEAD)):
        with pytest.raises(Conflict, match="export_decided"):
            act(account=world.account(person), export_id=row.id, now=world.now)
    assert [event.type for event in events()] == [
        "export.requested",
        {"approve": "export.approved", "decline": "export.declined"}.get(first, "export.withdrawn"),
    ]


def test_one_request_at_a_time_and_an_approval_is_used_not_asked_for_again(world: World) -> None:
    row = ask(world, THAI_HEAD)
    with pytest.raises(Conflict, match="export_open"):
        ask(world, THAI_HEAD)
    approve(world, row)
    with pytest.raises(Conflict, match="export_open"):
        ask(world, THAI_HEAD)
    world.now += exports.APPROVAL_LASTS
    assert ask(world, THAI_HEAD).id != row.id
    assert ask(world, OFFICER).id != row.id


def test_who_asks_all_day_is_stopped(world: World) -> None:
    for _ in range(exports.MOST_A_DAY):
        exports.withdraw(account=world.account(THAI_HEAD), export_id=ask(world, THAI_HEAD).id, now=world.now)
    with pytest.raises(TooMany, match="too_many_exports"):
        ask(world, THAI_HEAD)
    world.now += timedelta(days=1)
    ask(world, THAI_HEAD)


def test_a_purpose_is_a_word_of_the_list(world: World) -> None:
    for wrong in ("", "because the vessel was said to be off Aceh"):
        with pytest.raises(BadInput):
            ask(world, THAI_HEAD, wrong)


def test_only_the_requester_receives_and_only_while_the_approval_lasts(world: World) -> None:
    world.sealed()
    row = ask(world, THAI_HEAD)
    with pytest.raises(Conflict, match="export_not_approved"):
        receive(world, row, THAI_HEAD)
    approve(world, row)
    for person in (INDONESIA, OFFICER):
        with pytest.raises(Forbidden, match="export_not_yours"):
            receive(world, row, person)
    with pytest.raises(NotFound):
        receive(world, row, BANGLADESH_HEAD)
    world.now += exports.APPROVAL_LASTS - timedelta(seconds=1)
    assert receive(world, row, THAI_HEAD).startswith(b"PK")
    world.now += timedelta(seconds=1)
    with pytest.raises(Gone, match="export_expired"):
        receive(world, row, THAI_HEAD)
    assert [event.type for event in events()].count("export.created") == 1


def test_who_left_the_secretariat_does_not_receive_what_was_approved(world: World) -> None:
    world.sealed()
    row = ask(world, OFFICER)
    approve(world, row)
    world.account(OFFICER).officer.delete()
    account = type(world.account(OFFICER)).objects.get(pk=world.account(OFFICER).pk)
    with pytest.raises(NotFound):
        exports.download(account=account, export_id=row.id, out=io.BytesIO(), now=world.now)


def test_a_file_is_made_for_nobody_before_the_record_is_signed(world: World) -> None:
    row = ask(world, THAI_HEAD)
    approve(world, row)
    with pytest.raises(Conflict, match="not_signed"):
        receive(world, row, THAI_HEAD)
    row.refresh_from_db()
    assert row.downloads == 0


def test_each_step_is_an_entry_of_the_consultation_with_names_as_digests_only(world: World) -> None:
    world.sealed()
    row = ask(world, THAI_HEAD, "inquiry")
    approve(world, row)
    raw = receive(world, row, THAI_HEAD)
    found = events()
    assert [event.type for event in found] == ["export.requested", "export.approved", "export.created"]
    assert {event.namespace.scope for event in found} == {world.consultation}
    told = [json.loads(bytes(event.body))["data"] for event in found]
    assert {each["export"] for each in told} == {row.id}
    assert (told[0]["purpose"], told[0]["names"]) == ("inquiry", "own")
    assert told[2]["sha256"] == hashlib.sha256(raw).hexdigest()
    assert all(THAI_HEAD.name.encode() not in bytes(event.body) for event in found)
    assert [row.subject for row in Disclosure.objects.filter(event=found[1])] == [world.card(THAI_HEAD)]


def test_an_act_whose_entry_cannot_be_written_does_not_happen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ask(world, THAI_HEAD)

    def broken(**_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr("secure.log.events.record_host", broken)
    with pytest.raises(DatabaseError):
        approve(world, row)
    row.refresh_from_db()
    assert row.state == "requested"


def test_the_register_says_it_in_words(world: World) -> None:
    row = ask(world, THAI_HEAD, "files")
    approve(world, row)
    exports.decline(account=world.account(AUSTRALIA), export_id=ask(world, OFFICER).id, now=world.now)
    world.sealed()
    receive(world, row, THAI_HEAD)
    world.sealed()
    wanted = register.Search(kind="exports")
    page = register.search(account=world.account(OFFICER), wanted=wanted, zone=world.now.tzinfo, now=world.now)
    thai, officer = f"Thailand · {THAI_HEAD.name}", f"Regional Support Office · {OFFICER.name}"
    assert [line.text for line in page.lines] == [
        f"{thai} received the evidence of this consultation, as one file.",
        f"Australia · {AUSTRALIA.name} declined that {officer} receives the evidence of this consultation.",
        f"{officer} asked for the evidence of this consultation: to check the record.",
        f"Indonesia · {INDONESIA.name} approved that {thai} receives the evidence of this consultation.",
        f"{thai} asked for the evidence of this consultation: for the party’s own files.",
    ]
    assert {line.reference for line in page.lines} == {"BP/CM/2017/1"}


def test_each_sees_the_requests_that_concern_them_and_what_waits_for_them(world: World) -> None:
    thai, chair = ask(world, THAI_HEAD), ask(world, INDONESIA)

    def seen(person: Person) -> list[str]:
        found = exports.of_consultation(account=world.account(person), consultation_id=world.consultation, now=world.now)
        return [each.row.id for each in found]

    def due(person: Person) -> list[str]:
        return [each.row.id for each in exports.due(account=world.account(person), now=world.now)]

    assert {person: set(seen(person)) for person in (OFFICER, AUSTRALIA, THAI_HEAD)} == {
        OFFICER: {thai.id, chair.id},
        AUSTRALIA: {thai.id, chair.id},
        THAI_HEAD: {thai.id},
    }
    assert due(INDONESIA) == [thai.id]
    assert set(due(AUSTRALIA)) == {thai.id, chair.id}
    assert due(THAI_HEAD) == []
    approve(world, thai)
    assert due(THAI_HEAD) == [thai.id]
    assert due(INDONESIA) == []
    world.sealed()
    receive(world, thai, THAI_HEAD)
    assert due(THAI_HEAD) == []
