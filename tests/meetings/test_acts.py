"""The doors of all acts: the story goes in, and each way of doing it wrong is refused and leaves nothing behind."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, connection

from meetings import acts, drafting
from meetings.models import Composition, Consultation, Delegate, SeatedDevice
from secure import chains
from secure.errors import BadInput, Conflict, Forbidden, NotFound, Refusal
from secure.models import LogEvent, SealedText, StatementRow, Wrap
from secure.statements import Signed
from tests import stage as stages
from tests.people import (
    AUSTRALIA,
    CHAIR_STAFF,
    INDONESIA,
    MYANMAR_HEAD,
    OFFICER,
    OUTSIDER,
    SUCCESSOR,
    THAI_HEAD,
    THAILAND,
)
from tests.world import BOX, World, wraps

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def stored() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (StatementRow, LogEvent, SealedText, Wrap, Delegate))


def refused(world: World, signed: Signed, kind: type[Refusal], code: str, enclosed: dict[str, Any] | None = None) -> None:
    """The act is refused with this code, and not a row is there that was not before."""
    before = stored()
    with pytest.raises(kind) as refusal:
        world.act(signed, enclosed)
    assert refusal.value.code == code
    assert stored() == before


def test_the_story_goes_in_and_the_rows_follow() -> None:
    world = World(stages.concurred())
    assert Consultation.objects.get().state == "concurred"
    world.act(world.stage.answer(THAILAND))
    world.act(world.stage.accredit(THAILAND, THAI_HEAD))
    assert Composition.objects.get(party="THA").answer == "accept"
    assert not Delegate.objects.get(card=world.card(THAI_HEAD)).seated
    world.act(world.stage.undertake(THAI_HEAD))
    assert Delegate.objects.get(card=world.card(THAI_HEAD)).seated
    devices = set(SeatedDevice.objects.values_list("device", flat=True))
    assert devices == {world.stage.devices[f"{name} 1"] for name in ("indonesia", "australia", "thai_head")}


def test_every_act_is_one_event_which_names_its_statement() -> None:
    world = World(stages.proposed())
    performed = world.act(world.stage.concur())
    event = LogEvent.objects.get(statement=performed.hash)
    assert (event.src, event.type, event.namespace.scope) == ("state", "consultation.concur", world.consultation)


def test_an_act_whose_event_cannot_be_written_does_not_happen() -> None:
    world = World(stages.proposed())
    signed = world.stage.concur()
    before = stored()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE secure_pendingevent RENAME TO out_of_reach")
        with pytest.raises(DatabaseError):
            world.act(signed)
        cursor.execute("ALTER TABLE out_of_reach RENAME TO secure_pendingevent")
    assert stored() == before
    assert Consultation.objects.get().state == "proposed"
    world.act(signed)


def test_a_replayed_statement_is_told_where_the_chain_stands() -> None:
    world = World(stages.proposed())
    concur = world.stage.concur()
    world.act(concur)
    before = stored()
    with pytest.raises(Conflict) as refusal:
        world.act(concur)
    assert (refusal.value.code, refusal.value.about) == ("head_moved", {"n": 1, "head": concur.hash})
    assert stored() == before


def test_nobody_submits_what_another_person_signed() -> None:
    world = World(stages.concurred())
    signed = world.stage.answer(THAILAND)
    with pytest.raises(Forbidden, match="wrong_signer"):
        acts.submit(actor=world.account(OUTSIDER), signed=signed, enclosed={}, now=world.now)


def test_a_consultation_one_may_not_see_answers_like_one_that_does_not_exist() -> None:
    world = World(stages.concurred())
    lawful = drafting.draft_answer(world.stage.standing, party="MYS", answer="accept")
    for statement in (lawful, replace(lawful, scope="ab" * 32), replace(lawful, n=1), replace(lawful, scope=world.card(THAILAND))):
        refused(world, world.stage.sign(statement, OUTSIDER), NotFound, "not_found")


def test_a_signature_that_does_not_verify_is_refused() -> None:
    world = World(stages.concurred())
    signed = world.stage.answer(THAILAND)
    card, signature = signed.signatures[0]
    broken = bytes([signature[0] ^ 1, *signature[1:]])
    refused(world, replace(signed, signatures=((card, broken),)), BadInput, "bad_signature")


def test_a_focal_point_cannot_answer_for_another_party() -> None:
    world = World(stages.concurred())
    drafted = world.stage.sign(replace(world.stage.answer(THAILAND).statement, body={"party": "MMR", "answer": "accept"}), THAILAND)
    refused(world, drafted, Forbidden, "wrong_signer")


def test_a_card_comes_only_by_enrolment() -> None:
    world = World(stages.installed())
    card = chains.read(world.card(THAILAND))[0]
    with pytest.raises(Forbidden, match="only_at_enrolment"):
        acts.submit(actor=world.account(THAILAND), signed=card, enclosed={}, now=world.now)


# ------------------------------------------------------------------------------------------------------- what must be enclosed


@pytest.mark.parametrize(
    ("enclosed", "code"),
    [
        ({}, "bad_enclosed"),
        ({"brief": "YnJpZWY="}, "wraps_missing"),
        ({"brief": "YnJpZWY=", "wraps": "all"}, "bad_enclosed"),
        ({"brief": "YnJpZWY=", "wraps": [{"card": "ab", "box": BOX}]}, "bad_enclosed"),
        ({"brief": "YnJpZWY=", "wraps": [{"card": "0" * 64, "box": "?"}]}, "bad_enclosed"),
        ({"brief": "YnJpZWY", "wraps": []}, "bad_enclosed"),
        ({"brief": 7, "wraps": []}, "bad_enclosed"),
        ({"brief": "YnJpZWY=", "wraps": [], "more": 1}, "bad_enclosed"),
        ({"brief": base64.b64encode(bytes(256 * 1024 + 1)).decode(), "wraps": []}, "bad_enclosed"),
    ],
)
def test_a_proposal_without_its_brief_and_both_wraps_does_not_happen(enclosed: dict[str, Any], code: str) -> None:
    world = World(stages.installed())
    refused(world, world.stage.propose(), BadInput, code, enclosed)


def test_a_brief_that_is_not_the_one_signed_is_refused() -> None:
    world = World(stages.installed())
    signed = world.stage.propose()
    enclosed = {**world.enclosed(signed), "brief": base64.b64encode(b"another").decode()}
    refused(world, signed, BadInput, "brief_altered", enclosed)


def test_a_proposal_is_wrapped_for_the_chairs_and_nobody_else() -> None:
    world = World(stages.installed())
    signed = world.stage.propose()
    enclosed = world.enclosed(signed)
    enclosed["wraps"] = [*enclosed["wraps"], *wraps(world.card(THAILAND))]
    refused(world, signed, BadInput, "wrap_not_entitled", enclosed)


def test_concurrence_needs_a_wrap_for_every_invited_focal_point() -> None:
    world = World(stages.proposed())
    signed = world.stage.concur()
    all_but_one = [row for row in world.enclosed(signed)["wraps"] if row["card"] != world.card(THAILAND)]
    refused(world, signed, BadInput, "wraps_missing", {"wraps": all_but_one})
    refused(
        world,
        signed,
        BadInput,
        "wrap_not_entitled",
        {"wraps": wraps(world.card(OUTSIDER), *(r["card"] for r in world.enclosed(signed)["wraps"]))},
    )
    world.act(signed)
    assert world.holders(Consultation.objects.get().brief) >= {world.card(person) for person in (INDONESIA, AUSTRALIA, THAILAND)}


def test_an_accreditation_brings_the_wrap_it_causes() -> None:
    world = World(stages.concurred())
    signed = world.stage.accredit(THAILAND, THAI_HEAD)
    refused(world, signed, BadInput, "wraps_missing", {})
    refused(world, signed, BadInput, "wrap_not_entitled", {"wraps": wraps(world.card(THAI_HEAD), world.card(MYANMAR_HEAD))})
    world.act(signed)
    assert world.card(THAI_HEAD) in world.holders(Consultation.objects.get().brief)


# ------------------------------------------------------------------------------------------------------- acts of both Co-Chairs


def first_of(signed: Signed) -> Signed:
    return Signed(signed.statement, signed.signatures[:1])


def signer(world: World, signed: Signed, place: int) -> Any:
    return world.accounts[signed.signatures[place][0]]


def test_an_act_of_both_chairs_needs_a_draft_and_other_acts_do_not() -> None:
    world = World(stages.concurred())
    seat = world.stage.seat(OFFICER)
    with pytest.raises(BadInput, match="needs_draft"):
        acts.submit(actor=signer(world, seat, 0), signed=seat, enclosed=world.enclosed(seat), now=world.now)
    concur = chains.read(world.consultation)[1]
    with pytest.raises(BadInput, match="needs_no_draft"):
        acts.begin(actor=world.account(AUSTRALIA), signed=concur, enclosed={}, now=world.now)


def test_only_the_two_chairs_see_a_draft_and_either_may_throw_it_away() -> None:
    world = World(stages.concurred())
    seat = world.stage.seat(OFFICER)
    draft = acts.begin(actor=signer(world, seat, 0), signed=first_of(seat), enclosed=world.enclosed(seat), now=world.now)
    for person in (INDONESIA, AUSTRALIA):
        assert [waiting.hash for waiting in acts.waiting_drafts(account=world.account(person))] == [draft]
    for person in (THAILAND, OFFICER, CHAIR_STAFF, OUTSIDER):
        assert acts.waiting_drafts(account=world.account(person)) == []
        with pytest.raises(NotFound):
            acts.discard(actor=world.account(person), draft=draft)
        with pytest.raises(NotFound):
            acts.second(actor=world.account(person), draft=draft, signature=seat.signatures[1], now=world.now)
    acts.discard(actor=signer(world, seat, 1), draft=draft)
    assert acts.waiting_drafts(account=world.account(INDONESIA)) == []


def test_one_chair_cannot_sign_twice() -> None:
    world = World(stages.concurred())
    seat = world.stage.seat(OFFICER)
    draft = acts.begin(actor=signer(world, seat, 0), signed=first_of(seat), enclosed=world.enclosed(seat), now=world.now)
    with pytest.raises(BadInput, match="malformed"):
        acts.second(actor=signer(world, seat, 0), draft=draft, signature=seat.signatures[0], now=world.now)
    with pytest.raises(Forbidden, match="wrong_signer"):
        acts.second(actor=signer(world, seat, 1), draft=draft, signature=seat.signatures[0], now=world.now)
    assert StatementRow.objects.filter(type="seat").count() == 0
    acts.second(actor=signer(world, seat, 1), draft=draft, signature=seat.signatures[1], now=world.now)
    with pytest.raises(NotFound):
        acts.second(actor=signer(world, seat, 1), draft=draft, signature=seat.signatures[1], now=world.now)


def test_a_draft_whose_place_was_taken_stays_a_draft() -> None:
    world = World(stages.concurred())
    seat = world.stage.seat(OFFICER)
    draft = acts.begin(actor=signer(world, seat, 0), signed=first_of(seat), enclosed=world.enclosed(seat), now=world.now)
    elsewhere = stages.concurred()
    world.store(elsewhere.answer(THAILAND), stage=elsewhere)
    with pytest.raises(Conflict, match="head_moved"):
        acts.second(actor=signer(world, seat, 1), draft=draft, signature=seat.signatures[1], now=world.now)
    assert [waiting.hash for waiting in acts.waiting_drafts(account=world.account(INDONESIA))] == [draft]


def test_a_new_focal_point_gets_the_briefs_of_its_live_consultations() -> None:
    world = World(stages.concurred())
    signed = world.stage.focal_point(SUCCESSOR, "retired")
    refused(world, signed, BadInput, "wraps_missing", {})
    refused(
        world,
        signed,
        BadInput,
        "wrap_not_entitled",
        {"wraps": [{"consultation": world.consultation, "card": world.card(THAILAND), "box": BOX}]},
    )
    world.act(signed)
    assert world.card(SUCCESSOR) in world.holders(Consultation.objects.get().brief)
