"""Every row of the table, and every way of breaking it (tests/vectors/statements.json); the browser reads the same file."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meetings.judging import judge
from meetings.roster import stand
from meetings.standing import Standing
from meetings.statements import TABLE
from secure.errors import Refusal
from secure.statements import parse_signed
from tests.vectors.reading import read_chains, read_pool, vectors

FILE = vectors("statements")


@cache
def standing(stage: str) -> Standing:
    return stand(read_chains(FILE["stages"][stage], read_pool(FILE["pool"])), verify=True)


def verdict(row: dict[str, Any]) -> str:
    try:
        judge(standing(row["stage"]), parse_signed(row["signed"]), draft=row["draft"])
    except Refusal as refusal:
        return refusal.code
    return "lawful"


@pytest.mark.parametrize("row", FILE["cases"], ids=lambda row: row["name"])
def test_a_statement_is_judged_as_the_vectors_say(row: dict[str, Any]) -> None:
    assert verdict(row) == row["expect"]


@pytest.mark.parametrize("type", TABLE)
def test_every_row_is_shown_lawful_and_broken(type: str) -> None:
    verdicts = {row["expect"] for row in FILE["cases"] if row["name"].startswith(f"{type}:")}
    assert {"lawful", "wrong_signer", "malformed"} <= verdicts


def test_the_rows_of_both_chairs_are_those_that_begin_as_drafts() -> None:
    drafts = {row["signed"]["statement"]["type"] for row in FILE["cases"] if row["draft"] and row["expect"] == "lawful"}
    assert drafts == {name for name, kind in TABLE.items() if kind.both_chairs}


@pytest.mark.parametrize("type", TABLE)
def test_a_row_of_both_chairs_is_refused_with_one_signature(type: str) -> None:
    if not TABLE[type].both_chairs:
        return
    alone = [row for row in FILE["cases"] if row["draft"] and row["expect"] == "lawful" and row["signed"]["statement"]["type"] == type]
    assert alone
    assert {verdict({**row, "draft": False}) for row in alone} == {"wrong_signer"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["THA", "ab" * 32, "accept"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["party", "card", "sha256"]), inner, max_size=3),
    max_leaves=8,
)
LAWFUL = [row for row in FILE["cases"] if row["expect"] == "lawful"]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_whatever_stands_in_a_body_is_judged_and_never_a_crash(data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(LAWFUL))
    statement = row["signed"]["statement"]
    member = data.draw(st.sampled_from(sorted(statement["body"])))
    body = {**statement["body"], member: data.draw(json_values)}
    changed = {**row["signed"], "statement": {**statement, "body": body}}
    assert verdict({**row, "signed": changed})
