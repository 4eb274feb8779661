"""The state map: a sparse tree of 2^20 slots, one per namespace, whose root stands in every state leaf. Pure.

With it a proof says 'these are all entries of this namespace up to here', so nobody can cut off a tail unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from secure.log.encoding import SLOTS
from secure.log.errors import LogError

DEPTH: Final = SLOTS.bit_length() - 1
EMPTY_SLOT: Final = hashlib.sha256(b"\x02").digest()


def slot_hash(*, ns: str, count: int, head: bytes) -> bytes:
    """SHA-256(0x02, the namespace's 16 bytes, its count as u64 big-endian, the leaf hash of its newest entry)."""
    return hashlib.sha256(b"\x02" + bytes.fromhex(ns) + count.to_bytes(8, "big") + head).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x03" + left + right).digest()


def _empty_subtrees() -> tuple[bytes, ...]:
    hashes = [EMPTY_SLOT]
    for _ in range(DEPTH):
        hashes.append(_node(hashes[-1], hashes[-1]))
    return tuple(hashes)


EMPTY: Final = _empty_subtrees()
"""EMPTY[h]: the root of an empty subtree of height h."""


class StateMap:
    """The map in memory. `assign` costs 20 hashes for each slot that changed."""

    def __init__(self) -> None:
        self._nodes: list[dict[int, bytes]] = [{} for _ in range(DEPTH + 1)]

    @property
    def root(self) -> bytes:
        return self._nodes[DEPTH].get(0, EMPTY[DEPTH])

    def assign(self, slots: Mapping[int, bytes]) -> None:
        """Sets slots to their hashes; others stay."""
        dirty = set()
        for slot, value in slots.items():
            if not 0 <= slot < 1 << DEPTH or len(value) != 32:
                raise LogError("bad_state_map")
            if self._nodes[0].get(slot) != value:
                self._nodes[0][slot] = value
                dirty.add(slot >> 1)
        for height in range(1, DEPTH + 1):
            below, here = self._nodes[height - 1], self._nodes[height]
            for index in dirty:
                left = below.get(2 * index, EMPTY[height - 1])
                here[index] = _node(left, below.get(2 * index + 1, EMPTY[height - 1]))
            dirty = {index >> 1 for index in dirty}

    def prove(self, slot: int) -> list[bytes]:
        """The 20 neighbours from the slot up."""
        return [self._nodes[height].get((slot >> height) ^ 1, EMPTY[height]) for height in range(DEPTH)]


def verify_slot(*, slot: int, value: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raises `LogError("bad_state_map")` unless the slot has this hash under `root`."""
    if not 0 <= slot < 1 << DEPTH or len(proof) != DEPTH or any(len(hash_) != 32 for hash_ in proof):
        raise LogError("bad_state_map")
    for height, neighbour in enumerate(proof):
        value = _node(neighbour, value) if slot >> height & 1 else _node(value, neighbour)
    if value != root:
        raise LogError("bad_state_map")
