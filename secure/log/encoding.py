"""Bytes, base64, and the event: what an act looks like before it becomes a leaf (docs/protocol.md, 8)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from secure import ed25519
from secure.log import jcs
from secure.log.errors import LogError
from secure.log.jcs import Json

EVENT_PREFIX: Final = b"consult/event/v1\n"
KID_PREFIX: Final = b"consult/kid/v1\n"
DISCLOSURE_PREFIX: Final = b"consult/sd/v1\n"
MAX_EVENT: Final = 16 * 1024
SLOTS: Final = 1 << 20
"""Places in the state map: enough that two namespaces rarely draw the same, small enough for a short proof."""
ZERO: Final = bytes(32)
EMPTY_ROOT: Final = hashlib.sha256().digest()
"""The root of a tree without leaves (RFC 6962, 2.1): what a device says it has seen before its first checkpoint."""

_TAG = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_TYPE = re.compile(r"[a-z_]{1,20}(\.[a-z_]{1,20})?")
_MEMBERS: Final = {"v", "id", "ns", "type", "src", "at", "data"}
_AUTHOR: Final = {"kid", "dseq", "dprev", "seen", "sig"}


@dataclass(frozen=True)
class Author:
    """The device's own part of an event. `seen` is the newest checkpoint it knew: (tree size, root)."""

    kid: str
    dseq: int
    dprev: bytes
    seen: tuple[int, bytes]
    sig: bytes


@dataclass(frozen=True)
class Event:
    """A parsed event. `raw` are its bytes, over which `hash` is taken; `signed`, what its device signed."""

    raw: bytes
    ns: str
    type: str
    src: str
    at: int
    data: Mapping[str, Json]
    author: Author | None
    signed: bytes = b""
    id: bytes = b""

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.raw).digest()

    @property
    def statement(self) -> str | None:
        """The hash of the statement this event is about; only an event of source `state` has one."""
        return str(self.data["statement"]) if self.src == "state" else None


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def unb64(value: Json, length: int | None = None) -> bytes:
    """Base64 in its only spelling, of `length` bytes if given. Raises `LogError("bad_encoding")`."""
    if not isinstance(value, str):
        raise LogError("bad_encoding")
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LogError("bad_encoding") from error
    if b64(raw) != value or (length is not None and len(raw) != length):
        raise LogError("bad_encoding")
    return raw


def natural(value: Json, *, least: int = 0) -> int:
    """An integer of at least `least`; a bool is none."""
    if type(value) is not int or value < least:
        raise LogError("bad_encoding")
    return value


def is_tag(value: Json) -> bool:
    """A namespace's 16 bytes in hex."""
    return isinstance(value, str) and _TAG.fullmatch(value) is not None


def is_hash(value: Json) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def is_type(value: Json) -> bool:
    return isinstance(value, str) and _TYPE.fullmatch(value) is not None


def kid_of(*, salt: bytes, public_key: bytes) -> str:
    """A device's name inside one namespace: nobody without the salt can follow a device from one to the next."""
    return b64(hashlib.sha256(KID_PREFIX + salt + public_key).digest())


def disclosure_digest(*, salt: bytes, name: str, value: str) -> str:
    """What stands in `_sd` for a personal value. The salt's 256 bits make it impossible to guess; without the salt it says nothing."""
    return b64(hashlib.sha256(DISCLOSURE_PREFIX + jcs.encode([b64(salt), name, value])).digest())


def encode_event(
    *, event_id: bytes, ns: str, type: str, src: str, at: int, data: Mapping[str, Json], author: Mapping[str, Json] | None = None
) -> bytes:
    value: dict[str, Json] = {
        "v": 1,
        "id": b64(event_id),
        "ns": ns,
        "type": type,
        "src": src,
        "at": at,
        "data": dict(data),
    }
    if author is not None:
        value["author"] = dict(author)
    return jcs.encode(value)


def parse_event(raw: bytes) -> Event:
    """Reads an event strictly. Raises `LogError`; `not_canonical` for its JSON, `bad_event` or `bad_encoding` for its members."""
    value = jcs.decode_object(raw, max_bytes=MAX_EVENT)
    author = _parse_author(value["author"]) if "author" in value else None
    if set(value) - {"author"} != _MEMBERS or type(value["v"]) is not int or value["v"] != 1:
        raise LogError("bad_event")
    ns, kind, src, data = value["ns"], value["type"], value["src"], value["data"]
    if not is_tag(ns) or not is_type(kind) or not isinstance(data, dict):
        raise LogError("bad_event")
    if src not in ("client", "state", "host") or (src == "client") != (author is not None):
        raise LogError("bad_event")
    if src == "state" and not is_hash(data.get("statement")):
        raise LogError("bad_event")
    event_id = unb64(value["id"], 16)
    _check_members_for_the_record(data)
    signed = signing_bytes(value) if author else b""
    return Event(raw, cast(str, ns), cast(str, kind), src, natural(value["at"]), data, author, signed, event_id)


def signing_bytes(value: Mapping[str, Json]) -> bytes:
    """What a device signs: the event with its `author` but without `author.sig`."""
    author = value.get("author")
    if not isinstance(author, dict):
        raise LogError("bad_event")
    unsigned = {name: member for name, member in author.items() if name != "sig"}
    return EVENT_PREFIX + jcs.encode({**value, "author": unsigned})


def verify_author(event: Event, *, public_key: bytes) -> None:
    """Raises `LogError("bad_signature")` unless this key signed the event."""
    if event.author is None or not ed25519.verify(public_key=public_key, message=event.signed, signature=event.author.sig):
        raise LogError("bad_signature")


def _check_members_for_the_record(data: Mapping[str, Json]) -> None:
    """The members which the record itself reads: `_sd`, and in a namespace's first event `slot` and `salt`."""
    digests = data.get("_sd", [])
    if not isinstance(digests, list) or digests != sorted(set(map(str, digests))):
        raise LogError("bad_event")
    for digest in digests:
        unb64(digest, 32)
    if ("slot" in data) != ("salt" in data):
        raise LogError("bad_event")
    if "slot" in data:
        if natural(data["slot"]) >= SLOTS:
            raise LogError("bad_event")
        unb64(data["salt"], 16)


def _parse_author(value: Json) -> Author:
    if not isinstance(value, dict) or set(value) != _AUTHOR:
        raise LogError("bad_event")
    seen = value["seen"]
    if not isinstance(seen, list) or len(seen) != 2:
        raise LogError("bad_event")
    kid = unb64(value["kid"], 32)
    place = (natural(seen[0]), unb64(seen[1], 32))
    return Author(b64(kid), natural(value["dseq"], least=1), unb64(value["dprev"], 32), place, unb64(value["sig"], 64))
