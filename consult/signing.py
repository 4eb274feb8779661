"""The signer as a process: what `consult signer` runs, and how the server reaches it – its own child, or one that runs apart."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from secure.log import signer_socket, signer_state
from secure.log.signer import HeldSigner, load_signer


class Child:
    """A signer of this process's own, over a pair of sockets: it ends when this process does, however that ends.

    It is begun when it is first needed, and again after any failure. Called, it gives the connection for one request.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @contextmanager
    def __call__(self) -> Iterator[socket.socket]:
        try:
            yield self._connection or self._begin()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends it by hanging up, and if it does not hear that, by force."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _begin(self) -> socket.socket:
        own, its = socket.socketpair()
        with its:
            words = ["signer", "--folder", str(self._folder), "--descriptor", str(its.fileno())]
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter, our own words
                [sys.executable, "-m", "consult", *words], pass_fds=[its.fileno()], stdin=subprocess.DEVNULL, env=_bare_environment()
            )
        self._connection = own
        return own


def _bare_environment() -> dict[str, str]:
    """The signer needs no setting and gets no secret."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("CONSULT_", "DJANGO_"))}


def apart(path: Path) -> Callable[[], closing[socket.socket]]:
    """Connects to a signer that listens on this path, anew for each request."""

    def connect() -> closing[socket.socket]:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(signer_socket.SECONDS)
            connection.connect(str(path))
        except BaseException:
            connection.close()
            raise
        return closing(connection)

    return connect


def attend(folder: Path, descriptor: int) -> None:
    """The child: answers on the inherited socket until the parent hangs up. Signals are the parent's: it needs a last signature."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as connection:
        signer_socket.attend(_held(folder), connection)


def listen(folder: Path, path: Path, *, group: str | None, announce: Callable[[], None]) -> None:
    """Serves on a socket of its owner's alone, or of a group's too, until SIGTERM. A socket left behind by a crash is replaced."""
    signer = _held(folder)
    signal.signal(signal.SIGTERM, _leave)
    with socket.socket(socket.AF_UNIX) as listening:
        if path.is_socket():
            path.unlink()
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        if group is not None:
            shutil.chown(path, group=group)
            path.chmod(0o660)
        listening.listen(8)
        announce()
        try:
            signer_socket.serve(signer, listening)
        finally:
            path.unlink(missing_ok=True)


def adopt(folder: Path, checkpoint: Path) -> int:
    """Gives a signer without memory the newest checkpoint it has signed; returns its size. Raises `StateError`, `KeyFileError`."""
    verifiers = _held(folder).verifiers
    return signer_state.adopt(folder, checkpoint.read_bytes(), verifiers=verifiers).size


def _held(folder: Path) -> HeldSigner:
    return load_signer(folder, clock=lambda: datetime.now(UTC))


def _leave(_signal: int, _frame: object) -> None:
    raise SystemExit(0)
