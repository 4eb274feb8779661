"""The doors of papers: sealed chunks in and out, for the people of one room, and nobody else."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.test.utils import override_settings

from secure import limits
from secure.models import Blob, BlobChunk
from tests.consult.live import Snapshot
from tests.flow import ROOM
from tests.people import AUSTRALIA, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, Person
from tests.plenary import Plenary, refusal
from tests.room_story import opened
from tests.world import World

BLOB = "5e" * 16
CHUNKS = [secrets.token_bytes(limits.BLOB_CHUNK), secrets.token_bytes(1000)]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One opened consultation for all tests of this file; each test's own changes are rolled back."""
    with django_db_blocker.unblock():
        empty = Snapshot()
        yield World(opened()[0])
        empty.put_back()


@pytest.fixture
def plenary(world: World, db: None, tmp_path: Path) -> Iterator[Plenary]:
    with override_settings(CONSULT_BLOBS=tmp_path):
        yield Plenary(world)


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def declaration(**changes: object) -> dict[str, object]:
    whole = b"".join(CHUNKS)
    return {"blob": BLOB, "size": len(whole), "chunks": len(CHUNKS), "sha256": sha256(whole)} | changes


def put(plenary: Plenary, person: Person, n: object, raw: bytes, *, digest: str | None = None, blob: str = BLOB) -> HttpResponse:
    headers = {"X-Sha256": sha256(raw) if digest is None else digest}
    return plenary.browser(person).put(f"/api/blobs/{blob}/{n}", raw, content_type="application/octet-stream", headers=headers)


def upload(plenary: Plenary, person: Person = INDONESIA) -> None:
    assert plenary.post(person, "/blobs", declaration()).status_code == 201
    for n, raw in enumerate(CHUNKS):
        assert put(plenary, person, n, raw).status_code == 200


def finish(plenary: Plenary, person: Person = INDONESIA) -> HttpResponse:
    return plenary.browser(person).post(f"/api/blobs/{BLOB}/finish", "{}", content_type="application/json")


def test_a_paper_is_uploaded_and_read_by_everybody_seated(plenary: Plenary) -> None:
    upload(plenary)
    assert finish(plenary).status_code == 200
    assert plenary.browser(THAI_HEAD).get(f"/api/blobs/{BLOB}").json() == {"chunks": 2, "have": [0, 1]}
    for n, raw in enumerate(CHUNKS):
        answer = plenary.browser(THAI_HEAD).get(f"/api/blobs/{BLOB}/{n}")
        assert answer.content == raw
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_an_upload_in_progress_is_its_makers_alone(plenary: Plenary) -> None:
    upload(plenary)
    for person in (AUSTRALIA, THAI_HEAD):
        browser = plenary.browser(person)
        answers = [
            browser.get(f"/api/blobs/{BLOB}"),
            browser.get(f"/api/blobs/{BLOB}/0"),
            browser.delete(f"/api/blobs/{BLOB}"),
            finish(plenary, person),
            put(plenary, person, 0, CHUNKS[0]),
        ]
        assert [refusal(answer) for answer in answers] == [(404, "not_found")] * 5
    assert Blob.objects.get().finished is None


@pytest.mark.parametrize("person", [OUTSIDER, OFFICER], ids=lambda person: person.id)
def test_a_paper_of_a_room_one_does_not_sit_in_is_as_one_that_does_not_exist(plenary: Plenary, person: Person) -> None:
    upload(plenary)
    finish(plenary)
    for blob in (BLOB, "00" * 16, "x", BLOB.upper()):
        browser = plenary.browser(person)
        answers = [
            browser.get(f"/api/blobs/{blob}"),
            browser.get(f"/api/blobs/{blob}/0"),
            browser.delete(f"/api/blobs/{blob}"),
            browser.post(f"/api/blobs/{blob}/finish", "{}", content_type="application/json"),
            put(plenary, person, 0, CHUNKS[0], blob=blob),
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {(404, b'{"error": "not_found"}')}


def test_who_lost_the_seat_reads_no_paper_more(plenary: Plenary) -> None:
    upload(plenary)
    finish(plenary)
    address = f"/api/blobs/{BLOB}/0"
    assert plenary.browser(THAI_HEAD).get(address).status_code == 200
    plenary.withdraw()
    assert refusal(plenary.browser(THAI_HEAD).get(address)) == (404, "not_found")


def test_strangers_are_asked_to_sign_in(plenary: Plenary) -> None:
    upload(plenary)
    client = Client()
    assert refusal(client.get(f"/api/blobs/{BLOB}/0")) == (401, "sign_in")
    assert refusal(client.put(f"/api/blobs/{BLOB}/0", CHUNKS[0], content_type="application/octet-stream")) == (401, "sign_in")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"blob": "zz"}, 400, "bad_field"),
        ({"size": -1}, 400, "bad_field"),
        ({"size": "big"}, 400, "bad_field"),
        ({"size": limits.BLOB_BYTES + 1, "chunks": limits.BLOB_CHUNKS + 1}, 413, "file_too_large"),
        ({"size": 2**50, "chunks": 2**30}, 413, "file_too_large"),
        ({"chunks": 1}, 400, "bad_blob"),
        ({"sha256": "abc"}, 400, "bad_field"),
        ({"name": "secret plan.pdf"}, 400, "unknown_field"),
    ],
)
def test_a_declaration_with_anything_amiss_is_refused(plenary: Plenary, changes: dict[str, object], status: int, code: str) -> None:
    assert refusal(plenary.post(INDONESIA, "/blobs", declaration(**changes))) == (status, code)
    assert not Blob.objects.exists()


