"""The sequencer at work in a process: when each step is taken, and what is said when one cannot be."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from django.db import DatabaseError, connection

from secure.log.sequencer import BATCH, DamagedError, FencedError, Sequencer
from secure.log.signer import SignerAwayError, SignerRefusalError

DRAIN_EVERY: Final = 0.2
PUBLISH_EVERY: Final = 1.0
SIGN_AGAIN_AFTER: Final = 600.0
"""Seconds: whoever sees a checkpoint older than a quarter of an hour knows that it is an old one."""
LONGEST_WAIT: Final = 30.0

logger = logging.getLogger(__name__)


class SequencerThread(threading.Thread):
    """Drains every 0.2 s, publishes every second and signs anew every 10 minutes, as long as the server runs.

    A database or signer that is away for a while is waited for, and said once: without the signer events still get their places,
    and signing waits. `begun`, if given, is called once, when the log has begun: it may record what the host says of itself.
    `FencedError`, `DamagedError` and a signer's refusal end the thread; acts go on and what is pending stays so.
    """

    def __init__(self, sequencer: Sequencer, *, begun: Callable[[], None] | None = None) -> None:
        super().__init__(name="sequencer", daemon=True)
        self._sequencer = sequencer
        self._begun = begun
        self._ended = threading.Event()
        self._owns = False
        self._signing = _Turn("the signer", PUBLISH_EVERY)
        self._writing = _Turn("the database", DRAIN_EVERY)
        self._signed_at = float("-inf")

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
        except DamagedError as error:
            logger.critical("the record is not continued: %s. Acts go on being kept; see docs/operations.md, 'The signer'", error)
        except SignerRefusalError as refusal:
            logger.critical("the signer refuses to sign: %s Acts go on being kept; see docs/operations.md, 'The signer'", refusal)
        finally:
            connection.close()

    def _step(self, *, last: bool) -> None:
        try:
            if self._writing.due(last=last):
                self._write()
                self._writing.went_well()
            if self._owns and self._signing.due(last=last):
                self._sign()
                self._signing.went_well()
        except DatabaseError as error:
            self._writing.failed(error)
            connection.close()
        except SignerAwayError as error:
            self._signing.failed(error)

    def _write(self) -> None:
        if not self._owns:
            if not self._signing.due(last=False):
                return
            self._sequencer.take_over()
            self._owns = True
        while self._sequencer.drain(datetime.now(UTC)) == BATCH:
            pass
        if self._begun is not None:
            self._begun()
            self._begun = None

    def _sign(self) -> None:
        now = datetime.now(UTC)
        signed = self._sequencer.publish(now)
        if signed is None and monotonic() - self._signed_at >= SIGN_AGAIN_AFTER:
            signed = self._sequencer.sign_again(now)
        if signed is not None:
            self._signed_at = monotonic()


class _Turn:
    """When something may be tried again: `every` seconds while it goes well, ever more seldom while it does not."""

    def __init__(self, what: str, every: float) -> None:
        self._what = what
        self._every = every
        self._wait = every
        self._next = float("-inf")
        self._lost = False

    def due(self, *, last: bool) -> bool:
        return last or monotonic() >= self._next

    def went_well(self) -> None:
        if self._lost:
            logger.warning("%s answers again; the record goes on", self._what)
        self._lost, self._wait = False, self._every
        self._next = monotonic() + self._every - DRAIN_EVERY / 2

    def failed(self, error: Exception) -> None:
        if not self._lost:
            logger.error("the record waits for %s: %s Acts go on; what cannot be done now is done later", self._what, error)
        self._lost = True
        self._next = monotonic() + self._wait
        self._wait = min(2 * self._wait, LONGEST_WAIT)
