"""A million leaves in the database: how much memory a process that proves from them takes, and how long that takes with the database."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from secure.log import store, tree_rows
from secure.log.merkle import Frontier
from secure.log.tiles import grow
from tests.load.measure import Measure, resident, seconds

LEAVES = 1_000_000
BATCH = 2000
PROOFS = 4000


def measures() -> Iterator[Measure]:
    """The base is this process once it has proven one entry: Django, the database's client and our code are loaded by then."""
    tree = Frontier()
    grown(tree, 4096)
    store.inclusion(7, tree.size)
    base = resident()
    grown(tree, LEAVES)
    draw = random.Random(6962)
    times = sorted(seconds(lambda: store.inclusion(draw.randrange(LEAVES), LEAVES)) for _ in range(PROOFS))
    yield Measure("memory above the base after a million leaves", resident() - base, "MB", 64, most=True)
    yield Measure("inclusion proof from the database: p50", 1e3 * times[PROOFS // 2], "ms")
    yield Measure("inclusion proof from the database: p99", 1e3 * times[PROOFS * 99 // 100], "ms", 5, most=True)


def grown(tree: Frontier, size: int) -> None:
    while tree.size < size:
        indexes = range(tree.size, min(size, tree.size + BATCH))
        new = [hashlib.sha256(index.to_bytes(8, "big")).digest() for index in indexes]
        with tree_rows.transaction():
            tree_rows.write_tiles(grow(tree, new, tree_rows.read_tile))
