"""The form all statements share. What the types say is in tests/meetings/test_statements.py."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure.errors import BadInput, Refusal
from secure.log import jcs
from secure.statements import cosign, encode_signed, joined, parse_signed, sign, statement_bytes, verify_signature
from tests.people import AUSTRALIA, INDONESIA, THAILAND
from tests.stage import installed
from tests.vectors.reading import vectors

POOL = vectors("statements")["pool"]
ROOT = installed().chains.installation[0]


@pytest.mark.parametrize("hash", POOL)
def test_a_statement_survives_reading_and_writing(hash: str) -> None:
    signed = parse_signed(POOL[hash])
    assert signed.hash == hash
    assert encode_signed(signed) == POOL[hash]


def test_the_hash_is_over_the_signed_bytes() -> None:
    octets = statement_bytes(ROOT.statement)
    assert octets.startswith(b'consult/statement/v1\n{"body":')
    assert ROOT.hash == hashlib.sha256(octets).hexdigest()


def test_the_installation_is_named_by_the_body_of_its_root() -> None:
    assert ROOT.scope_name == hashlib.sha256(jcs.encode(ROOT.statement.body)).hexdigest()
    assert replace(ROOT, statement=replace(ROOT.statement, nonce="AAAAAAAAAAAAAAAAAAAAAA==")).scope_name == ROOT.scope_name


def test_two_signatures_stand_sorted_whoever_signs_first() -> None:
    low, high = "11" * 32, "ee" * 32
    one = cosign(sign(ROOT.statement, card=high, key=INDONESIA.key), card=low, key=AUSTRALIA.key)
    other = cosign(sign(ROOT.statement, card=low, key=AUSTRALIA.key), card=high, key=INDONESIA.key)
    assert one == other
    assert one.cards == (low, high)
    for card, person in ((low, AUSTRALIA), (high, INDONESIA)):
        verify_signature(one, card=card, account_key=person.account_key)


def test_nobody_signs_twice() -> None:
    signed = sign(ROOT.statement, card="11" * 32, key=INDONESIA.key)
    with pytest.raises(BadInput, match="malformed"):
        joined(signed, card="11" * 32, signature=bytes(64))


def test_a_signature_under_another_key_or_by_nobody_is_refused() -> None:
    signed = sign(ROOT.statement, card="11" * 32, key=INDONESIA.key)
    for card, key in (("11" * 32, THAILAND.account_key), ("22" * 32, INDONESIA.account_key)):
        with pytest.raises(BadInput, match="bad_signature"):
            verify_signature(signed, card=card, account_key=key)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_whatever_is_not_a_statement_is_refused_by_our_own_error(value: Any) -> None:
    with pytest.raises(Refusal):
        parse_signed(value)


@given(st.sampled_from(sorted(POOL)), st.sampled_from(["v", "type", "inst", "scope", "n", "prev", "up", "nonce", "body"]), json_values)
def test_a_statement_with_one_member_replaced_is_read_or_refused_never_a_crash(hash: str, member: str, value: Any) -> None:
    changed = {**POOL[hash], "statement": {**POOL[hash]["statement"], member: value}}
    with suppress(Refusal):
        assert parse_signed(changed).hash
