from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from secure.log import jcs
from secure.log.errors import LogError

KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True)
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def depth(value: object) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(depth, children), default=0)


@given(VALUES.filter(lambda value: depth(value) <= jcs.MAX_DEPTH))
def test_it_writes_what_the_reference_writes_and_reads_it_back(value: object) -> None:
    raw = jcs.encode(value)
    assert raw == rfc8785.dumps(value)  # type: ignore[arg-type]
    assert jcs.decode(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\xff"}',
        b'{"A":1}',
        b'{"1a":1}',
        b'{"":1}',
        b"[" * 9 + b"]" * 9,
        b"[" * 100_000,
        b'"' + b"a" * jcs.MAX_BYTES + b'"',
    ],
)
def test_any_other_spelling_is_refused(raw: bytes) -> None:
    with pytest.raises(LogError, match="not_canonical"):
        jcs.decode(raw)


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53), "\ud800", {"A": 1}, {1: 1}, (1,), b"", {"a": object()}])
def test_a_value_outside_the_profile_is_not_written(value: object) -> None:
    with pytest.raises(LogError, match="not_canonical"):
        jcs.encode(value)


@given(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_only_our_error_leaves_the_reader(raw: bytes) -> None:
    try:
        value = jcs.decode(raw)
    except LogError:
        return
    assert jcs.encode(value) == raw
