"""Sealed objects as the server sees them: a header it can read, a box it cannot, and the device's signed event. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from secure import limits
from secure.errors import BadInput, TooLarge
from secure.log import jcs
from secure.log.errors import LogError
from secure.mls_checks import Heads, heads_of

_MEMBERS = {"v", "room", "epoch", "leaf", "device", "n", "prev", "id", "heads", "commitment"}
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Submission:
    """One sealed object on its way in. `device` is the caller's, checked by the door; the rest is the caller's word."""

    room: str
    device: str
    message_id: str
    header: bytes
    box: bytes
    event: bytes


@dataclass(frozen=True)
class Header:
    epoch: int
    leaf: int
    heads: Heads


def read_header(submission: Submission) -> Header:
    """The header, once it is canonical and says room, device and id as the caller does. Refuses as `bad_object`."""
    if len(submission.header) > limits.HEADER_BYTES or len(submission.box) > limits.BOX_BYTES or len(submission.event) > limits.EVENT_BYTES:
        raise TooLarge("object_too_large")
    try:
        value = jcs.decode_object(submission.header, max_bytes=limits.HEADER_BYTES)
    except LogError as error:
        raise BadInput("bad_object") from error
    if set(value) != _MEMBERS or value["v"] != 1:
        raise BadInput("bad_object")
    claimed = (value["room"], value["device"], value["id"])
    if claimed != (submission.room, submission.device, submission.message_id) or not _hex(submission.message_id, 16):
        raise BadInput("bad_object")
    if not _hex(value["prev"], 32) or not isinstance(value["commitment"], str):
        raise BadInput("bad_object")
    if _number(value["n"]) < 1:
        raise BadInput("bad_object")
    try:
        heads = heads_of(value["heads"])
    except BadInput as error:
        raise BadInput("bad_object") from error
    return Header(epoch=_number(value["epoch"]), leaf=_number(value["leaf"]), heads=heads)


def device_of(header: bytes) -> str:
    """The device a header names, for doors which have no other word for it. Whether it is the caller's is for the door to ask."""
    try:
        device = jcs.decode_object(header, max_bytes=limits.HEADER_BYTES).get("device")
    except LogError as error:
        raise BadInput("bad_object") from error
    if not isinstance(device, str) or not _hex(device, 32):
        raise BadInput("bad_object")
    return device


def event_says(submission: Submission, *, epoch: int) -> dict[str, object]:
    """What the `data` of the device's event must be: it names these very bytes."""
    sealed = submission.header + submission.box
    return {
        "ct_sha256": hashlib.sha256(sealed).hexdigest(),
        "ct_len": len(sealed),
        "epoch": epoch,
        "seq_id": submission.message_id,
    }


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise BadInput("bad_object")
    return value


def _hex(value: object, size: int) -> bool:
    return isinstance(value, str) and len(value) == 2 * size and set(value) <= _HEX
