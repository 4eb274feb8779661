"""Signed statements: canonical bytes, hash, signature (docs/protocol.md, section 2).

This file knows the form that all statements share. What a type says and who may sign it is the business of the layer above.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secure import ed25519
from secure.errors import BadInput
from secure.log import jcs
from secure.log.jcs import Json

PREFIX: Final = b"consult/statement/v1\n"
ROOT: Final = "chairs.root"
"""The founding statement of the installation: the one type whose chain is not named by a statement hash."""

_NAME = re.compile(r"[0-9a-f]{64}")
_TYPE = re.compile(r"[a-z_]+(\.[a-z_]+)?")
_MEMBERS = {"v", "type", "inst", "scope", "n", "prev", "up", "nonce", "body"}
_MAX_N = 2**31 - 1


@dataclass(frozen=True)
class Statement:
    """What is signed. `nonce` is 16 bytes in base64; names are lower-case hex."""

    type: str
    inst: str | None
    scope: str | None
    n: int
    prev: str | None
    up: str | None
    nonce: str
    body: Mapping[str, Any]

    @cached_property
    def hash(self) -> str:
        return hashlib.sha256(statement_bytes(self)).hexdigest()

    @property
    def scope_name(self) -> str:
        """The name of the chain this statement stands in, also for its founding statement."""
        if self.scope is not None:
            return self.scope
        return installation_name(self.body) if self.type == ROOT else self.hash


@dataclass(frozen=True)
class Signed:
    """A statement and its signatures: (card, 64 bytes), sorted by card, no card twice."""

    statement: Statement
    signatures: tuple[tuple[str, bytes], ...]

    @property
    def hash(self) -> str:
        return self.statement.hash

    @property
    def scope_name(self) -> str:
        return self.statement.scope_name

    @property
    def cards(self) -> tuple[str, ...]:
        """Who signed, by the cards' hashes."""
        return tuple(card for card, _ in self.signatures)


def new_nonce() -> str:
    return base64.b64encode(secrets.token_bytes(16)).decode()


def installation_name(body: Mapping[str, Json]) -> str:
    """`inst`: SHA-256 over the canonical body of `chairs.root`."""
    return hashlib.sha256(jcs.encode(body)).hexdigest()


def statement_value(statement: Statement) -> dict[str, Json]:
    """The JSON object that is signed."""
    return {
        "v": 1,
        "type": statement.type,
        "inst": statement.inst,
        "scope": statement.scope,
        "n": statement.n,
        "prev": statement.prev,
        "up": statement.up,
        "nonce": statement.nonce,
        "body": statement.body,
    }


def statement_bytes(statement: Statement) -> bytes:
    """The bytes which are hashed and signed."""
    return PREFIX + jcs.encode(statement_value(statement))


def sign(statement: Statement, *, card: str | None, key: Ed25519PrivateKey) -> Signed:
    """The statement with one signature. `card` None: a founding `account.card`, which is signed under its own hash."""
    return Signed(statement, ((card or statement.hash, key.sign(statement_bytes(statement))),))


def cosign(signed: Signed, *, card: str, key: Ed25519PrivateKey) -> Signed:
    """The same statement with one more signature."""
    return joined(signed, card=card, signature=key.sign(statement_bytes(signed.statement)))


def joined(signed: Signed, *, card: str, signature: bytes) -> Signed:
    """The same statement with a signature made elsewhere, not yet verified."""
    if card in signed.cards:
        raise BadInput("malformed")
    return Signed(signed.statement, tuple(sorted([*signed.signatures, (card, signature)])))


def verify_signature(signed: Signed, *, card: str, account_key: bytes) -> None:
    """Refuses as `bad_signature` unless `card` signed with this key."""
    signature = dict(signed.signatures).get(card)
    message = statement_bytes(signed.statement)
    if signature is None or not ed25519.verify(public_key=account_key, message=message, signature=signature):
        raise BadInput("bad_signature")


def encode_signed(signed: Signed) -> dict[str, Json]:
    """The wire form; its canonical bytes are what is stored."""
    return {
        "statement": statement_value(signed.statement),
        "signatures": [[card, base64.b64encode(signature).decode()] for card, signature in signed.signatures],
    }


def parse_signed(value: object) -> Signed:
    """Reads the wire form strictly: every member present, none besides; refuses as `malformed` or `not_canonical`."""
    if not isinstance(value, Mapping) or set(value) != {"statement", "signatures"}:
        raise BadInput("malformed")
    return Signed(_parse_statement(value["statement"]), _parse_signatures(value["signatures"]))


def parse_signature(value: object) -> tuple[str, bytes]:
    """Reads one `[card, signature]`."""
    match value:
        case [str(card), str(text)] if _NAME.fullmatch(card):
            return card, unbase64(text, 64)
    raise BadInput("malformed")


def unbase64(text: str, length: int) -> bytes:
    """Base64 of exactly `length` bytes in its only spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput("malformed") from error
    if len(raw) != length or base64.b64encode(raw).decode() != text:
        raise BadInput("malformed")
    return raw


def is_name(value: object) -> bool:
    """32 bytes in lower-case hex."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _parse_statement(value: object) -> Statement:
    if not isinstance(value, Mapping) or set(value) != _MEMBERS or value["v"] != 1 or value["v"] is True:
        raise BadInput("malformed")
    names_hold = all(value[name] is None or is_name(value[name]) for name in ("inst", "scope", "prev", "up"))
    n, kind, nonce, body = value["n"], value["type"], value["nonce"], value["body"]
    if not names_hold or not isinstance(n, int) or isinstance(n, bool) or not 0 <= n <= _MAX_N:
        raise BadInput("malformed")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind) or not isinstance(nonce, str):
        raise BadInput("malformed")
    if not isinstance(body, Mapping):
        raise BadInput("malformed")
    unbase64(nonce, 16)
    # A chain's first statement, and only it, has neither a scope nor a predecessor.
    if (n == 0) != (value["scope"] is None) or (n == 0) != (value["prev"] is None):
        raise BadInput("malformed")
    statement = Statement(kind, value["inst"], value["scope"], n, value["prev"], value["up"], nonce, body)
    jcs.encode(statement_value(statement))
    return statement


def _parse_signatures(value: object) -> tuple[tuple[str, bytes], ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not 1 <= len(value) <= 2:
        raise BadInput("malformed")
    signatures = tuple(parse_signature(entry) for entry in value)
    cards = [card for card, _ in signatures]
    if cards != sorted(set(cards)):
        raise BadInput("malformed")
    return signatures
