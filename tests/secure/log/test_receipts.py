"""Receipts: whoever sends holds the host's signed word that the event will stand in the log."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from secure.keys import KeyFileError, create_receipt_key, load_receipt_key
from secure.log.errors import LogError
from secure.log.note import Verifier
from secure.log.receipts import Receipt, message, verify_receipt
from tests.secure.log.logs import ORIGIN, Log, make_log

EVENT = hashlib.sha256(b"an event").digest()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return make_log(tmp_path)


def test_a_receipt_is_for_one_event_one_time_and_one_log(log: Log) -> None:
    receipt = log.receipts.sign(event=EVENT, t=1_790_000_000_000)
    verifier = log.receipts.verifier
    verify_receipt(receipt, event=EVENT, verifier=verifier)
    for wrong in (
        {"event": hashlib.sha256(b"another").digest()},
        {"receipt": Receipt(receipt.t + 1, receipt.sig)},
        {"receipt": Receipt(receipt.t, receipt.sig[:-1])},
        {"receipt": Receipt(receipt.t, b"")},
        {"verifier": Verifier("elsewhere.example/consult/receipts", verifier.public_key)},
        {"verifier": Verifier(ORIGIN, verifier.public_key)},
        {"verifier": log.verifiers[0]},
        {"verifier": log.verifiers[1]},
    ):
        with pytest.raises(LogError) as refusal:
            verify_receipt(**{"receipt": receipt, "event": EVENT, "verifier": verifier, **wrong})  # type: ignore[arg-type]
        assert refusal.value.code == "bad_signature"


def test_what_is_signed_is_what_the_documentation_says() -> None:
    said = message(origin=ORIGIN, event=bytes(32), t=7)
    prefix, body = said.split(b"\n", 1)
    assert prefix == b"consult/receipt/v1"
    assert json.loads(body) == {"event": "A" * 43 + "=", "mmd": 10_000, "origin": ORIGIN, "t": 7}


def test_the_key_is_named_after_the_log_and_made_once(tmp_path: Path) -> None:
    made = create_receipt_key(tmp_path / "receipt.key", origin=ORIGIN)
    assert made.verifier.name == f"{ORIGIN}/receipts"
    assert load_receipt_key(tmp_path / "receipt.key", origin=ORIGIN).verifier == made.verifier
    with pytest.raises(KeyFileError, match="belongs to"):
        load_receipt_key(tmp_path / "receipt.key", origin="elsewhere.example/consult")
    with pytest.raises(KeyFileError, match="already exists"):
        create_receipt_key(tmp_path / "receipt.key", origin=ORIGIN)
