"""The JSON doors of a room, through Django's client, with real MLS bytes in a consultation opened by its own acts."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from secure import history, limits
from secure.log.checkpoint import parse_tree_head
from secure.log.leaves import EntryLeaf, parse_leaf
from secure.log.merkle import leaf_hash, verify_inclusion
from secure.models import Handshake, HistoryGrant, KeyPackage, LogEvent, RoomItem
from tests import flow
from tests.consult.live import Snapshot
from tests.flow import ROOM
from tests.mls_bytes import key_package
from tests.people import AUSTRALIA, BANGLADESH_HEAD, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.plenary import Plenary, b64, frame, offer, refusal
from tests.room_story import opened
from tests.rooms import Sender
from tests.world import World

ABSENT = "00" * 32


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One opened consultation for all tests of this file; each test's own changes are rolled back."""
    with django_db_blocker.unblock():
        empty = Snapshot()
        yield World(opened()[0])
        empty.put_back()


@pytest.fixture
def plenary(world: World, db: None) -> Plenary:
    return Plenary(world)


def test_a_room_shows_what_a_newcomer_needs(plenary: Plenary) -> None:
    answer = plenary.get(INDONESIA, "").json()
    assert answer == {
        "room": ROOM,
        "kind": "plenary",
        "consultation": plenary.world.consultation,
        "epoch": 0,
        "head": 0,
        "group_info": b64(flow.opening().group_info),
        "tree": b64(flow.opening().tree),
        "marking": "Confidential",
        "retention_years": 10,
        "online": [],
    }


def test_due_names_who_must_come_in_and_who_must_go(plenary: Plenary) -> None:
    due = plenary.get(AUSTRALIA, "/due").json()
    names = ("australia 1", "thai_head 1", "thai_head 2", "bangladesh_head 1", "bangladesh_head 2")
    assert {each["device"] for each in due["add"]} == {flow.device(name).device for name in names}
    assert (due["remove"], due["heads"]) == ([], flow.story()["heads"]["seated"])
    plenary.at(3).withdraw()
    due = plenary.get(AUSTRALIA, "/due").json()
    assert due["remove"] == [
        {"leaf": 2, "device": flow.device("thai_head 1").device},
        {"leaf": 3, "device": flow.device("thai_head 2").device},
    ]
    assert due["heads"] == flow.story()["heads"]["withdrawn"]


def test_the_whole_story_goes_through_the_doors(plenary: Plenary) -> None:
    plenary.at(3)
    welcome = plenary.get(BANGLADESH_HEAD, f"/welcome?device={flow.device('bangladesh_head 1').device}").json()
    assert (welcome["epoch"], welcome["welcome"]) == (3, b64(flow.step(2).welcome or b""))
    plenary.withdraw()
    assert plenary.commit(3).json() == {"epoch": 4, "seq": 4}
    assert plenary.commit(4).json() == {"epoch": 5, "seq": 5}
    handshakes = plenary.get(INDONESIA, "/handshakes?from=1").json()["handshakes"]
    assert [each["epoch"] for each in handshakes] == [1, 2, 3, 4]
    items = plenary.get(INDONESIA, "/items?since=0").json()
    assert [(item["seq"], item["kind"], item["epoch"]) for item in items["items"]] == [(n + 1, "commit", n) for n in range(5)]
    assert items["head"] == 5


def test_the_signer_of_a_withdrawal_sees_it_proven_though_not_seated(plenary: Plenary) -> None:
    device = flow.device("thai_head 1").device
    plenary.at(3).withdraw()
    assert plenary.get(THAILAND, f"/removal?device={device}").json()["removed"] is False
    plenary.commit(3)
    found = plenary.get(THAILAND, f"/removal?device={device}").json()
    assert (found["removed"], found["epoch"]) == (True, 4)
    assert (found["proof"]["epoch"], found["proof"]["commit"]) == (3, b64(flow.step(3).commit))
    assert found["proof"]["before"]["tree"] == b64(flow.step(2).after.tree)
    assert found["proof"]["after"]["tree"] == b64(flow.step(3).after.tree)


