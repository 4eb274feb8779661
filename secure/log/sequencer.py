"""The one writer of the tree. `drain` gives pending events their places; `publish` closes the tree with a state leaf, checks what
is stored, and signs it.

Only one sequencer is active: each begins by raising the epoch in the one row of `LogHead`, and every step compares and swaps that
row, so an older sequencer, wherever it still runs, cannot write again (`FencedError`). A crash between any two steps loses nothing: what
is pending stays pending, and an unsigned state leaf is signed by the next `publish`.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from secure.keys import LogKey
from secure.log import store
from secure.log.checkpoint import open_checkpoint
from secure.log.errors import LogError
from secure.log.events import milliseconds
from secure.log.leaves import EntryLeaf, StateLeaf, coarse_type, parse_leaf
from secure.log.merkle import Frontier, leaf_hash, prove_consistency, root_of, verify_consistency
from secure.log.statemap import StateMap, slot_hash
from secure.log.tiles import grow
from secure.models import Checkpoint, LogHead, LogLeaf, Namespace, PendingEvent

BATCH: Final = 2000
DRAIN_EVERY: Final = 0.2
PUBLISH_EVERY: Final = 1.0

logger = logging.getLogger(__name__)


class FencedError(Exception):
    """Another sequencer has taken over; this one must stop."""


class DamagedError(Exception):
    """What is stored does not hash to what was written: nothing is signed until an operator has looked."""


@dataclass(frozen=True)
class _Head:
    tree: Frontier
    time: int


class Sequencer:
    """The steps, each a transaction of its own. Construct, `take_over`, then `drain` and `publish` as often as you like."""

    def __init__(self, key: LogKey) -> None:
        self._key = key
        self._epoch = 0
        self._map = StateMap()
        self._mapped: dict[str, tuple[int, str]] = {}

    def take_over(self) -> None:
        """Fences off every sequencer before this one. Refuses to go on from a checkpoint that its own key has not signed."""
        last = store.published()
        if last is not None:
            self._check_own(last)
        with transaction.atomic():
            LogHead.objects.get_or_create(id=1)
            LogHead.objects.filter(id=1).update(epoch=F("epoch") + 1)
            self._epoch = LogHead.objects.get(id=1).epoch
        self._map, self._mapped = StateMap(), {}

    def drain(self, now: datetime) -> int:
        """Gives up to `BATCH` pending events their leaves; returns how many. Idle, it only reads."""
        if not PendingEvent.objects.exists():
            return 0
        with transaction.atomic():
            head = self._lock()
            pending = list(PendingEvent.objects.order_by("event_id").select_related("event")[:BATCH])
            time = max(head.time, milliseconds(now))
            leaves = self._entry_leaves(pending, time)
            self._append(head, leaves, [row.event_id for row in pending], time)
            deleted, _ = PendingEvent.objects.filter(event_id__in=[row.event_id for row in pending]).delete()
            if deleted != len(pending):
                raise FencedError
        return len(pending)

    def publish(self, now: datetime) -> store.Published | None:
        """Signs the tree if it has grown; returns the new checkpoint, or None if the last one still stands."""
        last = store.published()
        size = self._seal(last, now)
        if size is None:
            return None
        root = self._check(last, size)
        checkpoint = store.Published(size, root, self._key.sign(size=size, root=root))
        with transaction.atomic():
            self._lock()
            Checkpoint.objects.create(size=size, root=root.hex(), note=checkpoint.note, at=now)
        return checkpoint

    def _check_own(self, last: store.Published) -> None:
        try:
            head = open_checkpoint(last.note, [self._key.verifier])
        except LogError as error:
            raise DamagedError("the newest checkpoint was not signed with this key") from error
        if (head.size, head.root) != (last.size, last.root):
            raise DamagedError("the newest checkpoint is not what its row says")

    def _seal(self, last: store.Published | None, now: datetime) -> int | None:
        """Ends the tree with a state leaf, unless it already does so unsigned; returns its size, None if nothing has changed."""
        if last and store.head().size == last.size:
            return None
        with transaction.atomic():
            head = self._lock()
            signed = last.size if last else 0
            if last and head.tree.size == signed:
                return None
            if head.tree.size > signed and LogLeaf.objects.get(index=head.tree.size - 1).event_id is None:
                return head.tree.size
            time = max(head.time, milliseconds(now))
            self._append(head, [StateLeaf(self._map_root(), time).encode()], [None], time)
            return head.tree.size

    def _check(self, last: store.Published | None, size: int) -> bytes:
        """Re-reads what is about to be signed: events against leaves, leaves against tiles, and the growth since the last checkpoint."""
        tree, start = store.subtrees(), last.size if last else 0
        count = 0
        try:
            for entry in store.entries(start, size):
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
        except LogError as error:
            raise DamagedError(f"the stored tree does not hold together ({error.code})") from error
        return root

    def _lock(self) -> _Head:
        """Takes the one row for this transaction, if it is still ours. The write comes first so that both databases lock on it."""
        if LogHead.objects.filter(id=1, epoch=self._epoch).update(epoch=self._epoch) != 1:
            raise FencedError
        row = LogHead.objects.get(id=1)
        frontier = bytes(row.frontier)
        return _Head(Frontier(row.size, [frontier[at : at + 32] for at in range(0, len(frontier), 32)]), row.time)

    def _entry_leaves(self, pending: Iterable[PendingEvent], time: int) -> list[bytes]:
        """Numbers the events in their namespaces and moves the namespaces' counts and heads on."""
        pending = list(pending)
        touched = {row.tag: row for row in Namespace.objects.filter(tag__in={row.event.namespace_id for row in pending})}
        leaves = []
        for row in pending:
            event, namespace = row.event, touched[row.event.namespace_id]
            digest = hashlib.sha256(bytes(event.body)).digest()
            if digest.hex() != event.hash:
                raise DamagedError(f"event {event.pk} is not what was recorded")
            namespace.count += 1
            leaf = EntryLeaf(namespace.tag, namespace.count, bytes.fromhex(namespace.head), digest, time, coarse_type(event.type))
            raw = leaf.encode()
            namespace.head = leaf_hash(raw).hex()
            leaves.append(raw)
        Namespace.objects.bulk_update(touched.values(), ["count", "head"], batch_size=200)
        return leaves

    def _append(self, head: _Head, leaves: list[bytes], event_ids: Sequence[int | None], time: int) -> None:
        start = head.tree.size
        rows = zip(leaves, event_ids, strict=True)
        LogLeaf.objects.bulk_create(
            [LogLeaf(index=start + at, event_id=event_id, body=leaf) for at, (leaf, event_id) in enumerate(rows)], batch_size=200
        )
        store.write_tiles(grow(head.tree, map(leaf_hash, leaves), store.read_tile))
        moved = LogHead.objects.filter(id=1, epoch=self._epoch, size=start).update(
            size=head.tree.size, frontier=b"".join(head.tree.hashes), time=time
        )
        if moved != 1:
            raise FencedError

    def _map_root(self) -> bytes:
        """The state map's root, brought up to date with the namespaces that changed."""
        changed: dict[int, bytes] = {}
        for tag, slot, count, head in Namespace.objects.filter(count__gt=0).values_list("tag", "slot", "count", "head"):
            if self._mapped.get(tag) != (count, head):
                self._mapped[tag] = (count, head)
                changed[slot] = slot_hash(ns=tag, count=count, head=bytes.fromhex(head))
        self._map.assign(changed)
        return self._map.root


