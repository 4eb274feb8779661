"""The evidence bundle's files (docs/protocol.md, 12): names, records, manifest. Pure; the only error is `LogError("bad_bundle")`.

| file | content |
| --- | --- |
| `README.txt`, `report.html` | for people; a verifier writes its own report |
| `chains/<scope>.jsonl` | the signed statements of a chain, one canonical line each |
| `disclosures.jsonl` | names which the recipient may know: `{"index", "name", "salt", "value"}` |
| `log/checkpoints/<size>.txt` | signed tree heads; the largest is the bundle's |
| `log/events.bin`, `log/leaves.bin` | records: index (u64), length (u16), bytes |
| `log/nodes.bin` | the hashes of one multiproof for all leaves and all `sizes` |
| `log/policies/<number>.txt` | policies as signed notes, for whoever keeps an older one |
| `log/state.json` | each series' scope, slot, count, head and its proof in the state map |
| `manifest.json` | what it is about, and the SHA-256 of every other file |
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from secure.log import jcs
from secure.log.encoding import SLOTS, b64, is_hash, is_tag, natural, unb64
from secure.log.errors import LogError
from secure.log.jcs import Json
from secure.log.statemap import DEPTH
from secure.log.tiles import MAX_SIZE

README, REPORT, MANIFEST = "README.txt", "report.html", "manifest.json"
DISCLOSURES, EVENTS, LEAVES = "disclosures.jsonl", "log/events.bin", "log/leaves.bin"
NODES, STATE = "log/nodes.bin", "log/state.json"
CHAINS, CHECKPOINTS, POLICIES = "chains/", "log/checkpoints/", "log/policies/"
FIXED: Final = frozenset({README, REPORT, MANIFEST, DISCLOSURES, EVENTS, LEAVES, NODES, STATE})
MAX_JSON: Final = 16 * 1024 * 1024

_RECORD = struct.Struct(">QH")
_MANIFEST: Final = {"v", "origin", "consultation", "recipient", "size", "sizes", "withheld", "files"}
_SERIES: Final = {"ns", "scope", "slot", "count", "head", "proof"}


@dataclass(frozen=True)
class Manifest:
    """`size` is the tree's under the newest checkpoint; `sizes` are the earlier trees which the proof also proves. `recipient` is the
    card of the person whose names alone are disclosed, None for the secretariat. `withheld` are the indexes of events left out for them.
    """

    origin: str
    consultation: str
    recipient: str | None
    size: int
    sizes: tuple[int, ...]
    withheld: tuple[int, ...]
    files: tuple[tuple[str, str], ...]

    def encode(self) -> bytes:
        lists: dict[str, Json] = {
            "sizes": list(self.sizes),
            "withheld": list(self.withheld),
            "files": [list(row) for row in self.files],
        }
        names = {"origin": self.origin, "consultation": self.consultation, "recipient": self.recipient}
        return jcs.encode({"v": 1, "size": self.size, **names, **lists})


@dataclass(frozen=True)
class SeriesProof:
    """A series as the state map has it under the bundle's newest checkpoint."""

    ns: str
    scope: str
    slot: int
    count: int
    head: bytes
    proof: tuple[bytes, ...]

    def value(self) -> dict[str, Json]:
        proof: list[Json] = [b64(hash_) for hash_ in self.proof]
        return {"ns": self.ns, "scope": self.scope, "slot": self.slot, "count": self.count, "head": b64(self.head), "proof": proof}


@dataclass(frozen=True)
class Disclosed:
    """A name which an event holds as a digest only."""

    index: int
    name: str
    value: str
    salt: bytes

    def line(self) -> bytes:
        return jcs.encode({"index": self.index, "name": self.name, "value": self.value, "salt": b64(self.salt)}) + b"\n"


def record(index: int, raw: bytes) -> bytes:
    return _RECORD.pack(index, len(raw)) + raw