@pytest.mark.parametrize(
    ("n", "raw", "digest", "status", "code"),
    [
        (0, CHUNKS[0][:-1], None, 400, "bad_chunk"),
        (0, b"", None, 400, "bad_chunk"),
        (1, CHUNKS[0], None, 400, "bad_chunk"),
        (0, CHUNKS[0], "00" * 32, 400, "bad_chunk"),
        (0, CHUNKS[0], "", 400, "bad_field"),
        (0, CHUNKS[0], "not a hash", 400, "bad_field"),
        (7, CHUNKS[1], None, 400, "bad_chunk"),
        (0, CHUNKS[0] + CHUNKS[0], None, 400, "bad_chunk"),
    ],
    ids=["short", "empty", "too long for its place", "another hash", "no hash", "no hash at all", "beyond", "double"],
)
def test_a_chunk_with_anything_amiss_is_refused(  # noqa: PLR0917  one argument per column of the table
    plenary: Plenary, n: int, raw: bytes, digest: str | None, status: int, code: str
) -> None:
    plenary.post(INDONESIA, "/blobs", declaration())
    assert refusal(put(plenary, INDONESIA, n, raw, digest=digest)) == (status, code)
    assert not BlobChunk.objects.exists()


@pytest.mark.parametrize("n", ["-1", "x", "1.5", "%2e%2e", "99999999999999999999999"])
def test_a_place_that_is_none_is_refused(plenary: Plenary, n: str) -> None:
    plenary.post(INDONESIA, "/blobs", declaration())
    assert put(plenary, INDONESIA, n, CHUNKS[0]).status_code in (400, 404)
    assert not BlobChunk.objects.exists()


def test_what_is_not_whole_is_not_finished_and_can_be_given_up(plenary: Plenary) -> None:
    plenary.post(INDONESIA, "/blobs", declaration())
    put(plenary, INDONESIA, 1, CHUNKS[1])
    assert refusal(finish(plenary)) == (409, "chunks_missing")
    assert plenary.browser(INDONESIA).get(f"/api/blobs/{BLOB}").json() == {"chunks": 2, "have": [1]}
    assert plenary.browser(INDONESIA).delete(f"/api/blobs/{BLOB}").status_code == 200
    assert refusal(plenary.browser(INDONESIA).get(f"/api/blobs/{BLOB}")) == (404, "not_found")


def test_what_is_finished_stays_as_it_is(plenary: Plenary) -> None:
    upload(plenary)
    finish(plenary)
    assert refusal(plenary.browser(INDONESIA).delete(f"/api/blobs/{BLOB}")) == (409, "blob_finished")
    assert refusal(put(plenary, INDONESIA, 0, CHUNKS[1])) == (409, "chunk_differs")
    assert plenary.browser(INDONESIA).get(f"/api/blobs/{BLOB}/0").content == CHUNKS[0]


def test_the_second_of_two_uploads_under_one_id_is_refused(plenary: Plenary) -> None:
    plenary.post(INDONESIA, "/blobs", declaration())
    assert refusal(plenary.post(AUSTRALIA, "/blobs", declaration())) == (409, "blob_taken")
    assert json.loads(plenary.post(INDONESIA, "/blobs", declaration()).content) == {"blob": BLOB}


def test_a_room_that_is_not_there_takes_no_paper(plenary: Plenary) -> None:
    assert refusal(plenary.post(INDONESIA, "/blobs", declaration(), room="00" * 32)) == (404, "not_found")
    assert refusal(plenary.post(OUTSIDER, "/blobs", declaration(), room=ROOM)) == (404, "not_found")