class SequencerThread(threading.Thread):
    """Drains every 0.2 s and publishes every second, as long as the server runs.

    `mutex`, if given, is held around each step: on SQLite the server's one writer shares it, because SQLite's own write lock is
    unfair. `begun`, if given, is called once, after the first whole step: what the host says of itself comes after the record's own
    beginning. A database that is away for a while is waited for. `FencedError` and `DamagedError` end the thread; what is pending
    stays so.
    """

    def __init__(
        self, key: LogKey, *, mutex: AbstractContextManager[object] | None = None, begun: Callable[[], None] | None = None
    ) -> None:
        super().__init__(name="sequencer", daemon=True)
        self._sequencer = Sequencer(key)
        self._mutex = mutex or nullcontext()
        self._begun = begun
        self._ended = threading.Event()
        self._owns = False
        self._published = float("-inf")

    def stop(self, timeout: float = 10) -> None:
        """Ends the thread after one last drain and publish."""
        self._ended.set()
        self.join(timeout)

    def run(self) -> None:
        try:
            while not self._ended.wait(DRAIN_EVERY):
                self._step(last=False)
            self._step(last=True)
        except FencedError:
            logger.warning("another sequencer has taken over; this one has stopped")
        except DamagedError:
            logger.critical("the record is damaged; nothing is signed until an operator has looked: run `consult verify`", exc_info=True)
        finally:
            connection.close()

    def _step(self, *, last: bool) -> None:
        try:
            with self._mutex:
                if not self._owns:
                    self._sequencer.take_over()
                    self._owns = True
                drained = self._sequencer.drain(datetime.now(UTC))
                while drained == BATCH:
                    drained = self._sequencer.drain(datetime.now(UTC))
                if last or monotonic() - self._published >= PUBLISH_EVERY:
                    self._published = monotonic()
                    self._sequencer.publish(datetime.now(UTC))
                if self._begun is not None:
                    self._begun()
                    self._begun = None
        except DatabaseError:
            logger.exception("the sequencer could not write; it tries again")
            connection.close()
