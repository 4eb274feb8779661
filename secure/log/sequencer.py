"""The one writer of the tree. `drain` gives pending events their places; `publish` closes the tree with a state leaf, checks what
is stored, and has it signed; `sign_again` puts a fresh time under a tree that has not grown.

Only one sequencer is active: each begins by raising the epoch in the one row of the head, and every step compares and swaps that
row, so an older sequencer, wherever it still runs, cannot write again (`FencedError`). A crash between any two steps loses nothing: what
is pending stays pending, and an unsigned state leaf is signed by the next `publish`. A tree other than the one that was signed, be it
from a backup or a hand in the database, is not continued at all (`DamagedError`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from secure.log import tree_rows
from secure.log.checkpoint import open_checkpoint
from secure.log.errors import LogError
from secure.log.events import milliseconds
from secure.log.leaves import EntryLeaf, StateLeaf, coarse_type, parse_leaf
from secure.log.merkle import Frontier, leaf_hash, prove_consistency, root_of, verify_consistency
from secure.log.note import Verifier, open_note
from secure.log.own_series import BEGAN, SERIES
from secure.log.signer import Signer, SignerRefusalError
from secure.log.signer_state import SignedHead
from secure.log.statemap import StateMap, slot_hash
from secure.log.storage import DamagedError, FencedError, Published, Series, Storage, StoredHead, Waiting
from secure.log.tiles import Subtrees, grow

BATCH: Final = 2000


@dataclass(frozen=True)
class _Head:
    tree: Frontier
    time: int


class Sequencer:
    """The steps, each a transaction of its own. Construct, `take_over`, then `drain` and `publish` as often as you like.

    Nobody else may record in the log's own namespace before the first `drain`: the log's first entry is that namespace's first too.

    `receipts` is the key that signs receipts: like the log's own keys it is named by the log's first entry.
    """

    def __init__(self, signer: Signer, *, receipts: Verifier, storage: Storage = tree_rows) -> None:
        self._signer = signer
        self._receipts = receipts
        self._storage = storage
        self._epoch = 0
        self._map = StateMap()
        self._mapped: dict[str, tuple[int, bytes]] = {}

    def take_over(self) -> None:
        """Fences off every sequencer before this one. Goes on only from the tree that the signer has signed.

        Raises:
            DamagedError: the log is not what was signed: a restored backup, another key, a changed tile.
            SignerAwayError, SignerRefusalError: the signer does not say what it has signed.
        """
        last = self._storage.published()
        if last is not None:
            self._check_own(last)
        self._check_signed(self._signer.head(), last)
        with self._storage.transaction():
            self._epoch = self._storage.raise_epoch()
        self._map, self._mapped = StateMap(), {}

    def drain(self, now: datetime) -> int:
        """Gives up to `BATCH` pending events their leaves; returns how many. Idle, it only reads; but an empty log it begins."""
        if not self._storage.has_waiting() and self._storage.head().size:
            return 0
        with self._storage.transaction():
            head = self._begun(now)
            pending = self._storage.waiting(BATCH)
            self._place(head, pending, now)
        return len(pending)

    def publish(self, now: datetime) -> Published | None:
        """Signs the tree if it has grown; returns the new checkpoint, or None if the last one still stands."""
        last = self._storage.published()
        size = self._seal(last, now)
        if size is None:
            return None
        signed = self._signer.head()
        root, proof = self._check(last, signed, size)
        checkpoint = self._signed(Published(size, root, self._signer.sign(size=size, root=root, proof=proof)))
        with self._storage.transaction():
            self._storage.lock(self._epoch)
            self._storage.keep_checkpoint(checkpoint, at=now)
        return checkpoint

    def sign_again(self, now: datetime) -> Published | None:
        """The newest checkpoint under a fresh time, or None if there is none or the signer is one ahead: then `publish` has work."""
        last = self._storage.published()
        if last is None or self._signer.head().size != last.size:
            return None
        checkpoint = self._signed(Published(last.size, last.root, self._signer.resign()))
        with self._storage.transaction():
            self._storage.lock(self._epoch)
            self._storage.keep_signed_again(checkpoint, at=now)
        return checkpoint

    # ---------------------------------------------------------------------------------------------------------------- what was signed

    def _check_own(self, last: Published) -> None:
        try:
            head = open_checkpoint(last.note, self._signer.verifiers)
        except LogError as error:
            raise DamagedError("the newest checkpoint was not signed with this key") from error
        if (head.size, head.root) != (last.size, last.root):
            raise DamagedError("the newest checkpoint is not what its row says")

    def _check_signed(self, signed: SignedHead, last: Published | None) -> None:
        """The database must hold all that the signer has signed, and the signer remember all that was published."""
        size = self._storage.head().size
        if signed.size > size:
            raise DamagedError(f"the log was signed with {signed.size} entries and the database has {size}: it comes from a backup")
        if last is not None and signed.size < last.size:
            raise DamagedError(f"the signer remembers {signed.size} entries and {last.size} were published: its state comes from a backup")
        try:
            root = root_of(signed.size, Subtrees(self._storage.read_tile))
        except LogError as error:
            raise DamagedError("the stored tree does not hold together") from error
        if root != signed.root:
            raise DamagedError(f"the first {signed.size} entries are not those that were signed")

    def _signed(self, checkpoint: Published) -> Published:
        """What the signer gave back, if it is what was asked for, with a signature by each of its keys."""
        try:
            opened = open_note(checkpoint.note, self._signer.verifiers)
            head = open_checkpoint(checkpoint.note, self._signer.verifiers)
        except LogError as error:
            raise DamagedError("the signer signs with other keys than those of this log") from error
        if set(opened.signed_by) != set(self._signer.verifiers) or (head.size, head.root) != (checkpoint.size, checkpoint.root):
            raise DamagedError("the signer signed something else than it was asked to")
        return checkpoint

    # ------------------------------------------------------------------------------------------------------------------------ the tree

    def _seal(self, last: Published | None, now: datetime) -> int | None:
        """Ends the tree with a state leaf, unless it already does so unsigned; returns its size, None if nothing has changed."""
        if last and self._storage.head().size == last.size:
            return None
        with self._storage.transaction():
            head = self._begun(now)
            size, signed = head.tree.size, last.size if last else 0
            if size == signed:
                return None
            if any(entry.event_id is None for entry in self._storage.entries(size - 1, size)):
                return size
            time = max(head.time, milliseconds(now))
            self._append(head, [(StateLeaf(self._map_root(), time).encode(), None)], time)
            return head.tree.size

    def _check(self, last: Published | None, signed: SignedHead, size: int) -> tuple[bytes, list[bytes]]:
        """Re-reads what is about to be signed: events against leaves, leaves against tiles, and the growth since what was signed.

        Returns the root and the proof that it continues what the signer signed last.
        """
        tree, start = Subtrees(self._storage.read_tile), last.size if last else 0
        count = 0
        try:
            for entry in self._storage.entries(start, size):
                leaf = parse_leaf(entry.leaf)
                if entry.index != start + count or leaf_hash(entry.leaf) != tree(0, entry.index):
                    raise DamagedError(f"leaf {entry.index} is not what its tile says")
                if isinstance(leaf, EntryLeaf) and (entry.event is None or hashlib.sha256(entry.event).digest() != leaf.evh):
                    raise DamagedError(f"the event of leaf {entry.index} is not what its leaf says")
                count += 1
            if count != size - start:
                raise DamagedError(f"leaf {start + count} is missing")
            root = root_of(size, tree)
            if last:
                verify_consistency(last.size, last.root, size, root, prove_consistency(last.size, size, tree))
            proof = prove_consistency(signed.size, size, tree) if signed.size else []
        except LogError as error:
            raise DamagedError(f"the stored tree does not hold together ({error.code})") from error
        return root, proof

    def _begun(self, now: datetime) -> _Head:
        """Takes the head for this transaction. The first time of all, the log begins by naming its keys."""
        head = self._lock()
        if head.tree.size == 0:
            keys = dict(zip(("log", "mldsa"), (verifier.vkey for verifier in self._signer.verifiers), strict=True))
            data = {"origin": self._signer.verifiers[0].name, **keys, "receipts": self._receipts.vkey}
            self._place(head, [self._storage.record(ns=SERIES, type=BEGAN, data=data, at=now)], now)
            head = self._lock()
        return head

    def _lock(self) -> _Head:
        row = self._storage.lock(self._epoch)
        return _Head(Frontier(row.size, [row.frontier[at : at + 32] for at in range(0, len(row.frontier), 32)]), row.time)

    def _place(self, head: _Head, pending: Sequence[Waiting], now: datetime) -> None:
        time = max(head.time, milliseconds(now))
        self._append(head, self._entry_leaves(pending, time), time)
        if self._storage.take_out([event.event_id for event in pending]) != len(pending):
            raise FencedError

    def _entry_leaves(self, pending: Sequence[Waiting], time: int) -> list[tuple[bytes, int | None]]:
        """Numbers the events in their namespaces and moves the namespaces' counts and heads on."""
        touched = self._storage.series({event.tag for event in pending})
        leaves: list[tuple[bytes, int | None]] = []
        for event in pending:
            series = touched[event.tag]
            digest = hashlib.sha256(event.body).digest()
            if digest != event.hash:
                raise DamagedError(f"event {event.event_id} is not what was recorded")
            series.count += 1
            raw = EntryLeaf(series.tag, series.count, series.head, digest, time, coarse_type(event.type)).encode()
            series.head = leaf_hash(raw)
            leaves.append((raw, event.event_id))
        self._storage.keep_series(touched.values())
        return leaves

    def _append(self, head: _Head, leaves: Sequence[tuple[bytes, int | None]], time: int) -> None:
        start = head.tree.size
        self._storage.keep_leaves(start, leaves)
        self._storage.write_tiles(grow(head.tree, [leaf_hash(leaf) for leaf, _ in leaves], self._storage.read_tile))
        self._storage.move_head(self._epoch, start, StoredHead(head.tree.size, b"".join(head.tree.hashes), time))

    def _map_root(self) -> bytes:
        """The state map's root, brought up to date with the namespaces that changed."""
        changed: dict[int, bytes] = {}
        for series in self._storage.begun_series():
            if self._mapped.get(series.tag) != (series.count, series.head):
                self._mapped[series.tag] = (series.count, series.head)
                changed[series.slot] = slot_hash(ns=series.tag, count=series.count, head=series.head)
        self._map.assign(changed)
        return self._map.root


__all__ = ["BATCH", "DamagedError", "FencedError", "Sequencer", "Series", "SignerRefusalError"]