def test_who_was_withdrawn_is_served_nothing_more(plenary: Plenary) -> None:
    plenary.at(3)
    assert plenary.get(THAI_HEAD, "").status_code == 200
    plenary.withdraw()
    for method, path in DOORS:
        assert refusal(call(plenary, THAI_HEAD, method, path, ROOM)) == (404, "not_found")


DOORS = (
    ("GET", ""),
    ("GET", "/due"),
    ("POST", "/claims"),
    ("POST", "/commits"),
    ("GET", "/handshakes"),
    ("GET", f"/welcome?device={flow.device('thai_head 1').device}"),
    ("POST", "/messages"),
    ("GET", "/items"),
    ("POST", "/history"),
    ("GET", "/history"),
    ("GET", f"/author?device={flow.device('thai_head 1').device}"),
    ("POST", "/blobs"),
)


def call(plenary: Plenary, person: Person, method: str, path: str, room: str) -> HttpResponse:
    return plenary.get(person, path, room) if method == "GET" else plenary.post(person, path, {}, room)


@pytest.mark.parametrize(("method", "path"), [*DOORS, ("GET", f"/removal?device={flow.device('thai_head 1').device}")])
@pytest.mark.parametrize("person", [OUTSIDER, OFFICER], ids=lambda person: person.id)
def test_a_room_one_does_not_sit_in_answers_as_one_that_does_not_exist(plenary: Plenary, person: Person, method: str, path: str) -> None:
    hidden, absent = (call(plenary, person, method, path, room) for room in (ROOM, ABSENT))
    assert hidden.status_code == 404
    for answer in (hidden, absent):
        del answer.headers["X-Request-Id"]
    assert (hidden.status_code, hidden.content, dict(hidden.headers)) == (absent.status_code, absent.content, dict(absent.headers))


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_strangers_are_asked_to_sign_in(plenary: Plenary, method: str, path: str) -> None:
    client = Client()
    address = f"/api/rooms/{ROOM}{path}"
    answer = client.get(address) if method == "GET" else client.post(address, "{}", content_type="application/json")
    assert refusal(answer) == (401, "sign_in")


@pytest.mark.parametrize("room", ["x", ROOM.upper(), ROOM[:-1], ROOM + "0", "%00", "..%2f"])
def test_an_id_that_is_none_is_not_found(plenary: Plenary, room: str) -> None:
    assert plenary.get(INDONESIA, "/due", room).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"commit": b64(b"hello")}, 400, "bad_mls"),
        ({"commit": "not base64"}, 400, "bad_field"),
        ({"commit": b64(bytes(limits.COMMIT_BYTES + 1))}, 400, "bad_field"),
        ({"tree": b64(flow.opening().tree)}, 400, "bad_mls"),
        ({"welcome": None}, 400, "bad_mls"),
        ({"epoch": 7}, 409, "stale_epoch"),
        ({"epoch": -1}, 400, "bad_field"),
        ({"epoch": "0"}, 400, "bad_field"),
        ({"force": True}, 400, "unknown_field"),
    ],
)
def test_a_commit_with_anything_amiss_is_refused_and_nothing_is_stored(
    plenary: Plenary, changes: dict[str, object], status: int, code: str
) -> None:
    before = LogEvent.objects.count()
    assert refusal(plenary.post(INDONESIA, "/commits", offer(flow.step(0), **changes))) == (status, code)
    assert not Handshake.objects.exists()
    assert LogEvent.objects.count() == before


def test_a_commit_is_taken_from_its_maker_only(plenary: Plenary) -> None:
    assert refusal(plenary.post(AUSTRALIA, "/commits", offer(flow.step(0)))) == (403, "not_this_device")


