"""JSON doors for the evidence of a consultation (docs/protocol.md, section 5): asking, deciding, and the file itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

from django.http import StreamingHttpResponse
from django.urls import path
from django.utils import timezone

from consult.api import Answer, ApiRequest, by_method, created, door
from meetings import exporting, exports
from meetings.exports import Request
from secure.log.events import milliseconds

IN_MEMORY: Final = 8 * 1024 * 1024
"""A larger file waits on the disk, without a name, until it has been sent."""
PIECE: Final = 64 * 1024


@door("GET")
def listed(request: ApiRequest, consultation: str) -> Answer:
    found = exports.of_consultation(account=request.account, consultation_id=consultation, now=timezone.now())
    return [_row(each) for each in found]


@door("POST")
def ask(request: ApiRequest, consultation: str) -> Answer:
    request.fields.only("purpose")
    purpose = request.fields.choice("purpose", exports.Purpose.values)
    row = exports.request(account=request.account, consultation_id=consultation, purpose=purpose, now=timezone.now())
    return created({"export": row.id})


@door("POST")
def approve(request: ApiRequest, export: str) -> Answer:
    request.fields.only()
    exports.approve(account=request.account, export_id=export, now=timezone.now())
    return {}


@door("POST")
def decline(request: ApiRequest, export: str) -> Answer:
    request.fields.only()
    exports.decline(account=request.account, export_id=export, now=timezone.now())
    return {}


@door("DELETE")
def withdraw(request: ApiRequest, export: str) -> Answer:
    exports.withdraw(account=request.account, export_id=export, now=timezone.now())
    return {}


@door("POST")
def bundle(request: ApiRequest, export: str) -> Answer:
    """The file. By POST, because receiving it is an act: no link, picture or preview can cause one."""
    request.fields.only()
    file = cast("BinaryIO", SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115  closed when it has been sent
    try:
        row = exports.download(account=request.account, export_id=export, out=file, now=timezone.now())
        size = file.seek(0, 2)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{exporting.file_name(row.consultation.reference)}"',
        "Content-Length": str(size),
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(_pieces(file), content_type="application/zip", headers=headers)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
    finally:
        file.close()


def _row(request: Request) -> dict[str, object]:
    row = request.row
    return {
        "export": row.id,
        "card": row.card,
        "party": row.party,
        "names": "all" if row.whole else "own",
        "purpose": row.purpose,
        "state": "expired" if request.expired else row.state,
        "requested_at": milliseconds(row.requested_at),
        "until": milliseconds(request.until) if request.until else None,
        "downloads": row.downloads,
    }


urlpatterns = [
    path("api/consultations/<str:consultation>/exports", by_method(listed, ask)),
    path("api/exports/<str:export>", withdraw),
    path("api/exports/<str:export>/approve", approve),
    path("api/exports/<str:export>/decline", decline),
    path("api/exports/<str:export>/bundle", bundle),
]
