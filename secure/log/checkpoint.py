"""Checkpoints as C2SP tlog-checkpoint has them: a tree head, signed as a note. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from secure.log.errors import LogError
from secure.log.note import ED25519, Verifier, open_note
from secure.log.tree_head import TreeHead, parse_tree_head


def open_checkpoint(note: bytes, verifiers: Sequence[Verifier]) -> TreeHead:
    """The tree head of a signed checkpoint. The log's own Ed25519 key bears the origin as its name and must be among the signers."""
    opened = open_note(note, verifiers)
    head = parse_tree_head(opened.text)
    if all((verifier.name, verifier.type) != (head.origin, ED25519) for verifier in opened.signed_by):
        raise LogError("bad_signature")
    return head


__all__ = ["TreeHead", "open_checkpoint", "parse_tree_head"]
