"""Writes ed25519.json: keys and signatures on which a careless verifier errs. Run as `python -m tests.vectors.make_ed25519`.

Sources: RFC 8032, 7.1 (test 1 to 3) for the plain ones; the edge cases are those of Chalkias, Garillot and Nikolaenko, "Taming the many
EdDSAs" (2020), made anew here with the curve arithmetic of RFC 8032, 5.1.4. Expectations are written by hand.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from secure.ed25519 import FIELD_PRIME, GROUP_ORDER, refuse_weak_key, verify
from secure.errors import BadInput

FILE = Path(__file__).with_name("ed25519.json")
D = -121665 * pow(121666, -1, FIELD_PRIME) % FIELD_PRIME
Point = tuple[int, int]

RFC_8032 = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, FIELD_PRIME)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, FIELD_PRIME)
    return x % FIELD_PRIME, y % FIELD_PRIME


def times(scalar: int, point: Point) -> Point:
    total = (0, 1)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def lift(y: int, odd: int = 0) -> Point:
    """The point with this y; raises ValueError if there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, FIELD_PRIME) % FIELD_PRIME
    x = pow(square, (FIELD_PRIME + 3) // 8, FIELD_PRIME)
    if (x * x - square) % FIELD_PRIME:
        x = x * pow(2, (FIELD_PRIME - 1) // 4, FIELD_PRIME) % FIELD_PRIME
    if (x * x - square) % FIELD_PRIME:
        raise ValueError("not on the curve")
    return (x if x & 1 == odd else FIELD_PRIME - x), y


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


BASE = lift(4 * pow(5, -1, FIELD_PRIME) % FIELD_PRIME)
EIGHTH = lift(int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"))
"""A point of order 8."""


def challenge(nonce_point: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(nonce_point + key + message).digest(), "little") % GROUP_ORDER


def weak_keys() -> dict[str, str]:
    small = {encode(times(count, EIGHTH)).hex() for count in range(8)}
    named = {f"of small order {index}": key for index, key in enumerate(sorted(small))}
    named |= {
        "of small order, sign of x = 0 set": "01" + "00" * 30 + "80",
        "of small order, y = p - 1, sign of x = 0 set": "ec" + "ff" * 31,
        "y = p": "ed" + "ff" * 30 + "7f",
        "y = p + 1": "ee" + "ff" * 30 + "7f",
        "y = p + 1, sign set": "ee" + "ff" * 31,
        "y = 2^255 - 1": "ff" * 31 + "7f",
        "31 bytes": "58" * 31,
        "33 bytes": "58" * 33,
        "nothing": "",
    }
    return named


def off_curve() -> bytes:
    y = 2
    while True:
        try:
            lift(y)
        except ValueError:
            return y.to_bytes(32, "little")
        y += 1


def mixed_order(divisible: bool) -> tuple[bytes, bytes, bytes]:
    """A key with a part of order 8, and a signature which holds with the cofactor; without it only if 8 divides the challenge."""
    secret, nonce = 7, 11
    key = encode(add(times(secret, BASE), EIGHTH))
    nonce_point = encode(times(nonce, BASE))
    for counter in range(1000):
        message = f"message {counter}".encode()
        number = challenge(nonce_point, key, message)
        if (number % 8 == 0) == divisible:
            return key, message, nonce_point + ((nonce + number * secret) % GROUP_ORDER).to_bytes(32, "little")
    raise AssertionError("never")


def signatures() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []

    def case(name: str, key: bytes, message: bytes, signature: bytes, valid: bool = False) -> None:
        rows.append({"name": name, "key": key.hex(), "message": message.hex(), "signature": signature.hex(), "valid": valid})

    plain = [tuple(bytes.fromhex(part) for part in row) for row in RFC_8032]
    for number, (key, message, signature) in enumerate(plain, 1):
        case(f"RFC 8032 test {number}", key, message, signature, valid=True)
    key, message, signature = plain[1]
    scalar = int.from_bytes(signature[32:], "little")
    case("another message", key, b"s", signature)
    case("another key", plain[2][0], message, signature)
    case("a bit of R flipped", key, message, bytes([signature[0] ^ 1]) + signature[1:])
    case("a bit of S flipped", key, message, signature[:32] + bytes([signature[32] ^ 1]) + signature[33:])
    case("S + L", key, message, signature[:32] + (scalar + GROUP_ORDER).to_bytes(32, "little"))
    case("S + 2 L", key, message, signature[:32] + (scalar + 2 * GROUP_ORDER).to_bytes(32, "little"))
    case("S with its highest bits set", key, message, signature[:63] + bytes([signature[63] | 0xE0]))
    case("63 bytes", key, message, signature[:63])
    case("65 bytes", key, message, signature + b"\0")
    case("all nought", key, message, bytes(64))
    identity = encode((0, 1))
    case("a key of order 1, R of order 1, S = 0", identity, message, identity + bytes(32))
    eighth = encode(EIGHTH)
    fits = next(text for text in (f"m{n}".encode() for n in range(1000)) if challenge(identity, eighth, text) % 8 == 0)
    case("a key of order 8 that fits the message, R of order 1, S = 0", eighth, fits, identity + bytes(32))
    not_reduced = (FIELD_PRIME + 1).to_bytes(32, "little")
    case("R of order 1, not reduced", key, message, not_reduced + signature[32:])
    case("a key not reduced", not_reduced, message, signature)
    case("a key off the curve", off_curve(), message, signature)
    case("a key of mixed order, valid only with the cofactor", *mixed_order(False))
    case("a key of mixed order, valid without the cofactor", *mixed_order(True), valid=True)
    return rows


def text() -> str:
    value = {"source": "tests/vectors/make_ed25519.py", "weak_keys": weak_keys(), "signatures": signatures()}
    for name, key in value["weak_keys"].items():
        try:
            refuse_weak_key(bytes.fromhex(key))
        except BadInput:
            continue
        raise SystemExit(f"not refused: {name}")
    for row in value["signatures"]:
        key, message, signature = (bytes.fromhex(row[part]) for part in ("key", "message", "signature"))
        if verify(public_key=key, message=message, signature=signature) != row["valid"]:
            raise SystemExit(f"judged otherwise: {row['name']}")
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