def records(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(index, bytes) of each record."""
    at = 0
    while at < len(raw):
        if at + _RECORD.size > len(raw):
            raise LogError("bad_bundle")
        index, length = _RECORD.unpack_from(raw, at)
        at += _RECORD.size + length
        if at > len(raw) or index >= MAX_SIZE:
            raise LogError("bad_bundle")
        yield index, raw[at - length : at]


def lines(raw: bytes) -> list[bytes]:
    if raw and not raw.endswith(b"\n"):
        raise LogError("bad_bundle")
    return raw.split(b"\n")[:-1]


def parse_manifest(raw: bytes) -> Manifest:
    value = _object(raw, _MANIFEST)
    origin, consultation, recipient = value["origin"], value["consultation"], value["recipient"]
    if value["v"] != 1 or not isinstance(origin, str) or not is_hash(consultation) or not (recipient is None or is_hash(recipient)):
        raise LogError("bad_bundle")
    size = natural(value["size"], least=1)
    sizes, withheld = _ascending(value["sizes"]), _ascending(value["withheld"])
    files = tuple(_file(row) for row in _list(value["files"]))
    names = [name for name, _ in files]
    if size > MAX_SIZE or names != sorted(set(names)) or (sizes and not 0 < sizes[0] <= sizes[-1] <= size):
        raise LogError("bad_bundle")
    card = None if recipient is None else str(recipient)
    return Manifest(origin, str(consultation), card, size, sizes, withheld, files)


def parse_series(raw: bytes) -> tuple[SeriesProof, ...]:
    rows = _list(_object(raw, {"series"})["series"])
    found = tuple(_one_series(row) for row in rows)
    if len({series.ns for series in found}) != len(found) or len({series.scope for series in found}) != len(found):
        raise LogError("bad_bundle")
    return found


def parse_disclosed(raw: bytes) -> Disclosed:
    value = _object(raw, {"index", "name", "value", "salt"})
    name, text = value["name"], value["value"]
    if not isinstance(name, str) or not isinstance(text, str):
        raise LogError("bad_bundle")
    return Disclosed(natural(value["index"]), name, text, unb64(value["salt"], 32))


def place(name: str, folder: str, suffix: str) -> str:
    """What stands between a folder and a suffix in a member's name."""
    middle = name[len(folder) : len(name) - len(suffix)]
    if not name.startswith(folder) or not name.endswith(suffix) or not middle:
        raise LogError("bad_bundle")
    return middle


def number(text: str) -> int:
    """A number in its one spelling."""
    if not text.isascii() or not text.isdigit() or len(text) > 18 or str(int(text)) != text:
        raise LogError("bad_bundle")
    return int(text)


def _one_series(row: Json) -> SeriesProof:
    if not isinstance(row, dict) or set(row) != _SERIES or not is_tag(row["ns"]) or not isinstance(row["scope"], str):
        raise LogError("bad_bundle")
    slot, proof = natural(row["slot"]), tuple(unb64(hash_, 32) for hash_ in _list(row["proof"]))
    if slot >= SLOTS or len(proof) != DEPTH:
        raise LogError("bad_bundle")
    return SeriesProof(str(row["ns"]), row["scope"], slot, natural(row["count"], least=1), unb64(row["head"], 32), proof)


def _file(row: Json) -> tuple[str, str]:
    pair = _list(row)
    if len(pair) != 2 or not isinstance(pair[0], str) or not is_hash(pair[1]):
        raise LogError("bad_bundle")
    return pair[0], str(pair[1])


def _ascending(value: Json) -> tuple[int, ...]:
    found = tuple(natural(each) for each in _list(value))
    if list(found) != sorted(set(found)):
        raise LogError("bad_bundle")
    return found


def _list(value: Json) -> Sequence[Json]:
    if not isinstance(value, list):
        raise LogError("bad_bundle")
    return value


def _object(raw: bytes, members: set[str]) -> dict[str, Json]:
    value = jcs.decode_object(raw, max_bytes=MAX_JSON)
    if set(value) != members:
        raise LogError("bad_bundle")
    return value
