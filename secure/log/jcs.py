"""Canonical JSON: RFC 8785 in a restricted profile (docs/protocol.md, 1).

In this profile (ASCII keys, integers only, no lone surrogates) the standard library's encoder gives RFC 8785's bytes; the tests
hold it against the `rfc8785` package.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn, cast

from secure.log.errors import LogError

Json = object  # None, bool, int, str, list of Json or dict of str to Json

MAX_BYTES = 1 << 20
MAX_DEPTH = 8
MAX_INTEGER = (1 << 53) - 1
KEY = re.compile(r"[a-z_][a-z0-9_]*")


def encode(value: Json) -> bytes:
    """The canonical bytes. Raises `LogError("not_canonical")` for a value outside the profile."""
    _check(value, MAX_DEPTH)
    try:
        return _ENCODER.encode(value).encode()
    except ValueError as error:  # a lone surrogate
        raise LogError("not_canonical") from error


def decode(raw: bytes, *, max_bytes: int = MAX_BYTES) -> Json:
    """The value of canonical bytes. Anything that does not re-encode to exactly these bytes is refused."""
    if len(raw) > max_bytes:
        raise LogError("not_canonical")
    try:
        value = _DECODER.decode(raw.decode())
    except (ValueError, RecursionError) as error:
        raise LogError("not_canonical") from error
    if encode(value) != raw:
        raise LogError("not_canonical")
    return cast(Json, value)


def decode_object(raw: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, Json]:
    value = decode(raw, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise LogError("not_canonical")
    return value


def _check(value: Json, depth: int) -> None:
    """Types are compared exactly: a bool is no integer here, and a subclass could encode as something else."""
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return
    if kind is int:
        if abs(cast(int, value)) > MAX_INTEGER:
            raise LogError("not_canonical")
        return
    if depth == 0:
        raise LogError("not_canonical")
    if kind is list:
        for item in cast("list[Json]", value):
            _check(item, depth - 1)
    elif kind is dict:
        for key, item in cast("dict[object, Json]", value).items():
            if type(key) is not str or KEY.fullmatch(key) is None:
                raise LogError("not_canonical")
            _check(item, depth - 1)
    else:
        raise LogError("not_canonical")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise LogError("not_canonical")
    return value


def _refuse(_literal: str) -> NoReturn:
    raise LogError("not_canonical")


# made once: json.loads and json.dumps would make them for each of the many small values of a log
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_refuse, parse_constant=_refuse)
