"""Cosignatures as C2SP tlog-cosignature has them: a time, and a signature that covers it. Pure.

An Ed25519 cosignature (0x04) covers the whole text of a note. An ML-DSA-44 one (0x06) covers a tree head, and the name of its key.
Our policies (secure/log/policy.py) are cosigned too; there the place of the origin is taken by `consult policy <number> <origin>`, which
no log can be called, that of the size by the policy's number, and that of the root by the SHA-256 of its text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from secure.log.errors import LogError
from secure.log.tree_head import parse_tree_head

MAX_TIME: Final = 2**63 - 1
TIME_BYTES: Final = 8
SUBTREE: Final = b"subtree/v1\n\x00"

POLICY_LINE: Final = re.compile(rb"# (consult policy ([1-9][0-9]{0,8}) (\S{1,200}))\n")
"""The first line of a numbered policy: number and origin."""


@dataclass(frozen=True)
class Subtree:
    """The leaves [start, end) of a log and the root over them. A checkpoint is the subtree from 0 to its size."""

    origin: bytes
    start: int
    end: int
    hash: bytes


def pack(time: int, signature: bytes) -> bytes:
    """`timestamped_signature`: the time in seconds since 1970, then the signature."""
    return _u64(time) + signature


def unpack(raw: bytes) -> tuple[int, bytes]:
    """(time, signature)."""
    time = int.from_bytes(raw[:TIME_BYTES], "big")
    if len(raw) <= TIME_BYTES or time > MAX_TIME:
        raise LogError("bad_note")
    return time, raw[TIME_BYTES:]


def ed25519_message(text: bytes, *, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n".encode() + text


def mldsa_message(subtree: Subtree, *, name: str, time: int) -> bytes:
    """`cosigned_message`. A subtree that does not begin at 0 carries no time."""
    if not 0 <= subtree.start <= subtree.end or len(subtree.hash) != 32 or (subtree.start and time):
        raise LogError("bad_note")
    place = _u64(subtree.start) + _u64(subtree.end)
    return SUBTREE + _opaque(name.encode()) + _u64(time) + _opaque(subtree.origin) + place + subtree.hash


def subtree_of(text: bytes) -> Subtree:
    """What an ML-DSA-44 cosignature under this text is about. Raises `LogError` for a text that is neither tree head nor policy."""
    policy = POLICY_LINE.match(text)
    if policy is not None:
        return Subtree(policy[1], 0, int(policy[2]), hashlib.sha256(text).digest())
    head = parse_tree_head(text)
    return Subtree(head.origin.encode(), 0, head.size, head.root)


def _u64(number: int) -> bytes:
    if not 0 <= number <= MAX_TIME:
        raise LogError("bad_note")
    return number.to_bytes(8, "big")


def _opaque(raw: bytes) -> bytes:
    """`opaque<1..2^8-1>`: one byte of length, then the bytes."""
    if not 0 < len(raw) < 256:
        raise LogError("bad_note")
    return bytes([len(raw)]) + raw
