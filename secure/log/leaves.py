"""Leaves: about 200 bytes of canonical JSON each, kept for good, without anything personal. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from secure.log import jcs
from secure.log.encoding import b64, is_tag, natural, unb64
from secure.log.errors import LogError
from secure.log.jcs import Json

MAX_LEAF: Final = 1024
STATE: Final = "log.state"
_ENTRY: Final = {"v", "ns", "cseq", "cprev", "evh", "t", "ty"}
_STATE: Final = {"v", "map", "t", "ty"}


@dataclass(frozen=True)
class EntryLeaf:
    """An event's place: `cseq` counts its namespace from 1, `cprev` is the leaf hash of the namespace's entry before (zeros at first).

    `t` is the sequencer's clock in ms and never decreases along the log; `ty` says no more than the first word of the event's type.
    """

    ns: str
    cseq: int
    cprev: bytes
    evh: bytes
    t: int
    ty: str

    def encode(self) -> bytes:
        return jcs.encode(
            {
                "v": 1,
                "ns": self.ns,
                "cseq": self.cseq,
                "cprev": b64(self.cprev),
                "evh": b64(self.evh),
                "t": self.t,
                "ty": self.ty,
            }
        )


@dataclass(frozen=True)
class StateLeaf:
    """The last leaf under every checkpoint: commits to count and head of every namespace."""

    map: bytes
    t: int

    def encode(self) -> bytes:
        return jcs.encode({"v": 1, "map": b64(self.map), "t": self.t, "ty": STATE})


Leaf = EntryLeaf | StateLeaf


def coarse_type(event_type: str) -> str:
    return event_type.split(".", 1)[0]


def parse_leaf(raw: bytes) -> Leaf:
    """Reads a leaf strictly. Raises `LogError`."""
    value = jcs.decode_object(raw, max_bytes=MAX_LEAF)
    if type(value.get("v")) is not int or value["v"] != 1:
        raise LogError("bad_leaf")
    if value.get("ty") == STATE:
        return _state(value)
    ty, ns = value.get("ty"), value.get("ns")
    if set(value) != _ENTRY or not isinstance(ty, str) or not isinstance(ns, str) or not is_tag(ns):
        raise LogError("bad_leaf")
    return EntryLeaf(
        ns,
        natural(value["cseq"], least=1),
        unb64(value["cprev"], 32),
        unb64(value["evh"], 32),
        natural(value["t"]),
        ty,
    )


def _state(value: dict[str, Json]) -> StateLeaf:
    if set(value) != _STATE:
        raise LogError("bad_leaf")
    return StateLeaf(unb64(value["map"], 32), natural(value["t"]))
