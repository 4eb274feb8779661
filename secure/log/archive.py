"""A zip file with one spelling: members stored as they are, one after the other, at a fixed time. Any program opens it. Pure.

The reader takes exactly what the writer writes (APPNOTE 4.3.7, 4.3.12, 4.3.16): it walks the local headers, then compares the rest with the
directory it would have written itself. So there is no second list of members to disagree with the first, and nothing that could inflate.
The only error that leaves this file is `LogError("bad_archive")`.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

from secure.log.errors import LogError

MAX_MEMBERS: Final = 20_000
MAX_BYTES: Final = 200 * 1024 * 1024
MAX_NAME: Final = 120

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_VERSION, _STORED, _MIDNIGHT, _FIRST_DAY, _FILE = 20, 0, 0, 0x21, 0o100644 << 16
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


@dataclass(frozen=True)
class _Member:
    name: str
    crc: int
    size: int
    offset: int

    @property
    def start(self) -> int:
        """Where its bytes begin."""
        return self.offset + _LOCAL.size + len(self.name)

    def local(self) -> bytes:
        sizes = (self.crc, self.size, self.size, len(self.name), 0)
        return _LOCAL.pack(b"PK\x03\x04", _VERSION, 0, _STORED, _MIDNIGHT, _FIRST_DAY, *sizes) + self.name.encode()

    def central(self) -> bytes:
        made = (_VERSION | 3 << 8, _VERSION, 0, _STORED, _MIDNIGHT, _FIRST_DAY)
        sizes = (self.crc, self.size, self.size, len(self.name), 0, 0, 0, 0, _FILE, self.offset)
        return _CENTRAL.pack(b"PK\x01\x02", *made, *sizes) + self.name.encode()


class Writer:
    """Writes members in the order given, in pieces, to a file that can be sought in; `close` adds the directory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: list[_Member] = []

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        _check_name(name)
        offset, crc, size = self._file.tell(), 0, 0
        self._file.write(_Member(name, 0, 0, offset).local())
        for piece in pieces:
            self._file.write(piece)
            crc, size = zlib.crc32(piece, crc), size + len(piece)
        end = self._file.tell()
        if end > MAX_BYTES or len(self._members) == MAX_MEMBERS:
            raise LogError("bad_archive")
        member = _Member(name, crc, size, offset)
        self._file.seek(offset)
        self._file.write(member.local())
        self._file.seek(end)
        self._members.append(member)

    def read(self, name: str) -> bytes:
        """A member that has been written."""
        end, member = self._file.tell(), next(member for member in self._members if member.name == name)
        self._file.seek(member.start)
        raw = self._file.read(member.size)
        self._file.seek(end)
        return raw

    def close(self) -> None:
        self._file.write(_directory(self._members, self._file.tell()))


class Members(Mapping[str, bytes]):
    """The members of an archive held in memory, by name in their order."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) > MAX_BYTES:
            raise LogError("bad_archive")
        self._raw = memoryview(raw)
        self._members = {member.name: member for member in _walk(raw)}

    def __getitem__(self, name: str) -> bytes:
        member = self._members[name]
        return bytes(self._raw[member.start : member.start + member.size])

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def _walk(raw: bytes) -> list[_Member]:
    """Every member, once all headers, checksums and the directory are found to be as the writer writes them."""
    found: dict[str, _Member] = {}
    at = 0
    while raw[at : at + 4] == b"PK\x03\x04":
        member = _member_at(raw, at)
        if member.name in found or len(found) == MAX_MEMBERS:
            raise LogError("bad_archive")
        found[member.name] = member
        at = member.start + member.size
    members = list(found.values())
    if raw[at:] != _directory(members, at):
        raise LogError("bad_archive")
    return members


def _member_at(raw: bytes, at: int) -> _Member:
    header = raw[at : at + _LOCAL.size]
    if len(header) != _LOCAL.size:
        raise LogError("bad_archive")
    *_, crc, _packed, size, length, _extra = _LOCAL.unpack(header)
    if length > MAX_NAME:
        raise LogError("bad_archive")
    name = raw[at + _LOCAL.size : at + _LOCAL.size + length].decode("ascii", "replace")
    _check_name(name)
    member = _Member(name, crc, size, at)
    whole = raw[member.start : member.start + size]
    if raw[at : member.start] != member.local() or len(whole) != size or zlib.crc32(whole) != crc:
        raise LogError("bad_archive")
    return member


def _directory(members: list[_Member], at: int) -> bytes:
    central = b"".join(member.central() for member in members)
    return central + _END.pack(b"PK\x05\x06", 0, 0, len(members), len(members), len(central), at, 0)


def _check_name(name: str) -> None:
    """Plain relative paths: no part begins with a dot, so nothing leads out of a folder."""
    if len(name) > MAX_NAME or _NAME.fullmatch(name) is None:
        raise LogError("bad_archive")
