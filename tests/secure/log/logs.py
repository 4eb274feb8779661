"""A log with its keys, signer and sequencer, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from secure.keys import LogKeys, ReceiptKey, create_receipt_key, load_log_keys, load_receipt_key, write_vkeys
from secure.log import signer_state, store
from secure.log.note import Verifier
from secure.log.sequencer import Sequencer
from secure.log.signer import HeldSigner, Signer, create_signer
from secure.log.storage import Storage

ORIGIN = "consult.example.int/consult"


@dataclass(frozen=True)
class Log:
    """`folder` holds the signer's keys and memory, as `consult init` lays them out in `signer/`."""

    folder: Path
    origin: str
    signer: HeldSigner
    receipts: ReceiptKey

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        return self.signer.verifiers

    @property
    def vkey(self) -> str:
        return self.verifiers[0].vkey

    @property
    def keys(self) -> LogKeys:
        return load_log_keys(self.folder)

    def as_in_the_database(self) -> Log:
        """The signer remembers what the database has: for tests whose acts are undone one by one, which no signer would forgive."""
        (self.folder / signer_state.STATE).unlink()
        newest = store.published()
        if newest is None:
            signer_state.create(self.folder, origin=self.origin)
        else:
            signer_state.adopt(self.folder, newest.note, verifiers=self.verifiers)
        return self

    def sequencer(self, *, signer: Signer | None = None, storage: Storage | None = None) -> Sequencer:
        """One that has taken over; with a signer or storage of the test's own it has not."""
        options = {} if storage is None else {"storage": storage}
        made = Sequencer(signer or self.signer, receipts=self.receipts.verifier, **options)
        if signer is None and storage is None:
            made.take_over()
        return made

    def signer_at(self, clock: Callable[[], datetime]) -> HeldSigner:
        """The same signer with another clock."""
        return HeldSigner(self.keys, self.folder, clock=clock)


def make_log(folder: Path, *, origin: str = ORIGIN) -> Log:
    """Keys, an empty memory, `log.vkey` and `receipt.key` beside the signer's folder."""
    signer = create_signer(folder / "signer", origin=origin, clock=lambda: datetime.now(UTC))
    write_vkeys(folder / "log.vkey", signer.verifiers)
    return Log(folder / "signer", origin, signer, create_receipt_key(folder / "receipt.key", origin=origin))


def open_log(folder: Path, *, origin: str = ORIGIN) -> Log:
    """The log that `make_log` made there, by another hand."""
    signer = HeldSigner(load_log_keys(folder / "signer"), folder / "signer", clock=lambda: datetime.now(UTC))
    return Log(folder / "signer", origin, signer, load_receipt_key(folder / "receipt.key", origin=origin))
