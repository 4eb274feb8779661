"""MLS bytes read by the server: what the browser's library makes is understood, and nothing else is."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure import mls_codec, mls_tree, mls_wire
from secure.errors import BadInput, Refusal
from secure.mls_checks import PublicState, Transition, check_founding, check_key_package, check_transition
from tests import flow, room_story
from tests.flow import Step

NAMES = list(flow.story()["devices"])
STEPS = range(len(flow.story()["steps"]))


def check(step: Step, **changed: object) -> Transition:
    given_: dict[str, object] = {
        "before": flow.before(step.epoch),
        "commit": step.commit,
        "welcome": step.welcome,
        "after": step.after,
        "ends_epoch": step.epoch,
    }
    return check_transition(**(given_ | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_key_packages_are_understood_and_named_as_the_browser_names_them(name: str) -> None:
    for raw, ref in zip(flow.key_packages(name), flow.refs(name), strict=True):
        package = check_key_package(raw, now=flow.NOW)
        assert package.ref == ref
        assert (package.leaf.card, package.leaf.device) == (flow.device(name).card, flow.device(name).device)


@pytest.mark.parametrize("number", STEPS)
def test_every_commit_of_the_story_is_accepted(number: int) -> None:
    step = flow.step(number)
    found = check(step)
    assert found.sender.device == flow.device(step.by).device
    assert found.sender.leaf == step.leaf
    assert found.external == (number == 4)
    assert found.heads == flow.heads("seated" if number < 3 else "withdrawn")


def test_the_story_adds_and_removes_whom_it_says() -> None:
    added = [{member.device for member in check(flow.step(number)).added} for number in STEPS]
    removed = [{member.device for member in check(flow.step(number)).removed} for number in STEPS]
    device = {name: flow.device(name).device for name in NAMES}
    thai = {device["thai_head 1"], device["thai_head 2"]}
    assert added == [
        {device["australia 1"], device["thai_head 1"]},
        set(),
        {device["thai_head 2"], device["bangladesh_head 1"]},
        set(),
        {device["bangladesh_head 2"]},
    ]
    assert removed == [set(), set(), set(), thai, {device["bangladesh_head 1"]}]


def test_a_room_begins_with_its_openers_leaf() -> None:
    founder = check_founding(room_id=flow.ROOM, state=flow.opening())
    assert (founder.leaf, founder.device) == (0, flow.device("indonesia 1").device)


@pytest.mark.parametrize(
    ("room", "state"),
    [
        ("00" * 32, flow.opening()),
        (flow.ROOM, flow.before(1)),
        (flow.ROOM, PublicState(flow.opening().group_info, flow.before(1).tree)),
    ],
    ids=["another room", "a later epoch", "another tree"],
)
def test_a_room_does_not_begin_with_anything_else(room: str, state: PublicState) -> None:
    with pytest.raises(BadInput, match="bad_mls"):
        check_founding(room_id=room, state=state)


READERS = {
    "key package": (mls_wire.read_key_package, flow.key_packages("indonesia 1")[0]),
    "commit": (mls_wire.read_commit, flow.step(0).commit),
    "commit from outside": (mls_wire.read_commit, flow.step(4).commit),
    "welcome": (mls_wire.read_welcome, flow.step(0).welcome or b""),
    "group info": (mls_wire.read_group_info, flow.opening().group_info),
    "tree": (mls_wire.read_tree, flow.step(2).after.tree),
}


@pytest.mark.parametrize("name", READERS)
def test_cut_or_longer_bytes_are_refused(name: str) -> None:
    read, raw = READERS[name]
    read(raw)
    for size in {0, 1, 3, 4, 5, len(raw) // 2, len(raw) - 1}:
        with pytest.raises(BadInput, match="bad_mls"):
            read(raw[:size])
    with pytest.raises(BadInput, match="bad_mls"):
        read(raw + b"\0")


@pytest.mark.parametrize("name", READERS)
def test_an_object_of_another_kind_is_refused(name: str) -> None:
    _, raw = READERS[name]
    others = [read for other, (read, _) in READERS.items() if read is not READERS[name][0]]
    for read in others:
        with pytest.raises(BadInput, match="bad_mls"):
            read(raw)


def test_every_changed_byte_of_a_key_package_is_noticed() -> None:
    raw = flow.key_packages("indonesia 1")[0]
    for place in random.Random(7).sample(range(len(raw)), 150):
        changed = bytearray(raw)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(Refusal):
            check_key_package(bytes(changed), now=flow.NOW)


@pytest.mark.parametrize("part", ["commit", "welcome", "group_info", "tree"])
def test_every_changed_byte_of_a_commit_is_noticed_but_what_only_members_can_check(part: str) -> None:
    step = flow.step(2)
    whole = {"commit": step.commit, "welcome": step.welcome or b"", "group_info": step.after.group_info, "tree": step.after.tree}
    unseen = 0
    places = random.Random(11).sample(range(len(whole[part])), 60)
    for place in places:
        changed = bytearray(whole[part])
        changed[place] ^= 0x20
        now = whole | {part: bytes(changed)}
        try:
            check(step, commit=now["commit"], welcome=now["welcome"], after=PublicState(now["group_info"], now["tree"]))
        except Refusal:
            continue
        unseen += 1
        # A Welcome's secrets are sealed, and the 64 bytes at the end of a commit are its membership tag.
        assert part == "welcome" or (part == "commit" and place >= len(step.commit) - 64)
    assert part == "welcome" or unseen < len(places) // 4


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=200), reader=st.sampled_from(sorted(READERS)))
def test_arbitrary_bytes_never_raise_anything_but_our_refusal(raw: bytes, reader: str) -> None:
    read, _ = READERS[reader]
    for candidate in (raw, b"\x00\x01\x00\x01" + raw, b"\x00\x01\x00\x05" + raw):
        with pytest.raises(Refusal):
            read(candidate)


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 10_000), piece=st.binary(min_size=1, max_size=8), reader=st.sampled_from(sorted(READERS)))
def test_bytes_written_over_real_ones_never_raise_anything_but_our_refusal(place: int, piece: bytes, reader: str) -> None:
    read, raw = READERS[reader]
    place %= len(raw)
    changed = raw[:place] + piece + raw[place + len(piece) :]
    with suppress(Refusal):
        read(changed)


def test_a_length_in_a_longer_form_than_needed_is_refused() -> None:
    with pytest.raises(BadInput, match="bad_mls"):
        mls_codec.Reader(b"\x40\x05hello").vector()
    assert mls_codec.Reader(b"\x05hello").vector() == b"hello"
    for size in (0, 63, 64, 16383, 16384):
        assert mls_codec.Reader(mls_codec.vec(bytes(size))).vector() == bytes(size)


@pytest.mark.parametrize(
    "changed",
    [
        {"before": flow.before(1)},
        {"ends_epoch": 1},
        {"after": flow.step(1).after},
        {"after": flow.before(2)},
        {"after": flow.refused("ghost").after},
        {"after": PublicState(flow.step(1).after.group_info, flow.step(2).after.tree)},
        {"after": PublicState(flow.refused("too_late").after.group_info, flow.step(2).after.tree)},
        {"welcome": None},
        {"welcome": flow.step(0).welcome},
        {"commit": flow.refused("ghost").commit},
        {"commit": flow.step(0).commit},
    ],
    ids=[
        "1 another epoch before it",
        "1 another epoch than it says",
        "3 a tree without the additions",
        "3 the tree as it was",
        "3 a tree of another commit",
        "7 a GroupInfo of an earlier epoch",
        "7 a GroupInfo of a later one",
        "10 no Welcome for those added",
        "10 a Welcome for others",
        "5 another commit",
        "1 a commit of an earlier epoch",
    ],
)
def test_a_commit_with_parts_of_another_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="bad_mls"):
        check(flow.step(2), **changed)


def test_a_welcome_with_nobody_added_is_refused() -> None:
    with pytest.raises(BadInput, match="bad_mls"):
        check(flow.step(1), welcome=flow.step(0).welcome)


def test_key_packages_last_only_their_time() -> None:
    raw = flow.key_packages("indonesia 1")[0]
    for now in (flow.BEGAN - timedelta(hours=2), flow.BEGAN + timedelta(days=28)):
        with pytest.raises(BadInput, match="bad_lifetime"):
            check_key_package(raw, now=now)
    check_key_package(raw, now=flow.BEGAN + timedelta(days=28, seconds=-1))


def test_the_tree_hash_is_the_one_in_the_group_info() -> None:
    for number in range(len(STEPS) + 1):
        state = flow.before(number)
        nodes = mls_wire.read_tree(state.tree)
        assert mls_tree.tree_hash(nodes) == mls_wire.read_group_info(state.group_info).context.tree_hash


def test_a_committer_cannot_remove_itself_or_a_place_that_is_empty() -> None:
    leaves = mls_tree.leaves(mls_wire.read_tree(flow.before(3).tree))
    commit = mls_wire.read_commit(flow.step(3).commit)
    for removes in ((commit.sender,), (17,)):
        with pytest.raises(BadInput, match="bad_mls"):
            mls_tree.leaves_after(leaves, replace(commit, removes=removes))  # type: ignore[arg-type]


def test_the_bytes_were_made_for_the_story_as_it_is_told_now() -> None:
    """If this fails, make them again: see tests/room_story.py."""
    told = room_story.world()
    assert {name: flow.story()[name] for name in told} == told
