"""Papers as sealed chunks: kept piece by piece, whole or not at all, and seen by nobody before they are finished."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test.utils import override_settings

from secure import blobs, limits
from secure.blobs import Upload
from secure.errors import BadInput, Conflict, NotFound, Refusal, TooLarge, TooMany
from secure.models import Blob, BlobChunk, LogEvent
from tests import flow
from tests.flow import NOW, ROOM
from tests.rooms import room_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

CARD = flow.device("indonesia 1").card
BLOB = "ab" * 16


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    room_at(0)
    with override_settings(CONSULT_BLOBS=tmp_path):
        yield tmp_path


def sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def paper(*sizes: int) -> list[bytes]:
    return [secrets.token_bytes(size) for size in sizes]


WHOLE = paper(limits.BLOB_CHUNK, limits.BLOB_CHUNK, 700)


def start(pieces: list[bytes], /, *, blob: str = BLOB, card: str = CARD, **changes: object) -> None:
    said = {"size": sum(map(len, pieces)), "chunks": len(pieces), "sha256": sha256(b"".join(pieces))} | changes
    blobs.start(room_id=ROOM, card=card, upload=Upload(blob, **said), now=NOW)  # type: ignore[arg-type]


def put(n: int, raw: bytes, *, blob: str = BLOB, digest: str | None = None) -> None:
    blobs.put(blob_id=blob, n=n, sha256=digest or sha256(raw), read=io.BytesIO(raw).read)


def upload(chunks: list[bytes]) -> None:
    start(chunks)
    for n, raw in enumerate(chunks):
        put(n, raw)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_paper_goes_in_and_comes_out_as_it_was(folder: Path) -> None:
    start(WHOLE)
    for n in (2, 0, 1):
        put(n, WHOLE[n])
    assert blobs.have(BLOB) == [0, 1, 2]
    blobs.finish(blob_id=BLOB, now=NOW)
    blobs.finish(blob_id=BLOB, now=NOW)
    assert [blobs.chunk(blob_id=BLOB, n=n) for n in range(3)] == WHOLE
    assert files(folder) == ["0", "1", "2"]
    assert LogEvent.objects.filter(type="document.uploaded").count() == 1


def test_nothing_can_be_fetched_before_it_is_finished() -> None:
    upload(WHOLE)
    with pytest.raises(NotFound):
        blobs.chunk(blob_id=BLOB, n=0)


def test_an_upload_goes_on_where_it_stopped() -> None:
    start(WHOLE)
    put(0, WHOLE[0])
    start(WHOLE)
    assert blobs.have(BLOB) == [0]
    put(0, WHOLE[0])
    put(1, WHOLE[1])
    put(2, WHOLE[2])
    blobs.finish(blob_id=BLOB, now=NOW)


def test_a_chunk_is_read_in_pieces_and_never_beyond_its_size() -> None:
    start(WHOLE)
    asked: list[int] = []
    endless = iter(lambda: b"x" * 65536, None)

    def read(size: int) -> bytes:
        asked.append(size)
        return next(endless)

    with pytest.raises(BadInput, match="bad_chunk"):
        blobs.put(blob_id=BLOB, n=0, sha256="00" * 32, read=read)
    assert max(asked) <= 65536
    assert len(asked) * 65536 <= limits.BLOB_CHUNK + 65536


@pytest.mark.parametrize(
    ("n", "raw", "digest", "code"),
    [
        (0, WHOLE[0][:-1], None, "bad_chunk"),
        (0, WHOLE[0] + b"x", None, "bad_chunk"),
        (0, b"", None, "bad_chunk"),
        (0, WHOLE[1], sha256(WHOLE[0]), "bad_chunk"),
        (3, WHOLE[2], None, "bad_chunk"),
        (-1, WHOLE[0], None, "bad_chunk"),
        (2, WHOLE[0], None, "bad_chunk"),
    ],
    ids=["short", "long", "empty", "another hash", "beyond the last", "before the first", "the last too long"],
)
def test_a_chunk_that_is_not_what_was_declared_leaves_nothing(folder: Path, n: int, raw: bytes, digest: str | None, code: str) -> None:
    start(WHOLE)
    with pytest.raises(BadInput, match=code):
        put(n, raw, digest=digest)
    assert not BlobChunk.objects.exists()
    assert files(folder) == []


def test_another_chunk_in_a_taken_place_is_refused() -> None:
    start(WHOLE)
    put(0, WHOLE[0])
    with pytest.raises(Conflict, match="chunk_differs"):
        put(0, WHOLE[1])
    assert BlobChunk.objects.get().sha256 == sha256(WHOLE[0])


@pytest.mark.parametrize(
    ("changes", "code", "kind"),
    [
        ({"size": limits.BLOB_BYTES + 1}, "file_too_large", TooLarge),
        ({"chunks": limits.BLOB_CHUNKS + 1, "size": limits.BLOB_BYTES}, "file_too_large", TooLarge),
        ({"chunks": 0}, "bad_blob", BadInput),
        ({"chunks": 2}, "bad_blob", BadInput),
        ({"chunks": 4}, "bad_blob", BadInput),
        ({"size": 15, "chunks": 1}, "bad_blob", BadInput),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(changes: dict[str, object], code: str, kind: type[Refusal]) -> None:
    with pytest.raises(kind, match=code):
        start(WHOLE, **changes)
    assert not Blob.objects.exists()


def test_fifty_megabytes_are_the_limit_to_the_byte() -> None:
    start([], size=limits.BLOB_BYTES, chunks=limits.BLOB_CHUNKS, sha256="00" * 32)
    assert limits.BLOB_BYTES - 16 * limits.BLOB_CHUNKS == 50 * 1024 * 1024


def test_what_is_not_whole_cannot_be_finished() -> None:
    start(WHOLE)
    put(0, WHOLE[0])
    with pytest.raises(Conflict, match="chunks_missing"):
        blobs.finish(blob_id=BLOB, now=NOW)


def test_a_whole_that_is_not_the_declared_one_cannot_be_finished() -> None:
    start(WHOLE, sha256="00" * 32)
    for n, raw in enumerate(WHOLE):
        put(n, raw)
    with pytest.raises(Conflict, match="blob_differs"):
        blobs.finish(blob_id=BLOB, now=NOW)
    assert not LogEvent.objects.filter(type="document.uploaded").exists()


def test_an_upload_can_be_given_up_and_what_is_finished_stays(folder: Path) -> None:
    upload(WHOLE)
    blobs.discard(blob_id=BLOB)
    assert files(folder) == []
    with pytest.raises(NotFound):
        blobs.find(BLOB)
    upload(WHOLE)
    blobs.finish(blob_id=BLOB, now=NOW)
    with pytest.raises(Conflict, match="blob_finished"):
        blobs.discard(blob_id=BLOB)
    assert blobs.chunk(blob_id=BLOB, n=2) == WHOLE[2]


def test_an_id_belongs_to_whoever_declared_it_first() -> None:
    start(WHOLE)
    with pytest.raises(Conflict, match="blob_taken"):
        start(WHOLE, card=flow.device("australia 1").card)
    with pytest.raises(Conflict, match="blob_taken"):
        start(paper(100))


def test_uploads_under_way_are_few_and_abandoned_ones_go_within_a_day(folder: Path) -> None:
    for number in range(limits.BLOBS_UNFINISHED):
        start(paper(100), blob=f"{number:032x}")
    put(0, WHOLE[2][:100], blob="0" * 32)
    with pytest.raises(TooMany, match="too_many_uploads"):
        start(WHOLE)
    Blob.objects.update(started=NOW - limits.BLOB_ABANDONED - timedelta(seconds=1))
    start(WHOLE)
    assert list(Blob.objects.values_list("id", flat=True)) == [BLOB]
    assert files(folder) == []
