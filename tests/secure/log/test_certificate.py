"""The certificate of a disposal is read strictly: only our own error ever leaves it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure.log import jcs
from secure.log.certificate import DISPOSED, Certificate, certificate_of
from secure.log.encoding import Event, encode_event, parse_event
from secure.log.errors import LogError
from secure.log.jcs import Json

WHOLE = Certificate("4a" * 16, "agreed_early", 3, 9, 4, "1b" * 32, 7, "2c" * 32, "3d" * 32)


def event(**changes: Json) -> Event:
    data: dict[str, Json] = {**WHOLE.value(), "_sd": [], **changes}
    return parse_event(encode_event(event_id=bytes(16), ns=WHOLE.ns, type=DISPOSED, src="host", at=1, data=data))


def test_what_is_written_is_read_again() -> None:
    assert certificate_of(event()) == WHOLE


@pytest.mark.parametrize(
    "changes",
    [
        {"first": 10},
        {"count": -1},
        {"count": True},
        {"last": "9"},
        {"head": "1b" * 31},
        {"manifest": "2C" * 32},
        {"disposal": None},
        {"map_slot": 1 << 20},
        {"basis": 1},
        {"more": 1},
    ],
)
def test_what_is_no_certificate_is_refused(changes: dict[str, Json]) -> None:
    with pytest.raises(LogError):
        certificate_of(event(**changes))
    with pytest.raises(LogError):
        certificate_of(replace(event(), type="room.epoch"))
    with pytest.raises(LogError):
        certificate_of(replace(event(), src="client"))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), inner, max_size=3),
    max_leaves=5,
)


@given(changes=st.dictionaries(st.sampled_from([*WHOLE.value(), "more"]), values, max_size=4))
def test_whatever_stands_in_it_only_our_error_leaves(changes: dict[str, Json]) -> None:
    try:
        jcs.encode(changes)
        found = certificate_of(replace(event(), data={**event().data, **changes}))
    except LogError:
        return
    assert isinstance(found, Certificate)
