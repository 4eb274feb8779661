"""A host that rewrites its whole log: other events, new leaves, new state leaves, new roots, and a bundle that agrees with all of it.

What it has of keys is up to the test: the log's, the witnesses', both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from secure.log import bundle_format as form
from secure.log import jcs, multiproof, store
from secure.log.bundle_format import SeriesProof
from secure.log.encoding import ZERO, signing_bytes
from secure.log.leaves import EntryLeaf, StateLeaf, coarse_type, parse_leaf
from secure.log.merkle import leaf_hash, root_hash
from secure.log.note import split_note
from secure.log.signing import SigningKey
from secure.log.statemap import StateMap, slot_hash
from secure.log.tree_head import TreeHead, parse_tree_head
from tests.evidence import SIGNER, WITNESSES, Parts
from tests.people import Person
from tests.secure.log.devices import canonical, text

Change = Callable[[dict[str, Any]], None]


@dataclass
class Forged:
    """The log as one would have it. `events` by index (None: a state leaf), `leaves` made anew by `rebuild`."""

    leaves: list[bytes]
    events: list[bytes | None]
    slots: dict[str, int]
    times: dict[int, int] = field(default_factory=dict)
    lies: dict[str, int] = field(default_factory=dict)
    counts: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    map: StateMap = field(default_factory=StateMap)

    @classmethod
    def of_database(cls) -> Forged:
        entries = list(store.entries(0, store.head().size))
        slots = {tag: slot for tag, _, _, _, slot in store.namespaces()}
        return cls([entry.leaf for entry in entries], [entry.event for entry in entries], slots)

    def change(self, index: int, change: Change, *, device: Person | None = None) -> None:
        """Other words in an event; `device` signs them again."""
        raw = self.events[index]
        assert raw is not None
        value = json.loads(raw)
        change(value)
        if device is not None:
            unsigned = {name: member for name, member in value["author"].items() if name != "sig"}
            value["author"]["sig"] = ""
            value["author"]["sig"] = text(device.device_key().sign(signing_bytes({**value, "author": {**unsigned, "sig": ""}})))
        self.events[index] = canonical(value)

    def drop(self, index: int) -> None:
        """As if it had never been: the entry becomes another one of the host's, in a series of no matter."""
        del self.leaves[index], self.events[index]

    def rebuild(self) -> Forged:
        """Numbers, chains and state leaves as an honest sequencer would make them, but for `times` and `lies`."""
        self.counts, self.map, kept, t = {}, StateMap(), self.leaves, 0
        self.leaves = []
        for index, (old, event) in enumerate(zip(kept, self.events, strict=True)):
            leaf = parse_leaf(old)
            t = self.times.get(index, max(t, leaf.t))
            raw = self._entry(leaf, event, t) if isinstance(leaf, EntryLeaf) and event else self._state(t)
            self.leaves.append(raw)
        return self

    def _entry(self, leaf: EntryLeaf, event: bytes, t: int) -> bytes:
        value = json.loads(event)
        count, head = self.counts.get(value["ns"], (0, ZERO))
        digest = hashlib.sha256(event).digest()
        raw = replace(leaf, ns=value["ns"], cseq=count + 1, cprev=head, evh=digest, t=t, ty=coarse_type(value["type"])).encode()
        self.counts[value["ns"]] = (count + 1, leaf_hash(raw))
        return raw

    def _state(self, t: int) -> bytes:
        self.map.assign({self.slots[ns]: slot_hash(ns=ns, count=count, head=head) for ns, (count, head) in self.stated().items()})
        return StateLeaf(self.map.root, t).encode()

    def stated(self) -> dict[str, tuple[int, bytes]]:
        """Counts as the state leaf gives them: a lie cuts a series short."""
        return {ns: self._cut(ns) if ns in self.lies else place for ns, place in self.counts.items()}

    def _cut(self, ns: str) -> tuple[int, bytes]:
        wanted = min(self.lies[ns], self.counts[ns][0])
        for raw in self.leaves:
            leaf = parse_leaf(raw)
            if isinstance(leaf, EntryLeaf) and leaf.ns == ns and leaf.cseq == wanted:
                return wanted, leaf_hash(raw)
        raise AssertionError(ns)

    @property
    def hashes(self) -> list[bytes]:
        return [leaf_hash(raw) for raw in self.leaves]

    def note(self, size: int, *, at: int, log: SigningKey = SIGNER, witnesses: tuple[SigningKey, ...] = ()) -> bytes:
        body = TreeHead(log.verifier.name, size, root_hash(self.hashes[:size])).text
        return body + b"\n" + log.sign(body) + b"".join(key.sign(body, time=at) for key in witnesses)

    def bundle(self, honest: Parts, *, log: SigningKey = SIGNER, witnesses: tuple[SigningKey, ...] = WITNESSES[:2]) -> Parts:
        """The honest bundle with everything in it that this log has otherwise."""
        parts, manifest = Parts(honest), json.loads(honest[form.MANIFEST])
        mine = {series.ns: series for series in form.parse_series(parts[form.STATE])}
        size = len(self.leaves)
        indexes = [index for index in range(size) if self._belongs(index, mine)]
        parts.put(form.LEAVES, {index: self.leaves[index] for index in indexes})
        parts.put(form.EVENTS, {index: raw for index in indexes if (raw := self.events[index]) is not None})
        kept = [each for each in manifest["sizes"] if each < min(honest.size, size)]
        parts.say(size=size, sizes=sorted({*kept, size}))
        self._checkpoints(parts, kept, log, witnesses)
        tree = self.hashes
        nodes = multiproof.prove(indexes, sorted({*kept, size}), size, lambda level, n: root_hash(tree[n << level : (n + 1) << level]))
        parts[form.NODES] = b"".join(nodes)
        stated = self.stated()
        rows = [
            SeriesProof(ns, series.scope, series.slot, *stated[ns], tuple(self.map.prove(series.slot))).value()
            for ns, series in mine.items()
        ]
        parts[form.STATE] = jcs.encode({"series": list(rows)})
        return parts

    def _belongs(self, index: int, mine: dict[str, SeriesProof]) -> bool:
        leaf = parse_leaf(self.leaves[index])
        if isinstance(leaf, StateLeaf):
            return True
        return leaf.ns in mine and leaf.cseq <= self.lies.get(leaf.ns, leaf.cseq)

    def _checkpoints(self, parts: Parts, kept: list[int], log: SigningKey, witnesses: tuple[SigningKey, ...]) -> None:
        for name in [name for name in parts if name.startswith(form.CHECKPOINTS)]:
            size = parse_tree_head(split_note(parts.pop(name))[0]).size
            if size in kept:
                parts[name] = self.note(size, at=parse_leaf(self.leaves[size - 1]).t // 1000 + 5, log=log, witnesses=witnesses)
        size = len(self.leaves)
        at = parse_leaf(self.leaves[-1]).t // 1000 + 5
        parts[f"{form.CHECKPOINTS}{size}.txt"] = self.note(size, at=at, log=log, witnesses=witnesses)
