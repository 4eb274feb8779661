"""One process that serves: the server, the room writer, the record's sequencer with its signer, and the asking of witnesses."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

from django.conf import settings

from consult import signing
from consult.env import Env

if TYPE_CHECKING:
    from secure.log.signer_socket import SocketSigner

logger = logging.getLogger("consult.serving")


def endpoints(env: Env) -> list[str]:
    """Twisted's words for where to listen."""
    interface = env.listen.strip("[]").replace(":", r"\:")
    if env.certificate and env.certificate_key:
        key, certificate = (_escaped(path) for path in (env.certificate_key, env.certificate))
        return [f"ssl:port={env.port}:interface={interface}:privateKey={key}:certKey={certificate}"]
    return [f"tcp:port={env.port}:interface={interface}"]


def _escaped(path: Path) -> str:
    return str(path).replace(":", r"\:")


def serve(env: Env, *, announce: Callable[[], None]) -> int:
    """Serves until SIGTERM, then ends the process. Django must be set up and the database up to date.

    Comes back, with the exit status, only if another process serves this folder already.

    Raises:
        KeyFileError: a key of the installation cannot be used.
    """
    lock = _lock(env)
    if lock is None:
        logger.critical("Another process serves %s already: more than one needs CONSULT_REDIS_URL.", env.data)
        return 1
    # Daphne installs its event loop when it is imported, so it comes before the application
    from consult.server import Server  # isort: skip
    from consult import rooms
    from consult.asgi import application
    from secure import disposal
    from secure.keys import load_receipt_key
    from secure.log.cosigning_thread import CosigningThread
    from secure.log.sequencer import Sequencer
    from secure.log.sequencer_thread import SequencerThread

    child = None if env.signer else signing.Child(env.signer_folder)
    receipts = load_receipt_key(settings.CONSULT_RECEIPT_KEY, origin=settings.CONSULT_ORIGIN).verifier
    signer = signer_of(env, child)
    sequencer = SequencerThread(Sequencer(signer, receipts=receipts), begun=_record_build)
    cosigning = CosigningThread(first=first_policy(env), log=signer.verifiers[0])
    disposal.complete()

    def ready() -> None:
        sequencer.start()
        cosigning.start()
        announce()

    def ending() -> None:
        rooms.writer().stop()
        if sequencer.is_alive():
            sequencer.stop()
        if cosigning.is_alive():
            cosigning.stop()
        if child is not None:
            child.stop()

    server = Server(application, endpoints=endpoints(env), ready=ready, ending=ending)
    server.run()
    return _leave(0 if server.listens else 1)


def signer_of(env: Env, child: signing.Child | None) -> SocketSigner:
    from secure.keys import load_vkeys
    from secure.log.signer_socket import SocketSigner

    connect = child or signing.apart(env.signer or env.signer_folder)
    return SocketSigner(connect, verifiers=load_vkeys(settings.CONSULT_LOG_VKEYS, origin=settings.CONSULT_ORIGIN))


def first_policy(env: Env) -> bytes:
    """Raises `KeyFileError` if it is not there."""
    from secure.keys import KeyFileError

    try:
        return env.first_policy.read_bytes()
    except OSError as error:
        raise KeyFileError(f"The first policy {env.first_policy} cannot be read; `consult init` writes it.") from error


def _lock(env: Env) -> IO[str] | None:
    """Held while the process lives; None if another one holds it. The in-memory layer tells nothing to a second process."""
    file = (env.data / "serving.lock").open("w", encoding="utf-8")
    if not env.redis_url:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
    return file


def _record_build() -> None:
    """A build that was not in service before is said to be so, in the record, as soon as the record goes on."""
    from consult import __version__
    from consult.templatetags.bundle import release
    from secure.log import builds

    builds.deploy(version=__version__, manifest=release(settings.CONSULT_BUNDLE).name, now=datetime.now(UTC))


def _leave(status: int) -> NoReturn:
    """Ends the process at once: all that lasts has been written by now.

    Python's own end would wait for threads which wait for the loop that is gone, and would take apart coroutines that still stand
    in it: with sockets open it hung, or crashed.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
