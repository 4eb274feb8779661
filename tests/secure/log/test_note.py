from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from secure.log.checkpoint import TreeHead, open_checkpoint, parse_tree_head
from secure.log.errors import LogError
from secure.log.note import Verifier, open_note, parse_vkey, sign_with
from secure.log.policy import MAX_MEMBERS

# the example of golang.org/x/mod/sumdb/note's documentation
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

ORIGIN = "consult.example.int/consult"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = Verifier(ORIGIN, KEY.public_key().public_bytes_raw())
HEAD = TreeHead(ORIGIN, 184467, bytes(range(32)))
NOTE = sign_with(HEAD.text, name=ORIGIN, key=KEY)


def test_a_note_signed_by_the_reference_implementation_opens() -> None:
    verifier = parse_vkey(GO_VKEY)
    assert open_note(GO_NOTE, [verifier]).signed_by == (verifier,)
    assert verifier.vkey == GO_VKEY


def test_a_checkpoint_is_origin_size_root_and_one_signature_line() -> None:
    root = base64.b64encode(bytes(range(32))).decode()
    assert NOTE.decode().startswith(f"{ORIGIN}\n184467\n{root}\n\n— {ORIGIN} ")
    assert open_checkpoint(NOTE, [parse_vkey(LOG.vkey)]) == HEAD


def test_signatures_by_unknown_keys_are_passed_over_but_one_known_key_must_have_signed() -> None:
    stranger = sign_with(HEAD.text, name="witness.example", key=Ed25519PrivateKey.generate())
    both = NOTE + stranger.split(b"\n\n")[1]
    assert open_checkpoint(both, [LOG]) == HEAD
    refused("bad_signature", stranger)


def test_a_note_takes_the_signatures_of_as_many_witnesses_as_a_policy_may_name() -> None:
    strangers = [sign_with(HEAD.text, name=f"w{n}.example", key=KEY).split(b"\n\n")[1] for n in range(MAX_MEMBERS)]
    assert open_checkpoint(NOTE + b"".join(strangers), [LOG]) == HEAD


def test_a_failing_signature_by_a_known_key_is_never_passed_over() -> None:
    other = sign_with(TreeHead(ORIGIN, 1, bytes(32)).text, name=ORIGIN, key=KEY)
    refused("bad_signature", HEAD.text + b"\n" + other.split(b"\n\n")[1])


def test_a_checkpoint_needs_the_signature_of_the_key_that_bears_its_origin() -> None:
    key = Ed25519PrivateKey.generate()
    witness = Verifier("witness.example", key.public_key().public_bytes_raw())
    with pytest.raises(LogError, match="bad_signature"):
        open_checkpoint(sign_with(HEAD.text, name="witness.example", key=key), [LOG, witness])


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"no signature\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace(b"\xe2\x80\x94 ", b"- "),
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace(b"184467", b"184467\x00"),
        NOTE.replace(b"184467", b"184467\r"),
        b"\xff" + NOTE,
        NOTE + NOTE.split(b"\n\n")[1],
        NOTE + "— x AAAA\n".encode(),
        NOTE + NOTE.split(b"\n\n")[1] * 301,
    ],
)
def test_a_malformed_note_is_refused(note: bytes) -> None:
    with pytest.raises(LogError):
        open_checkpoint(note, [LOG])


@pytest.mark.parametrize(
    "text",
    [
        b"o\n1\n",
        b"\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"o\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"o\n99999999999999999\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        b"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
        b"o\n1\nAAAA\n",
        b"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nextension\n",
    ],
)
def test_a_malformed_tree_head_is_refused(text: bytes) -> None:
    with pytest.raises(LogError):
        parse_tree_head(text)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        GO_VKEY.replace("+ARpc", "+Arpc"),
        GO_VKEY[:-4],
        "a b+00000000+AQ==",
        f"n+00000000+{base64.b64encode(bytes([1]) + bytes(32)).decode()}",
    ],
)
def test_a_bad_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(LogError):
        parse_vkey(vkey)


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_no_byte_of_a_checkpoint_can_change(at: int, change: int) -> None:
    altered = NOTE[:at] + bytes([NOTE[at] ^ change]) + NOTE[at + 1 :]
    with pytest.raises(LogError):
        open_checkpoint(altered, [LOG])


@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_only_our_error_leaves_the_readers(raw: bytes) -> None:
    with pytest.raises(LogError):
        open_checkpoint(raw, [LOG])
    with pytest.raises(LogError):
        parse_vkey(raw.decode("utf-8", "replace"))


def refused(code: str, note: bytes) -> None:
    with pytest.raises(LogError, match=code):
        open_checkpoint(note, [LOG])
