"""The demonstration's one witness: the product's own, with folder, keys and memory of its own; in a thread, where another state's machine
would be. Thereby the Register shows a record that somebody else has really agreed to.
"""

from __future__ import annotations

import logging
import socket
import threading
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from consult.serving import signer_of
from consult.signing import Child
from secure.keys import load_vkeys
from secure.log import policies
from secure.log.cosigning_thread import ask_all
from secure.log.policy import parse_policy
from secure.witness.folder import create, load
from secure.witness.server import make_server

if TYPE_CHECKING:
    from secure.log.policy_chain import NumberedPolicy

NAME: Final = "witness.thailand.example/consult"
BEGUN_WITHIN: Final = 30.0
"""Seconds in which the record has its first signature and its first list of witnesses."""

logger = logging.getLogger(__name__)


def start() -> None:
    """Serves the witness and, the first time, has the host appoint it. Comes back at once."""
    folder = settings.CONSULT_DATA / "witness"
    try:
        server = _server(folder)
    except OSError:
        logger.warning("The demonstration's witness cannot have its port back; the Register will show it silent.")
        return
    threading.Thread(target=server.serve_forever, name="witness", daemon=True).start()
    threading.Thread(target=_appoint, args=[folder], name="appointing", daemon=True).start()


def _server(folder: Path) -> ThreadingHTTPServer:
    if not folder.exists():
        log = load_vkeys(settings.CONSULT_LOG_VKEYS, origin=settings.CONSULT_ORIGIN)[0].vkey
        create(folder, name=NAME, log=log, url=f"http://127.0.0.1:{_free_port()}")
    url = next(each.url for each in parse_policy(_lines(folder) + b"quorum none\n").witnesses if each.url)
    return make_server(load(folder).witness, listen="127.0.0.1", port=urlsplit(url).port or 0)


def _appoint(folder: Path) -> None:
    """As `consult policy propose` and `adopt` do it, and the first round of questions."""
    try:
        if _first_policy().policy.witnesses:
            return
        child = Child(settings.ENV.signer_folder)
        signer = signer_of(settings.ENV, child)
        proposed = policies.propose(witnesses=[_lines(folder)], colluding=0, logs=signer.verifiers, sign=signer.sign_policy)
        child.stop()
        policies.adopt(proposed, endorsements=[], now=datetime.now(UTC))
        ask_all(now=datetime.now(UTC))
    finally:
        connection.close()


def _first_policy() -> NumberedPolicy:
    """Waits for it: the server puts it in force once the record has a signature."""
    pause = threading.Event()
    for _ in range(int(BEGUN_WITHIN / 0.2)):
        found = policies.newest()
        if found is not None:
            return found
        pause.wait(0.2)
    raise TimeoutError("the record has not begun")


def _lines(folder: Path) -> bytes:
    return (folder / "witness.txt").read_bytes()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
