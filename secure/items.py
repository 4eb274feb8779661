"""The numbered items of a room's log as JSON text, made once and kept ready to send (docs/protocol.md, section 6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from secure import limits
from secure.log.events import milliseconds
from secure.models import RoomItem


@dataclass(frozen=True)
class Page:
    """Consecutive items as JSON texts; `head` is the newest number of the room, not of the page."""

    items: tuple[str, ...]
    first: int
    last: int
    head: int


def content_item(*, seq: int, at: datetime, message_id: str, device: str, header: bytes, box: bytes) -> str:
    return _json(
        {
            "seq": seq,
            "kind": "content",
            "id": message_id,
            "device": device,
            "at": milliseconds(at),
            "header": _b64(header),
            "box": _b64(box),
        }
    )


def commit_item(*, seq: int, at: datetime, epoch: int, commit: bytes) -> str:
    """`epoch` is the epoch the commit ends."""
    return _json({"seq": seq, "kind": "commit", "at": milliseconds(at), "epoch": epoch, "commit": _b64(commit)})


def frames(items: Iterable[str], *, head: int) -> list[str]:
    """Ready `items` frames, each of bounded size."""
    made: list[str] = []
    waiting: list[str] = []
    size = 0
    for item in items:
        if waiting and size + len(item) > limits.ITEMS_PAGE_BYTES:
            made.append(_frame(waiting, head))
            waiting, size = [], 0
        waiting.append(item)
        size += len(item)
    if waiting or not made:
        made.append(_frame(waiting, head))
    return made


def items_since(*, room_id: str, since: int, most: int, head: int) -> Page:
    """The items after number `since`: at most `most`, and at most about a megabyte."""
    rows = RoomItem.objects.filter(room_id=room_id, seq__gt=since).order_by("seq").values_list("seq", "body")
    found: list[str] = []
    size = 0
    last = since
    for seq, body in rows[: min(most, limits.ITEMS_PER_PAGE)].iterator(chunk_size=50):
        if found and size + len(body) > limits.ITEMS_PAGE_BYTES:
            break
        found.append(body)
        size += len(body)
        last = seq
    return Page(tuple(found), since + 1, last, max(head, last))


def as_objects(items: Sequence[str]) -> list[dict[str, object]]:
    return [json.loads(item) for item in items]


def _frame(items: Sequence[str], head: int) -> str:
    return f'{{"t":"items","items":[{",".join(items)}],"head":{head}}}'


def _json(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
