"""A log of nothing but numbers, with checkpoints and proofs, for those who watch logs."""

from __future__ import annotations

from datetime import UTC, datetime

from secure.log.checkpoint import TreeHead
from secure.log.merkle import leaf_hash, prove_consistency, root_hash
from secure.log.note import ED25519
from secure.log.signing import SigningKey
from secure.witness.witness import Request, write_request

ORIGIN = "consult.example.int/consult"
LOG = SigningKey(ORIGIN, ED25519, bytes(range(32)))
NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)


class NumberLog:
    """Its leaves are `<word> <number>`; two logs of different words are forks of each other from their first differing leaf on."""

    def __init__(self, size: int, *, word: str = "leaf", fork_at: int = 0, key: SigningKey = LOG) -> None:
        self.hashes = [leaf_hash(f"{word if at >= fork_at else 'leaf'} {at}".encode()) for at in range(size)]
        self.key = key

    def head(self, size: int) -> TreeHead:
        return TreeHead(self.key.verifier.name, size, root_hash(self.hashes[:size]))

    def checkpoint(self, size: int) -> bytes:
        text = self.head(size).text
        return text + b"\n" + self.key.sign(text)

    def proof(self, old: int, size: int) -> list[bytes]:
        return prove_consistency(old, size, self._subtree) if 0 < old < size else []

    def request(self, old: int, size: int) -> bytes:
        return write_request(Request(old, self.proof(old, size), self.checkpoint(size)))

    def _subtree(self, level: int, index: int) -> bytes:
        return root_hash(self.hashes[index << level : (index + 1) << level])
