"""Checkpoint and tiles over HTTP, as a stranger without an account reads them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from secure.log import cosigning, events, store
from secure.log.checkpoint import open_checkpoint
from secure.log.encoding import parse_event
from secure.log.leaves import EntryLeaf, parse_leaf
from secure.log.merkle import leaf_hash, prove_inclusion, root_hash, root_of, verify_consistency, verify_inclusion
from secure.log.note import COSIGNATURE, parse_vkey, split_note
from secure.log.policy_chain import follow, open_first, open_witnessed, parse_numbered
from secure.log.sequencer import Sequencer
from secure.log.signing import SigningKey
from secure.log.tiles import Subtrees, TilePlace, tile_path, width_at
from secure.log.tree_head import parse_tree_head
from secure.witness.folder import load
from secure.witness.witness import Request, Witness, write_request
from tests.people import INDONESIA
from tests.secure.log.hosted import HostedLog
from tests.secure.log.logs import Log, make_log
from tests.stage import concurred
from tests.world import World

pytestmark = pytest.mark.django_db

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return make_log(tmp_path)


@pytest.fixture
def sequencer(log: Log) -> Sequencer:
    return log.sequencer()


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


def test_a_stranger_checks_an_entry_with_checkpoint_and_tiles_alone(client: Client, sequencer: Sequencer, log: Log) -> None:
    act(600)
    settle(sequencer)
    head = open_checkpoint(client.get("/log/checkpoint").content, [parse_vkey(log.vkey)])
    assert head.size == 602
    subtrees = Subtrees(lambda level, n: fetched_tile(client, level, n, head.size))
    assert root_of(head.size, subtrees) == head.root
    leaf = next(store.entries(300, 301)).leaf
    verify_inclusion(leaf_hash(leaf), 300, head.size, prove_inclusion(300, head.size, subtrees), head.root)


def test_a_stranger_checks_that_a_newer_checkpoint_continues_an_older_one(client: Client, sequencer: Sequencer, log: Log) -> None:
    heads = []
    for acts in (4, 300, 1):
        act(acts)
        settle(sequencer)
        heads.append(open_checkpoint(client.get("/log/checkpoint").content, [parse_vkey(log.vkey)]))
    for older in heads:
        answer = client.get(f"/log/consistency/{older.size}/{heads[-1].size}")
        hashes = [base64.b64decode(each) for each in answer.json()["hashes"]]
        verify_consistency(older.size, older.root, heads[-1].size, heads[-1].root, hashes)
    assert "immutable" in answer["Cache-Control"]
    assert not answer.cookies


@pytest.mark.parametrize("sizes", ["0/3", "2/1", "1/5", "5/5", "1/99999999999999999999999999", "-1/3", "1/x", "1"])
def test_nothing_is_proven_beyond_the_newest_checkpoint(client: Client, sequencer: Sequencer, sizes: str) -> None:
    act(2)
    settle(sequencer)
    act(2)
    sequencer.drain(NOW)
    assert client.get("/log/consistency/1/4").status_code == 200
    assert client.get(f"/log/consistency/{sizes}").status_code == 404


def test_a_stranger_learns_the_logs_keys_from_its_first_entry(client: Client, sequencer: Sequencer, log: Log) -> None:
    assert client.get("/log/genesis").status_code == 404
    act(3)
    sequencer.drain(NOW)
    assert client.get("/log/genesis").status_code == 404, "no checkpoint covers it yet"
    settle(sequencer)
    answer = client.get("/log/genesis")
    found = answer.json()
    head = open_checkpoint(found["note"].encode(), [parse_vkey(log.vkey)])
    event, leaf = base64.b64decode(found["event"]), base64.b64decode(found["leaf"])
    verify_inclusion(leaf_hash(leaf), found["index"], head.size, [base64.b64decode(each) for each in found["path"]], head.root)
    assert (found["index"], found["size"]) == (0, head.size)
    assert isinstance(entry := parse_leaf(leaf), EntryLeaf)
    assert entry.evh == parse_event(event).hash
    keys = [parse_event(event).data[name] for name in ("origin", "log", "mldsa", "receipts")]
    assert keys == [log.origin, *(verifier.vkey for verifier in (*log.verifiers, log.receipts.verifier))]
    assert not answer.cookies


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
    assert client.get("/log/tile/0/000.p/4").status_code == 200
    assert client.get("/log/tile/0/000.p/5").status_code == 404


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
        "0/000.p/5",
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
@pytest.mark.parametrize(
    "path", ["/log/checkpoint", "/log/witnessed", "/log/offered", "/log/policy", "/log/consistency/1/1", "/log/tile/0/000"]
)
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


# ------------------------------------------------------------------------------------------------------- witnesses and policies


@pytest.fixture
def host(tmp_path: Path) -> HostedLog:
    """With one witness, `w`, that must agree, and a log that has grown since."""
    made = HostedLog(tmp_path)
    made.grow()
    made.adopt([made.witness(tmp_path / "w")])
    made.grow()
    return made


@pytest.fixture
def witness(host: HostedLog, tmp_path: Path) -> Witness:
    return load(tmp_path / "w").witness


def cosigned(client: Client, witness: Witness) -> bytes:
    """The newest checkpoint's text and the witness's lines, by nothing but what the host serves."""
    note = client.get("/log/checkpoint").content
    text, _ = split_note(note)
    head = parse_tree_head(text)
    old = witness.size(head.origin)
    answer = client.get(f"/log/consistency/{old}/{head.size}").json() if old else {"hashes": []}
    request = Request(old, [base64.b64decode(hash_) for hash_ in answer["hashes"]], note)
    return text + b"\n" + witness.add_checkpoint(write_request(request), now=NOW)


def post(client: Client, body: bytes) -> HttpResponse:
    return client.post("/log/cosignatures", body, content_type="text/plain")


def test_a_witness_posts_what_it_signed_and_the_checkpoint_carries_it(host: HostedLog, witness: Witness) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get("/log/witnessed").status_code == 404
    answer = post(client, cosigned(client, witness))
    assert (answer.status_code, answer.json()) == (200, {"kept": 2})
    assert not answer.cookies
    policy = parse_numbered(split_note(client.get("/log/policy").content)[0]).policy
    for path in ("/log/checkpoint", "/log/witnessed"):
        served = client.get(path)
        assert served["Content-Type"] == "text/plain; charset=utf-8"
        assert open_witnessed(served.content, policy=policy).size == store.head().size
    host.grow()
    assert post(client, cosigned(client, witness)).status_code == 200


def test_what_is_no_cosignature_of_ours_is_refused(host: HostedLog, client: Client, witness: Witness) -> None:
    note = cosigned(client, witness)
    changed = note.replace(b"\n\n", b"\nextension\n\n")
    stranger = SigningKey("stranger", COSIGNATURE, bytes(32))
    for body, status, code in [
        (b"", 400, "bad_note"),
        (changed, 400, "bad_checkpoint"),
        (note.replace(b"consult.example.int", b"other.example.int", 1), 400, "unknown_checkpoint"),
        (split_note(note)[0] + b"\n" + stranger.sign(split_note(note)[0], time=1), 403, "not_a_witness"),
        (b"x" * (cosigning.MAX_NOTE + 1), 413, "body_too_large"),
    ]:
        answer = post(client, body)
        assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert client.get("/log/witnessed").status_code == 404


def test_the_policies_are_there_from_the_first_and_each_follows_the_one_before(host: HostedLog, client: Client) -> None:
    notes = [client.get(f"/log/policy/{number}").content for number in (1, 2)]
    assert client.get("/log/policy").content == notes[1]
    assert follow(notes[1:], start=open_first(notes[0], log=host.verifiers[0])).number == 2
    for number in (0, 3, 10**30):
        assert client.get(f"/log/policy/{number}").status_code == 404


def test_a_reader_of_the_register_has_the_leaves_and_they_are_those_of_the_tree() -> None:
    world = World(concurred())
    world.sealed()
    newest = store.published()
    assert newest is not None
    answer = world.browser(INDONESIA).get(f"/log/tile/entries/000.p/{newest.size}")
    raw, leaves = answer.content, []
    while raw:
        length = int.from_bytes(raw[:2], "big")
        leaves.append(raw[2 : 2 + length])
        raw = raw[2 + length :]
    assert root_hash(leaf_hash(leaf) for leaf in leaves) == newest.root
    assert answer["Cache-Control"] == "no-store"
    assert world.browser(INDONESIA).get(f"/log/tile/entries/000.p/{newest.size + 1}").status_code == 404
    assert world.browser(INDONESIA).get("/log/tile/entries/0").status_code == 404
