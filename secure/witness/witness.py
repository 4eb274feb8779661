"""What a witness does with a checkpoint, in the order and with the answers of C2SP tlog-witness; and with a policy.

The bytes of a request are the same over HTTP and in a courier's file: `old <size>`, the hashes of the consistency proof one a line, an
empty line, the checkpoint.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from secure.errors import Refusal
from secure.log.checkpoint import open_checkpoint
from secure.log.encoding import b64, unb64
from secure.log.errors import LogError
from secure.log.merkle import EMPTY_ROOT, MAX_PROOF, verify_consistency
from secure.log.note import Verifier, open_note, split_note
from secure.log.policy_chain import NumberedPolicy, parse_numbered
from secure.log.signing import SigningKey
from secure.log.tiles import MAX_SIZE
from secure.log.tree_head import TreeHead, parse_tree_head
from secure.witness.records import Record, Records

MAX_REQUEST: Final = 512 * 1024
"""A checkpoint with a hundred ML-DSA-44 cosignatures has 330 kB."""

_OLD = re.compile(rb"old (0|[1-9][0-9]{0,17})")


class WitnessRefusal(Refusal):
    """No signature. `status` is that of C2SP tlog-witness; `about["size"]` how far this witness has gone, for `size_moved`.

    Codes: `malformed` 400, `bad_signature` 403, `unknown_log` 404, `size_moved` 409, `other_root` 409, `bad_proof` 422;
    for policies also `policy_passed`, and for a log that is pulled `shrunk`, both 409.
    """

    def __init__(self, code: str, status: int, /, **about: str | int | None) -> None:
        super().__init__(code, **about)
        self.status = status


@dataclass(frozen=True)
class Request:
    """An add-checkpoint request as sent."""

    old: int
    proof: list[bytes]
    checkpoint: bytes


def write_request(request: Request) -> bytes:
    lines = "".join(f"{b64(hash_)}\n" for hash_ in request.proof)
    return f"old {request.old}\n{lines}\n".encode() + request.checkpoint


def parse_request(raw: bytes) -> Request:
    """Raises `WitnessRefusal("malformed")`."""
    head, separator, checkpoint = raw.partition(b"\n\n")
    first, *proof = head.split(b"\n")
    old = _OLD.fullmatch(first)
    if len(raw) > MAX_REQUEST or not separator or old is None or int(old[1]) > MAX_SIZE or len(proof) > MAX_PROOF:
        raise WitnessRefusal("malformed", 400)
    try:
        return Request(int(old[1]), [unb64(line.decode("ascii"), 32) for line in proof], checkpoint)
    except (LogError, UnicodeDecodeError) as error:
        raise WitnessRefusal("malformed", 400) from error


class Witness:
    """Signs for the logs it was told of. `logs` are their keys by origin; `keys` its own, all of one name."""

    def __init__(self, *, keys: Sequence[SigningKey], logs: Mapping[str, Sequence[Verifier]], records: Records) -> None:
        self._keys = keys
        self._logs = logs
        self._records = records

    def size(self, origin: str) -> int:
        """How far this witness has gone with a log; 0 if it never signed for it."""
        with self._records.locked():
            return self._known(origin).size

    def add_checkpoint(self, raw: bytes, *, now: datetime) -> bytes:
        """The cosignature lines for a request. Check and record are one step: of two requests at once the second sees the first.

        Raises:
            WitnessRefusal: nothing is signed and nothing recorded.
            DamagedRecordError: see `Records`.
        """
        request = parse_request(raw)
        head = self._authentic(request.checkpoint)
        if request.old > head.size:
            raise WitnessRefusal("malformed", 400)
        with self._records.locked():
            known = self._known(head.origin)
            if request.old != known.size:
                raise WitnessRefusal("size_moved", 409, size=known.size)
            _continue(known, head, request.proof)
            self._records.write(head.origin, Record(head.size, head.root))
            return self._sign(head.text, now)

    def endorse(self, note: bytes, *, now: datetime, instead: bool = False) -> bytes:
        """The cosignature lines for a proposed policy: one only for each number, and never back to a lower one.

        `instead` is the operator's word that another one of the same number was given up.

        Raises:
            WitnessRefusal: the policy is malformed, or another one of this number or a later one was endorsed (`policy_passed`).
        """
        proposed = self._proposed(note)
        name = f"consult policy {proposed.origin}"
        record = Record(proposed.number, hashlib.sha256(proposed.text).digest())
        with self._records.locked():
            known = self._records.read(name)
            if known is not None and known != record and known.size >= record.size + instead:
                raise WitnessRefusal("policy_passed", 409, size=known.size)
            self._records.write(name, record)
            return self._sign(proposed.text, now)

    def _authentic(self, checkpoint: bytes) -> TreeHead:
        """The tree head, if a key trusted for its origin has signed it."""
        try:
            head = parse_tree_head(split_note(checkpoint)[0])
        except LogError as error:
            raise WitnessRefusal("malformed", 400) from error
        verifiers = self._verifiers(head.origin)
        try:
            return open_checkpoint(checkpoint, verifiers)
        except LogError as error:
            raise WitnessRefusal("bad_signature", 403) from error

    def _proposed(self, note: bytes) -> NumberedPolicy:
        try:
            proposed = parse_numbered(split_note(note)[0])
        except LogError as error:
            raise WitnessRefusal("malformed", 400) from error
        try:
            open_note(note, self._verifiers(proposed.origin))
        except LogError as error:
            raise WitnessRefusal("bad_signature", 403) from error
        return proposed

    def _verifiers(self, origin: str) -> Sequence[Verifier]:
        if origin not in self._logs:
            raise WitnessRefusal("unknown_log", 404)
        return self._logs[origin]

    def _known(self, origin: str) -> Record:
        return self._records.read(origin) or Record(0, EMPTY_ROOT)

    def _sign(self, text: bytes, now: datetime) -> bytes:
        return b"".join(key.sign(text, time=int(now.timestamp())) for key in self._keys)


def _continue(known: Record, head: TreeHead, proof: list[bytes]) -> None:
    """Refuses a head that does not begin with what is known. From size 0 there is nothing to prove, and nothing may be sent as proof."""
    if known.size == head.size and known.root != head.root:
        raise WitnessRefusal("other_root", 409, size=known.size)
    if known.size == 0 and head.size:
        if proof:
            raise WitnessRefusal("bad_proof", 422)
        return
    try:
        verify_consistency(known.size, known.root, head.size, head.root, proof)
    except LogError as error:
        raise WitnessRefusal("bad_proof", 422) from error
