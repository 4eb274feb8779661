"""Sealing in Python against what the browser's code makes, and against tampering. Vectors: tests/vectors/{sealing,hpke,content}.json."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from secure import sealing
from secure.codes import from_crockford, to_crockford
from secure.errors import BadInput
from secure.log import jcs

VECTORS = Path(__file__).parents[1] / "vectors"
SEED = bytes(range(32))
PUBLIC_KEY = sealing.xwing_public_key(SEED)
ROOM = "ab" * 32


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def unbase64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def flipped(raw: bytes, at: int) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1
    return bytes(changed)


def refuses(code: str) -> Any:
    return pytest.raises(BadInput, match=f"^{code}$")


def test_xwing_key_is_that_of_the_draft() -> None:
    draft = vectors("sealing.json")["xwing"]
    public_key = sealing.xwing_public_key(bytes.fromhex(draft["seed"]))
    assert len(public_key) == sealing.XWING_PUBLIC
    assert public_key.hex().startswith(draft["public_key_begins"])


@pytest.mark.parametrize("source", ["browser", "python"])
def test_wraps_of_both_sides_open(source: str) -> None:
    wrapped = vectors("hpke.json") if source == "browser" else vectors("sealing.json")["wraps"]
    seed = unbase64(wrapped["seed"])
    assert sealing.xwing_public_key(seed) == unbase64(wrapped["public_key"])
    brief, ring, history = wrapped["brief"], wrapped["ring"], wrapped["history"]
    assert sealing.unwrap(seed=seed, purpose="brief", box=unbase64(brief["box"])) == unbase64(brief["plaintext"])
    entry = sealing.open_ring_entry(room=ring["room"], epoch=ring["epoch"], box=unbase64(ring["box"]), seed=seed)
    assert entry == unbase64(ring["key"])
    keys = sealing.open_history(first=history["from"], last=history["to"], box=unbase64(history["box"]), seed=seed)
    assert keys == {each["epoch"]: unbase64(each["key"]) for each in history["keys"]}


def test_wrap_opens_for_its_card_and_purpose_only() -> None:
    box = sealing.wrap(public_key=PUBLIC_KEY, purpose="brief", plaintext=SEED)
    assert sealing.unwrap(seed=SEED, purpose="brief", box=box) == SEED
    with refuses("altered"):
        sealing.unwrap(seed=bytes(32), purpose="brief", box=box)
    with refuses("altered"):
        sealing.unwrap(seed=SEED, purpose="draft", box=box)
    for at in (0, 1100, 1130, len(box) - 1):
        with refuses("altered"):
            sealing.unwrap(seed=SEED, purpose="brief", box=flipped(box, at))
    with refuses("malformed"):
        sealing.unwrap(seed=SEED, purpose="brief", box=box[:1000])
    with refuses("malformed"):
        sealing.unwrap(seed=SEED[1:], purpose="brief", box=box)


@pytest.mark.parametrize("key", [b"", PUBLIC_KEY[1:], b"\xff" * sealing.XWING_PUBLIC])
def test_nothing_is_wrapped_for_what_is_no_key(key: bytes) -> None:
    with refuses("weak_key"):
        sealing.wrap(public_key=key, purpose="brief", plaintext=SEED)


def test_ring_entry_opens_only_where_it_was_filed() -> None:
    box = sealing.seal_ring_entry(room=ROOM, epoch=5, key=SEED, public_key=PUBLIC_KEY)
    assert sealing.open_ring_entry(room=ROOM, epoch=5, box=box, seed=SEED) == SEED
    for room, epoch in ((ROOM, 6), ("cd" * 32, 5)):
        with refuses("wrong_room"):
            sealing.open_ring_entry(room=room, epoch=epoch, box=box, seed=SEED)


def test_history_outside_the_grant_is_refused() -> None:
    keys = {3: SEED, 4: bytes(32), 7: SEED}
    box = sealing.seal_history(keys=keys, public_key=PUBLIC_KEY)
    assert sealing.open_history(first=3, last=7, box=box, seed=SEED) == keys
    for first, last in ((4, 7), (3, 6)):
        with refuses("malformed"):
            sealing.open_history(first=first, last=last, box=box, seed=SEED)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [1],
        [{"epoch": True, "key": "AA=="}],
        [{"epoch": 1, "key": "AA=="}],
        [{"epoch": 1, "key": 7}],
        [{"epoch": 1, "key": "AA==", "room": ROOM}],
    ],
)
def test_history_of_another_shape_is_refused(value: Any) -> None:
    box = sealing.wrap(public_key=PUBLIC_KEY, purpose="history", plaintext=jcs.encode(value))
    with refuses("malformed"):
        sealing.open_history(first=0, last=9, box=box, seed=SEED)


def test_brief_opens_with_its_key_and_as_it_was_signed_only() -> None:
    value = {"subject": "Haze", "situation": "…", "agenda": ["One"]}
    sealed = sealing.seal_text(value)
    assert sealing.open_text(sealed) == value
    with refuses("altered"):
        sealing.open_text(sealing.Sealed(sealed.key, flipped(sealed.ciphertext, 0), sealed.sha256, sealed.commitment))
    for key, commitment in ((SEED, sealed.commitment), (sealed.key, SEED), (b"short", sealed.commitment)):
        with refuses("wrong_key"):
            sealing.open_text(sealing.Sealed(key, sealed.ciphertext, sealed.sha256, commitment))


def test_two_briefs_of_one_text_look_different() -> None:
    assert sealing.seal_text({"reason": "No."}).ciphertext != sealing.seal_text({"reason": "No."}).ciphertext


def test_briefs_of_the_vectors_open() -> None:
    for vector in vectors("sealing.json")["briefs"]:
        key, ciphertext = unbase64(vector["key"]), unbase64(vector["ciphertext"])
        sealed = sealing.Sealed(key, ciphertext, vector["sha256"], unbase64(vector["commitment"]))
        assert sealing.open_text(sealed) == vector["value"]
        assert sealing.seal_text(vector["value"], key=key) == sealed


@pytest.mark.parametrize(("length", "size"), [(0, 256), (252, 256), (253, 512), (508, 512), (509, 1024)])
def test_padding_fills_to_the_size_class(length: int, size: int) -> None:
    padded = sealing.pad(b"a" * length)
    assert len(padded) == size
    assert sealing.unpad(padded) == b"a" * length


@pytest.mark.parametrize("padded", [b"", b"\0\0\0", bytes(512), bytes(255) + b"\1", b"\xff" * 256])
def test_other_padding_is_refused(padded: bytes) -> None:
    with refuses("malformed"):
        sealing.unpad(padded)


def test_recovery_key_survives_being_written_down() -> None:
    text = sealing.format_recovery_key(SEED)
    assert sealing.parse_recovery_key(text) == SEED
    assert sealing.parse_recovery_key(f" {text.lower().replace('-', ' ').replace('0', 'o').replace('1', 'i')}") == SEED
    for wrong in (text[1:], text + "0", "U" * 53, "", text[:-1] + "1"):
        with refuses("code_mistyped"):
            sealing.parse_recovery_key(wrong)


def test_recovery_box_opens_with_its_key_alone() -> None:
    recovery = sealing.Recovery("cd" * 32, SEED, bytes(32), None, 2)
    box = sealing.seal_recovery(recovery, recovery_key=SEED)
    assert sealing.open_recovery(box, recovery_key=SEED) == recovery
    with refuses("recovery_key_wrong"):
        sealing.open_recovery(box, recovery_key=bytes(32))
    with refuses("recovery_key_wrong"):
        sealing.open_recovery(flipped(box, 20), recovery_key=SEED)
    with refuses("malformed"):
        sealing.open_recovery(box[:20], recovery_key=SEED)


def test_recovery_boxes_of_the_vectors_open() -> None:
    for vector in vectors("sealing.json")["recoveries"]:
        key = sealing.parse_recovery_key(vector["text"])
        assert key == unbase64(vector["recovery_key"])
        recovery = sealing.open_recovery(unbase64(vector["box"]), recovery_key=key)
        assert recovery == sealing.Recovery(
            vector["card"],
            unbase64(vector["account_seed"]),
            unbase64(vector["xwing_seed"]),
            vector["inst"],
            vector["number"],
        )


def test_crockford_gives_back_every_length() -> None:
    for length in range(40):
        raw = hashlib.shake_256(bytes([length])).digest(length)
        assert from_crockford(to_crockford(raw), length) == raw
    for text in ("01", "000"):
        with refuses("code_mistyped"):
            from_crockford(text, 1)


def test_content_objects_open_by_the_letter_of_the_protocol() -> None:
    """Nothing of ours but padding and canonical JSON: what docs/protocol.md, section 7, says is enough to read a room."""
    shared = vectors("content.json")
    device = Ed25519PublicKey.from_public_bytes(unbase64(shared["device_key"]))
    previous = "0" * 64
    for vector in shared["objects"]:
        header_bytes = unbase64(vector["header"])
        header = jcs.decode_object(header_bytes)
        hkdf = HKDF(hashes.SHA256(), length=76, salt=bytes.fromhex(str(header["id"])), info=b"consult/content/v1")
        okm = hkdf.derive(unbase64(shared["content_key"]))
        assert base64.b64encode(okm[44:]).decode() == header["commitment"]
        padded = AESGCM(okm[:32]).decrypt(okm[32:44], unbase64(vector["box"]), header_bytes)
        inner = jcs.decode_object(sealing.unpad(padded))
        assert inner["body"] == vector["body"]
        signed = b"consult/content/v1\n" + header_bytes + hashlib.sha256(jcs.encode(inner["body"])).digest()
        device.verify(unbase64(str(inner["sig"])), signed)
        assert header["prev"] == previous
        previous = hashlib.sha256(header_bytes).hexdigest()
        assert previous == vector["header_hash"]
