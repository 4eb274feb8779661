"""A person is erased: the name is gone from every table and every box, what was done stands, and the record still verifies."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from consult import verify
from meetings import register
from meetings.erasure import erase_person
from meetings.register import Search
from secure import accounts, enrolling, recovery, sessions
from secure.errors import Conflict, Forbidden, Gone, NotFound
from secure.log import disclosures
from secure.models import Account, Disclosure, Enrolment, LogEvent, RecoveryBox
from secure.throttle import Source
from tests import stage as stages
from tests.disclosed import told
from tests.people import AUSTRALIA, INDONESIA, OFFICER, THAI_HEAD, THAILAND
from tests.secure.log.logs import make_log, open_log
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

HERE = Source("192.0.2.1", None)


@pytest.fixture
def world(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Thailand's head was accredited and withdrawn again; an officer once searched for her by a part of her name."""
    settings.CONSULT_SHRED = tmp_path / "shred"
    settings.CONSULT_LOG_VKEYS = tmp_path / "log.vkey"
    monkeypatch.setattr("tests.stage.LOG", make_log(tmp_path, origin=settings.CONSULT_ORIGIN).vkey)
    stage = stages.concurred()
    stage.accredit(THAILAND, THAI_HEAD)
    world = World(stage)
    register.search(account=world.account(OFFICER), wanted=Search(person="Suwan"), zone=UTC, now=world.now)
    return world


def withdrawn(world: World) -> World:
    world.act(world.stage.withdraw(THAILAND, THAI_HEAD))
    return world


def sealed(settings: Any) -> None:
    sequencer = open_log(settings.CONSULT_LOG_VKEYS.parent, origin=settings.CONSULT_ORIGIN).sequencer()
    sequencer.drain(datetime.now(UTC))
    sequencer.publish(datetime.now(UTC))


def verified() -> tuple[int, str]:
    out = io.StringIO()
    return verify.run(out), out.getvalue()


def stored_text() -> str:
    """Every row of every table, as one text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            rows += cursor.fetchall()
    return "\n".join(str([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row]) for row in rows)


def test_the_name_is_in_no_table_and_opens_from_no_box(world: World) -> None:
    withdrawn(world)
    assert THAI_HEAD.name in stored_text()
    erased = erase_person(which=THAI_HEAD.id, now=world.now)
    assert erased.fresh
    assert THAI_HEAD.name not in stored_text()
    assert THAI_HEAD.id not in stored_text()
    values = [value for event in LogEvent.objects.all() for value in told(event).values()]
    assert values
    assert not any("Suwan" in value for value in values)


def test_others_keep_their_names(world: World) -> None:
    withdrawn(world)
    erase_person(which=THAI_HEAD.id, now=world.now)
    enrolled = [told(event) for event in LogEvent.objects.filter(type="account.card")]
    assert {"person": THAILAND.name} in enrolled
    assert {} in enrolled


def test_the_record_says_it_by_a_tag_and_the_verifier_says_erased(world: World, settings: Any) -> None:
    withdrawn(world)
    erase_person(which=THAI_HEAD.id, now=world.now)
    event = LogEvent.objects.filter(type="subject.erased").order_by("pk")
    assert [row.disclosures.count() for row in event] == [0] * len(event)
    assert any(world.card(THAI_HEAD).encode() in bytes(row.body) for row in event)
    sealed(settings)
    code, said = verified()
    assert code == verify.VERIFIED, said
    assert "personal values are erased" in said
    assert "cannot be opened" not in said


def test_keys_that_were_lost_are_told_from_keys_that_were_destroyed(world: World, settings: Any) -> None:
    sealed(settings)
    assert disclosures.shred_subject(world.card(THAI_HEAD))
    code, said = verified()
    assert code == verify.VERIFIED, said
    assert "cannot be opened" in said
    assert "are erased" not in said


def test_the_register_shows_an_erased_person_as_one(world: World, settings: Any) -> None:
    withdrawn(world)
    erase_person(which=THAI_HEAD.id, now=world.now)
    sealed(settings)
    page = register.search(account=world.account(OFFICER), wanted=Search(kind="accreditation"), zone=UTC, now=world.now)
    assert "Thailand accredited Thailand · a person whose details were erased as head of delegation." in " ".join(
        line.text for line in page.lines
    )
    own = register.search(account=world.account(OFFICER), wanted=Search(party="THA", kind="people"), zone=UTC, now=world.now)
    assert any(line.text == "Thailand · a person whose details were erased enrolled with keys of their own." for line in own.lines)
    assert register.search(account=world.account(OFFICER), wanted=Search(person="Suwan"), zone=UTC, now=world.now).total == 0


def test_sign_in_ends_and_sessions_with_it(world: World) -> None:
    withdrawn(world)
    account = world.account(THAI_HEAD)
    sessions.begin(session_key="a" * 32, account=account, label="Firefox on Linux", now=world.now)
    recovery.keep(account=account, box=b"b" * 200, number=1, now=world.now)
    erase_person(which=THAI_HEAD.id, now=world.now)
    assert sessions.of_account(account, now=world.now) == []
    for name in (THAI_HEAD.id, f"erased-{account.pk}"):
        with pytest.raises(Forbidden, match="sign_in_refused"):
            accounts.check_password(sign_in_name=name, password=THAI_HEAD.password, source=HERE, now=world.now)
    with pytest.raises(NotFound):
        accounts.reset_sign_in(sign_in_name=THAI_HEAD.id, now=world.now)
    assert not RecoveryBox.objects.filter(account=account).exists()


def test_nobody_with_a_place_or_an_office_is_erased(world: World) -> None:
    before = stored_text()
    holders = {THAI_HEAD: "still_seated", INDONESIA: "still_seated", AUSTRALIA: "still_seated", THAILAND: "still_in_office"}
    for person, code in holders.items():
        with pytest.raises(Conflict, match=code):
            erase_person(which=person.id, now=world.now)
    assert stored_text() == before
    assert told(LogEvent.objects.get(type="accredit")) == {"person": THAI_HEAD.name}


def test_an_officers_office_ends_with_the_name(world: World) -> None:
    erase_person(which=OFFICER.id, now=world.now)
    assert not register.may_read(Account.objects.get(pk=world.account(OFFICER).pk))


def test_once_more_finishes_and_records_nothing_more(world: World) -> None:
    withdrawn(world)
    erase_person(which=THAI_HEAD.id, now=world.now)
    count = LogEvent.objects.count()
    again = erase_person(which=world.card(THAI_HEAD), now=world.now + timedelta(days=1))
    assert not again.fresh
    assert LogEvent.objects.count() == count


def test_who_was_only_invited_is_erased_and_the_code_stops(world: World) -> None:
    row = Enrolment.objects.create(
        id="7a" * 16,
        locator="7b" * 16,
        purpose="delegate",
        party="THA",
        name="Never Came",
        inviter=world.account(THAILAND),
        created=world.now,
        expires=world.now + timedelta(days=14),
    )
    erase_person(which=row.id, now=world.now)
    with pytest.raises(Gone, match="code_not_valid"):
        enrolling.open_code(locator=row.locator, source=HERE, now=world.now)
    assert "Never Came" not in stored_text()
    with pytest.raises(NotFound):
        erase_person(which="nobody", now=world.now)
    assert Disclosure.objects.exists()
