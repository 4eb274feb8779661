"""The tree at a million leaves, without any database: appending, recomputing, proving."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from secure.log.encoding import ZERO
from secure.log.leaves import EntryLeaf
from secure.log.merkle import Frontier, leaf_hash, prove_consistency, prove_inclusion, root_hash, verify_inclusion
from secure.log.tiles import Subtrees, grow
from tests.load.measure import Measure, best, seconds

LEAVES = 1_000_000
BATCH = 200
PROOFS = 4000
Tiles = dict[tuple[int, int], bytes]


def measures() -> Iterator[Measure]:
    hashes = [hashlib.sha256(index.to_bytes(8, "big")).digest() for index in range(LEAVES)]
    tiles: Tiles = {}
    yield Measure("tree: appends, with tiles", best(lambda: LEAVES / seconds(lambda: append(hashes, tiles))), "/s", 300_000)
    yield from proofs(hashes, tiles)
    leaf = EntryLeaf("ab" * 16, 812, ZERO, ZERO, 1_790_000_000_204, "message").encode()
    entries = [leaf[:-8] + index.to_bytes(8, "big") for index in range(LEAVES)]
    yield Measure("tree: full recomputation from the entries", best(lambda: LEAVES / seconds(lambda: recompute(entries))), "/s", 200_000)


def append(hashes: list[bytes], tiles: Tiles) -> None:
    """As the sequencer does: a batch at a time, the changed tiles written back."""

    def read(level: int, n: int) -> bytes:
        return tiles.get((level, n), b"")

    tiles.clear()
    tree = Frontier()
    for at in range(0, LEAVES, BATCH):
        tiles.update(grow(tree, hashes[at : at + BATCH], read))


def recompute(entries: list[bytes]) -> bytes:
    return root_hash(map(leaf_hash, entries))


def proofs(hashes: list[bytes], tiles: Tiles) -> Iterator[Measure]:
    """Places drawn at random: almost every proof meets a tile that nobody has hashed lately."""
    draw = random.Random(6962)
    root = root_hash(hashes)

    def read(level: int, n: int) -> bytes:
        return tiles.get((level, n), b"")

    places = [draw.randrange(LEAVES) for _ in range(PROOFS)]
    times = sorted(seconds(lambda place=place: prove_inclusion(place, LEAVES, Subtrees(read))) for place in places)
    for place in places[:50]:
        verify_inclusion(hashes[place], place, LEAVES, prove_inclusion(place, LEAVES, Subtrees(read)), root)
    yield Measure("inclusion proof, warm tiles: p50", 1e3 * times[PROOFS // 2], "ms", 0.5, most=True)
    yield Measure("inclusion proof, warm tiles: p99", 1e3 * times[PROOFS * 99 // 100], "ms", 5, most=True)
    times = sorted(seconds(lambda place=place: prove_consistency(place + 1, LEAVES, Subtrees(read))) for place in places)
    yield Measure("consistency proof, warm tiles: p50", 1e3 * times[PROOFS // 2], "ms")
