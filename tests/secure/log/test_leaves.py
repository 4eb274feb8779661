from __future__ import annotations

import json
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secure.errors import Refusal
from secure.log.encoding import Event, disclosure_digest, parse_event, verify_author
from secure.log.errors import LogError
from secure.log.events import AuthorPlace
from secure.log.leaves import EntryLeaf, StateLeaf, parse_leaf
from tests.secure.log.devices import Device, canonical, text

ENTRY = EntryLeaf("ab" * 16, 1, bytes(32), bytes(range(32)), 1790000000204, "message")
STATE = StateLeaf(bytes(range(32)), 1790000000204)
PLACE = AuthorPlace("ab" * 16, text(bytes(16)), 1, text(bytes(32)))


@pytest.mark.parametrize("leaf", [ENTRY, STATE])
def test_a_leaf_reads_back_and_stays_small(leaf: EntryLeaf | StateLeaf) -> None:
    raw = leaf.encode()
    assert parse_leaf(raw) == leaf
    assert len(raw) < 250


def test_a_leaf_is_laid_out_as_documented() -> None:
    zeros, ones = text(bytes(32)), text(bytes(range(32)))
    assert ENTRY.encode().decode() == (
        f'{{"cprev":"{zeros}","cseq":1,"evh":"{ones}","ns":"{"ab" * 16}","t":1790000000204,"ty":"message","v":1}}'
    )
    assert STATE.encode().decode() == f'{{"map":"{ones}","t":1790000000204,"ty":"log.state","v":1}}'


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"cseq": 0},
        {"cseq": True},
        {"cprev": "AAAA"},
        {"evh": text(bytes(32))[:-2] + "B="},
        {"ns": "AB" * 16},
        {"t": -1},
        {"ty": 3},
        {"more": 1},
        {"ty": "log.state"},
    ],
)
def test_a_leaf_with_anything_amiss_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(LogError):
        parse_leaf(canonical(json.loads(ENTRY.encode()) | changes))


def test_an_event_of_another_client_is_read_and_its_signature_holds() -> None:
    device = Device()
    event = parse_event(device.event(PLACE))
    assert (event.type, event.src, event.author and event.author.dseq) == ("message.sent", "client", 1)
    verify_author(event, public_key=device.public_key)
    with pytest.raises(LogError, match="bad_signature"):
        verify_author(event, public_key=Device().public_key)


HOST: dict[str, object] = {
    "v": 1,
    "id": text(bytes(16)),
    "ns": "ab" * 16,
    "type": "session.began",
    "src": "host",
    "at": 1,
    "data": {"_sd": []},
}


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"id": "AAAA"},
        {"ns": "x"},
        {"type": "Message"},
        {"type": "a.b.c"},
        {"src": "state"},
        {"src": "state", "data": {"statement": "AB" * 32}},
        {"src": "client"},
        {"src": "other"},
        {"at": -1},
        {"at": True},
        {"data": []},
        {"data": {"_sd": {}}},
        {"data": {"_sd": ["AAAA"]}},
        {"data": {"_sd": [text(b"b" * 32), text(b"a" * 32)]}},
        {"data": {"_sd": [text(bytes(32))] * 2}},
        {"data": {"slot": 1}},
        {"data": {"slot": -1, "salt": text(bytes(16))}},
        {"data": {"note": "x" * 17000}},
        {"data": {"slot": 1 << 20, "salt": text(bytes(16))}},
        {"extra": 1},
        {"author": {}},
    ],
)
def test_an_event_with_anything_amiss_is_refused(changes: dict[str, object]) -> None:
    parse_event(canonical(HOST))
    with pytest.raises(LogError):
        parse_event(canonical(HOST | changes))


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_only_our_error_leaves_the_readers(value: object) -> None:
    raw = json.dumps({"author": value, "v": 1}).encode()
    for read in (parse_event, parse_leaf):
        with pytest.raises(Refusal):
            read(raw)


def test_a_digest_says_nothing_without_its_salt() -> None:
    first, second = (disclosure_digest(salt=secrets.token_bytes(32), name="person", value="Retno Marsudi") for _ in range(2))
    assert first != second


def test_an_event_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Event(b"", "", "", "host", 0, {}, None).at = 1  # type: ignore[misc]