def test_a_ghost_a_late_commit_and_an_old_list_are_refused(plenary: Plenary) -> None:
    plenary.at(3)
    assert refusal(plenary.post(AUSTRALIA, "/commits", offer(flow.refused("ghost")))) == (403, "not_seated")
    assert refusal(plenary.post(INDONESIA, "/commits", offer(flow.refused("still_seated")))) == (403, "still_seated")
    plenary.withdraw()
    assert refusal(plenary.post(INDONESIA, "/commits", offer(flow.refused("stale_head")))) == (409, "stale_head")
    plenary.commit(3)
    late = plenary.post(INDONESIA, "/commits", offer(flow.refused("too_late")))
    assert late.json() == {"error": "stale_epoch", "epoch": 4}
    assert Handshake.objects.count() == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"t": "shout"},
        {"t": "ping"},
        {"id": "zz"},
        {"object": None},
        {"object": {}},
        {"event": 7},
        {"extra": 1},
        {"object": {"header": "e30=", "box": "AA=="}},
    ],
)
def test_a_post_that_is_no_send_frame_is_refused(plenary: Plenary, changes: dict[str, object]) -> None:
    plenary.at(3)
    answer = plenary.post(INDONESIA, "/messages", frame(Sender("indonesia 1", leaf=0), epoch=3, **changes))
    assert refusal(answer) in ((400, "bad_frame"), (400, "bad_object"))
    assert not RoomItem.objects.filter(kind="content").exists()


def test_an_event_of_the_room_is_proven_once_a_checkpoint_covers_it_and_to_nobody_outside(plenary: Plenary) -> None:
    plenary.at(1)
    event = LogEvent.objects.filter(namespace__scope=ROOM).latest("pk")
    elsewhere = LogEvent.objects.filter(namespace__scope=plenary.world.consultation).latest("pk")
    hidden = plenary.get(INDONESIA, f"/proof?event={event.hash}")
    plenary.world.sealed()
    found = plenary.get(INDONESIA, f"/proof?event={event.hash}").json()
    head = parse_tree_head(split(found["note"]))
    leaf, path = base64.b64decode(found["leaf"]), [base64.b64decode(each) for each in found["path"]]
    assert found["size"] == head.size
    verify_inclusion(leaf_hash(leaf), found["index"], head.size, path, head.root)
    assert isinstance(entry := parse_leaf(leaf), EntryLeaf)
    assert entry.evh.hex() == event.hash
    absent = plenary.get(INDONESIA, f"/proof?event={ABSENT}")
    others = [plenary.get(person, f"/proof?event={event.hash}") for person in (OUTSIDER, OFFICER, THAILAND)]
    for answer in (hidden, absent, plenary.get(INDONESIA, f"/proof?event={elsewhere.hash}"), *others):
        assert (answer.status_code, answer.content) == (404, absent.content)
    for query in ("", "?event=", "?event=AB", f"?event={event.hash.upper()}"):
        assert refusal(plenary.get(INDONESIA, f"/proof{query}")) == (400, "bad_field")


def split(note: str) -> bytes:
    """The signed text of a note."""
    return note[: note.rindex("\n\n") + 1].encode()


@pytest.mark.parametrize("query", ["since=-1", "since=x", "since=9999999999999999999", "limit=0", "since=1.5", "since=٣"])
def test_a_place_in_the_log_that_is_none_is_refused(plenary: Plenary, query: str) -> None:
    assert refusal(plenary.get(INDONESIA, f"/items?{query}")) == (400, "bad_field")


def test_a_place_beyond_the_log_is_empty_and_a_great_limit_is_clamped(plenary: Plenary) -> None:
    plenary.at(1)
    assert plenary.get(INDONESIA, "/items?since=77").json() == {"items": [], "head": 1}
    assert len(plenary.get(INDONESIA, "/items?limit=999999999").json()["items"]) == 1


