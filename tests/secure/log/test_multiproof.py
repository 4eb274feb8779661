"""One proof for many leaves and many sizes, held against the tree itself."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from secure.log import multiproof
from secure.log.errors import LogError
from secure.log.merkle import EMPTY_ROOT, node_hash, root_hash


def hashes(size: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % index).digest() for index in range(size)]


def subtree(tree: list[bytes]):  # type: ignore[no-untyped-def]
    def read(level: int, index: int) -> bytes:
        return root_hash(tree[index << level : (index + 1) << level])

    return read


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[bytes], list[int], list[int]]:
    size = draw(st.integers(1, 70))
    indexes = draw(st.sets(st.integers(0, size - 1), max_size=20))
    sizes = draw(st.sets(st.integers(1, size), max_size=6))
    return hashes(size), sorted(indexes), sorted(sizes)


@given(cases())
def test_it_proves_every_leaf_and_the_root_of_every_size(case: tuple[list[bytes], list[int], list[int]]) -> None:
    tree, indexes, sizes = case
    nodes = b"".join(multiproof.prove(indexes, sizes, len(tree), subtree(tree)))
    opened = multiproof.Opened({index: tree[index] for index in indexes}, sizes, len(tree), nodes)
    assert opened.root == root_hash(tree)
    assert all(opened.root_at(size) == root_hash(tree[:size]) for size in sizes)
    assert opened.root_at(0) == EMPTY_ROOT


@given(cases(), st.data())
def test_another_leaf_place_or_node_gives_another_root_or_none(case: tuple[list[bytes], list[int], list[int]], data: st.DataObject) -> None:
    tree, indexes, sizes = case
    assume(indexes)
    nodes = b"".join(multiproof.prove(indexes, sizes, len(tree), subtree(tree)))
    leaves = {index: tree[index] for index in indexes}
    changed = data.draw(st.sampled_from(indexes))
    leaves[changed] = hashlib.sha256(leaves[changed]).digest()
    assert multiproof.Opened(leaves, sizes, len(tree), nodes).root != root_hash(tree)


def test_for_all_leaves_it_is_empty_and_for_one_it_is_an_inclusion_proof() -> None:
    tree = hashes(8)
    assert list(multiproof.prove(range(8), [], 8, subtree(tree))) == []
    assert len(list(multiproof.prove([5], [], 8, subtree(tree)))) == 3


@pytest.mark.parametrize("change", [lambda nodes: nodes[32:], lambda nodes: nodes + bytes(32), lambda nodes: nodes[1:], lambda _: b""])
def test_a_list_of_another_length_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    tree = hashes(13)
    nodes = b"".join(multiproof.prove([3], [5], 13, subtree(tree)))
    with pytest.raises(LogError):
        multiproof.Opened({3: tree[3]}, [5], 13, change(nodes))


@pytest.mark.parametrize(("indexes", "sizes"), [([-1], []), ([13], []), ([], [14]), ([], [5, 5]), ([], [6, 5])])
def test_places_outside_the_tree_or_out_of_order_are_refused(indexes: list[int], sizes: list[int]) -> None:
    with pytest.raises(LogError):
        multiproof.Opened(dict.fromkeys(indexes, bytes(32)), sizes, 13, b"")


def test_a_size_it_was_not_made_for_is_not_answered() -> None:
    tree = hashes(13)
    nodes = b"".join(multiproof.prove([3], [5], 13, subtree(tree)))
    assert multiproof.Opened({3: tree[3]}, [5], 13, nodes).root_at(7) is None


@given(st.dictionaries(st.integers(0, 40), st.binary(min_size=32, max_size=32), max_size=5), st.integers(0, 40), st.binary(max_size=200))
def test_arbitrary_lists_raise_nothing_but_our_error(leaves: dict[int, bytes], size: int, nodes: bytes) -> None:
    try:
        opened = multiproof.Opened(leaves, [], size, nodes)
    except LogError:
        return
    assert len(opened.root) == 32


def test_an_inner_node_is_no_leaf() -> None:
    """The prefixes keep the two apart: the node's two halves as a leaf give another hash."""
    tree = hashes(2)
    assert root_hash([hashlib.sha256(b"\x00" + tree[0] + tree[1]).digest()]) != node_hash(*tree)
