"""One failing case for each numbered check of secure/log/verifier.py, on a log made without any database."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
import sys
from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import assume, given
from hypothesis import strategies as st

from secure.log.checkpoint import TreeHead
from secure.log.encoding import ZERO, parse_event
from secure.log.events import AuthorPlace
from secure.log.leaves import EntryLeaf, StateLeaf, coarse_type
from secure.log.merkle import leaf_hash, root_hash
from secure.log.note import Verifier, sign_with
from secure.log.statemap import StateMap, slot_hash
from secure.log.verifier import Replay, check_checkpoint, check_tile
from tests.secure.log.devices import Device, canonical, text

ORIGIN = "consult.example.int/consult"
KEY = Ed25519PrivateKey.generate()
LOG = Verifier(ORIGIN, KEY.public_key().public_bytes_raw())
SALT = bytes(16)


@dataclass
class Ledger:
    """Writes a log as the documentation says, and lets a test write it wrongly."""

    leaves: list[bytes] = field(default_factory=list)
    events: list[bytes | None] = field(default_factory=list)
    series: dict[str, tuple[int, bytes, int]] = field(default_factory=dict)
    map: StateMap = field(default_factory=StateMap)

    def host(self, ns: str, *, kind: str = "session.began", **changes: object) -> None:
        data: dict[str, object] = {"_sd": []}
        if ns not in self.series:
            data |= {"slot": len(self.series), "salt": text(SALT)}
        event = {"v": 1, "id": text(secrets.token_bytes(16)), "ns": ns, "type": kind, "src": "host", "at": 5, "data": data}
        self.put(canonical(event | changes), ns)

    def put(self, event: bytes, ns: str, /, **changes: object) -> None:
        count, head, slot = self.series.get(ns, (0, ZERO, len(self.series)))
        kind = json.loads(event)["type"]
        leaf = EntryLeaf(ns, count + 1, head, hashlib.sha256(event).digest(), len(self.leaves), coarse_type(kind))
        raw = replace(leaf, **changes).encode()  # type: ignore[arg-type]
        self.series[ns] = (count + 1, leaf_hash(raw), slot)
        self.leaves.append(raw)
        self.events.append(event)

    def state(self, **changes: object) -> None:
        self.map.assign({slot: slot_hash(ns=ns, count=count, head=head) for ns, (count, head, slot) in self.series.items()})
        leaf = StateLeaf(self.map.root, len(self.leaves))
        self.leaves.append(replace(leaf, **changes).encode())  # type: ignore[arg-type]
        self.events.append(None)

    @property
    def root(self) -> bytes:
        return root_hash(map(leaf_hash, self.leaves))

    def checkpoint(self, *, key: Ed25519PrivateKey = KEY, size: int | None = None) -> bytes:
        return sign_with(TreeHead(ORIGIN, size or len(self.leaves), self.root).text, name=ORIGIN, key=key)

    def replay(self, *devices: Device) -> Replay:
        replay = Replay(public_keys=[device.public_key for device in devices])
        for index, (leaf, event) in enumerate(zip(self.leaves, self.events, strict=True)):
            replay.feed(index, leaf, event)
        return replay

    def faults(self, *devices: Device) -> set[int]:
        return {fault.check for fault in self.replay(*devices).faults}


A, B = "aa" * 16, "bb" * 16


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.host(A)
    made.host(B)
    made.host(A)
    made.state()
    return made


def sent(ledger: Ledger, device: Device, *, dseq: int = 1, dprev: bytes = ZERO, seen: list[object] | None = None) -> bytes:
    raw = device.event(AuthorPlace(A, text(SALT), dseq, text(dprev)), seen=seen)
    ledger.put(raw, A)
    return raw


def test_an_honest_log_has_no_fault(ledger: Ledger) -> None:
    device, other = Device(), Device()
    first = sent(ledger, device)
    ledger.state()
    seen: list[object] = [5 + 1, text(ledger.root)]
    sent(ledger, device, dseq=2, dprev=hashlib.sha256(first).digest(), seen=seen)
    sent(ledger, other)
    ledger.state()
    replay = ledger.replay(device, other)
    assert replay.faults == []
    assert replay.root == ledger.root
    assert check_checkpoint(ledger.checkpoint(), verifiers=[LOG], replay=replay) == []
    tile = b"".join(map(leaf_hash, ledger.leaves))
    assert check_tile(0, 0, tile, replay=replay) == []


def test_check_1_a_leaf_is_missing(ledger: Ledger) -> None:
    replay = Replay()
    replay.feed(0, ledger.leaves[0], ledger.events[0])
    replay.feed(2, ledger.leaves[2], ledger.events[2])
    assert 1 in {fault.check for fault in replay.faults}


@pytest.mark.parametrize("leaf", [b"", b"{}", b'{"v":1}'])
def test_check_2_a_leaf_is_not_one(ledger: Ledger, leaf: bytes) -> None:
    ledger.leaves[1] = leaf
    assert 2 in ledger.faults()


def test_check_2_a_leaf_is_spelt_otherwise(ledger: Ledger) -> None:
    ledger.leaves[1] = ledger.leaves[1].replace(b":", b": ")
    assert 2 in ledger.faults()


def test_check_3_time_goes_back(ledger: Ledger) -> None:
    ledger.put(ledger.events[2] or b"", A, t=1)
    assert ledger.faults() == {3}


@pytest.mark.parametrize("changes", [{"cseq": 2}, {"cseq": 4}, {"cprev": bytes(32)}])
def test_check_4_a_series_has_a_gap(ledger: Ledger, changes: dict[str, object]) -> None:
    ledger.host(A)
    event = ledger.events.pop() or b""
    ledger.leaves.pop()
    ledger.put(event, A, **changes)
    assert 4 in ledger.faults()


def test_check_4_two_entries_change_places(ledger: Ledger) -> None:
    ledger.leaves[0], ledger.leaves[2] = ledger.leaves[2], ledger.leaves[0]
    ledger.events[0], ledger.events[2] = ledger.events[2], ledger.events[0]
    assert 4 in ledger.faults()


def test_check_4_an_entry_is_there_twice(ledger: Ledger) -> None:
    ledger.leaves.insert(3, ledger.leaves[2])
    ledger.events.insert(3, ledger.events[2])
    assert 4 in ledger.faults()


@pytest.mark.parametrize("event", [None, b"{}", "another"])
def test_check_5_an_event_was_changed_or_taken_away(ledger: Ledger, event: bytes | str | None) -> None:
    ledger.events[2] = (ledger.events[2] or b"").replace(b'"at":5', b'"at":6') if isinstance(event, str) else event
    assert ledger.faults() == {5}


@pytest.mark.parametrize("changes", [{"ty": "message"}, {"ns": B}])
def test_check_5_an_event_belongs_elsewhere(ledger: Ledger, changes: dict[str, object]) -> None:
    ledger.put(ledger.events[2] or b"", A, **changes)
    assert 5 in ledger.faults()


@pytest.mark.parametrize("data", [{"_sd": []}, {"slot": 0, "salt": text(SALT)}])
def test_check_6_a_series_has_no_slot_or_anothers(ledger: Ledger, data: dict[str, object]) -> None:
    ledger.host("cc" * 16, data=data)
    assert 6 in ledger.faults()


def test_check_6_a_series_changes_its_slot(ledger: Ledger) -> None:
    ledger.host(A, data={"slot": 9, "salt": text(SALT)})
    assert 6 in ledger.faults()


def test_check_7_a_device_event_by_nobody_the_log_knows(ledger: Ledger) -> None:
    sent(ledger, Device())
    assert ledger.faults(Device()) == {7}


def test_check_7_a_device_event_signed_by_another(ledger: Ledger) -> None:
    device, thief = Device(), Device()
    mine, stolen = (json.loads(each.event(AuthorPlace(A, text(SALT), 1, text(ZERO)))) for each in (device, thief))
    mine["author"]["sig"] = stolen["author"]["sig"]
    ledger.put(canonical(mine), A)
    assert ledger.faults(device, thief) == {7}


@pytest.mark.parametrize(("dseq", "dprev"), [(3, "right"), (2, "wrong"), (1, "right")])
def test_check_8_an_event_of_a_device_was_swallowed(ledger: Ledger, dseq: int, dprev: str) -> None:
    device = Device()
    first = sent(ledger, device)
    sent(ledger, device, dseq=dseq, dprev=hashlib.sha256(first).digest() if dprev == "right" else ZERO)
    assert ledger.faults(device) == {8}


@pytest.mark.parametrize("seen", [[4, text(ZERO)], [3, text(ZERO)], [400, text(ZERO)], [0, text(ZERO)]])
def test_check_9_a_device_had_seen_another_log(ledger: Ledger, seen: list[object]) -> None:
    device = Device()
    sent(ledger, device, seen=seen)
    assert ledger.faults(device) == {9}


def test_check_10_a_state_leaf_lies(ledger: Ledger) -> None:
    ledger.host(A)
    ledger.state(map=bytes(32))
    assert ledger.faults() == {10}


def test_check_10_a_tail_was_cut_off_before_the_state_leaf(ledger: Ledger) -> None:
    ledger.host(A)
    ledger.state()
    del ledger.leaves[4], ledger.events[4]
    assert 10 in ledger.faults()


def test_check_11_a_checkpoint_over_other_entries(ledger: Ledger) -> None:
    note = ledger.checkpoint()
    other = Ledger()
    for _ in range(3):
        other.host(A)
    other.state()
    assert [fault.check for fault in check_checkpoint(note, verifiers=[LOG], replay=other.replay())] == [11]


def test_check_11_a_checkpoint_by_another_key(ledger: Ledger) -> None:
    note = ledger.checkpoint(key=Ed25519PrivateKey.generate())
    assert [fault.check for fault in check_checkpoint(note, verifiers=[LOG], replay=ledger.replay())] == [11]


def test_check_11_a_checkpoint_without_a_state_leaf(ledger: Ledger) -> None:
    ledger.host(A)
    assert [fault.check for fault in check_checkpoint(ledger.checkpoint(), verifiers=[LOG], replay=ledger.replay())] == [11]


@pytest.mark.parametrize("stored", [b"", bytes(32), bytes(4 * 32)])
def test_check_12_a_tile_holds_other_hashes(ledger: Ledger, stored: bytes) -> None:
    assert [fault.check for fault in check_tile(0, 0, stored, replay=ledger.replay())] == [12]


def test_the_replay_grows_the_tiles_of_every_level(ledger: Ledger) -> None:
    for _ in range(600):
        ledger.host(A)
    replay = ledger.replay()
    hashes = list(map(leaf_hash, ledger.leaves))
    assert replay.tiles.places() == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert replay.tiles.hashes(0, 1) == b"".join(hashes[256:512])
    assert replay.tiles.hashes(1, 0) == root_hash(hashes[:256]) + root_hash(hashes[256:512])


def test_the_reader_of_the_test_agrees_with_ours(ledger: Ledger) -> None:
    assert parse_event(ledger.events[0] or b"").ns == A


@given(st.data())
def test_any_changed_byte_is_found_and_no_bytes_break_the_verifier(data: st.DataObject) -> None:
    device = Device()
    made = Ledger()
    made.host(A)
    sent(made, device)
    made.state()
    signed = made.checkpoint()
    at = data.draw(st.integers(0, 2))
    written = made.leaves if data.draw(st.booleans()) else made.events
    raw = written[at] or b""
    place = data.draw(st.integers(0, len(raw)))
    changed = raw[:place] + data.draw(st.binary(max_size=4)) + raw[place + data.draw(st.integers(0, 4)) :]
    assume(changed != raw and (written is made.leaves or at < 2))
    written[at] = changed  # type: ignore[call-overload]
    replay = made.replay(device)
    assert replay.faults or check_checkpoint(signed, verifiers=[LOG], replay=replay)


def test_what_proves_runs_without_the_product_around_it() -> None:
    parts = [
        "jcs",
        "encoding",
        "merkle",
        "note",
        "checkpoint",
        "tiles",
        "leaves",
        "statemap",
        "verifier",
        "archive",
        "multiproof",
        "entries",
        "bundle_checks",
        "trust",
    ]
    program = f"import sys, {', '.join(f'secure.log.{part}' for part in parts)}\nsys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
