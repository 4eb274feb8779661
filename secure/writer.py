"""The one writer of a process: whatever waits goes into one transaction, and is acknowledged when that has committed.

    queue → batch → validate, verify the author's event, number, keep (one transaction) → commit → acks, one layer message per room

A refused message leaves nothing behind and does not disturb the others of its batch. The thread starts with the first message and
keeps its own database connection, which it puts down when it has nothing to do.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from django.db import close_old_connections, connection, transaction

from secure import fanout, items, limits
from secure.content import Header, Submission, event_says, read_header
from secure.delivery import Standing, StandingOf
from secure.errors import BadInput, Conflict, Forbidden, NotFound, Refusal, TooMany
from secure.keys import ReceiptKey
from secure.log import events, receipts
from secure.log.device_events import DeviceEvents
from secure.log.errors import LogError
from secure.log.jcs import decode_object
from secure.models import Client, Handshake, LogEvent, Room, RoomItem, RoomLeaf

logger = logging.getLogger("consult.writer")

MESSAGE = "message.sent"
_IDLE_SECONDS = 2.0


@dataclass(frozen=True)
class Receipt:
    """The object is durable, numbered and there once. `at` is milliseconds.

    `event` is the SHA-256 of its event's bytes and `signed` the host's word that it will stand in the log; both None for an object sent
    again with an event that was not recorded.
    """

    id: str
    seq: int
    at: int
    event: bytes | None
    signed: receipts.Receipt | None = None


@dataclass
class _Job:
    submission: Submission
    done: Future[Receipt]


class Writer:
    """`standing` is the rule of the layer above; `clock` gives the time of a batch (aware, UTC); `key` signs receipts."""

    def __init__(self, *, standing: StandingOf, clock: Callable[[], datetime], key: ReceiptKey) -> None:
        self._standing = standing
        self._clock = clock
        self._key = key
        self._waiting: queue.Queue[_Job | None] = queue.Queue(limits.QUEUE)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, submission: Submission) -> Future[Receipt]:
        """Queue an object, from any thread. The future ends with a receipt or a refusal."""
        self._start()
        job = _Job(submission, Future())
        try:
            self._waiting.put_nowait(job)
        except queue.Full:
            job.done.set_exception(TooMany("busy"))
        return job.done

    def stop(self) -> None:
        """Write what waits, then end the thread and its connection. A later message starts it again."""
        with self._starting:
            thread, self._thread = self._thread, None
            if thread is not None and thread.is_alive():
                self._waiting.put(None)
                thread.join(timeout=30)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="room-writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                batch = self._next_batch()
                if batch is None:
                    return
                if batch:
                    close_old_connections()
                    self._settle(batch)
                else:
                    connection.close()
        finally:
            connection.close()

    def _next_batch(self) -> list[_Job] | None:
        """What waits, up to a batch; empty if nothing came for a while; None at the end."""
        try:
            first = self._waiting.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            return []
        if first is None:
            return None
        batch = [first]
        while len(batch) < limits.BATCH:
            try:
                job = self._waiting.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._waiting.put(None)
                break
            batch.append(job)
        return batch

    def _settle(self, batch: list[_Job]) -> None:
        """Write a batch and answer each of its senders, whatever happens."""
        try:
            outcomes, news = write_batch([job.submission for job in batch], standing=self._standing, now=self._clock())
        except Exception as error:
            if len(batch) > 1:
                # Something unforeseen: nothing of the batch was kept. One by one, so that one message cannot hold up others.
                logger.exception("a batch failed and is written again message by message")
                for job in batch:
                    self._settle([job])
                return
            logger.exception("a message could not be written")
            batch[0].done.set_exception(error)
            return
        for job, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Receipt):
                job.done.set_result(self._signed(outcome))
            else:
                job.done.set_exception(outcome)
        for room_id, texts, head in news:
            fanout.publish_items(room_id, texts, head=head)

    def _signed(self, receipt: Receipt) -> Receipt:
        """Only after the commit: a receipt is a promise about what is kept."""
        if receipt.event is None:
            return receipt
        return replace(receipt, signed=self._key.sign(event=receipt.event, t=receipt.at))


News = list[tuple[str, list[str], int]]


def write_batch(submissions: Sequence[Submission], *, standing: StandingOf, now: datetime) -> tuple[list[Receipt | Refusal], News]:
    """One transaction for all of them, in their order. Answers each one's receipt or refusal, and per room what is new."""
    with transaction.atomic(durable=True):
        # Rooms in the order of their ids, so that two processes never wait for each other.
        lanes = {room_id: _open_lane(room_id, submissions, standing, now) for room_id in sorted({each.room for each in submissions})}
        outcomes = [_attempt(lanes[each.room], each) for each in submissions]
        kept = [row for lane in lanes.values() if lane is not None for row in lane.write()]
        RoomItem.objects.bulk_create(kept)
        for room_id, rows in groupby(kept, key=lambda row: row.room_id):
            Room.objects.filter(id=room_id).update(head=max(row.seq for row in rows))
    news = [(room_id, [row.body for row in lane.rows], lane.head) for room_id, lane in lanes.items() if lane is not None and lane.rows]
    return outcomes, news


