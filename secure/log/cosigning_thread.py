"""Once a minute: the offered checkpoint to every witness that has an address, by C2SP tlog-witness, all of them at once.

A witness that is away, refuses or lies holds up nobody; it is told in the server's log when that changes. What a witness has seen and
this database no longer holds is an alarm: the database was restored from a backup.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from django.db import DatabaseError, connection

from secure.errors import Refusal
from secure.log import cosigning, policies, store
from secure.log.note import Verifier, split_note
from secure.log.storage import Published
from secure.witness.web import Answer, UnreachableError, fetch
from secure.witness.witness import Request, write_request

EVERY: Final = 60.0
BEGIN_EVERY: Final = 1.0
MAX_AT_ONCE: Final = 16
AGREED: Final = "agreed"
SIZE: Final = "text/x.tlog.size"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Ask:
    """One witness, and the size from which it is given a proof."""

    name: str
    url: str
    old: int


def ask_all(*, now: datetime) -> Mapping[str, str]:
    """One round. Returns what came of it, by the witness's name: `agreed`, or a sentence."""
    published = cosigning.offer(now=now)
    asks = [_Ask(each.name, each.url, each.size) for each in cosigning.standings() if each.url]
    if published is None or not asks:
        return {}
    outcomes, again = _round(published, asks, now)
    if again:
        outcomes |= _round(published, again, now)[0]
    return outcomes


def _round(published: Published, asks: Sequence[_Ask], now: datetime) -> tuple[dict[str, str], list[_Ask]]:
    """(outcomes, those who were further on than we knew and may be asked again)."""
    outcomes: dict[str, str] = {}
    again: list[_Ask] = []
    for ask, answer in _post(published, asks):
        size = _size(answer)
        if size is not None and size <= published.size and size != ask.old:
            again.append(replace(ask, old=size))
        outcomes[ask.name] = _outcome(published, answer, size, now)
    return outcomes, again


def _post(published: Published, asks: Sequence[_Ask]) -> Iterable[tuple[_Ask, Answer | UnreachableError]]:
    """The requests are made here, where the database is; only the waiting happens in threads."""
    requests = [(ask, request_from(published, ask.old)) for ask in asks]
    with ThreadPoolExecutor(min(len(asks), MAX_AT_ONCE)) as pool:
        return list(zip(asks, pool.map(_fetch, requests), strict=True))


def _fetch(request: tuple[_Ask, bytes]) -> Answer | UnreachableError:
    ask, body = request
    try:
        return fetch(f"{ask.url.rstrip('/')}/add-checkpoint", body=body)
    except UnreachableError as error:
        return error


def request_from(published: Published, old: int) -> bytes:
    """An add-checkpoint request for this checkpoint to a witness that stands at `old`. One that is ahead says so itself."""
    old = min(old, published.size)
    proof = store.consistency(old, published.size) if 0 < old < published.size else []
    return write_request(Request(old, proof, published.note))


def _outcome(published: Published, answer: Answer | UnreachableError, size: int | None, now: datetime) -> str:
    if isinstance(answer, UnreachableError):
        return str(answer)
    if size is not None and size > published.size:
        return _ahead(size)
    if answer.status != 200:
        return f"it refuses ({answer.status})"
    try:
        cosigning.take(split_note(published.note)[0] + b"\n" + answer.body, now=now)
    except Refusal as refusal:
        return f"its answer is worth nothing ({refusal.code})"
    return AGREED


def _ahead(size: int) -> str:
    """It has signed something newer than what is offered; or than anything there is."""
    newest = store.published()
    held = newest.size if newest else 0
    if size <= held:
        return "it is ahead and waits for the next round"
    return f"it has seen {size} entries, and this database holds {held}: was the database restored?"


def _size(answer: Answer | UnreachableError) -> int | None:
    """The size in a 409 of tlog-witness."""
    if isinstance(answer, UnreachableError) or answer.status != 409 or answer.content_type != SIZE:
        return None
    text = answer.body.strip()
    return int(text) if text.isdigit() and len(text) <= 18 else None


class CosigningThread(threading.Thread):
    """Asks all witnesses every minute. Before that, as soon as the log has a checkpoint, it puts the log's first policy in force.

    `first` is that policy's note, signed by the key `log` when the installation was made.
    """

    def __init__(self, *, first: bytes, log: Verifier, every: float = EVERY) -> None:
        super().__init__(name="cosigning", daemon=True)
        self._first = first
        self._log = log
        self._every = every
        self._begun = False
        self._ended = threading.Event()
        self._last: Mapping[str, str] = {}

    def stop(self, timeout: float = 2) -> None:
        """Ends the thread; a round still under way after `timeout` seconds is left behind, and nothing is lost by it."""
        self._ended.set()
        self.join(timeout)

    def run(self) -> None:
        try:
            while True:
                self._step()
                if self._ended.wait(self._every if self._begun else BEGIN_EVERY):
                    return
        finally:
            connection.close()

    def _step(self) -> None:
        now = datetime.now(UTC)
        try:
            if not self._begun:
                self._begun = policies.begin(self._first, log=self._log, now=now)
            self._tell(ask_all(now=now))
        except DatabaseError:
            logger.exception("cosignatures could not be kept; the next round tries again")
            connection.close()

    def _tell(self, outcomes: Mapping[str, str]) -> None:
        for name, outcome in outcomes.items():
            if outcome != self._last.get(name, AGREED):
                logger.warning("witness %s: %s", name, outcome)
        self._last = outcomes
