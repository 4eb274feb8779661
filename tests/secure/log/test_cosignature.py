from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from secure.log import cosignature, mldsa
from secure.log.checkpoint import TreeHead, open_checkpoint
from secure.log.cosignature import Subtree, mldsa_message, subtree_of, unpack
from secure.log.errors import LogError
from secure.log.note import COSIGNATURE, ED25519, MLDSA, Verifier, check_lines, open_note, parse_vkey
from secure.log.signing import SigningKey

TIME = 1679315147
HEAD = TreeHead("example.com/behind-the-sofa", 20852163, base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="))
LOG = SigningKey(HEAD.origin, ED25519, bytes(range(32)))
LOG_MLDSA = SigningKey(HEAD.origin, MLDSA, bytes(range(1, 33)))
WITNESS = SigningKey("witness.example.com/w1", COSIGNATURE, bytes(range(2, 34)))
WITNESS_MLDSA = SigningKey("witness.example.com/w1", MLDSA, bytes(range(3, 35)))
KEYS = [LOG, LOG_MLDSA, WITNESS, WITNESS_MLDSA]
NOTE = HEAD.text + b"\n" + b"".join(key.sign(HEAD.text, time=TIME) for key in KEYS)


def test_the_formats_own_example_is_read_with_its_time() -> None:
    # the second line of the example in C2SP tlog-cosignature, whose message names this time
    encoded = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    time, signature = unpack(base64.b64decode(encoded)[4:])
    assert time == TIME
    assert len(signature) == 64


def test_an_ed25519_cosignature_covers_the_lines_of_the_format() -> None:
    expected = b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert cosignature.ed25519_message(HEAD.text, time=TIME) == expected
    raw = line(WITNESS.sign(HEAD.text, time=TIME))
    assert raw[:4] == WITNESS.verifier.key_id
    assert raw[4:12] == TIME.to_bytes(8, "big")
    Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34))).public_key().verify(raw[12:], expected)


def test_an_mldsa_cosignature_covers_the_structure_of_the_format() -> None:
    expected = b"".join(
        [
            b"subtree/v1\n\x00",
            b"\x16witness.example.com/w1",
            (1679315147).to_bytes(8, "big"),
            b"\x1bexample.com/behind-the-sofa",
            (0).to_bytes(8, "big"),
            (20852163).to_bytes(8, "big"),
            base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="),
        ]
    )
    assert mldsa_message(subtree_of(HEAD.text), name="witness.example.com/w1", time=TIME) == expected
    raw = line(WITNESS_MLDSA.sign(HEAD.text, time=TIME))
    MLDSA44PrivateKey.from_seed_bytes(bytes(range(3, 35))).public_key().verify(raw[12:], expected)


def test_a_checkpoint_with_all_kinds_of_signatures_opens_and_tells_their_times() -> None:
    opened = open_note(NOTE, [key.verifier for key in KEYS])
    assert opened.signed_by == tuple(key.verifier for key in KEYS)
    assert [signature.time for signature in opened.signatures] == [None, TIME, TIME, TIME]
    assert b"".join(signature.line for signature in opened.signatures) == NOTE.split(b"\n\n")[1]
    assert open_checkpoint(NOTE, [LOG.verifier, WITNESS.verifier]) == HEAD


def test_witnesses_alone_make_no_checkpoint() -> None:
    verifiers = [key.verifier for key in KEYS[1:]]
    with pytest.raises(LogError, match="bad_signature"):
        open_checkpoint(NOTE, verifiers)


@pytest.mark.parametrize("key", KEYS, ids=["ed25519", "log ml-dsa", "cosignature", "ml-dsa"])
def test_keys_survive_their_text_form(key: SigningKey) -> None:
    assert parse_vkey(key.verifier.vkey) == key.verifier
    assert SigningKey.parse(key.line).verifier == key.verifier


