"""Messages of 32 devices on PostgreSQL, with and without the record: the room writer as it is, and the same without its events.

Without: the object is checked, the author's signature too, and the message is numbered and kept; nothing is recorded and no sequencer
runs. With: everything, sequencer and signer included. Both in one run, turn by turn, so that what else the machine does meets both.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction

from secure import writer as room_writer
from secure.content import Submission, event_says
from secure.delivery import Standing
from secure.keys import ReceiptKey
from secure.log import events, jcs
from secure.log.encoding import EMPTY_ROOT, b64, encode_event, kid_of, parse_event, signing_bytes, unb64, verify_author
from secure.log.sequencer import Sequencer
from secure.log.sequencer_thread import SequencerThread
from secure.mls_checks import Heads
from secure.models import Account, Card, Client, PendingEvent, Room, RoomLeaf
from secure.writer import Writer
from tests.load.measure import Measure
from tests.secure.log.logs import make_log

CLIENTS = 32
ROUNDS = 3
EACH = 40
"""Messages of one client in one turn."""
ROOM = "5a" * 32
HEADS = {"installation": "00" * 32, "consultation": "11" * 32, "room": ROOM}


def measures() -> Iterator[Measure]:
    senders = [Sender(number) for number in range(CLIENTS)]
    with transaction.atomic():
        Room.objects.create(id=ROOM, scope="11" * 32, kind="plenary", group_info=b"", tree=b"", opened=datetime.now(UTC))
        events.record_state(ns=ROOM, type="room.open", statement=ROOM, at=datetime.now(UTC))
        for sender in senders:
            sender.enrol()
    place = events.author_place(ns=ROOM, client_hash=senders[0].hash)
    for sender in senders:
        sender.begin(place)
    without, recorded, late = [], [], []
    turn(senders, record=True)
    for _ in range(ROUNDS):
        without.append(turn(senders, record=False))
        recorded.append(turn(senders, record=True, late=late))
    yield Measure("messages of 32 clients without the record, PostgreSQL", median(without), "/s")
    yield Measure("messages of 32 clients with the record, PostgreSQL", median(recorded), "/s")
    yield Measure("with the record, of the rate without it", 100 * median(recorded) / median(without), "%", 70)
    yield Measure("entries without a place when the last is acknowledged", max(late), "")


class Sender:
    """A device with a seat. Its events are signed beforehand: browsers do that, not the server."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.key = Ed25519PrivateKey.generate()
        self.public_key = self.key.public_key().public_bytes_raw()
        self.hash = hashlib.sha256(self.public_key).hexdigest()
        self.place: events.AuthorPlace | None = None

    def enrol(self) -> None:
        account = Account.objects.create(sign_in_name=f"load {self.number}", name=f"Load {self.number}")
        card = Card.objects.create(hash=self.hash, account=account, party="THA", account_key=self.public_key, xwing_key=b"")
        client = Client.objects.create(hash=self.hash, card=card, signature_key=self.public_key, label="load", added=datetime.now(UTC))
        RoomLeaf.objects.create(room_id=ROOM, leaf=self.number, client=client, since=0)

    def begin(self, place: events.AuthorPlace) -> None:
        self.place = place

    def made(self, *, counted: bool) -> list[Submission]:
        """The next turn's objects; `counted` if their events will be recorded, so that the count moves on."""
        before, objects = self.place, [self._made() for _ in range(EACH)]
        if not counted:
            self.place = before
        return objects

    def _made(self) -> Submission:
        assert self.place is not None
        message_id = secrets.token_hex(16)
        header = {"v": 1, "room": ROOM, "epoch": 0, "leaf": self.number, "device": self.hash, "n": 1, "prev": "0" * 64, "id": message_id}
        whole = jcs.encode({**header, "heads": HEADS, "commitment": b64(bytes(32))})
        sealed = Submission(ROOM, self.hash, message_id, whole, secrets.token_bytes(532), b"")
        kid = kid_of(salt=unb64(self.place.salt), public_key=self.public_key)
        author = {"kid": kid, "dseq": self.place.dseq, "dprev": self.place.dprev, "seen": [0, b64(EMPTY_ROOT)], "sig": ""}
        said = event_says(sealed, epoch=0)
        raw = encode_event(
            event_id=secrets.token_bytes(16), ns=self.place.ns, type="message.sent", src="client", at=0, data=said, author=author
        )
        value = jcs.decode_object(raw)
        event = jcs.encode({**value, "author": {**author, "sig": b64(self.key.sign(signing_bytes(value)))}})
        self.place = replace(self.place, dseq=self.place.dseq + 1, dprev=b64(hashlib.sha256(event).digest()))
        return replace(sealed, event=event)


def turn(senders: list[Sender], *, record: bool, late: list[int] | None = None) -> float:
    """Messages a second: each client sends its next when the last was acknowledged. `late` learns how far behind the sequencer is."""
    prepared = [sender.made(counted=record) for sender in senders]
    seated = Standing(frozenset(sender.hash for sender in senders), Heads(**HEADS))
    key = ReceiptKey("load.test/consult/receipts", Ed25519PrivateKey.generate())
    writer = Writer(standing=lambda _room: seated, clock=lambda: datetime.now(UTC), key=key)

    def send(objects: list[Submission]) -> None:
        for each in objects:
            writer.submit(each).result(timeout=60)

    threads = [threading.Thread(target=send, args=(objects,)) for objects in prepared]
    with sealing() if record else unrecorded():
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken = time.perf_counter() - begun
        if late is not None:
            late.append(PendingEvent.objects.count())
    writer.stop()
    return CLIENTS * EACH / taken


_folder = tempfile.TemporaryDirectory(prefix="consult-load-")
_log = make_log(Path(_folder.name))


@contextmanager
def sealing() -> Iterator[None]:
    thread = SequencerThread(Sequencer(_log.signer, receipts=_log.receipts.verifier))
    thread.start()
    try:
        yield
    finally:
        thread.stop(60)
        connection.close()


@contextmanager
def unrecorded() -> Iterator[None]:
    """The writer's one way into the record, replaced by what it would have to do without a record: know the author."""
    recording = room_writer.DeviceEvents
    room_writer.DeviceEvents = OnlyAuthors  # type: ignore[misc,assignment]
    try:
        yield
    finally:
        room_writer.DeviceEvents = recording  # type: ignore[misc]


class OnlyAuthors:
    def __init__(self, *_: object, **__: object) -> None: ...

    def take(self, *, raw: bytes, public_key: bytes, **_: object) -> None:
        verify_author(parse_event(raw), public_key=public_key)

    def write(self, _at: datetime) -> None: ...
