"""The tree of RFC 6962 with SHA-256: hashing, proofs, and their verification as RFC 9162 spells it out (2.1.3.2, 2.1.4.2).

Pure: bytes in, bytes out. The only error that leaves this file is `LogError("bad_proof")`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from secure.log.errors import LogError

HASH_BYTES: Final = 32
MAX_PROOF: Final = 63
EMPTY_ROOT: Final = hashlib.sha256().digest()

Subtree = Callable[[int, int], bytes]
"""`subtree(level, index)`: the root of the full subtree of 2^level leaves which begins at leaf index · 2^level."""


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree remembered by the roots of its full subtrees, largest first: all one needs to append and to name the root."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or len(hashes) != size.bit_count():
            raise LogError("bad_proof")
        self.size = size
        self.hashes = list(hashes)

    def append(self, hash_: bytes) -> None:
        size = self.size
        while size & 1:
            hash_ = node_hash(self.hashes.pop(), hash_)
            size >>= 1
        self.hashes.append(hash_)
        self.size += 1

    @property
    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for hash_ in reversed(self.hashes[:-1]):
            root = node_hash(hash_, root)
        return root


def root_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    tree = Frontier()
    for hash_ in leaf_hashes:
        tree.append(hash_)
    return tree.root


def root_of(size: int, subtree: Subtree) -> bytes:
    """The root of the tree's first `size` leaves, from stored subtrees."""
    return range_root(0, size, subtree) if size else EMPTY_ROOT


def prove_inclusion(index: int, tree_size: int, subtree: Subtree) -> list[bytes]:
    """The inclusion proof of leaf `index` in the tree of `tree_size` leaves (RFC 6962, 2.1.1)."""
    if not 0 <= index < tree_size:
        raise LogError("bad_proof")
    start, end, proof = 0, tree_size, list[bytes]()
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            proof.append(range_root(middle, end, subtree))
            end = middle
        else:
            proof.append(range_root(start, middle, subtree))
            start = middle
    return proof[::-1]


def prove_consistency(size1: int, size2: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of `size2` leaves begins with that of `size1` (RFC 6962, 2.1.2)."""
    if not 0 < size1 <= size2:
        raise LogError("bad_proof")
    start, end, whole, proof = 0, size2, True, list[bytes]()
    while size1 != end:
        middle = start + split(end - start)
        if size1 <= middle:
            proof.append(range_root(middle, end, subtree))
            end = middle
        else:
            proof.append(range_root(start, middle, subtree))
            start, whole = middle, False
    if not whole:
        proof.append(range_root(start, end, subtree))
    return proof[::-1]


def verify_inclusion(leaf_hash: bytes, index: int, tree_size: int, proof: list[bytes], root: bytes) -> None:
    """Raises `LogError("bad_proof")` unless the proof shows the leaf hash at `index` under `root`."""
    _check_shape(proof, leaf_hash, root)
    if not 0 <= index < tree_size:
        raise LogError("bad_proof")
    node, last, result = index, tree_size - 1, leaf_hash
    for hash_ in proof:
        if last == 0:
            raise LogError("bad_proof")
        if node & 1 or node == last:
            result = node_hash(hash_, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, hash_)
        node, last = node >> 1, last >> 1
    if last != 0 or result != root:
        raise LogError("bad_proof")


def verify_consistency(size1: int, root1: bytes, size2: int, root2: bytes, proof: list[bytes]) -> None:
    """Raises `LogError("bad_proof")` unless the proof shows that the second tree begins with the first.

    From size 0 to a larger tree there is nothing to be consistent with: refused. Between equal sizes the proof is empty.
    """
    _check_shape(proof, root1, root2)
    if not 0 <= size1 <= size2 or (size1 == 0) != (size2 == 0):
        raise LogError("bad_proof")
    if size1 == size2:
        if proof or root1 != root2 or (size1 == 0 and root1 != EMPTY_ROOT):
            raise LogError("bad_proof")
        return
    path = [root1, *proof] if size1 & (size1 - 1) == 0 else proof
    if not path:
        raise LogError("bad_proof")
    node, last = size1 - 1, size2 - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for hash_ in path[1:]:
        if last == 0:
            raise LogError("bad_proof")
        if node & 1 or node == last:
            first, second = node_hash(hash_, first), node_hash(hash_, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, hash_)
        node, last = node >> 1, last >> 1
    if last != 0 or first != root1 or second != root2:
        raise LogError("bad_proof")


def range_root(start: int, end: int, subtree: Subtree) -> bytes:
    """The root over leaves [start, end), where start is a multiple of the smallest power of two not below end − start."""
    hashes = list[bytes]()
    while start < end:
        level = (end - start).bit_length() - 1
        hashes.append(subtree(level, start >> level))
        start += 1 << level
    root = hashes.pop()
    while hashes:
        root = node_hash(hashes.pop(), root)
    return root


def split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_shape(proof: list[bytes], *hashes: bytes) -> None:
    if len(proof) > MAX_PROOF or any(len(hash_) != HASH_BYTES for hash_ in (*proof, *hashes)):
        raise LogError("bad_proof")