def _attempt(lane: _Lane | None, submission: Submission) -> Receipt | Refusal:
    if lane is None:
        return NotFound()
    try:
        return lane.take(submission)
    except Refusal as refusal:
        return refusal


def _open_lane(room_id: str, submissions: Sequence[Submission], standing: StandingOf, now: datetime) -> _Lane | None:
    room = Room.objects.select_for_update().filter(id=room_id).first()
    return None if room is None else _Lane(room, [each for each in submissions if each.room == room_id], standing(room_id), now)


class _Lane:
    """One room inside one batch: its state read once, under the room's lock, and what it takes written once."""

    def __init__(self, room: Room, submissions: Sequence[Submission], standing: Standing, now: datetime) -> None:
        self.room = room
        self.head = room.head
        self.rows: list[RoomItem] = []
        self._now = now
        self._seated = standing.seated
        self._leaves = dict(RoomLeaf.objects.filter(room=room).values_list("leaf", "client_id"))
        self._clients: dict[str, Client] = {}
        self._taken: set[bytes] = set()
        self._events = DeviceEvents((each.event for each in submissions), clients={each.device for each in submissions})

    def take(self, submission: Submission) -> Receipt:
        """All refusals come before the first write of this message, and the writes after it cannot be refused."""
        header = read_header(submission)
        if submission.device not in self._seated:
            raise Forbidden("not_seated")
        known = self._known(submission)
        if known is not None:
            return known
        self._refuse_epoch(header)
        if self._leaves.get(header.leaf) != submission.device:
            raise BadInput("bad_object")
        client = self._client(submission.device)
        _refuse_other_event(submission, header)
        self._events.take(
            raw=submission.event,
            client_hash=client.hash,
            public_key=bytes(client.signature_key),
            expect_type=MESSAGE,
            expect_ns=self.room.id,
        )
        return self._number(submission, header, client)

    def write(self) -> list[RoomItem]:
        """Records the events of all that was taken; the rows to be kept with them."""
        self._events.write(self._now)
        return self.rows

    def _known(self, submission: Submission) -> Receipt | None:
        """The first answer for an id that is there already; another object under the same id is refused."""
        row = next((row for row in self.rows if row.message_id == submission.message_id), None)
        if row is None:
            row = RoomItem.objects.filter(room=self.room, message_id=submission.message_id).first()
        if row is None:
            return None
        same = items.content_item(
            seq=row.seq,
            at=row.at,
            message_id=submission.message_id,
            device=submission.device,
            header=submission.header,
            box=submission.box,
        )
        if row.body != same:
            raise Conflict("id_taken")
        digest = hashlib.sha256(submission.event).digest()
        recorded = digest in self._taken or LogEvent.objects.filter(hash=digest.hex(), type=MESSAGE).exists()
        return Receipt(submission.message_id, row.seq, events.milliseconds(row.at), digest if recorded else None)

    def _refuse_epoch(self, header: Header) -> None:
        """The present epoch, or for half a minute the former one if nobody was removed; and no unseated leaf in the tree."""
        if any(device not in self._seated for device in self._leaves.values()):
            raise Conflict("removal_due")
        if header.epoch == self.room.epoch:
            return
        if header.epoch == self.room.epoch - 1:
            ended = Handshake.objects.filter(room=self.room, epoch=header.epoch).values("at", "removes").first()
            if ended and not ended["removes"] and self._now - ended["at"] <= limits.EPOCH_GRACE:
                return
        raise Conflict("stale_epoch", epoch=self.room.epoch)

    def _client(self, device: str) -> Client:
        if device not in self._clients:
            client = Client.objects.filter(hash=device, revoked=None).first()
            if client is None:
                raise Forbidden("not_seated")
            self._clients[device] = client
        return self._clients[device]

    def _number(self, submission: Submission, header: Header, client: Client) -> Receipt:
        self.head += 1
        body = items.content_item(
            seq=self.head,
            at=self._now,
            message_id=submission.message_id,
            device=client.hash,
            header=submission.header,
            box=submission.box,
        )
        row = RoomItem(
            room=self.room,
            seq=self.head,
            kind=RoomItem.Kind.CONTENT,
            message_id=submission.message_id,
            client=client,
            epoch=header.epoch,
            body=body,
            at=self._now,
        )
        self.rows.append(row)
        digest = hashlib.sha256(submission.event).digest()
        self._taken.add(digest)
        return Receipt(submission.message_id, self.head, events.milliseconds(self._now), digest)


def _refuse_other_event(submission: Submission, header: Header) -> None:
    """The signed event must name these very bytes, and nothing besides."""
    try:
        event = decode_object(submission.event, max_bytes=limits.EVENT_BYTES)
    except LogError as error:
        raise BadInput("bad_event") from error
    if event.get("data") != event_says(submission, epoch=header.epoch):
        raise BadInput("bad_event")
