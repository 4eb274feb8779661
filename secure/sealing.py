"""What browsers seal to cards, the same in Python: wraps, briefs, recovery, ring (docs/protocol.md, section 4).

The server never opens any of this and imports nothing from here; tests, the demonstration and the verifier's tools do. The twins are
consult/browser/crypto/{hpke,brief,recovery,ring}.ts, held together by tests/vectors/sealing.json.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from secure.codes import from_crockford, in_groups, to_crockford
from secure.errors import BadInput
from secure.log import jcs
from secure.log.jcs import Json

Purpose = Literal["brief", "ring", "history", "draft"]

XWING_PUBLIC: Final = 1216
"""ML-KEM-768 encapsulation key (1184) and X25519 public key (32)."""
_ENCAPSULATED: Final = 1120
_SUITE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_BRIEF: Final = b"consult/brief/v1"
_RECOVERY: Final = b"consult/recovery/v1"
_CHECKSUM: Final = b"consult/recovery-key/v1\n"


# --------------------------------------------------------------------------------------------------------------------- wraps


def xwing_public_key(seed: bytes) -> bytes:
    """The public key of a 32-byte X-Wing seed (draft-connolly-cfrg-xwing-kem, GenerateKeyPairDerand)."""
    mlkem, x25519 = _expand(seed)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def wrap(*, public_key: bytes, purpose: Purpose, plaintext: bytes) -> bytes:
    """HPKE base mode to a card's X-Wing key: encapsulated key || ciphertext. Refuses `weak_key`."""
    if len(public_key) != XWING_PUBLIC:
        raise BadInput("weak_key")
    try:
        mlkem = MLKEM768PublicKey.from_public_bytes(public_key[:1184])
        key = hpke.MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(public_key[1184:]))
        return _SUITE.encrypt(plaintext, key, info=_info(purpose))
    except ValueError as error:
        raise BadInput("weak_key") from error


def unwrap(*, seed: bytes, purpose: Purpose, box: bytes) -> bytes:
    """Refuses `altered` if it was sealed to another key, for another purpose, or changed."""
    if len(box) < _ENCAPSULATED + 16:
        raise BadInput("malformed")
    key = hpke.MLKEM768X25519PrivateKey(*_expand(seed))
    try:
        return _SUITE.decrypt(box, key, info=_info(purpose))
    except (InvalidTag, ValueError) as error:
        raise BadInput("altered") from error


def _expand(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(seed) != 32:
        raise BadInput("malformed")
    expanded = hashlib.shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])


def _info(purpose: Purpose) -> bytes:
    return f"consult/wrap/{purpose}/v1".encode()


# -------------------------------------------------------------------------------------------------------------------- briefs


@dataclass(frozen=True)
class Sealed:
    """A sealed brief or reason. `key` is secret and is what gets wrapped; `sha256` and `commitment` go into the statement."""

    key: bytes
    ciphertext: bytes
    sha256: str
    commitment: bytes


def seal_text(value: Json, *, key: bytes | None = None) -> Sealed:
    """Under a key of its own: a key seals one text only. `key` is given by vectors alone."""
    key = key or secrets.token_bytes(32)
    content_key, nonce, commitment = _brief_keys(key)
    ciphertext = AESGCM(content_key).encrypt(nonce, pad(jcs.encode(value)), b"")
    return Sealed(key, ciphertext, hashlib.sha256(ciphertext).hexdigest(), commitment)


def open_text(sealed: Sealed) -> Json:
    """1. the ciphertext is the one named (`altered`), 2. the key the one committed to (`wrong_key`), 3. it opens (`altered`)."""
    if hashlib.sha256(sealed.ciphertext).hexdigest() != sealed.sha256:
        raise BadInput("altered")
    content_key, nonce, commitment = _brief_keys(sealed.key)
    if not hmac.compare_digest(commitment, sealed.commitment):
        raise BadInput("wrong_key")
    return jcs.decode(unpad(_open(content_key, nonce, sealed.ciphertext, b"", "altered")))


