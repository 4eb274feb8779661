"""Papers as sealed chunks: by HTTP, one chunk at a time, into a folder. Never whole in memory; what is inside, nobody here knows.

A blob's folder holds one file per chunk. A chunk's file is there, whole and synced, before its row is; the row is what counts.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction

from secure import limits
from secure.errors import BadInput, Conflict, NotFound, TooLarge, TooMany
from secure.log import events
from secure.models import Blob, BlobChunk

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIECE = 64 * 1024
_TAG = 16


@dataclass(frozen=True)
class Upload:
    """What the uploader declares: sealed bytes in all, number of chunks, SHA-256 over all sealed chunks in order."""

    blob: str
    size: int
    chunks: int
    sha256: str


@dataclass(frozen=True)
class BlobView:
    blob: str
    room: str
    card: str
    chunks: int
    finished: bool


@transaction.atomic(durable=True)
def start(*, room_id: str, card: str, upload: Upload, now: datetime) -> None:
    """Declare an upload. The same declaration again by the same card changes nothing, so a client may repeat it."""
    _check_shape(upload)
    known = Blob.objects.filter(id=upload.blob).first()
    if known is not None:
        if (known.room_id, known.card, known.size, known.chunks, known.sha256) != (room_id, card, *_shape(upload)):
            raise Conflict("blob_taken")
        return
    sweep(now=now)
    if Blob.objects.filter(card=card, finished=None).count() >= limits.BLOBS_UNFINISHED:
        raise TooMany("too_many_uploads")
    try:
        Blob.objects.create(
            id=upload.blob,
            room_id=room_id,
            card=card,
            size=upload.size,
            chunks=upload.chunks,
            sha256=upload.sha256,
            started=now,
        )
    except IntegrityError as error:
        raise Conflict("blob_taken") from error


def find(blob_id: str) -> BlobView:
    row = _row(blob_id)
    return BlobView(row.id, row.room_id, row.card, row.chunks, row.finished is not None)


def have(blob_id: str) -> list[int]:
    """The chunks which have arrived."""
    return list(BlobChunk.objects.filter(blob_id=blob_id).order_by("n").values_list("n", flat=True))


def put(*, blob_id: str, n: int, sha256: str, read: Callable[[int], bytes]) -> None:
    """Take one sealed chunk, piece by piece, and keep it once it is the one its hash says. The same one again changes nothing.

    Refuses with `chunk_differs` (another one is there already), `bad_chunk` (size or hash), `blob_finished`.
    """
    row = _row(blob_id)
    if not 0 <= n < row.chunks:
        raise BadInput("bad_chunk")
    known = BlobChunk.objects.filter(blob=row, n=n).first()
    if known is not None:
        if known.sha256 != sha256:
            raise Conflict("chunk_differs")
        return
    if row.finished is not None:
        raise Conflict("blob_finished")
    expected = _chunk_size(row, n)
    folder = _folder(blob_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    arriving = folder / f"{n}.{secrets.token_hex(8)}.part"
    try:
        if _write(arriving, read, expected) != sha256:
            raise BadInput("bad_chunk")
        _keep_chunk(row, n, expected, sha256, arriving)
    finally:
        arriving.unlink(missing_ok=True)


@transaction.atomic(durable=True)
def _keep_chunk(row: Blob, n: int, size: int, sha256: str, arriving: Path) -> None:
    # The row first: of two at once the second waits here, and then finds that it is too late.
    if not Blob.objects.filter(id=row.id, finished=None).exists():
        raise NotFound
    _made, fresh = BlobChunk.objects.get_or_create(blob=row, n=n, defaults={"size": size, "sha256": sha256})
    if not fresh and _made.sha256 != sha256:
        raise Conflict("chunk_differs")
    arriving.replace(_file(row.id, n))
    _sync(_folder(row.id))


def finish(*, blob_id: str, now: datetime) -> None:
    """Check the whole: every chunk there, and the declared hash over all of them, read piece by piece. Twice does no harm."""
    row = _row(blob_id)
    if row.finished is not None:
        return
    if BlobChunk.objects.filter(blob=row).count() != row.chunks:
        raise Conflict("chunks_missing")
    whole = hashlib.sha256()
    for n in range(row.chunks):
        with _file(row.id, n).open("rb") as chunk:
            while piece := chunk.read(_PIECE):
                whole.update(piece)
    if whole.hexdigest() != row.sha256:
        raise Conflict("blob_differs")
    _finish(row, now)


@transaction.atomic(durable=True)
def _finish(row: Blob, now: datetime) -> None:
    if Blob.objects.filter(id=row.id, finished=None).update(finished=now) == 1:
        uploaded = {"blob": row.id, "ct_sha256": row.sha256, "ct_len": row.size}
        events.record_host(ns=row.room_id, type="document.uploaded", data=uploaded, at=now, by=[row.card])


def chunk(*, blob_id: str, n: int) -> bytes:
    """One sealed chunk of a finished blob: at most 256 KiB and a tag."""
    row = _row(blob_id)
    if row.finished is None or not 0 <= n < row.chunks:
        raise NotFound
    return _file(blob_id, n).read_bytes()


@transaction.atomic(durable=True)
def discard(*, blob_id: str) -> None:
    """Give up an upload. What is finished stays."""
    _row(blob_id)
    if not Blob.objects.filter(id=blob_id, finished=None).delete()[0]:
        raise Conflict("blob_finished")
    transaction.on_commit(lambda: remove([blob_id]))


def sweep(*, now: datetime) -> None:
    """Uploads nobody finished within a day go, rows and files. Inside the caller's transaction."""
    stale = Blob.objects.filter(finished=None, started__lt=now - limits.BLOB_ABANDONED)
    gone = list(stale.values_list("id", flat=True))
    if gone:
        stale.filter(id__in=gone).delete()
        transaction.on_commit(lambda: remove(gone))