@pytest.mark.parametrize("key", KEYS[1:], ids=["log ml-dsa", "cosignature", "ml-dsa"])
def test_a_cosignature_holds_for_its_time_its_name_and_its_text_only(key: SigningKey) -> None:
    raw = line(key.sign(HEAD.text, time=TIME))
    verifier = key.verifier
    later = encoded(verifier, raw[4:12][:-1] + b"\xff" + raw[12:])
    other = Verifier("witness.example.com/w2", verifier.public_key, verifier.type)
    grown = TreeHead(HEAD.origin, HEAD.size + 1, HEAD.root).text
    refused("bad_signature", HEAD.text, later, verifier)
    refused("bad_signature", grown, encoded(verifier, raw[4:]), verifier)
    if verifier.type == MLDSA:
        refused("bad_signature", HEAD.text, encoded(other, raw[4:]), other)


def test_one_key_is_not_taken_for_another_type() -> None:
    """The same Ed25519 key as log and as witness: two ids, and neither signature passes for the other."""
    plain, cosigner = SigningKey("a", ED25519, bytes(32)), SigningKey("a", COSIGNATURE, bytes(32))
    assert plain.verifier.key_id != cosigner.verifier.key_id
    refused("bad_signature", HEAD.text, encoded(cosigner.verifier, bytes(8) + line(plain.sign(HEAD.text))[4:]), cosigner.verifier)
    refused("bad_signature", HEAD.text, encoded(plain.verifier, line(cosigner.sign(HEAD.text))[12:]), plain.verifier)


def test_a_time_beyond_the_format_is_refused() -> None:
    with pytest.raises(LogError):
        unpack((2**63).to_bytes(8, "big") + bytes(64))
    with pytest.raises(LogError):
        WITNESS.sign(HEAD.text, time=2**63)


def test_a_part_of_a_log_that_does_not_begin_at_its_first_leaf_carries_no_time() -> None:
    part = Subtree(b"o", 256, 512, bytes(32))
    assert mldsa_message(part, name="n", time=0)
    with pytest.raises(LogError):
        mldsa_message(part, name="n", time=1)


def test_an_mldsa_key_signs_no_text_that_is_neither_tree_head_nor_policy() -> None:
    with pytest.raises(LogError):
        WITNESS_MLDSA.sign(b"good morning\n", time=TIME)


@pytest.mark.parametrize("wrong", [bytes(33), b"\x01" + bytes(31), b"\x06" + bytes(32), b"\x02" + bytes(32), b""])
def test_a_bad_private_key_is_refused(wrong: bytes) -> None:
    with pytest.raises(LogError):
        SigningKey.parse(f"PRIVATE+KEY+a+00000000+{base64.b64encode(wrong).decode()}")


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_no_byte_of_a_cosigned_checkpoint_can_change(at: int, change: int) -> None:
    """An altered signature line is either refused or, its key now unknown, no longer among the signers."""
    altered = NOTE[:at] + bytes([NOTE[at] ^ change]) + NOTE[at + 1 :]
    try:
        opened = open_note(altered, [key.verifier for key in KEYS])
    except LogError:
        return
    assert opened.text == HEAD.text
    assert len(opened.signed_by) == len(KEYS) - 1


@given(st.binary(max_size=120), st.binary(max_size=120))
def test_only_our_error_leaves_the_readers(text: bytes, signature: bytes) -> None:
    for key in KEYS[1:]:
        with pytest.raises(LogError):
            check_lines(text, encoded(key.verifier, signature), [key.verifier])
        assert not mldsa.verify(public_key=signature, message=text, signature=signature)


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: f"a+00000000+{base64.b64encode(raw).decode()}"))
def test_only_our_error_leaves_the_reader_of_private_keys(text: str) -> None:
    with pytest.raises(LogError):
        SigningKey.parse(f"PRIVATE+KEY+{text}")


def line(signature_line: bytes) -> bytes:
    return base64.b64decode(signature_line.split()[2])


def encoded(verifier: Verifier, signature: bytes) -> bytes:
    return f"— {verifier.name} {base64.b64encode(verifier.key_id + signature).decode()}\n".encode()


def refused(code: str, text: bytes, lines: bytes, verifier: Verifier) -> None:
    with pytest.raises(LogError, match=code):
        check_lines(text, lines, [verifier])
