"""One proof for many leaves and many earlier sizes of one tree (RFC 6962's tree). Pure.

It is the list of those subtree roots, from left to right, that cannot be computed from the leaves one has: going down from the root, a
range is opened if it holds a wanted leaf, or if one of the earlier sizes ends inside it; any other range stands in the list by its hash.
So the list has exactly one form. Whoever has opened the ranges around an earlier size has the full subtrees of that earlier tree, and with
them its root: the same list proves that each of these trees is the beginning of the next.

The only error that leaves this file is `LogError("bad_proof")`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from secure.log.errors import LogError
from secure.log.merkle import HASH_BYTES, Subtree, node_hash, range_root, root_of, split


def prove(indexes: Sequence[int], sizes: Sequence[int], tree_size: int, subtree: Subtree) -> Iterator[bytes]:
    """The hashes for the wanted leaves and earlier sizes, both sorted and within the tree."""
    plan = _Plan(indexes, sizes, tree_size)
    pending = [(0, tree_size)] if tree_size else []
    while pending:
        start, end = pending.pop()
        if plan.opens(start, end):
            middle = start + split(end - start)
            pending += [(middle, end), (start, middle)]
        elif not plan.wants(start, end):
            yield range_root(start, end, subtree)


class Opened:
    """The tree as far as a multiproof opens it: `root`, and `root_at` of every size it was made for.

    Raises `LogError("bad_proof")` if the list is too short, too long or of odd length.
    """

    def __init__(self, leaf_hashes: Mapping[int, bytes], sizes: Sequence[int], tree_size: int, nodes: bytes) -> None:
        if len(nodes) % HASH_BYTES:
            raise LogError("bad_proof")
        self.size = tree_size
        self._leaves = leaf_hashes
        self._plan = _Plan(sorted(leaf_hashes), sizes, tree_size)
        self._full: dict[tuple[int, int], bytes] = {}
        self._sizes = frozenset(sizes)
        self._nodes = iter([nodes[at : at + HASH_BYTES] for at in range(0, len(nodes), HASH_BYTES)])
        self.root = self._hash(0, tree_size) if tree_size else root_of(0, self._subtree)
        if next(self._nodes, None) is not None:
            raise LogError("bad_proof")

    def root_at(self, size: int) -> bytes | None:
        """The root of the first `size` leaves; None if the proof was not made for this size."""
        if size == self.size:
            return self.root
        return root_of(size, self._subtree) if size in self._sizes or size == 0 else None

    def _hash(self, start: int, end: int) -> bytes:
        if self._plan.opens(start, end):
            middle = start + split(end - start)
            hash_ = node_hash(self._hash(start, middle), self._hash(middle, end))
        else:
            found = self._leaves[start] if self._plan.wants(start, end) else next(self._nodes, None)
            if found is None:
                raise LogError("bad_proof")
            hash_ = found
        width = end - start
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            self._full[level, start >> level] = hash_
        return hash_

    def _subtree(self, level: int, index: int) -> bytes:
        return self._full[level, index]


class _Plan:
    """Which ranges are opened. The same for whoever proves and whoever checks."""

    def __init__(self, indexes: Sequence[int], sizes: Sequence[int], tree_size: int) -> None:
        for row, most in ((indexes, tree_size - 1), (sizes, tree_size)):
            if any(left >= right for left, right in pairwise(row)) or (row and not 0 <= row[0] <= row[-1] <= most):
                raise LogError("bad_proof")
        self._indexes, self._sizes = indexes, sizes

    def wants(self, start: int, end: int) -> bool:
        return bisect_left(self._indexes, start) < bisect_left(self._indexes, end)

    def opens(self, start: int, end: int) -> bool:
        if end - start == 1:
            return False
        return self.wants(start, end) or bisect_right(self._sizes, start) < bisect_left(self._sizes, end)
