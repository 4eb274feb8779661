"""Who sits, with which devices (tests/vectors/roster.json); the browser reads the same file."""

from __future__ import annotations

from typing import Any

import pytest

from meetings.roster import Chains, Heads, Seat, at, seated_devices, seats, stand
from secure.errors import Refusal
from tests.people import MYANMAR_HEAD, THAI_HEAD
from tests.vectors.reading import read_chains, read_pool, vectors
from tests.vectors.stories import STORIES

FILE = vectors("roster")
POOL = read_pool(FILE["pool"])


def chains_of(row: dict[str, Any]) -> Chains:
    chains = read_chains(row["chains"], POOL)
    return at(chains, Heads(**row["heads"])) if row["heads"] else chains


@pytest.mark.parametrize("row", [row for row in FILE["cases"] if "seats" in row], ids=lambda row: row["name"])
def test_the_seats_are_those_of_the_vectors(row: dict[str, Any]) -> None:
    chains = chains_of(row)
    stand(chains, verify=True)
    expected = {card: Seat(seat["party"], seat["capacity"], tuple(seat["rooms"])) for card, seat in row["seats"].items()}
    assert seats(chains) == expected
    assert seated_devices(chains) == row["devices"]


@pytest.mark.parametrize("row", [row for row in FILE["cases"] if "refused" in row], ids=lambda row: row["name"])
def test_chains_that_do_not_hold_have_no_roster(row: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match=row["refused"]):
        seats(chains_of(row))


def test_the_order_in_which_accounts_are_handed_over_does_not_matter() -> None:
    chains = STORIES["opened"]().chains
    backwards = Chains(chains.installation, dict(reversed(chains.accounts.items())), chains.consultation, chains.rooms)
    assert seats(backwards) == seats(chains)
    assert seated_devices(backwards) == seated_devices(chains)


def test_a_roster_changes_nothing_it_was_given() -> None:
    stage = STORIES["sitting"]()
    before = seats(stage.chains)
    stage.exclude(MYANMAR_HEAD)
    assert seats(STORIES["sitting"]().chains) == before
    assert stage.card(THAI_HEAD) in seats(stage.chains)


def test_nobody_sits_in_a_room_of_another_kind() -> None:
    assert seated_devices(STORIES["opened"]().chains, room="annex") == {}
