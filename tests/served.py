"""A served installation with an opened plenary in it, and a device that sends there: real processes, real disk, real acknowledgements.

The database is made in the test's own process, by the acts of the story, and copied into the installation's folder.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import settings
from django.db import connection

from secure.content import event_says
from secure.keys import load_receipt_key
from secure.log import events
from secure.log.encoding import b64, unb64
from secure.log.receipts import Receipt, verify_receipt
from tests.flow import ROOM
from tests.installation import Installation
from tests.people import INDONESIA
from tests.plenary import Plenary
from tests.rooms import Sender

CSRF = "c" * 32
ANOTHER_KEY = "the Co-Chairs named another log's key"
"""The story's founding statement is older than any installation a test makes: the one fault its record may have."""


@dataclass
class Origin:
    """What a browser of the plenary brings along: the database at that moment, a cookie, and where the device's count stands."""

    database: Path
    cookie: str
    place: events.AuthorPlace

    @classmethod
    def of(cls, plenary: Plenary, path: Path) -> Origin:
        cookie, sender = plenary.cookie(INDONESIA), Sender("indonesia 1", leaf=0)
        connection.ensure_connection()
        with sqlite3.connect(path) as copy:
            connection.connection.backup(copy)
        return cls(path, cookie, events.author_place(ns=ROOM, client_hash=sender.device.device))


class Served(Installation):
    """Made, filled and started in one; everything else as every installation."""

    def __init__(self, data: Path, origin: Origin, **extra: str) -> None:
        super().__init__(data, extra=extra)
        self.make()
        (data / "secret.key").write_text(settings.SECRET_KEY, encoding="utf-8")
        with sqlite3.connect(origin.database) as source, sqlite3.connect(data / "consult.sqlite3") as target:
            source.backup(target)
        self.sender = Counting(self, origin)

    @property
    def size(self) -> int:
        """Entries under the newest checkpoint as served; 0 before the first."""
        status, body = self.ask("GET", "/log/checkpoint")
        return int(body.decode().split("\n")[1]) if status == 200 else 0

    @property
    def pending(self) -> int:
        with sqlite3.connect(self.data / "consult.sqlite3") as database:
            return int(database.execute("SELECT count(*) FROM secure_pendingevent").fetchone()[0])

    @property
    def signer_pid(self) -> int:
        """The server's only child."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        found = [int(pid) for pid in children or _children(self.process.pid)]
        assert len(found) == 1, found
        return found[0]

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        line = http.client.HTTPConnection("localhost", self.port, timeout=10)
        try:
            line.request(method, path, json.dumps(body) if body is not None else None, headers or {})
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def kill(self) -> None:
        """Kill -9: nothing is written any more."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def faults(self) -> list[str]:
        """What `consult verify` finds, but for the one fault that the story brings along."""
        lines = self.run("verify").stdout.splitlines()
        assert any("entries" in line for line in lines), lines
        return [line for line in lines if line.startswith("FAULT") and ANOTHER_KEY not in line]

    def holds(self, *messages: Sent) -> bool:
        """True if each is there exactly once, under its number, with its event."""
        with sqlite3.connect(self.data / "consult.sqlite3") as database:
            kept = database.execute("SELECT message_id, seq FROM secure_roomitem WHERE message_id <> ''").fetchall()
            hashes = {row[0] for row in database.execute("SELECT hash FROM secure_logevent")}
        return all(kept.count((sent.id, sent.seq)) == 1 and hashlib.sha256(sent.event).hexdigest() in hashes for sent in messages)


@dataclass(frozen=True)
class Sent:
    """A message that was acknowledged."""

    id: str
    seq: int
    event: bytes


@dataclass
class Counting:
    """Indonesia's device: signs, counts, and believes only what was acknowledged with a receipt that holds."""

    house: Served
    origin: Origin
    sender: Sender = field(default_factory=lambda: Sender("indonesia 1", leaf=0))

    def send(self) -> Sent:
        """Raises `Unsent` for any other answer, `OSError` or `HTTPException` if there is none."""
        place = self.origin.place
        sealed = self.sender_sealed(place)
        answer, body = self.house.ask("POST", f"/api/rooms/{ROOM}/messages", sealed[0], self._headers())
        if answer != 200:
            raise Unsent(answer, body)
        ack, event = json.loads(body), sealed[1]
        digest = hashlib.sha256(event).digest()
        key = load_receipt_key(self.house.data / "receipt.key", origin="localhost/consult").verifier
        verify_receipt(Receipt(ack["receipt"]["t"], unb64(ack["receipt"]["sig"])), event=digest, verifier=key)
        self.origin = replace(self.origin, place=replace(place, dseq=place.dseq + 1, dprev=b64(digest)))
        return Sent(ack["id"], ack["seq"], event)

    def sender_sealed(self, place: events.AuthorPlace) -> tuple[dict[str, object], bytes]:
        sealed = self.sender.unsigned(epoch=3)
        event = self.sender.event(place, event_says(sealed, epoch=3))
        frame = {
            "t": "send",
            "id": sealed.message_id,
            "object": {"header": b64(sealed.header), "box": b64(sealed.box)},
            "event": b64(event),
        }
        return frame, event

    def caught_up(self) -> None:
        """Asks where the count stands: after a request without an answer nobody else knows."""
        path = f"/api/rooms/{ROOM}/author?device={self.sender.device.device}"
        status, body = self.house.ask("GET", path, headers=self._headers())
        assert status == 200, body
        self.origin = replace(self.origin, place=events.AuthorPlace(**json.loads(body)))

    def _headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Cookie": f"consult={self.origin.cookie}; consult-csrf={CSRF}",
            "X-CSRFToken": CSRF,
            "Origin": self.house.origin,
        }


class Unsent(Exception):  # noqa: N818
    """The server answered, and it was no acknowledgement."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status, body)
        self.status = status


def until(true: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return true()


def _children(pid: int) -> list[str]:
    """For systems whose /proc lists no children."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = re.sub(r"^.*\) ", "", path.read_text())
        except OSError:
            continue
        if int(fields.split()[1]) == pid:
            found.append(path.parent.name)
    return found