def _check_shape(upload: Upload) -> None:
    if upload.size > limits.BLOB_BYTES or upload.chunks > limits.BLOB_CHUNKS:
        raise TooLarge("file_too_large")
    last = upload.size - (upload.chunks - 1) * limits.BLOB_CHUNK
    if upload.chunks < 1 or not _TAG <= last <= limits.BLOB_CHUNK:
        raise BadInput("bad_blob")


def _shape(upload: Upload) -> tuple[int, int, str]:
    return upload.size, upload.chunks, upload.sha256


def _chunk_size(row: Blob, n: int) -> int:
    return limits.BLOB_CHUNK if n < row.chunks - 1 else row.size - (row.chunks - 1) * limits.BLOB_CHUNK


def _write(path: Path, read: Callable[[int], bytes], expected: int) -> str:
    """Write what `read` gives, synced; answers its SHA-256. More or less than expected is refused."""
    digest = hashlib.sha256()
    size = 0
    with path.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        while piece := read(_PIECE):
            size += len(piece)
            if size > expected:
                raise BadInput("bad_chunk")
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if size != expected:
        raise BadInput("bad_chunk")
    return digest.hexdigest()


def _row(blob_id: str) -> Blob:
    row = Blob.objects.filter(id=blob_id).first()
    if row is None:
        raise NotFound
    return row


def _folder(blob_id: str) -> Path:
    return Path(settings.CONSULT_BLOBS) / blob_id[:2] / blob_id


def _file(blob_id: str, n: int) -> Path:
    return _folder(blob_id) / str(n)


def _sync(folder: Path) -> None:
    """A renamed file survives a power cut only once its folder is synced."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def remove(blob_ids: Iterable[str]) -> None:
    """The files of blobs whose rows are gone."""
    for blob_id in blob_ids:
        shutil.rmtree(_folder(blob_id), ignore_errors=True)


def remove_strays() -> None:
    """Files that no row names: a machine failed between a commit and what should have followed. A row is always there before its files."""
    folders = {folder.name: folder for folder in Path(settings.CONSULT_BLOBS).glob("*/*")}
    known = set(Blob.objects.filter(id__in=list(folders)).values_list("id", flat=True))
    remove(folders.keys() - known)
