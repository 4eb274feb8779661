"""Writes merkle.json: trees, and proofs that hold or do not. Run as `python -m tests.vectors.make_merkle`.

Leaf n is the four bytes of n, big-endian. Proofs are made by `secure.log.merkle`; what `breaking` does to them must never hold.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

from secure.log.errors import LogError
from secure.log.merkle import EMPTY_ROOT, leaf_hash, prove_consistency, prove_inclusion, root_hash, verify_consistency, verify_inclusion

FILE = Path(__file__).with_name("merkle.json")
SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 13, 64, 65, 200)
LEAVES = [n.to_bytes(4, "big") for n in range(max(SIZES))]
OTHER = leaf_hash(b"another history")
Tree = tuple[int, bytes]
"""Size and root."""
NOTHING = (0, EMPTY_ROOT)
FAR = 2**40
"""A size which 32 bits do not hold."""


def subtree(level: int, index: int) -> bytes:
    return root_hash(map(leaf_hash, LEAVES[index << level : (index + 1) << level]))


def tree(size: int) -> Tree:
    return size, root_hash(map(leaf_hash, LEAVES[:size]))


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def breaking(proof: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    yield "one hash more", [*proof, bytes(32)]
    yield "64 hashes", [*proof, *[bytes(32)] * (64 - len(proof))]
    if not proof:
        return
    yield "without its first hash", proof[1:]
    yield "without its last hash", proof[:-1]
    yield "with a bit flipped", [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
    yield "with a short hash", [proof[0][:31], *proof[1:]]
    if len(proof) > 1 and proof[0] != proof[-1]:
        yield "turned round", proof[::-1]


def inclusions() -> Iterator[dict[str, Any]]:
    def row(name: str, entry: tuple[int, bytes], tree: Tree, proof: list[bytes], valid: bool = False) -> dict[str, Any]:
        (index, leaf), (size, root) = entry, tree
        hashes = [b64(each) for each in proof]
        return {"name": name, "leaf": b64(leaf), "index": index, "size": size, "proof": hashes, "root": b64(root), "valid": valid}

    for size in SIZES:
        for index in sorted({0, size // 2, size - 1}):
            proof, name, entry = prove_inclusion(index, size, subtree), f"leaf {index} of {size}", (index, LEAVES[index])
            yield row(name, entry, tree(size), proof, valid=True)
            for how, broken in breaking(proof):
                yield row(f"{name}, {how}", entry, tree(size), broken)
            yield row(f"{name}, another leaf", (index, b"another"), tree(size), proof)
            yield row(f"{name}, another root", entry, (size, OTHER), proof)
            yield row(f"{name}, another place", (size, LEAVES[index]), tree(size), proof)
    yield row("before the first leaf", (-1, LEAVES[0]), tree(1), [])
    yield row("in an empty tree", (0, LEAVES[0]), NOTHING, [])
    yield row("an inner node as a leaf", (0, subtree(0, 0) + subtree(0, 1)), (1, tree(2)[1]), [])
    proof, upwards = [bytes(32)] * 40, subtree(0, 0)
    for hash_ in proof:
        upwards = root_hash([upwards, hash_])
    yield row("the first leaf of a far tree", (0, LEAVES[0]), (FAR, upwards), proof, valid=True)
    yield row("the second leaf of a far tree", (1, LEAVES[0]), (FAR, upwards), proof)


def consistencies() -> Iterator[dict[str, Any]]:
    def row(name: str, first: Tree, second: Tree, proof: list[bytes], valid: bool = False) -> dict[str, Any]:
        (size1, root1), (size2, root2) = first, second
        trees = {"size1": size1, "root1": b64(root1), "size2": size2, "root2": b64(root2)}
        return {"name": name, **trees, "proof": [b64(each) for each in proof], "valid": valid}

    for size1, size2 in combinations_with_replacement(SIZES, 2):
        proof, name = prove_consistency(size1, size2, subtree), f"{size1} to {size2}"
        yield row(name, tree(size1), tree(size2), proof, valid=True)
        yield row(f"{name}, another past", (size1, OTHER), tree(size2), proof)
        yield row(f"{name}, another present", tree(size1), (size2, OTHER), proof)
        if size1 < size2:
            yield row(f"{name}, backwards", tree(size2), tree(size1), proof)
        if (size1, size2) in {(1, 2), (3, 7), (4, 8), (6, 8), (7, 13), (64, 65), (65, 200)}:
            for how, broken in breaking(proof):
                yield row(f"{name}, {how}", tree(size1), tree(size2), broken)
    yield row("nothing to nothing", NOTHING, NOTHING, [], valid=True)
    yield row("nothing to nothing, another root", (0, OTHER), (0, OTHER), [])
    yield row("nothing to something", NOTHING, tree(5), [])
    yield row("something to nothing", tree(5), NOTHING, [])
    yield row("below nothing", (-1, EMPTY_ROOT), tree(5), [])
    half, double = subtree(0, 0), root_hash([subtree(0, 0), OTHER])
    yield row("a far tree and its double", (FAR, half), (2 * FAR, double), [OTHER], valid=True)
    yield row("a far tree and another's double", (FAR, OTHER), (2 * FAR, double), [OTHER])


def holds(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except LogError:
        return False
    return True


def judged(row: dict[str, Any]) -> bool:
    raw = {name: base64.b64decode(row[name]) for name in ("leaf", "root", "root1", "root2") if name in row}
    proof = [base64.b64decode(each) for each in row["proof"]]
    if "leaf" in row:
        return holds(verify_inclusion, leaf_hash(raw["leaf"]), row["index"], row["size"], proof, raw["root"])
    return holds(verify_consistency, row["size1"], raw["root1"], row["size2"], raw["root2"], proof)


def text() -> str:
    value = {"source": "tests/vectors/make_merkle.py", "inclusion": list(inclusions()), "consistency": list(consistencies())}
    for row in (*value["inclusion"], *value["consistency"]):
        if judged(row) != row["valid"]:
            raise SystemExit(f"judged otherwise: {row['name']}")
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
