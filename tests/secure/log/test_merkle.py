from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure.log.errors import LogError
from secure.log.merkle import (
    EMPTY_ROOT,
    Frontier,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from secure.log.tiles import HEIGHT, WIDTH, Subtrees, grow, width_at

LEAVES = [leaf_hash(n.to_bytes(4, "big")) for n in range(1100)]


@cache
def by_definition(start: int, end: int) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if start == end:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return LEAVES[start]
    split = 1
    while split * 2 < end - start:
        split *= 2
    return hashlib.sha256(b"\x01" + by_definition(start, start + split) + by_definition(start + split, end)).digest()


def subtree(level: int, index: int) -> bytes:
    return by_definition(index << level, (index + 1) << level)


SIZES = st.integers(1, 1100)


def test_it_gives_the_roots_of_the_published_vectors() -> None:
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(text)) for text in inputs]
    roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    assert [root_hash(leaves[:size]).hex() for size in range(1, 9)] == roots
    assert root_hash([]) == EMPTY_ROOT


@given(SIZES)
def test_root_and_frontier_agree_with_the_definition(size: int) -> None:
    assert root_hash(LEAVES[:size]) == root_of(size, subtree) == by_definition(0, size)


@given(SIZES, st.data())
def test_every_inclusion_proof_holds_and_no_altered_one_does(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, root = prove_inclusion(index, size, subtree), by_definition(0, size)
    verify_inclusion(LEAVES[index], index, size, proof, root)
    assert len(proof) <= (size - 1).bit_length()
    for wrong in altered(proof, data):
        refused(verify_inclusion, LEAVES[index], index, size, wrong, root)
    refused(verify_inclusion, LEAVES[index - 1] if index else LEAVES[1], index, size, proof, root)
    refused(verify_inclusion, LEAVES[index], index, size, proof, by_definition(0, size + 1) if size < 1100 else EMPTY_ROOT)
    other = data.draw(st.integers(-1, size).filter(lambda number: number != index))
    refused(verify_inclusion, LEAVES[index], other, size, proof, root)


@given(SIZES, st.data())
def test_every_consistency_proof_holds_and_no_altered_one_does(size2: int, data: st.DataObject) -> None:
    size1 = data.draw(st.integers(1, size2))
    root1, root2 = by_definition(0, size1), by_definition(0, size2)
    proof = prove_consistency(size1, size2, subtree)
    verify_consistency(size1, root1, size2, root2, proof)
    for wrong in altered(proof, data):
        refused(verify_consistency, size1, root1, size2, root2, wrong)
    fork = leaf_hash(b"another history")
    refused(verify_consistency, size1, fork, size2, root2, proof)
    refused(verify_consistency, size1, root1, size2, fork, proof)


@given(
    st.integers(-2, 2**64),
    st.integers(-2, 2**64),
    st.lists(st.binary(min_size=31, max_size=33) | st.just(bytes(32)), max_size=70),
    st.binary(max_size=33),
)
def test_only_our_error_leaves_the_verifiers(first: int, second: int, proof: list[bytes], root: bytes) -> None:
    with suppress(LogError):
        verify_inclusion(root, first, second, proof, root)
    with suppress(LogError):
        verify_consistency(first, root, second, root, proof)


def test_nothing_is_consistent_with_an_empty_tree_but_an_empty_tree() -> None:
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    refused(verify_consistency, 0, EMPTY_ROOT, 5, by_definition(0, 5), [])
    refused(verify_consistency, 0, LEAVES[0], 0, LEAVES[0], [])


def test_an_inner_node_is_no_leaf() -> None:
    root = by_definition(0, 4)
    pair = by_definition(0, 2) + by_definition(2, 4)
    assert leaf_hash(pair) != root
    refused(verify_inclusion, leaf_hash(pair), 0, 1, [], root)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_there_is_no_proof_of_a_leaf_outside_the_tree(index: int, size: int) -> None:
    refused(prove_inclusion, index, size, subtree)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=6))
def test_tiles_grown_in_any_steps_answer_for_every_subtree(steps: list[int]) -> None:
    tree, stored = Frontier(), dict[tuple[int, int], bytes]()

    def read(level: int, n: int) -> bytes:
        return stored.get((level, n), b"")

    for step in steps:
        end = min(tree.size + step, len(LEAVES))
        stored.update(grow(tree, LEAVES[tree.size : end], read))
    size = tree.size
    assert {place: len(hashes) // 32 for place, hashes in stored.items()} == {
        (level, n): width_at(level, n, size) for level in (0, 1) for n in range(-(-(size >> (HEIGHT * level)) // WIDTH))
    }
    subtrees = Subtrees(read)
    assert root_of(size, subtrees) == by_definition(0, size) == tree.root
    verify_inclusion(LEAVES[size // 2], size // 2, size, prove_inclusion(size // 2, size, subtrees), tree.root)


def altered(proof: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    longer = [*proof, bytes(32)]
    if not proof:
        return [longer, [bytes(32)] * 64]
    at = data.draw(st.integers(0, len(proof) - 1))
    flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    return [
        longer,
        [bytes(32)] * 64,
        proof[:at] + proof[at + 1 :],
        [*proof[:at], flipped, *proof[at + 1 :]],
        [*proof[:at], proof[at][:31], *proof[at + 1 :]],
    ]


def refused(call, *arguments: object) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LogError):
        call(*arguments)
