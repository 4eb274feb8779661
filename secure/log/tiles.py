"""Tiles as C2SP tlog-tiles lays them out: level L holds, 256 to a tile, the roots of subtrees of 256^L leaves. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final

from secure.log.errors import LogError
from secure.log.merkle import HASH_BYTES, Frontier, node_hash

WIDTH: Final = 256
HEIGHT: Final = 8
MAX_LEVEL: Final = 7
MAX_SIZE: Final = 1 << 56

ReadTile = Callable[[int, int], bytes]
"""`read(level, n)`: the hashes stored for one tile, perhaps fewer than 256; empty if there is none."""

_PATH = re.compile(r"(0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True)
class TilePlace:
    """One tile; `width` 256 is a full one."""

    level: int
    n: int
    width: int = WIDTH


def tile_path(place: TilePlace) -> str:
    """`<L>/<N>[.p/<W>]`: N in groups of three digits, all but the last with an x before them."""
    groups, n = [f"{place.n % 1000:03d}"], place.n // 1000
    while n:
        groups.insert(0, f"x{n % 1000:03d}")
        n //= 1000
    partial = "" if place.width == WIDTH else f".p/{place.width}"
    return f"{place.level}/{'/'.join(groups)}{partial}"


def parse_tile_path(path: str) -> TilePlace:
    """Raises `LogError("bad_tile")` for anything but the one spelling of a place."""
    found = _PATH.fullmatch(path) if len(path) <= 64 else None
    if found is None:
        raise LogError("bad_tile")
    n = int(found[2].replace("x", "").replace("/", ""))
    place = TilePlace(int(found[1]), n, int(found[3] or WIDTH))
    if place.level > MAX_LEVEL or tile_path(place) != path:
        raise LogError("bad_tile")
    return place


def width_at(level: int, n: int, tree_size: int) -> int:
    """How many hashes this tile has in a tree of `tree_size` leaves; 0 if none."""
    return max(0, min(WIDTH, (tree_size >> (HEIGHT * level)) - n * WIDTH))


class Subtrees:
    """Answers `merkle.Subtree` from tiles; each tile is read once and hashed as far as it is asked for."""

    def __init__(self, read: ReadTile) -> None:
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._hashes: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        n, first = divmod(index << height, WIDTH)
        tile = self._tile(tile_level, n)
        if height and len(tile) == WIDTH * HASH_BYTES:
            at = (first >> height) * HASH_BYTES
            return _subtrees_of(tile)[height][at : at + HASH_BYTES]
        return self._hashed(level, index) if height else _hash_at(tile, first)

    def _hashed(self, level: int, index: int) -> bytes:
        """A subtree inside a tile that is not full."""
        place = (level, index)
        if place not in self._hashes:
            self._hashes[place] = node_hash(self(level - 1, 2 * index), self(level - 1, 2 * index + 1))
        return self._hashes[place]

    def _tile(self, level: int, n: int) -> bytes:
        if (level, n) not in self._tiles:
            self._tiles[(level, n)] = self._read(level, n)
        return self._tiles[(level, n)]


def _hash_at(tile: bytes, at: int) -> bytes:
    hash_ = tile[at * HASH_BYTES : (at + 1) * HASH_BYTES]
    if len(hash_) != HASH_BYTES:
        raise LogError("bad_tile")
    return hash_


@lru_cache(maxsize=256)
def _subtrees_of(tile: bytes) -> tuple[bytes, ...]:
    """All subtrees inside a full tile, height by height. By its bytes, not by its place: what is stored otherwise is hashed anew."""
    levels = [tile]
    while len(levels[-1]) > HASH_BYTES:
        levels.append(_parents(levels[-1]))
    return tuple(levels)


def _parents(hashes: bytes) -> bytes:
    """One level up. Two neighbours lie side by side already: `merkle.node_hash` over one slice."""
    pairs = range(0, len(hashes), 2 * HASH_BYTES)
    return b"".join([sha256(b"\x01" + hashes[at : at + 2 * HASH_BYTES]).digest() for at in pairs])


def grow(tree: Frontier, leaf_hashes: Iterable[bytes], read: ReadTile) -> dict[tuple[int, int], bytes]:
    """Appends leaves to `tree` and returns the tiles that changed, whole: {(level, n): hashes}."""
    changed: dict[tuple[int, int], bytearray] = {}
    for hash_ in leaf_hashes:
        index = tree.size
        tree.append(hash_)
        _put(changed, 0, index, hash_, read)
        level = 1
        while tree.size % (1 << (HEIGHT * level)) == 0:
            _put(changed, level, (tree.size >> (HEIGHT * level)) - 1, _full_tile_root(changed, level, tree.size), read)
            level += 1
    return {place: bytes(hashes) for place, hashes in changed.items()}


def _put(changed: dict[tuple[int, int], bytearray], level: int, index: int, hash_: bytes, read: ReadTile) -> None:
    place, width = (level, index // WIDTH), index % WIDTH
    if place not in changed:
        stored = read(*place) if width else b""
        changed[place] = bytearray(stored[: width * HASH_BYTES])
    if len(changed[place]) != width * HASH_BYTES:
        raise LogError("bad_tile")
    changed[place] += hash_


def _full_tile_root(changed: dict[tuple[int, int], bytearray], level: int, size: int) -> bytes:
    """The root of the tile below that has just become full."""
    hashes = bytes(changed[(level - 1, (size >> (HEIGHT * level)) - 1)])
    while len(hashes) > HASH_BYTES:
        hashes = _parents(hashes)
    return hashes
