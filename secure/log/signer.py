"""The signer: the only one who holds the log's keys. It signs a tree head only if that head continues the last one it signed.

Its memory is a file outside the database, so a database restored from a backup cannot make it sign a second past. The file is
written, and is on disk, before the signature leaves. Pure but for that file; who asks, asks through `Signer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from secure.keys import LogKeys, create_log_keys, load_log_keys
from secure.log import signer_state
from secure.log.errors import LogError
from secure.log.merkle import HASH_BYTES, verify_consistency
from secure.log.note import Verifier
from secure.log.policy_chain import parse_numbered
from secure.log.signer_state import SignedHead, StateError
from secure.log.tiles import MAX_SIZE


class SignerAwayError(Exception):
    """The signer does not answer, or cannot write its state now: nothing is signed until it can."""


class SignerRefusalError(Exception):
    """The signer will not sign this. `code`: `fork`, `smaller`, `unproven`, `no_state`, `bad_request`; the text is for the operator."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Signer(Protocol):
    """What the sequencer needs. Each call raises `SignerAwayError` or `SignerRefusalError`."""

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The keys that must all stand under each checkpoint."""

    def head(self) -> SignedHead:
        """The last head signed; size 0 before the first."""

    def sign(self, *, size: int, root: bytes, proof: list[bytes]) -> bytes:
        """A signed checkpoint. `proof` shows consistency with `head()`; it is empty for the first head and for the same one."""

    def resign(self) -> bytes:
        """The last head again, under the time of now."""

    def sign_policy(self, text: bytes) -> bytes:
        """The signed note of a numbered policy of this log."""


class HeldSigner:
    """The signer itself. Several processes may hold one folder: each request takes its lock and reads its state anew."""

    def __init__(self, keys: LogKeys, folder: Path, *, clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._folder = folder
        self._clock = clock

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        return self._keys.verifiers

    def head(self) -> SignedHead:
        with self._state() as state:
            return state.last

    def sign(self, *, size: int, root: bytes, proof: list[bytes]) -> bytes:
        with self._state() as state:
            _refuse_fork(state.last, size, root, proof)
            return self._signed(state, replace(state.last, size=size, root=root))

    def resign(self) -> bytes:
        with self._state() as state:
            if state.last.size == 0:
                raise SignerRefusalError("bad_request", "Nothing has been signed yet.")
            return self._signed(state, state.last)

    def sign_policy(self, text: bytes) -> bytes:
        """It signs what it is asked to: a policy counts only if the witnesses of the one before have signed it too."""
        try:
            proposed = parse_numbered(text)
        except LogError as error:
            raise SignerRefusalError("bad_request", "This is no policy.") from error
        if proposed.origin != self._keys.origin:
            raise SignerRefusalError("bad_request", "This is another log's policy.")
        return self._keys.log.sign_note(text)

    def _signed(self, state: signer_state.Held, head: SignedHead) -> bytes:
        """The time never goes back, whatever the clock does. The order is the point: first the state, then the signature."""
        head = replace(head, time=max(head.time, int(self._clock().timestamp())))
        state.keep(head)
        return self._keys.sign(size=head.size, root=head.root, time=head.time)

    def _state(self) -> _Opened:
        return _Opened(self._folder, self._keys.origin)


class _Opened:
    """The state under its lock, with its errors in the words of this file."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._held = signer_state.Held(folder, origin=origin)

    def __enter__(self) -> signer_state.Held:
        try:
            return self._held.__enter__()
        except StateError as error:
            raise SignerRefusalError("no_state", str(error)) from error
        except OSError as error:
            raise SignerAwayError(f"The signer cannot read its state ({error.strerror}).") from error

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        self._held.close()
        if isinstance(error, OSError):
            raise SignerAwayError(f"The signer cannot write its state ({error.strerror}).") from error


def _refuse_fork(last: SignedHead, size: int, root: bytes, proof: list[bytes]) -> None:
    if not 0 < size <= MAX_SIZE or len(root) != HASH_BYTES:
        raise SignerRefusalError("bad_request", "This is no tree head.")
    if size < last.size:
        raise SignerRefusalError("smaller", f"The log had {last.size} entries when it was last signed; now it is said to have {size}.")
    if size == last.size and root != last.root:
        raise SignerRefusalError("fork", f"Another log of {size} entries has been signed already.")
    if last.size == 0:
        if proof:
            raise SignerRefusalError("unproven", "Nothing has been signed yet, so there is nothing to prove.")
        return
    try:
        verify_consistency(last.size, last.root, size, root, proof)
    except LogError as error:
        sentence = f"It is not proven that these {size} entries continue the {last.size} signed before."
        raise SignerRefusalError("unproven", sentence) from error


def create_signer(folder: Path, *, origin: str, clock: Callable[[], datetime]) -> HeldSigner:
    """Makes keys and an empty state. Raises `KeyFileError` where there are keys already."""
    keys = create_log_keys(folder, origin=origin)
    signer_state.create(folder, origin=origin)
    return HeldSigner(keys, folder, clock=clock)


def load_signer(folder: Path, *, clock: Callable[[], datetime]) -> HeldSigner:
    """Raises `KeyFileError` if the keys cannot be used. A missing state is said at the first request."""
    return HeldSigner(load_log_keys(folder), folder, clock=clock)
