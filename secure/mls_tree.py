"""Arithmetic of ratchet trees (RFC 9420, 7 and appendix C) that needs no secret. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from secure.mls_codec import bad, vec
from secure.mls_wire import Commit, LeafNode, Node, ParentNode


def tree_hash(nodes: Sequence[Node]) -> bytes:
    """The hash of a full tree, as a GroupContext carries it (RFC 9420, 7.8)."""
    return _hash(nodes, 0, len(nodes))


def _hash(nodes: Sequence[Node], start: int, end: int) -> bytes:
    if end - start == 1:
        leaf = nodes[start]
        content = b"\x01" + (start // 2).to_bytes(4, "big") + _optional(leaf)
        return hashlib.sha512(content).digest()
    middle = (start + end) // 2
    children = vec(_hash(nodes, start, middle)) + vec(_hash(nodes, middle + 1, end))
    return hashlib.sha512(b"\x02" + _optional(nodes[middle]) + children).digest()


def _optional(node: Node) -> bytes:
    return b"\x00" if node is None else b"\x01" + node.raw


def leaves(nodes: Sequence[Node]) -> list[LeafNode | None]:
    """The leaves from left to right, without the blanks at the end."""
    found = [node if isinstance(node, LeafNode) else None for node in nodes[::2]]
    while found and found[-1] is None:
        found.pop()
    return found


def refuse_loose_parents(nodes: Sequence[Node]) -> None:
    """A parent may name as unmerged only leaves which are there, below it."""
    for index, node in enumerate(nodes):
        if isinstance(node, ParentNode):
            reach = (index ^ (index + 1)) >> 1
            for leaf in node.unmerged:
                if not index - reach <= 2 * leaf <= index + reach or nodes[2 * leaf] is None:
                    raise bad("an unmerged leaf that is not there")


def leaves_after(before: Sequence[LeafNode | None], commit: Commit) -> tuple[list[LeafNode | None], int]:
    """The leaves after a commit, and the committer's place among them (RFC 9420, 12.4.2)."""
    after = list(before)
    for place in commit.removes:
        if place == commit.sender or _at(after, place) is None:
            raise bad("removes a leaf that is not there, or its own")
        after[place] = None
    for package in commit.adds:
        _put(after, package.leaf)
    sender = commit.sender
    if sender is None:
        if commit.path is None:
            raise bad("a newcomer brings a path")
        sender = _put(after, commit.path)
    elif _at(after, sender) is None:
        raise bad("the sender is not there")
    elif commit.path is not None:
        after[sender] = commit.path
    while after and after[-1] is None:
        after.pop()
    return after, sender


def _at(leaves: Sequence[LeafNode | None], place: int) -> LeafNode | None:
    return leaves[place] if place < len(leaves) else None


def _put(leaves: list[LeafNode | None], leaf: LeafNode) -> int:
    """The leftmost blank place, or a new one."""
    for place, held in enumerate(leaves):
        if held is None:
            leaves[place] = leaf
            return place
    leaves.append(leaf)
    return len(leaves) - 1
