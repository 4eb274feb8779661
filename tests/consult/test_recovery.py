"""The recovery box and the key ring: the owner's sealed bytes, kept and given back."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from secure.models import RecoveryBox, RingEntry
from tests.browsers import House, founded

pytestmark = pytest.mark.django_db

ROOM = "ab" * 32


def box(content: bytes = b"sealed") -> str:
    return b64encode(content).decode()


@pytest.fixture
def house() -> House:
    return founded()


def test_the_newer_sheets_box_replaces_the_older_one(house: House) -> None:
    assert house.indonesia.put("/api/recovery", {"box": box(b"second"), "number": 2}).status_code == 200
    assert house.indonesia.get("/api/recovery").json() == {"box": box(b"second"), "number": 2}


def test_an_older_sheet_does_not_replace_a_newer_one(house: House) -> None:
    house.indonesia.put("/api/recovery", {"box": box(b"third"), "number": 3})
    answer = house.indonesia.put("/api/recovery", {"box": box(b"second"), "number": 2})
    assert (answer.status_code, answer.json()) == (409, {"error": "sheet_outdated", "number": 3})
    other = house.indonesia.put("/api/recovery", {"box": box(b"other third"), "number": 3})
    assert other.status_code == 409
    assert house.indonesia.get("/api/recovery").json()["box"] == box(b"third")


def test_the_same_box_twice_does_no_harm(house: House) -> None:
    for _ in range(2):
        assert house.indonesia.put("/api/recovery", {"box": box(b"second"), "number": 2}).status_code == 200


def test_everyone_gets_only_their_own_box(house: House) -> None:
    house.indonesia.put("/api/recovery", {"box": box(b"mine"), "number": 2})
    assert house.australia.get("/api/recovery").json()["box"] != box(b"mine")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"box": "", "number": 2},
        {"box": "not base64!", "number": 2},
        {"box": "c2VhbGVk\n", "number": 2},
        {"box": box(), "number": 0},
        {"box": box(), "number": "2"},
        {"box": box(), "number": True},
        {"box": box(), "number": 2**53},
        {"box": box(b"x" * 5000), "number": 2},
        {"box": box(), "number": 2, "account": 1},
    ],
)
def test_a_bad_box_is_refused_and_the_kept_one_stays(house: House, body: dict[str, Any]) -> None:
    before = RecoveryBox.objects.get(account__sign_in_name="indonesia").number
    assert house.indonesia.put("/api/recovery", body).status_code == 400
    assert RecoveryBox.objects.get(account__sign_in_name="indonesia").number == before


def test_the_ring_grows_and_keeps_what_it_has(house: House) -> None:
    first = {"room": ROOM, "entries": [{"epoch": 0, "box": box(b"zero")}, {"epoch": 1, "box": box(b"one")}]}
    assert house.indonesia.post("/api/ring", first).json() == {"epochs": 2}
    again = {"room": ROOM, "entries": [{"epoch": 1, "box": box(b"another one")}, {"epoch": 7, "box": box(b"seven")}]}
    assert house.indonesia.post("/api/ring", again).json() == {"epochs": 3}
    assert house.indonesia.get(f"/api/ring?room={ROOM}").json() == {
        "entries": [{"epoch": 0, "box": box(b"zero")}, {"epoch": 1, "box": box(b"one")}, {"epoch": 7, "box": box(b"seven")}]
    }
    assert house.australia.get(f"/api/ring?room={ROOM}").json() == {"entries": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"room": "xyz", "entries": []},
        {"room": ROOM.upper(), "entries": []},
        {"room": ROOM, "entries": {}},
        {"room": ROOM, "entries": [{"epoch": -1, "box": box()}]},
        {"room": ROOM, "entries": [{"epoch": 1.5, "box": box()}]},
        {"room": ROOM, "entries": [{"epoch": 1}]},
        {"room": ROOM, "entries": [{"epoch": 1, "box": box(b"x" * 5000)}]},
        {"room": ROOM, "entries": [{"epoch": 1, "box": box(), "key": "?"}]},
        {"room": ROOM, "entries": [{"epoch": 1, "box": box()}] * 1001},
    ],
)
def test_a_bad_ring_is_refused_whole(house: House, body: dict[str, Any]) -> None:
    assert house.indonesia.post("/api/ring", body).status_code == 400
    assert not RingEntry.objects.exists()


@pytest.mark.parametrize("query", ["", "?room=", "?room=xyz", f"?room={ROOM[:-2]}"])
def test_a_ring_is_asked_for_by_its_room(house: House, query: str) -> None:
    assert house.indonesia.get(f"/api/ring{query}").status_code == 400
