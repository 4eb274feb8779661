"""Vectors as tests read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from meetings.roster import Chains
from secure.statements import Signed, parse_signed


def vectors(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name(f"{name}.json").read_text())
    return found


def read_pool(pool: Mapping[str, Any]) -> dict[str, Signed]:
    return {name: parse_signed(value) for name, value in pool.items()}


def read_chains(found: Mapping[str, Any], pool: Mapping[str, Signed]) -> Chains:
    """Chains by the hashes of their statements."""

    def chain(hashes: Sequence[str]) -> tuple[Signed, ...]:
        assert all(pool[name].hash == name for name in hashes)
        return tuple(pool[name] for name in hashes)

    return Chains(
        installation=chain(found["installation"]),
        accounts={name: chain(hashes) for name, hashes in found["accounts"].items()},
        consultation=chain(found["consultation"]),
        rooms={name: chain(hashes) for name, hashes in found["rooms"].items()},
    )
