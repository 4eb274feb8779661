"""Checkpoint and tiles over HTTP, as a stranger without an account reads them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client

from secure.keys import LogKey, create_log_key
from secure.log import events, store
from secure.log.checkpoint import open_checkpoint
from secure.log.encoding import parse_event
from secure.log.leaves import EntryLeaf, parse_leaf
from secure.log.merkle import leaf_hash, prove_inclusion, root_of, verify_consistency, verify_inclusion
from secure.log.note import parse_vkey
from secure.log.sequencer import Sequencer
from secure.log.tiles import Subtrees, TilePlace, tile_path, width_at

pytestmark = pytest.mark.django_db

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)


@pytest.fixture
def key(tmp_path: Path) -> LogKey:
    return create_log_key(tmp_path / "log.key", origin="consult.example.int/consult")


@pytest.fixture
def sequencer(key: LogKey) -> Sequencer:
    made = Sequencer(key)
    made.take_over()
    return made


def act(times: int) -> None:
    with transaction.atomic():
        for _ in range(times):
            events.record_host(ns=events.HOST, type="session.began", data={}, at=NOW)


def settle(sequencer: Sequencer) -> None:
    sequencer.drain(NOW)
    sequencer.publish(NOW)


def fetched_tile(client: Client, level: int, n: int, size: int) -> bytes:
    path = tile_path(TilePlace(level, n, width_at(level, n, size)))
    response = client.get(f"/log/tile/{path}")
    assert response.status_code == 200, path
    return response.content


def test_a_stranger_checks_an_entry_with_checkpoint_and_tiles_alone(client: Client, sequencer: Sequencer, key: LogKey) -> None:
    act(600)
    settle(sequencer)
    head = open_checkpoint(client.get("/log/checkpoint").content, [parse_vkey(key.vkey)])
    assert head.size == 601
    subtrees = Subtrees(lambda level, n: fetched_tile(client, level, n, head.size))
    assert root_of(head.size, subtrees) == head.root
    leaf = next(store.entries(300, 301)).leaf
    verify_inclusion(leaf_hash(leaf), 300, head.size, prove_inclusion(300, head.size, subtrees), head.root)


def test_a_stranger_checks_that_a_newer_checkpoint_continues_an_older_one(client: Client, sequencer: Sequencer, key: LogKey) -> None:
    heads = []
    for acts in (4, 300, 1):
        act(acts)
        settle(sequencer)
        heads.append(open_checkpoint(client.get("/log/checkpoint").content, [parse_vkey(key.vkey)]))
    for older in heads:
        answer = client.get(f"/log/consistency/{older.size}/{heads[-1].size}")
        hashes = [base64.b64decode(each) for each in answer.json()["hashes"]]
        verify_consistency(older.size, older.root, heads[-1].size, heads[-1].root, hashes)
    assert "immutable" in answer["Cache-Control"]
    assert not answer.cookies


@pytest.mark.parametrize("sizes", ["0/3", "2/1", "1/4", "4/4", "1/99999999999999999999999999", "-1/3", "1/x", "1"])
def test_nothing_is_proven_beyond_the_newest_checkpoint(client: Client, sequencer: Sequencer, sizes: str) -> None:
    act(2)
    settle(sequencer)
    act(2)
    sequencer.drain(NOW)
    assert client.get("/log/consistency/1/3").status_code == 200
    assert client.get(f"/log/consistency/{sizes}").status_code == 404


def test_a_stranger_learns_the_logs_keys_from_its_first_entry(client: Client, sequencer: Sequencer, key: LogKey) -> None:
    assert client.get("/log/genesis").status_code == 404
    data = {"origin": key.origin, "log": key.vkey, "receipts": f"{key.origin}/receipts+…"}
    with transaction.atomic():
        first = events.record_host(ns="log", type="log.genesis", data=data, at=NOW)
    sequencer.drain(NOW)
    assert client.get("/log/genesis").status_code == 404, "no checkpoint covers it yet"
    act(3)
    settle(sequencer)
    answer = client.get("/log/genesis")
    found = answer.json()
    head = open_checkpoint(found["note"].encode(), [parse_vkey(key.vkey)])
    event, leaf = base64.b64decode(found["event"]), base64.b64decode(found["leaf"])
    verify_inclusion(leaf_hash(leaf), found["index"], head.size, [base64.b64decode(each) for each in found["path"]], head.root)
    assert (found["index"], found["size"], event) == (0, head.size, bytes(first.body))
    assert isinstance(entry := parse_leaf(leaf), EntryLeaf)
    assert entry.evh == parse_event(event).hash
    assert {name: parse_event(event).data[name] for name in data} == data
    assert not answer.cookies


def test_another_first_entry_names_no_keys(client: Client, sequencer: Sequencer) -> None:
    act(1)
    with transaction.atomic():
        events.record_host(ns="log", type="log.genesis", data={}, at=NOW)
    settle(sequencer)
    assert client.get("/log/genesis").status_code == 404


def test_types_and_caching_are_what_the_format_asks_for(client: Client, sequencer: Sequencer) -> None:
    act(300)
    settle(sequencer)
    checkpoint, tile = client.get("/log/checkpoint"), client.get("/log/tile/0/000")
    assert checkpoint["Content-Type"] == "text/plain; charset=utf-8"
    assert checkpoint["Cache-Control"] == "no-cache"
    assert tile["Content-Type"] == "application/octet-stream"
    assert "immutable" in tile["Cache-Control"]
    assert len(tile.content) == 256 * 32
    assert not checkpoint.cookies
    assert not tile.cookies
    assert client.head("/log/checkpoint").status_code == 200


def test_an_earlier_partial_tile_can_still_be_had(client: Client, sequencer: Sequencer) -> None:
    act(4)
    settle(sequencer)
    act(300)
    settle(sequencer)
    assert client.get("/log/tile/0/000.p/5").content == client.get("/log/tile/0/000").content[: 5 * 32]


def test_before_the_first_checkpoint_there_is_nothing(client: Client) -> None:
    assert client.get("/log/checkpoint").status_code == 404
    assert client.get("/log/tile/0/000.p/1").status_code == 404


def test_entries_that_are_not_signed_yet_are_not_served(client: Client, sequencer: Sequencer) -> None:
    act(2)
    settle(sequencer)
    act(2)
    sequencer.drain(NOW)
    assert client.get("/log/tile/0/000.p/3").status_code == 200
    assert client.get("/log/tile/0/000.p/4").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "0/0",
        "0/0000",
        "00/000",
        "0/x000/000",
        "0/001",
        "1/000",
        "8/000",
        "64/000",
        "0/000.p/0",
        "0/000.p/4",
        "0/000.p/256",
        "0/000.p/03",
        "0/000.p/999",
        "0/000/",
        "0/../000",
        "-1/000",
        "entries/000",
        "0/" + "x999/" * 40 + "999",
        "0/\u0660\u0660\u0660",
    ],
)
def test_any_other_place_is_absent(client: Client, sequencer: Sequencer, path: str) -> None:
    act(2)
    settle(sequencer)
    response = client.get(f"/log/tile/{path}")
    assert response.status_code == 404
    assert response.content == b"not found\n"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
@pytest.mark.parametrize("path", ["/log/checkpoint", "/log/consistency/1/1", "/log/tile/0/000"])
def test_the_record_is_only_read(client: Client, method: str, path: str) -> None:
    assert getattr(client, method)(path).status_code == 405


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (TilePlace(0, 0), "0/000"),
        (TilePlace(1, 5, 7), "1/005.p/7"),
        (TilePlace(0, 1234067), "0/x001/x234/067"),
        (TilePlace(2, 1000, 255), "2/x001/000.p/255"),
    ],
)
def test_places_are_spelt_as_the_format_does(place: TilePlace, path: str) -> None:
    assert tile_path(place) == path
