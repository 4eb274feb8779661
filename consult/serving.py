"""One process that serves: the server, the room writer, the record's sequencer and its signer, begun and ended together."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from consult import signing
from consult.env import Env

if TYPE_CHECKING:
    from secure.log.signer_socket import SocketSigner


def endpoints(env: Env) -> list[str]:
    """Twisted's words for where to listen."""
    interface = env.listen.strip("[]").replace(":", r"\:")
    if env.certificate and env.certificate_key:
        key, certificate = (_escaped(path) for path in (env.certificate_key, env.certificate))
        return [f"ssl:port={env.port}:interface={interface}:privateKey={key}:certKey={certificate}"]
    return [f"tcp:port={env.port}:interface={interface}"]


def _escaped(path: Path) -> str:
    return str(path).replace(":", r"\:")


def serve(env: Env, *, announce: Callable[[], None]) -> None:
    """Serves until SIGTERM, then ends the process. Django must be set up and the database up to date.

    Raises:
        KeyFileError: a key of the installation cannot be used.
    """
    # Daphne installs its event loop when it is imported, so it comes before the application
    from consult.server import Server  # isort: skip
    from consult import rooms
    from consult.asgi import application
    from secure.keys import load_receipt_key
    from secure.log.sequencer import Sequencer
    from secure.log.sequencer_thread import SequencerThread

    child = None if env.signer else signing.Child(env.signer_folder)
    receipts = load_receipt_key(settings.CONSULT_RECEIPT_KEY, origin=settings.CONSULT_ORIGIN).verifier
    sequencer = SequencerThread(Sequencer(_signer(env, child), receipts=receipts))

    def ready() -> None:
        sequencer.start()
        announce()

    def ending() -> None:
        rooms.writer().stop()
        if sequencer.is_alive():
            sequencer.stop()
        if child is not None:
            child.stop()

    Server(application, endpoints=endpoints(env), ready=ready, ending=ending).run()
    _leave()


def _signer(env: Env, child: signing.Child | None) -> SocketSigner:
    from secure.keys import load_vkeys
    from secure.log.signer_socket import SocketSigner

    connect = child or signing.apart(env.signer or env.signer_folder)
    return SocketSigner(connect, verifiers=load_vkeys(settings.CONSULT_LOG_VKEYS, origin=settings.CONSULT_ORIGIN))


def _leave() -> None:
    """Ends the process at once: all that lasts has been written by now.

    Python's own end would wait for threads which wait for the loop that is gone, and would take apart coroutines that still stand
    in it: with sockets open it hung, or crashed.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
