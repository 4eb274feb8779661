"""A host's log in the database, and witnesses with folders and servers of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from django.db import transaction

from secure.log import events, policies, policy_chain, store
from secure.log.note import Verifier
from secure.log.storage import Published
from secure.witness.folder import Folder, create, load
from secure.witness.server import make_server
from tests.secure.log.logs import make_log

NOW = datetime(2017, 10, 13, 9, 30, tzinfo=UTC)


class HostedLog:
    """`grow` makes one more checkpoint."""

    def __init__(self, folder: Path) -> None:
        self.log = make_log(folder)
        self._sequencer = self.log.sequencer()

    @property
    def verifiers(self) -> Sequence[Verifier]:
        return self.log.verifiers

    @property
    def vkey(self) -> str:
        return self.log.vkey

    @property
    def first_policy(self) -> bytes:
        return policy_chain.first(self.verifiers, sign=self.sign)

    def sign(self, text: bytes) -> bytes:
        return self.log.signer.sign_policy(text)

    def grow(self, acts: int = 3) -> Published:
        with transaction.atomic():
            for _ in range(acts):
                events.record_host(ns=events.HOST, type="session.began", data={}, at=NOW)
        while self._sequencer.drain(NOW):
            pass
        self._sequencer.publish(NOW)
        published = store.published()
        assert published is not None
        return published

    def adopt(self, witnesses: Sequence[Path], *, by: Sequence[Folder] = (), colluding: int = 0, now: datetime = NOW) -> None:
        """Puts a policy with these witnesses (folders) in force, endorsed by `by`."""
        policies.begin(self.first_policy, log=self.verifiers[0], now=now)
        lines = [(folder / "witness.txt").read_bytes() for folder in witnesses]
        proposed = policies.propose(witnesses=lines, colluding=colluding, logs=self.verifiers, sign=self.sign)
        policies.adopt(proposed, endorsements=[each.witness.endorse(proposed, now=now) for each in by], now=now)

    def witness(self, folder: Path, *, url: str = "") -> Path:
        """A witness's new folder."""
        create(folder, name=f"{folder.name}.example/consult", log=self.vkey, url=url)
        return folder


@contextmanager
def served(folder: Path, *, port: int = 0, now: datetime = NOW) -> Iterator[str]:
    """A witness that answers over HTTP, at this address."""
    server = make_server(load(folder).witness, listen="127.0.0.1", port=port, clock=lambda: now)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
