"""MLS bytes (RFC 9420) as far as the Delivery Service reads them: strict, bounded, without trailing bytes.

Pure: no Django, no keys. Whatever is not exactly one object of our suite is `BadInput("bad_mls")`. Only what the rules of a room
allow is understood: basic credentials, proposals by value, Add, Remove and the external init of a commit from outside.
One file for the one format, though a long one, so that it can be read against the RFC from top to bottom.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from secure.mls_codec import Reader, bad, vec

VERSION = 1
SUITE = 0xF00D
"""X-Wing, AES-256-GCM, SHA-512, Ed25519; in the range for private use until IANA numbers one."""
HASH_BYTES = 64
PUBLIC_MESSAGE, PRIVATE_MESSAGE, WELCOME, GROUP_INFO, KEY_PACKAGE = 1, 2, 3, 4, 5
EXTERNAL_PUB = 4
IDENTITY_BYTES = 64
_XWING_KEY_BYTES = 1216

T = TypeVar("T")


@dataclass(frozen=True)
class LeafNode:
    """Keys and identity of a member. `unsigned` are the bytes before the signature; `raw` all of them."""

    encryption_key: bytes
    signature_key: bytes
    card: str
    device: str
    source: int
    not_before: int
    not_after: int
    unsigned: bytes
    signature: bytes
    raw: bytes

    FROM_KEY_PACKAGE = 1
    FROM_COMMIT = 3


@dataclass(frozen=True)
class KeyPackage:
    init_key: bytes
    leaf: LeafNode
    unsigned: bytes
    signature: bytes
    ref: str
    """KeyPackageRef (RFC 9420, 5.2), hex"""


@dataclass(frozen=True)
class ParentNode:
    raw: bytes
    unmerged: tuple[int, ...]


Node = LeafNode | ParentNode | None


@dataclass(frozen=True)
class GroupContext:
    group_id: str
    epoch: int
    tree_hash: bytes
    confirmed: bytes
    """confirmed_transcript_hash"""
    raw: bytes


@dataclass(frozen=True)
class GroupInfo:
    context: GroupContext
    confirmation_tag: bytes
    signer: int
    unsigned: bytes
    signature: bytes


@dataclass(frozen=True)
class Commit:
    """A public-message commit. `sender` is None for one from outside."""

    group_id: str
    epoch: int
    sender: int | None
    authenticated: bytes
    adds: tuple[KeyPackage, ...]
    removes: tuple[int, ...]
    path: LeafNode | None
    content: bytes
    """FramedContent"""
    signature: bytes
    confirmation_tag: bytes


def read_key_package(raw: bytes) -> KeyPackage:
    return _message(raw, KEY_PACKAGE, _key_package)


def read_group_info(raw: bytes) -> GroupInfo:
    return _message(raw, GROUP_INFO, _group_info)


def read_commit(raw: bytes) -> Commit:
    return _message(raw, PUBLIC_MESSAGE, _public_commit)


def read_welcome(raw: bytes) -> tuple[str, ...]:
    """The KeyPackageRefs a Welcome is for; its secrets are not for us."""
    return _message(raw, WELCOME, _welcome)


def read_tree(raw: bytes) -> list[Node]:
    """A ratchet_tree (RFC 9420, 12.4.3.3), padded with blanks to a full tree."""
    reader = Reader(raw)
    nodes = reader.many(_optional_node)
    reader.done()
    if not nodes or nodes[-1] is None:
        raise bad("a tree ends with a node")
    for index, node in enumerate(nodes):
        if node is not None and isinstance(node, LeafNode) != (index % 2 == 0):
            raise bad("leaves stand on even places")
    width = 1
    while width < len(nodes):
        width = 2 * width + 1
    return nodes + [None] * (width - len(nodes))


def _message(raw: bytes, wire_format: int, read: Callable[[Reader], T]) -> T:
    reader = Reader(raw)
    if reader.uint(2) != VERSION or reader.uint(2) != wire_format:
        raise bad("another version or wire format")
    found = read(reader)
    reader.done()
    return found


def _suite(reader: Reader) -> None:
    if reader.uint(2) != SUITE:
        raise bad("another suite")


def _numbers(raw: bytes) -> tuple[int, ...]:
    if len(raw) % 2:
        raise bad("half a number")
    return tuple(int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2))


def _extension(reader: Reader) -> tuple[int, bytes]:
    return reader.uint(2), reader.vector()


def _no_extensions(reader: Reader) -> None:
    if reader.vector():
        raise bad("extensions")


def _credential(reader: Reader) -> tuple[str, str]:
    if reader.uint(2) != 1:
        raise bad("not a basic credential")
    identity = reader.sized(IDENTITY_BYTES)
    return identity[:32].hex(), identity[32:].hex()


def _capabilities(reader: Reader) -> None:
    versions, suites, _extensions, _proposals, credentials = (_numbers(reader.vector()) for _ in range(5))
    if VERSION not in versions or SUITE not in suites or 1 not in credentials:
        raise bad("cannot take part in a room")


def _leaf_node(reader: Reader) -> LeafNode:
    start = reader.at
    encryption_key, signature_key = reader.sized(_XWING_KEY_BYTES), reader.sized(32)
    card, device = _credential(reader)
    _capabilities(reader)
    source = reader.uint(1)
    not_before = not_after = 0
    if source == LeafNode.FROM_KEY_PACKAGE:
        not_before, not_after = reader.uint(8), reader.uint(8)
    elif source == LeafNode.FROM_COMMIT:
        if len(reader.vector()) not in (0, HASH_BYTES):
            raise bad("not a parent hash")
    else:
        raise bad("a source our rooms do not use")
    _no_extensions(reader)
    unsigned = reader.raw[start : reader.at]
    signature = reader.sized(64)
    raw = reader.raw[start : reader.at]
    return LeafNode(encryption_key, signature_key, card, device, source, not_before, not_after, unsigned, signature, raw)


def _key_package(reader: Reader) -> KeyPackage:
    start = reader.at
    if reader.uint(2) != VERSION:
        raise bad("another version")
    _suite(reader)
    init_key = reader.sized(_XWING_KEY_BYTES)
    leaf = _leaf_node(reader)
    if leaf.source != LeafNode.FROM_KEY_PACKAGE:
        raise bad("the leaf of a key package says so")
    _no_extensions(reader)
    unsigned = reader.raw[start : reader.at]
    signature = reader.sized(64)
    value = reader.raw[start : reader.at]
    ref = hashlib.sha512(vec(b"MLS 1.0 KeyPackage Reference") + vec(value)).hexdigest()
    return KeyPackage(init_key, leaf, unsigned, signature, ref)


def _parent_node(reader: Reader) -> ParentNode:
    start = reader.at
    reader.sized(_XWING_KEY_BYTES)
    if len(reader.vector()) not in (0, HASH_BYTES):
        raise bad("not a parent hash")
    unmerged = reader.vector()
    if len(unmerged) % 4:
        raise bad("half a leaf number")
    leaves = tuple(int.from_bytes(unmerged[at : at + 4], "big") for at in range(0, len(unmerged), 4))
    if any(left >= right for left, right in pairwise(leaves)):
        raise bad("unmerged leaves in order, once")
    return ParentNode(reader.raw[start : reader.at], leaves)


def _optional_node(reader: Reader) -> Node:
    if not reader.present():
        return None
    kind = reader.uint(1)
    if kind == 1:
        return _leaf_node(reader)
    if kind == 2:
        return _parent_node(reader)
    raise bad("neither leaf nor parent")


def _group_context(reader: Reader) -> GroupContext:
    start = reader.at
    if reader.uint(2) != VERSION:
        raise bad("another version")
    _suite(reader)
    group_id, epoch = reader.sized(32).hex(), reader.uint(8)
    tree_hash, confirmed = reader.sized(HASH_BYTES), reader.vector()
    if len(confirmed) not in (0, HASH_BYTES):
        raise bad("not a transcript hash")
    _no_extensions(reader)
    return GroupContext(group_id, epoch, tree_hash, confirmed, reader.raw[start : reader.at])


def _group_info(reader: Reader) -> GroupInfo:
    start = reader.at
    context = _group_context(reader)
    extensions = reader.many(_extension)
    if [kind for kind, _ in extensions] != [EXTERNAL_PUB]:
        raise bad("external_pub and nothing else")
    tag, signer = reader.sized(HASH_BYTES), reader.uint(4)
    unsigned = reader.raw[start : reader.at]
    return GroupInfo(context, tag, signer, unsigned, reader.sized(64))


def _sealed(reader: Reader) -> None:
    reader.vector()
    reader.vector()


def _welcome(reader: Reader) -> tuple[str, ...]:
    _suite(reader)

    def secret(inner: Reader) -> str:
        ref = inner.sized(HASH_BYTES).hex()
        _sealed(inner)
        return ref

    refs = tuple(reader.many(secret))
    reader.vector()
    if not refs or len(set(refs)) != len(refs):
        raise bad("a Welcome is for somebody, once each")
    return refs


def _path_node(reader: Reader) -> None:
    reader.sized(_XWING_KEY_BYTES)
    reader.many(_sealed)


def _proposal(reader: Reader) -> KeyPackage | int | None:
    """A key package to add, a leaf to remove, or None for an external init."""
    if reader.uint(1) != 1:
        raise bad("proposals by value only")
    kind = reader.uint(2)
    if kind == 1:
        return _key_package(reader)
    if kind == 3:
        return reader.uint(4)
    if kind == 6:
        reader.vector()
        return None
    raise bad("a proposal our rooms do not use")


def _public_commit(reader: Reader) -> Commit:
    start = reader.at
    group_id, epoch = reader.sized(32).hex(), reader.uint(8)
    sender_type = reader.uint(1)
    if sender_type not in (1, 4):
        raise bad("neither a member nor a newcomer")
    sender = reader.uint(4) if sender_type == 1 else None
    authenticated = reader.vector()
    if reader.uint(1) != 3:
        raise bad("not a commit")
    proposals = reader.many(_proposal)
    path = _update_path(reader) if reader.present() else None
    content = reader.raw[start : reader.at]
    signature, tag = reader.sized(64), reader.sized(HASH_BYTES)
    if sender is not None:
        reader.sized(HASH_BYTES)
    adds = tuple(each for each in proposals if isinstance(each, KeyPackage))
    removes = tuple(each for each in proposals if isinstance(each, int))
    _lawful(external=sender is None, adds=adds, removes=removes, inits=proposals.count(None), path=path)
    return Commit(group_id, epoch, sender, authenticated, adds, removes, path, content, signature, tag)


def _update_path(reader: Reader) -> LeafNode:
    leaf = _leaf_node(reader)
    if leaf.source != LeafNode.FROM_COMMIT:
        raise bad("the leaf of a path says so")
    reader.many(_path_node)
    return leaf


def _lawful(
    *,
    external: bool,
    adds: tuple[KeyPackage, ...],
    removes: tuple[int, ...],
    inits: int,
    path: LeafNode | None,
) -> None:
    if len(set(removes)) != len(removes):
        raise bad("a leaf removed twice")
    if inits != (1 if external else 0):
        raise bad("external init belongs to a commit from outside, once")
    if external and (adds or len(removes) > 1):
        raise bad("a commit from outside replaces one leaf at most")
    if path is None and (external or removes or not adds):
        raise bad("this commit needs a path")
