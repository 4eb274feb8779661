"""What travels with a statement and is not signed: sealed texts, wraps, key packages, a room's first state (docs/protocol.md, 5).

Everything comes as JSON values from a client; whatever is not as the protocol says is refused as `bad_enclosed` with its name.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping

from secure import sealed_texts
from secure.errors import BadInput
from secure.statements import is_name

Enclosed = Mapping[str, object]

MOST_WRAPS = 500
"""Far above the parties of a composition, and above the people of a consultation."""


def refuse_others(enclosed: Enclosed, *names: str) -> None:
    """Nothing but these members."""
    if not set(enclosed) <= set(names):
        raise BadInput("bad_enclosed")


def octets(enclosed: Enclosed, name: str, *, most: int) -> bytes:
    """Base64 of 1 to `most` bytes, in its only spelling."""
    return _octets(enclosed.get(name), name, most)


def many_octets(enclosed: Enclosed, name: str, *, count: int, most: int) -> list[bytes]:
    """At most `count` of them; absent is none."""
    found = enclosed.get(name, [])
    if not isinstance(found, list) or len(found) > count:
        raise _bad(name)
    return [_octets(each, name, most) for each in found]


def line(enclosed: Enclosed, name: str, *, most: int) -> str:
    """One line of text for a label."""
    found = enclosed.get(name)
    if not isinstance(found, str) or not 1 <= len(found) <= most or not found.isprintable():
        raise _bad(name)
    return found


def wraps(enclosed: Enclosed) -> dict[str, bytes]:
    """Card → box."""
    boxes: dict[str, bytes] = {}
    for row in _rows(enclosed, {"card", "box"}):
        boxes[_name(row["card"])] = _octets(row["box"], "wraps", sealed_texts.WRAP_BYTES)
    return boxes


def wraps_by_consultation(enclosed: Enclosed, *, card: str) -> dict[str, bytes]:
    """Consultation → box, all of them for this card."""
    boxes: dict[str, bytes] = {}
    for row in _rows(enclosed, {"consultation", "card", "box"}):
        if row["card"] != card:
            raise BadInput("wrap_not_entitled")
        boxes[_name(row["consultation"])] = _octets(row["box"], "wraps", sealed_texts.WRAP_BYTES)
    return boxes


def refuse_incomplete(boxes: Collection[str], *, needed: Collection[str], entitled: Collection[str]) -> None:
    """Every wrap that the act causes, and none for anybody else: an act without them does not happen."""
    if not set(boxes) >= set(needed):
        raise BadInput("wraps_missing")
    if not set(boxes) <= set(entitled):
        raise BadInput("wrap_not_entitled")


def _rows(enclosed: Enclosed, members: set[str]) -> list[Mapping[str, object]]:
    found = enclosed.get("wraps", [])
    if not isinstance(found, list) or len(found) > MOST_WRAPS:
        raise _bad("wraps")
    for row in found:
        if not isinstance(row, Mapping) or set(row) != members:
            raise _bad("wraps")
    return found


def _name(value: object) -> str:
    if not is_name(value):
        raise _bad("wraps")
    return str(value)


def _octets(value: object, name: str, most: int) -> bytes:
    if not isinstance(value, str) or len(value) > 4 * (most // 3 + 1):
        raise _bad(name)
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad(name) from error
    if not 1 <= len(raw) <= most or base64.b64encode(raw).decode() != value:
        raise _bad(name)
    return raw


def _bad(name: str) -> BadInput:
    return BadInput("bad_enclosed", field=name)
