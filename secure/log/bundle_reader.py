"""Reads a bundle: its form alone, nothing it says is believed here. Pure. The only error that leaves this file is `LogError`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from secure.log import bundle_format as form
from secure.log.bundle_format import Disclosed, Manifest, SeriesProof
from secure.log.errors import LogError
from secure.log.merkle import HASH_BYTES


@dataclass(frozen=True)
class Bundle:
    """What is in a bundle. `leaves` and `events` in the order in which they stand; `altered` names files whose hash differs."""

    manifest: Manifest
    leaves: tuple[tuple[int, bytes], ...]
    events: tuple[tuple[int, bytes], ...]
    nodes: bytes
    series: tuple[SeriesProof, ...]
    checkpoints: Mapping[int, bytes]
    policies: Mapping[int, bytes]
    chains: Mapping[str, tuple[bytes, ...]]
    disclosed: tuple[Disclosed, ...]
    altered: tuple[str, ...]


def read(members: Mapping[str, bytes]) -> Bundle:
    """Raises `LogError` for a file too many or too few, and for one that is not in its form."""
    manifest = form.parse_manifest(_member(members, form.MANIFEST))
    if {name for name, _ in manifest.files} != set(members) - {form.MANIFEST}:
        raise LogError("bad_bundle")
    altered = tuple(name for name, hash_ in manifest.files if hashlib.sha256(members[name]).hexdigest() != hash_)
    nodes = _member(members, form.NODES)
    if len(nodes) % HASH_BYTES:
        raise LogError("bad_bundle")
    return Bundle(
        manifest=manifest,
        leaves=tuple(form.records(_member(members, form.LEAVES))),
        events=tuple(form.records(_member(members, form.EVENTS))),
        nodes=nodes,
        series=form.parse_series(_member(members, form.STATE)),
        checkpoints=_numbered(members, form.CHECKPOINTS),
        policies=_numbered(members, form.POLICIES),
        chains=_chains(members),
        disclosed=tuple(map(form.parse_disclosed, form.lines(_member(members, form.DISCLOSURES)))),
        altered=altered,
    )


def _member(members: Mapping[str, bytes], name: str) -> bytes:
    if name not in members:
        raise LogError("bad_bundle")
    return members[name]


def _numbered(members: Mapping[str, bytes], folder: str) -> dict[int, bytes]:
    return {form.number(form.place(name, folder, ".txt")): members[name] for name in members if name.startswith(folder)}


def _chains(members: Mapping[str, bytes]) -> dict[str, tuple[bytes, ...]]:
    names = [name for name in members if name.startswith(form.CHAINS)]
    known = (form.CHAINS, form.CHECKPOINTS, form.POLICIES)
    if any(name not in form.FIXED and not name.startswith(known) for name in members):
        raise LogError("bad_bundle")
    return {form.place(name, form.CHAINS, ".jsonl"): tuple(form.lines(members[name])) for name in names}
