"""For a witness that opens no port: fetch the checkpoint that the host offers, and the proof; check, sign, post the cosignature back."""

from __future__ import annotations

import json
from datetime import datetime

from secure.log.encoding import unb64
from secure.log.errors import LogError
from secure.log.note import split_note
from secure.log.tree_head import parse_tree_head
from secure.witness.web import UnreachableError, fetch
from secure.witness.witness import MAX_REQUEST, Request, Witness, WitnessRefusal, write_request


def pull(witness: Witness, *, url: str, now: datetime) -> int:
    """One round with one host, at `url` without a path. Returns the size that was agreed to.

    Raises:
        UnreachableError: the host did not answer, or not with what was asked for.
        WitnessRefusal: what it answered is not signed, or does not continue what this witness has seen.
    """
    checkpoint = _get(f"{url}/log/offered")
    try:
        head = parse_tree_head(split_note(checkpoint)[0])
    except LogError as error:
        raise WitnessRefusal("malformed", 400) from error
    old = witness.size(head.origin)
    if head.size < old:
        raise WitnessRefusal("shrunk", 409, size=old)
    proof = _proof(url, old, head.size) if 0 < old < head.size else []
    lines = witness.add_checkpoint(write_request(Request(old, proof, checkpoint)), now=now)
    answer = fetch(f"{url}/log/cosignatures", body=head.text + b"\n" + lines)
    if answer.status != 200:
        raise UnreachableError(f"{url} did not take the cosignature ({answer.status}).")
    return head.size


def _get(url: str) -> bytes:
    answer = fetch(url)
    if answer.status != 200 or len(answer.body) > MAX_REQUEST // 2:
        raise UnreachableError(f"{url} answers {answer.status}.")
    return answer.body


def _proof(url: str, old: int, new: int) -> list[bytes]:
    try:
        value = json.loads(_get(f"{url}/log/consistency/{old}/{new}"))
        return [unb64(hash_, 32) for hash_ in value["hashes"]]
    except (ValueError, KeyError, TypeError, RecursionError, LogError) as error:
        raise WitnessRefusal("bad_proof", 422) from error
