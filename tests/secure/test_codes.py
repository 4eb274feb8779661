"""Enrolment codes and fingerprints, as in the browser (tests/vectors/codes.json)."""

from __future__ import annotations

from typing import Any

import pytest

from secure.codes import HALF, Code, fingerprint, new_code, parse_code
from secure.errors import BadInput
from tests.vectors.reading import vectors

FILE = vectors("codes")


@pytest.mark.parametrize("row", FILE["codes"], ids=lambda row: row["text"])
def test_a_code_gives_what_the_vectors_say(row: dict[str, Any]) -> None:
    code = parse_code(row["text"])
    assert code == Code(bytes.fromhex(row["secret"]), bytes.fromhex(row["inst"])[:HALF] if row["inst"] else None)
    assert (code.text, code.locator, code.mac(row["card"])) == (row["text"], row["locator"], row["mac"])
    assert code.fits(row["inst"])
    assert not code.fits("ab" * 32)
    assert code.fits(None) is (row["inst"] is None)


@pytest.mark.parametrize("typed", FILE["spellings"]["typed"])
def test_a_person_may_type_it_in_many_ways(typed: str) -> None:
    assert parse_code(typed).text == FILE["spellings"]["text"]


@pytest.mark.parametrize("typed", FILE["mistyped"].values(), ids=FILE["mistyped"])
def test_a_mistyped_code_is_refused(typed: str) -> None:
    with pytest.raises(BadInput, match="code_mistyped"):
        parse_code(typed)


@pytest.mark.parametrize(("card", "text"), FILE["fingerprints"].items())
def test_a_fingerprint_is_twenty_characters_of_the_card(card: str, text: str) -> None:
    assert fingerprint(card) == text


def test_every_new_code_is_another() -> None:
    inst = "ab" * 32
    assert len({new_code(inst=inst).locator for _ in range(20)}) == 20
    assert parse_code(new_code(inst=None).text).inst is None


def test_the_mark_depends_on_the_card_and_on_the_code() -> None:
    first, second = new_code(inst=None), new_code(inst=None)
    assert len({first.mac("ab" * 32), first.mac("cd" * 32), second.mac("ab" * 32)}) == 3
