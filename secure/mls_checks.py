"""What a server without secrets can check of MLS objects. Pure: who is seated is asked elsewhere (`secure/delivery.py`).

Not checked here, because only members can: the membership tag, the confirmation tag's value, what is inside the sealed paths.
Whatever does not hold is `BadInput("bad_mls")`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from secure import limits, mls_tree, mls_wire
from secure.ed25519 import verify
from secure.errors import BadInput, TooLarge
from secure.log import jcs
from secure.log.errors import LogError
from secure.mls_codec import bad, labelled, vec
from secure.mls_wire import Commit, GroupInfo, KeyPackage, LeafNode


@dataclass(frozen=True)
class Heads:
    """The newest statement of each chain a room hangs on, by hash."""

    installation: str
    consultation: str
    room: str


@dataclass(frozen=True)
class Member:
    leaf: int
    card: str
    device: str
    signature_key: bytes


@dataclass(frozen=True)
class PublicState:
    """What a room shows of itself at one epoch: MLSMessage(mls_group_info) and ratchet_tree."""

    group_info: bytes
    tree: bytes


@dataclass(frozen=True)
class Transition:
    """A commit that leads from one public state to the next."""

    sender: Member
    external: bool
    added: tuple[Member, ...]
    removed: tuple[Member, ...]
    members: tuple[Member, ...]
    heads: Heads
    adds: tuple[KeyPackage, ...]


def check_key_package(raw: bytes, *, now: datetime) -> KeyPackage:
    """A key package that others may add: both signatures, its keys apart, a lifetime of at most 35 days which has not ended."""
    if len(raw) > limits.KEY_PACKAGE_BYTES:
        raise TooLarge("key_package_too_large")
    package = mls_wire.read_key_package(raw)
    _check_added(package)
    leaf, seconds = package.leaf, int(now.timestamp())
    if not leaf.not_before <= seconds + limits.CLOCK_SKEW.total_seconds() or leaf.not_after <= seconds:
        raise BadInput("bad_lifetime")
    return package


def check_founding(*, room_id: str, state: PublicState) -> Member:
    """Epoch 0 of a room: one leaf, at place 0, which signed the GroupInfo."""
    group_info, leaves = _read_state(state)
    context = group_info.context
    if context.group_id != room_id or context.epoch != 0 or context.confirmed:
        raise bad("not this room's beginning")
    if len(leaves) != 1 or leaves[0] is None or group_info.signer != 0:
        raise bad("a room begins with one leaf")
    _check_leaf(leaves[0], group_id=room_id, place=0)
    _check_group_info(group_info, leaves[0])
    return _members(leaves)[0]


def check_transition(*, before: PublicState, commit: bytes, welcome: bytes | None, after: PublicState, ends_epoch: int) -> Transition:
    """Ten checks, in this order; the tests break each one."""
    for raw, most in ((commit, limits.COMMIT_BYTES), (welcome or b"", limits.WELCOME_BYTES)):
        if len(raw) > most:
            raise TooLarge("commit_too_large")
    message = mls_wire.read_commit(commit)
    old_info, old_leaves = _read_state(before)
    new_info, new_leaves = _read_state(after)
    # 1  this room, the epoch it says it ends
    context = old_info.context
    if (message.group_id, message.epoch) != (context.group_id, context.epoch) or message.epoch != ends_epoch:
        raise bad("another room or epoch")
    # 2  the heads it was made at
    heads = read_heads(message.authenticated)
    # 3  what is added is sound, and the next tree's leaves are exactly what the commit says
    for package in message.adds:
        _check_added(package)
    expected, place = mls_tree.leaves_after(old_leaves, message)
    if [leaf and leaf.raw for leaf in expected] != [leaf and leaf.raw for leaf in new_leaves]:
        raise bad("the tree is not what the commit makes of it")
    sender = expected[place]
    if sender is None:
        raise bad("the committer is not there")
    # 4  the committer keeps identity and key, and signed its new leaf
    _check_path(message, old_leaves, context.group_id, place)
    # 5  the committer signed the commit, in this epoch's context
    _check_commit_signature(message, context.raw, sender)
    # 6  nobody sits twice, and a newcomer takes nobody's place but its own
    members = _members(new_leaves)
    _check_places(message, old_leaves, members, sender)
    # 7  the GroupInfo is the next epoch's, signed by the committer
    if new_info.context.group_id != context.group_id or new_info.context.epoch != ends_epoch + 1:
        raise bad("not the next epoch")
    if new_info.signer != place:
        raise bad("the committer signs the GroupInfo")
    _check_group_info(new_info, sender)
    # 8  it belongs to this very commit
    if new_info.confirmation_tag != message.confirmation_tag:
        raise bad("another commit's GroupInfo")
    # 9  its transcript goes on from the last
    if new_info.context.confirmed != _confirmed(old_info, message):
        raise bad("the transcript breaks")
    # 10 the Welcome is for those who were added
    named = set(mls_wire.read_welcome(welcome)) if welcome is not None else set()
    if named != {package.ref for package in message.adds}:
        raise bad("the Welcome is not for those who were added")
    return _transition(message, old_leaves, members, place, heads)


def read_heads(raw: bytes) -> Heads:
    """The `authenticated_data` of a commit: canonical JSON of three statement hashes."""
    try:
        value = jcs.decode_object(raw, max_bytes=1024)
    except LogError as error:
        raise bad("not canonical") from error
    return heads_of(value)


def heads_of(value: object) -> Heads:
    if not isinstance(value, dict) or set(value) != {"installation", "consultation", "room"}:
        raise bad("three heads")
    if not all(_is_hash(each) for each in value.values()):
        raise bad("heads are hashes")
    return Heads(**value)


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _read_state(state: PublicState) -> tuple[GroupInfo, list[LeafNode | None]]:
    """GroupInfo and leaves, once the tree is the one the GroupInfo names."""
    if len(state.group_info) > limits.GROUP_INFO_BYTES or len(state.tree) > limits.TREE_BYTES:
        raise TooLarge("tree_too_large")
    group_info, nodes = mls_wire.read_group_info(state.group_info), mls_wire.read_tree(state.tree)
    if len(nodes) > 2 * limits.ROOM_LEAVES:
        raise TooLarge("tree_too_large")
    mls_tree.refuse_loose_parents(nodes)
    if mls_tree.tree_hash(nodes) != group_info.context.tree_hash:
        raise bad("another tree")
    return group_info, mls_tree.leaves(nodes)


def _check_added(package: KeyPackage) -> None:
    leaf = package.leaf
    span = leaf.not_after - leaf.not_before
    if not 0 < span <= limits.KEY_PACKAGE_LIFETIME.total_seconds():
        raise BadInput("bad_lifetime")
    if package.init_key == leaf.encryption_key:
        raise bad("one key for two purposes")
    signed = labelled("KeyPackageTBS", package.unsigned)
    if not verify(public_key=leaf.signature_key, message=signed, signature=package.signature):
        raise bad("key package signature")
    _check_leaf(leaf, group_id="", place=0)


def _check_leaf(leaf: LeafNode, *, group_id: str, place: int) -> None:
    tail = b"" if leaf.source == LeafNode.FROM_KEY_PACKAGE else vec(bytes.fromhex(group_id)) + place.to_bytes(4, "big")
    signed = labelled("LeafNodeTBS", leaf.unsigned + tail)
    if not verify(public_key=leaf.signature_key, message=signed, signature=leaf.signature):
        raise bad("leaf signature")


def _check_path(message: Commit, before: Sequence[LeafNode | None], group_id: str, place: int) -> None:
    path = message.path
    if path is None:
        return
    _check_leaf(path, group_id=group_id, place=place)
    former = before[place] if message.sender is not None else None
    if former is not None and (former.card, former.device, former.signature_key) != (
        path.card,
        path.device,
        path.signature_key,
    ):
        raise bad("a leaf does not change hands")


def _check_places(message: Commit, before: Sequence[LeafNode | None], members: Sequence[Member], sender: LeafNode) -> None:
    if len({member.device for member in members}) != len(members):
        raise bad("a device twice")
    replaced = [leaf.card for place in message.removes if (leaf := before[place]) is not None]
    if message.sender is None and any(card != sender.card for card in replaced):
        raise bad("a commit from outside replaces a leaf of its own card")


def _check_commit_signature(message: Commit, context: bytes, sender: LeafNode) -> None:
    prefix = mls_wire.VERSION.to_bytes(2, "big") + mls_wire.PUBLIC_MESSAGE.to_bytes(2, "big")
    signed = labelled("FramedContentTBS", prefix + message.content + context)
    if not verify(public_key=sender.signature_key, message=signed, signature=message.signature):
        raise bad("commit signature")


def _check_group_info(group_info: GroupInfo, signer: LeafNode) -> None:
    signed = labelled("GroupInfoTBS", group_info.unsigned)
    if not verify(public_key=signer.signature_key, message=signed, signature=group_info.signature):
        raise bad("GroupInfo signature")


def _confirmed(before: GroupInfo, message: Commit) -> bytes:
    """confirmed_transcript_hash after the commit (RFC 9420, 8.2)."""
    interim = hashlib.sha512(before.context.confirmed + vec(before.confirmation_tag)).digest()
    content = mls_wire.PUBLIC_MESSAGE.to_bytes(2, "big") + message.content + vec(message.signature)
    return hashlib.sha512(interim + content).digest()


def _members(leaves: Sequence[LeafNode | None]) -> tuple[Member, ...]:
    return tuple(Member(place, leaf.card, leaf.device, leaf.signature_key) for place, leaf in enumerate(leaves) if leaf is not None)


def _transition(message: Commit, before: Sequence[LeafNode | None], members: tuple[Member, ...], place: int, heads: Heads) -> Transition:
    old = {member.leaf: member for member in _members(before)}
    kept = {leaf for leaf in old if leaf not in message.removes}
    return Transition(
        sender=next(member for member in members if member.leaf == place),
        external=message.sender is None,
        added=tuple(member for member in members if member.leaf not in kept),
        removed=tuple(old[leaf] for leaf in message.removes),
        members=members,
        heads=heads,
        adds=message.adds,
    )
