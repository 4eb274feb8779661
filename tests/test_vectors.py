"""The shared vectors are what their generators write: same seeds, same bytes."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.vectors import make_codes, make_ed25519, make_merkle, make_roster, make_statements


@pytest.mark.parametrize(
    "generator", [make_codes, make_ed25519, make_merkle, make_roster, make_statements], ids=lambda module: module.__name__
)
def test_a_file_of_vectors_is_what_its_generator_writes(generator: ModuleType) -> None:
    assert generator.FILE.read_text() == generator.text()
