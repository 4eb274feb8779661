"""Socket frames (docs/protocol.md, section 6): the closed table of what a client may say, and the texts a server answers.

A frame that is not exactly one of these is `bad_frame`. The HTTP door for messages takes the same `send` and gives the same `ack`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consult.api import Fields, parse_object
from secure import limits
from secure.content import Submission
from secure.errors import BadInput, Refusal, TooLarge
from secure.log.encoding import b64
from secure.writer import Receipt

BAD_FRAME, SESSION_ENDED, NOT_SEATED, TOO_MANY_SOCKETS, TOO_SLOW, RATE = 4400, 4401, 4403, 4409, 4408, 4429
BINARY, TOO_BIG, RESTARTING = 1003, 1009, 1012


@dataclass(frozen=True)
class Hello:
    """Who is there, and the newest number it has."""

    device: str
    since: int


@dataclass(frozen=True)
class Send:
    """One sealed object and the device's signed event about it."""

    id: str
    header: bytes
    box: bytes
    event: bytes

    def submission(self, *, room: str, device: str) -> Submission:
        return Submission(room=room, device=device, message_id=self.id, header=self.header, box=self.box, event=self.event)


@dataclass(frozen=True)
class Ping:
    """Still there; asks for the head."""


Frame = Hello | Send | Ping


def _hello(fields: Fields) -> Hello:
    fields.only("t", "device", "since")
    return Hello(device=fields.hex("device", size=32), since=fields.integer("since"))


def _send(fields: Fields) -> Send:
    fields.only("t", "id", "object", "event")
    sealed = fields.object("object")
    sealed.only("header", "box")
    return Send(
        id=fields.hex("id", size=16),
        header=sealed.base64("header", most=limits.HEADER_BYTES),
        box=sealed.base64("box", most=limits.BOX_BYTES),
        event=fields.base64("event", most=limits.EVENT_BYTES),
    )


def _ping(fields: Fields) -> Ping:
    fields.only("t")
    return Ping()


FRAMES: Mapping[str, Callable[[Fields], Frame]] = {"hello": _hello, "send": _send, "ping": _ping}


def parse_frame(text: str) -> Frame:
    """One frame of a client. Refuses as `bad_frame`, or `frame_too_large`."""
    if len(text) > limits.FRAME_BYTES or len(text.encode("utf-8", "surrogatepass")) > limits.FRAME_BYTES:
        raise TooLarge("frame_too_large")
    try:
        return _parse(parse_object(text))
    except BadInput as refusal:
        raise BadInput("bad_frame") from refusal


def parse_send(values: Mapping[str, object]) -> Send:
    """A `send` frame as the body of an HTTP post."""
    try:
        frame = _parse(values)
    except BadInput as refusal:
        raise BadInput("bad_frame") from refusal
    if not isinstance(frame, Send):
        raise BadInput("bad_frame")
    return frame


def ref_of(text: str) -> str | None:
    """The id a refused frame named, if it named one, so that its sender knows which."""
    try:
        return Fields(parse_object(text[: limits.FRAME_BYTES])).hex("id", size=16)
    except Refusal:
        return None


def _parse(values: Mapping[str, object]) -> Frame:
    kind = values.get("t")
    read = FRAMES.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise BadInput("bad_frame")
    return read(Fields(values))


def ack(receipt: Receipt) -> dict[str, object]:
    frame: dict[str, object] = {"t": "ack", "id": receipt.id, "seq": receipt.seq, "at": receipt.at}
    if receipt.signed is not None:
        frame["receipt"] = {"t": receipt.signed.t, "sig": b64(receipt.signed.sig)}
    return frame


def error(refusal: Refusal, ref: str | None) -> str:
    return text({"t": "error", "code": refusal.code, "ref": ref, **refusal.about})


def welcome(*, room: str, head: int, epoch: int, checkpoint: str | None, device: str) -> str:
    return text({"t": "welcome", "room": room, "head": head, "epoch": epoch, "checkpoint": checkpoint, "device": device})


def pong(head: int) -> str:
    return text({"t": "pong", "head": head})


def text(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))
