"""`tests/vectors/mls_flow.json`: a room's story in real MLS bytes, made by the browser's code (consult/browser/tests/flow.gen.ts)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from secure.mls_checks import Heads, PublicState

VECTOR = Path(__file__).parent / "vectors" / "mls_flow.json"


@dataclass(frozen=True)
class Step:
    """A commit of the story. `leaf` is the committer's place after it, `epoch` the one it ends."""

    by: str
    leaf: int
    epoch: int
    commit: bytes
    welcome: bytes | None
    after: PublicState


@dataclass(frozen=True)
class Device:
    card: str
    device: str
    seed: bytes


@cache
def story() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(VECTOR.read_text())
    return found


ROOM: str = story()["room"]
BEGAN = datetime.fromtimestamp(story()["not_before"], tz=UTC)
NOW = BEGAN + timedelta(days=4)


def device(name: str) -> Device:
    found = story()["devices"][name]
    return Device(found["card"], found["device"], base64.b64decode(found["seed"]))


def heads(name: str) -> Heads:
    return Heads(**story()["heads"][name])


def opening() -> PublicState:
    return _state(story()["opening"])


def step(number: int) -> Step:
    """The commit that ends epoch `number`."""
    return _step(story()["steps"][number])


def refused(name: str) -> Step:
    return _step(story()["refused"][name])


def before(number: int) -> PublicState:
    """The public state of epoch `number`."""
    return opening() if number == 0 else step(number - 1).after


def key_packages(name: str) -> list[bytes]:
    return [base64.b64decode(each["body"]) for each in story()["key_packages"][name]]


def refs(name: str) -> list[str]:
    return [each["ref"] for each in story()["key_packages"][name]]


def _step(found: dict[str, Any]) -> Step:
    welcome = base64.b64decode(found["welcome"]) if found["welcome"] else None
    return Step(found["by"], found["leaf"], found["epoch"], base64.b64decode(found["commit"]), welcome, _state(found))


def _state(found: dict[str, Any]) -> PublicState:
    return PublicState(base64.b64decode(found["group_info"]), base64.b64decode(found["tree"]))