def test_key_packages_are_published_by_their_device_and_claimed_once_when_due(plenary: Plenary) -> None:
    australia, thai = flow.device("australia 1"), flow.device("thai_head 1")
    packages = [b64(key_package(australia, now=datetime.now(UTC))) for _ in range(2)]
    door = f"/api/devices/{australia.device}/key-packages"
    body = json.dumps({"key_packages": packages[:1], "last_resort": packages[1]})
    assert plenary.browser(AUSTRALIA).post(door, body, content_type="application/json").json() == {"count": 1}
    assert plenary.browser(AUSTRALIA).get(door).json() == {"count": 1, "last_resort": True}
    for person in (INDONESIA, OUTSIDER):
        assert plenary.browser(person).get(door).status_code == 404
        assert plenary.browser(person).post(door, body, content_type="application/json").status_code == 404
    outsider = flow.device("outsider 1").device
    asked = {"devices": [australia.device, thai.device, outsider]}
    first = plenary.post(INDONESIA, "/claims", asked).json()
    assert first == {"key_packages": [{"device": australia.device, "key_package": packages[0]}], "missing": [thai.device, outsider]}
    assert plenary.post(INDONESIA, "/claims", asked).json()["key_packages"][0]["key_package"] == packages[1]
    plenary.commit(0)
    assert plenary.post(INDONESIA, "/claims", asked).json()["key_packages"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"key_packages": [b64(b"hello")], "last_resort": None}, "bad_mls"),
        ({"key_packages": [b64(flow.key_packages("indonesia 1")[0])], "last_resort": None}, "not_this_device"),
        ({"key_packages": "all", "last_resort": None}, "bad_field"),
        ({"key_packages": [1]}, "bad_field"),
        ({"key_packages": ["AA=="] * (limits.KEY_PACKAGES_KEPT + 1)}, "bad_field"),
    ],
)
def test_key_packages_with_anything_amiss_are_refused(plenary: Plenary, body: dict[str, object], code: str) -> None:
    door = f"/api/devices/{flow.device('australia 1').device}/key-packages"
    answer = plenary.browser(AUSTRALIA).post(door, json.dumps(body), content_type="application/json")
    assert refusal(answer) == (400, code)
    assert not KeyPackage.objects.exists()


def test_claims_are_rationed(plenary: Plenary) -> None:
    asked = {"devices": [flow.device("australia 1").device] * 500}
    answers = [plenary.post(THAI_HEAD, "/claims", asked).status_code for _ in range(3)]
    assert answers == [200, 429, 429]


def test_history_is_handed_over_once_when_it_is_due_and_only_to_its_card(plenary: Plenary) -> None:
    plenary.at(3)
    (due, *_) = [each for each in plenary.get(INDONESIA, "/due").json()["history"] if each["card"] == flow.device("australia 1").card]
    assert (due["from"], due["to"]) == (0, 0)
    body = due | {"box": b64(b"sealed ring")}
    assert plenary.post(INDONESIA, "/history", body).status_code == 201
    assert plenary.get(AUSTRALIA, "/history").json() == {
        "grants": [{"from": 0, "to": 0, "box": b64(b"sealed ring"), "by": flow.device("indonesia 1").card}]
    }
    assert plenary.get(BANGLADESH_HEAD, "/history").json() == {"grants": []}
    assert due not in plenary.get(INDONESIA, "/due").json()["history"]
    assert refusal(plenary.post(INDONESIA, "/history", body)) == (409, "not_due")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"to": 5}, 409, "not_due"),
        ({"from": 1, "to": 0}, 400, "bad_field"),
        ({"card": flow.device("outsider 1").card}, 409, "not_due"),
        ({"card": flow.device("bangladesh_head 1").card}, 409, "not_due"),
        ({"box": ""}, 400, "bad_field"),
        ({"from": -1}, 400, "bad_field"),
    ],
)
def test_nobody_widens_anybodys_history(plenary: Plenary, changes: dict[str, object], status: int, code: str) -> None:
    plenary.at(3)
    body = {"card": flow.device("australia 1").card, "from": 0, "to": 0, "box": b64(secrets.token_bytes(64))} | changes
    assert refusal(plenary.post(INDONESIA, "/history", body)) == (status, code)
    assert not HistoryGrant.objects.exists()
    assert history.granted_to(ROOM) == {}


@pytest.mark.parametrize(("method", "path"), [(method, path.split("?")[0]) for method, path in DOORS])
def test_methods_a_door_does_not_have_are_refused(plenary: Plenary, method: str, path: str) -> None:
    answer = plenary.browser(INDONESIA).delete(f"/api/rooms/{ROOM}{path}")
    assert refusal(answer) == (405, "method")
    assert method in answer.headers["Allow"]
