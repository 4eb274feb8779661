"""Offices: who is Co-Chair, focal point, officer; who may invite whom; the member list."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from meetings import installation, parties
from secure.errors import Conflict, Forbidden
from secure.models import LogEvent
from tests import stage as stages
from tests.people import AUSTRALIA, CHAIR_STAFF, INDONESIA, OFFICER, OUTSIDER, SUCCESSOR, THAI_HEAD, THAILAND
from tests.standing import on, own, standing
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def test_the_member_list_ships_with_the_steering_group_and_the_chairs_marked() -> None:
    members = parties.all_parties()
    assert len(members) == 49
    assert {party.code for party in members if party.steering_group} == {"IDN", "AUS", "THA", "NZL", "IOM", "UNHCR"}
    assert {party.code for party in members if party.chairing} == {"IDN", "AUS"}
    assert {party.code for party in members if party.kind == "organisation"} == {"IOM", "UNHCR", "UNODC", "ILO"}
    for party in members:
        ZoneInfo(party.zone)


def test_the_secretariat_is_no_party_and_has_a_name_and_a_zone() -> None:
    assert (parties.name_of("RSO"), parties.zone_of("RSO")) == ("Regional Support Office", "Asia/Bangkok")
    assert (parties.name_of("THA"), parties.zone_of("THA")) == ("Thailand", "Asia/Bangkok")
    assert "RSO" not in {party.code for party in parties.all_parties()}


stood = standing(stages.installed)


@pytest.fixture
def world(stood: World) -> World:
    return own(stood)


OFFICES = {
    INDONESIA: (True, None, False, "IDN"),
    AUSTRALIA: (True, None, False, "AUS"),
    THAILAND: (False, "THA", False, "THA"),
    SUCCESSOR: (False, None, False, "THA"),
    THAI_HEAD: (False, None, False, "THA"),
    OFFICER: (False, None, True, "RSO"),
    CHAIR_STAFF: (False, None, False, "IDN"),
    OUTSIDER: (False, "MYS", False, "MYS"),
}


def test_offices_follow_from_statements(world: World) -> None:
    for person, expected in OFFICES.items():
        account = world.account(person)
        found = (
            parties.is_chair(account),
            parties.focal_point_of(account),
            parties.is_officer(account),
            parties.party_of(account),
        )
        assert found == expected, person.id


MAY_INVITE = {
    (INDONESIA, "focal_point", "THA"): True,
    (INDONESIA, "focal_point", "ZZZ"): False,
    (INDONESIA, "focal_point", "RSO"): False,
    (INDONESIA, "secretariat", "RSO"): True,
    (INDONESIA, "secretariat", "THA"): False,
    (INDONESIA, "delegate", "IDN"): False,
    (INDONESIA, "chair", "IDN"): False,
    (THAILAND, "delegate", "THA"): True,
    (THAILAND, "delegate", "MMR"): False,
    (THAILAND, "focal_point", "THA"): False,
    (THAILAND, "secretariat", "RSO"): False,
    (THAI_HEAD, "delegate", "THA"): False,
    (OFFICER, "delegate", "RSO"): False,
    (OFFICER, "secretariat", "RSO"): False,
    (OUTSIDER, "delegate", "MYS"): True,
    (OUTSIDER, "delegate", "THA"): False,
}


def test_who_may_invite_whom(world: World) -> None:
    for (person, purpose, party), expected in MAY_INVITE.items():
        assert parties.may_invite(account=world.account(person), purpose=purpose, party=party) is expected, (person.id, purpose, party)


def alone() -> stages.Stage:
    """One Co-Chair has enrolled, and nobody else."""
    stage = stages.Stage()
    stage.enrol(INDONESIA)
    return stage


@on(alone, fixture="stood")
def test_nobody_is_invited_before_there_is_an_installation(world: World) -> None:
    assert installation.current() is None
    assert not parties.may_invite(account=world.account(INDONESIA), purpose="focal_point", party="THA")
    with pytest.raises(Conflict, match="no_installation"):
        installation.established()


def test_a_new_focal_point_takes_the_office(world: World) -> None:
    world.act(world.stage.focal_point(SUCCESSOR, "retired"))
    assert parties.focal_point_of(world.account(THAILAND)) is None
    assert parties.focal_point_of(world.account(SUCCESSOR)) == "THA"
    assert not parties.may_invite(account=world.account(THAILAND), purpose="delegate", party="THA")


def test_an_officer_is_confirmed_by_a_chair_and_recorded_once(world: World) -> None:
    officer, chair = world.account(OFFICER), world.account(AUSTRALIA)
    assert LogEvent.objects.filter(type="officer.confirmed").count() == 1
    parties.confirm_officer(actor=chair, account=officer, now=world.now)
    assert LogEvent.objects.filter(type="officer.confirmed").count() == 1
    with pytest.raises(Forbidden, match="chairs_only"):
        parties.confirm_officer(actor=world.account(THAILAND), account=officer, now=world.now)
    with pytest.raises(Forbidden, match="not_secretariat"):
        parties.confirm_officer(actor=chair, account=world.account(THAI_HEAD), now=world.now)
