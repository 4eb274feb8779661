from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure.log.errors import LogError
from secure.log.statemap import DEPTH, EMPTY, EMPTY_SLOT, StateMap, slot_hash, verify_slot

SLOTS = st.dictionaries(st.integers(0, 2**DEPTH - 1), st.binary(min_size=32, max_size=32), min_size=1, max_size=8)


@given(SLOTS, SLOTS)
def test_its_root_depends_on_what_it_holds_and_not_on_the_order(first: dict[int, bytes], second: dict[int, bytes]) -> None:
    steps, at_once = StateMap(), StateMap()
    steps.assign(first)
    steps.assign(second)
    at_once.assign(first | second)
    assert steps.root == at_once.root != EMPTY[DEPTH]


@given(SLOTS, st.data())
def test_a_slot_is_proved_held_or_empty_and_nothing_else_is(slots: dict[int, bytes], data: st.DataObject) -> None:
    held = StateMap()
    held.assign(slots)
    slot = data.draw(st.sampled_from(sorted(slots)) | st.integers(0, 2**DEPTH - 1))
    value, proof = slots.get(slot, EMPTY_SLOT), held.prove(slot)
    verify_slot(slot=slot, value=value, proof=proof, root=held.root)
    wrong = data.draw(st.integers(0, DEPTH - 1))
    elsewhere = slot ^ (1 << wrong)
    for changes in (
        {"value": b"another value of thirty-two byte"},
        {"slot": elsewhere if slot in slots and slots.get(elsewhere) != value and len(slots) == 1 else -1},
        {"proof": proof[:-1]},
        {"proof": [*proof[:wrong], bytes(32), *proof[wrong + 1 :]]},
        {"root": EMPTY[3]},
        {"slot": 2**DEPTH},
    ):
        with pytest.raises(LogError, match="bad_state_map"):
            verify_slot(**({"slot": slot, "value": value, "proof": proof, "root": held.root} | changes))  # type: ignore[arg-type]


def test_a_shorter_count_is_another_value() -> None:
    assert slot_hash(ns="ab" * 16, count=3, head=bytes(32)) != slot_hash(ns="ab" * 16, count=2, head=bytes(32))


@pytest.mark.parametrize("slots", [{-1: bytes(32)}, {2**DEPTH: bytes(32)}, {0: bytes(31)}])
def test_what_is_no_slot_is_refused(slots: dict[int, bytes]) -> None:
    with pytest.raises(LogError, match="bad_state_map"):
        StateMap().assign(slots)