def pad(plain: bytes) -> bytes:
    """u32 length || bytes || zeros up to the next power of two, at least 256."""
    return (len(plain).to_bytes(4) + plain).ljust(_size_class(len(plain)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Refuses `malformed` unless these are exactly the bytes `pad` makes."""
    plain = padded[4 : 4 + int.from_bytes(padded[:4])]
    if len(padded) < 4 or pad(plain) != padded:
        raise BadInput("malformed")
    return plain


def _size_class(length: int) -> int:
    return max(256, 1 << (length + 3).bit_length())


def _brief_keys(key: bytes) -> tuple[bytes, bytes, bytes]:
    if len(key) != 32:
        raise BadInput("wrong_key")
    okm = _hkdf(key, info=_BRIEF, length=76)
    return okm[:32], okm[32:44], okm[44:]


# ------------------------------------------------------------------------------------------------------------------ recovery


@dataclass(frozen=True)
class Recovery:
    """What brings a person back in a new browser. `inst` is null for a chair before there is an installation."""

    card: str
    account_seed: bytes
    xwing_seed: bytes
    inst: str | None
    number: int


def format_recovery_key(key: bytes) -> str:
    """Crockford base32 of key || checksum byte, in groups of four."""
    if len(key) != 32:
        raise BadInput("malformed")
    return in_groups(to_crockford(key + _checksum(key)))


def parse_recovery_key(text: str) -> bytes:
    """Refuses `code_mistyped`."""
    typed = from_crockford(text, 33)
    if typed[32:] != _checksum(typed[:32]):
        raise BadInput("code_mistyped")
    return typed[:32]


def seal_recovery(recovery: Recovery, *, recovery_key: bytes, nonce: bytes | None = None) -> bytes:
    """nonce (12) || AES-256-GCM. `nonce` is given by vectors alone."""
    nonce = nonce or secrets.token_bytes(12)
    value: dict[str, Json] = {
        "v": 1,
        "card": recovery.card,
        "account_seed": _base64(recovery.account_seed),
        "xwing_seed": _base64(recovery.xwing_seed),
        "inst": recovery.inst,
        "number": recovery.number,
    }
    return nonce + AESGCM(_recovery_key(recovery_key)).encrypt(nonce, jcs.encode(value), _RECOVERY)


def open_recovery(box: bytes, *, recovery_key: bytes) -> Recovery:
    """Refuses `recovery_key_wrong` if it does not open, `malformed` if what it holds is not a recovery box."""
    if len(box) < 12 + 16:
        raise BadInput("malformed")
    plain = _open(_recovery_key(recovery_key), box[:12], box[12:], _RECOVERY, "recovery_key_wrong")
    value = jcs.decode_object(plain)
    if set(value) != {"v", "card", "account_seed", "xwing_seed", "inst", "number"} or value["v"] != 1:
        raise BadInput("malformed")
    card, inst, number = value["card"], value["inst"], value["number"]
    if not isinstance(card, str) or not isinstance(inst, str | None) or type(number) is not int:
        raise BadInput("malformed")
    return Recovery(card, _unbase64(value["account_seed"]), _unbase64(value["xwing_seed"]), inst, number)


def _recovery_key(recovery_key: bytes) -> bytes:
    if len(recovery_key) != 32:
        raise BadInput("malformed")
    return _hkdf(recovery_key, info=_RECOVERY, length=32)


def _checksum(key: bytes) -> bytes:
    return hashlib.sha256(_CHECKSUM + key).digest()[:1]


# ---------------------------------------------------------------------------------------------------------------------- ring


def seal_ring_entry(*, room: str, epoch: int, key: bytes, public_key: bytes) -> bytes:
    """For the own card."""
    plaintext = jcs.encode({"room": room, "epoch": epoch, "key": _base64(key)})
    return wrap(public_key=public_key, purpose="ring", plaintext=plaintext)


def open_ring_entry(*, room: str, epoch: int, box: bytes, seed: bytes) -> bytes:
    """The content key. Refuses `wrong_room` if the host filed it under another room or epoch."""
    value = jcs.decode_object(unwrap(seed=seed, purpose="ring", box=box))
    if set(value) != {"room", "epoch", "key"}:
        raise BadInput("malformed")
    if value["room"] != room or value["epoch"] != epoch:
        raise BadInput("wrong_room")
    return _unbase64(value["key"])


def seal_history(*, keys: Mapping[int, bytes], public_key: bytes) -> bytes:
    """For a newcomer's card."""
    plaintext = jcs.encode([{"epoch": epoch, "key": _base64(keys[epoch])} for epoch in sorted(keys)])
    return wrap(public_key=public_key, purpose="history", plaintext=plaintext)


def open_history(*, first: int, last: int, box: bytes, seed: bytes) -> dict[int, bytes]:
    """Content keys by epoch. Refuses `malformed` unless epochs ascend within the grant."""
    value = jcs.decode(unwrap(seed=seed, purpose="history", box=box))
    if not isinstance(value, list):
        raise BadInput("malformed")
    keys: dict[int, bytes] = {}
    for entry in cast("Sequence[Json]", value):
        if not isinstance(entry, dict) or set(entry) != {"epoch", "key"} or type(entry["epoch"]) is not int:
            raise BadInput("malformed")
        epoch = entry["epoch"]
        if not max(keys, default=first - 1) < epoch <= last:
            raise BadInput("malformed")
        keys[epoch] = _unbase64(entry["key"])
    return keys


# -------------------------------------------------------------------------------------------------------------------- common


def _hkdf(ikm: bytes, *, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length=length, salt=None, info=info).derive(ikm)


def _open(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes, code: str) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except (InvalidTag, ValueError) as error:
        raise BadInput(code) from error


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _unbase64(text: Json) -> bytes:
    """32 bytes, and no other spelling of them."""
    try:
        raw = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError as error:
        raise BadInput("malformed") from error
    if len(raw) != 32 or _base64(raw) != text:
        raise BadInput("malformed")
    return raw
