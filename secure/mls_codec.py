"""MLS's presentation language (RFC 9420, 2.1): a strict cursor over bytes, and the two encodings the server itself needs. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from secure.errors import BadInput

T = TypeVar("T")


def bad(_why: str) -> BadInput:
    """The one refusal of this module. The reason is for whoever reads the code: the sender gets the code only."""
    return BadInput("bad_mls")


class Reader:
    """A cursor over bytes. Every read is checked against the end."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.raw):
            raise bad("ends early")
        piece = self.raw[self.at : end]
        self.at = end
        return piece

    def uint(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self) -> bytes:
        """A variable-length vector (RFC 9420, 2.1.2); the length in its shortest form only."""
        first = self.uint(1)
        kind = first >> 6
        if kind == 3:
            raise bad("length of 8 bytes")
        length = ((first & 0x3F) << (8 * ((1 << kind) - 1))) | (self.uint((1 << kind) - 1) if kind else 0)
        if kind and length < (1 << (6 if kind == 1 else 14)):
            raise bad("length not in shortest form")
        return self.take(length)

    def sized(self, size: int) -> bytes:
        piece = self.vector()
        if len(piece) != size:
            raise bad("wrong size")
        return piece

    def done(self) -> None:
        if self.at != len(self.raw):
            raise bad("trailing bytes")

    def present(self) -> bool:
        flag = self.uint(1)
        if flag > 1:
            raise bad("not an optional")
        return flag == 1

    def many(self, read: Callable[[Reader], T]) -> list[T]:
        """A vector of structures."""
        inner = Reader(self.vector())
        found: list[T] = []
        while inner.at < len(inner.raw):
            found.append(read(inner))
        return found

    def spanned(self, read: Callable[[Reader], T]) -> tuple[T, bytes]:
        """What `read` reads, and the bytes it read."""
        start = self.at
        found = read(self)
        return found, self.raw[start : self.at]


def vec(raw: bytes) -> bytes:
    """Encode a variable-length vector."""
    size = len(raw)
    if size < 1 << 6:
        return bytes([size]) + raw
    if size < 1 << 14:
        return (size | 1 << 14).to_bytes(2, "big") + raw
    return (size | 2 << 30).to_bytes(4, "big") + raw


def labelled(label: str, content: bytes) -> bytes:
    """SignContent (RFC 9420, 5.1.2): what a signature under `label` is made over."""
    return vec(b"MLS 1.0 " + label.encode()) + vec(content)
