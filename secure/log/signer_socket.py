"""Asking the signer across a process border: one line of canonical JSON for a request, one for its answer.

    {"do":"head"}                                          → {"size":…,"root":"<base64>","time":…}
    {"do":"sign","size":…,"root":"<base64>","proof":[…]}   → {"note":"…"}
    {"do":"resign"}                                        → {"note":"…"}
    {"do":"policy","text":"…"}                             → {"note":"…"}
    refused                                                → {"refused":"<code>","why":"…"}
    not now                                                → {"away":"…"}

That is the whole table. A line is at most 256 KiB and must come, and be answered, within seconds.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from time import monotonic
from typing import Final, cast

from secure.log import jcs
from secure.log.encoding import b64, natural, unb64
from secure.log.errors import LogError
from secure.log.jcs import Json
from secure.log.merkle import HASH_BYTES, MAX_PROOF
from secure.log.note import Verifier
from secure.log.signer import Signer, SignerAwayError, SignerRefusalError
from secure.log.signer_state import SignedHead

MAX_LINE: Final = 256 * 1024
"""A policy of a hundred witnesses has 200 kB."""
SECONDS: Final = 5.0
REQUESTS: Final = {"head": {"do"}, "sign": {"do", "size", "root", "proof"}, "resign": {"do"}, "policy": {"do", "text"}}

logger = logging.getLogger("consult.signer")

Connect = Callable[[], AbstractContextManager[socket.socket]]
"""Gives a connection for one request, and learns from an exception that it failed."""


class SocketSigner:
    """The signer's client. `verifiers` are the log's public keys as this host knows them."""

    def __init__(self, connect: Connect, *, verifiers: tuple[Verifier, ...]) -> None:
        self._connect = connect
        self.verifiers = verifiers

    def head(self) -> SignedHead:
        answer = self._ask({"do": "head"})
        try:
            return SignedHead(natural(answer["size"]), unb64(answer["root"], HASH_BYTES), natural(answer["time"]))
        except (KeyError, LogError) as error:
            raise SignerAwayError("The signer's answer cannot be understood.") from error

    def sign(self, *, size: int, root: bytes, proof: list[bytes]) -> bytes:
        return self._note({"do": "sign", "size": size, "root": b64(root), "proof": [b64(hash_) for hash_ in proof]})

    def resign(self) -> bytes:
        return self._note({"do": "resign"})

    def sign_policy(self, text: bytes) -> bytes:
        return self._note({"do": "policy", "text": text.decode()})

    def _note(self, request: dict[str, Json]) -> bytes:
        note = self._ask(request).get("note")
        if not isinstance(note, str):
            raise SignerAwayError("The signer's answer cannot be understood.")
        return note.encode()

    def _ask(self, request: dict[str, Json]) -> dict[str, Json]:
        try:
            with self._connect() as connection:
                connection.settimeout(SECONDS)
                connection.sendall(jcs.encode(request) + b"\n")
                line = read_line(connection, seconds=SECONDS)
                if line is None:
                    raise ConnectionResetError("the signer ended the connection")
                answer = jcs.decode_object(line, max_bytes=MAX_LINE)
        except (OSError, LogError) as error:
            raise SignerAwayError(f"The signer does not answer ({error}).") from error
        if "refused" in answer:
            raise SignerRefusalError(str(answer["refused"]), str(answer.get("why")))
        if "away" in answer:
            raise SignerAwayError(str(answer["away"]))
        return answer


def answer(signer: Signer, line: bytes) -> bytes:
    """The answer to one request, whatever its bytes are."""
    try:
        said = _answer(signer, jcs.decode_object(line, max_bytes=MAX_LINE))
    except LogError:
        said = {"refused": "bad_request", "why": "The signer does not know this request."}
    except SignerRefusalError as refusal:
        said = {"refused": refusal.code, "why": str(refusal)}
    except SignerAwayError as error:
        said = {"away": str(error)}
    return jcs.encode(said) + b"\n"


def _answer(signer: Signer, request: dict[str, Json]) -> dict[str, Json]:
    do = request.get("do")
    if not isinstance(do, str) or REQUESTS.get(do) != set(request):
        raise LogError("bad_encoding")
    if do == "head":
        head = signer.head()
        return {"size": head.size, "root": b64(head.root), "time": head.time}
    if do == "resign":
        return {"note": signer.resign().decode()}
    if do == "policy":
        if not isinstance(request["text"], str):
            raise LogError("bad_encoding")
        return {"note": signer.sign_policy(request["text"].encode()).decode()}
    proof = request["proof"]
    if not isinstance(proof, list) or len(proof) > MAX_PROOF:
        raise LogError("bad_proof")
    hashes = [unb64(hash_, HASH_BYTES) for hash_ in cast("list[Json]", proof)]
    note = signer.sign(size=natural(request["size"]), root=unb64(request["root"], HASH_BYTES), proof=hashes)
    return {"note": note.decode()}


def serve(signer: Signer, listening: socket.socket, *, seconds: float = SECONDS) -> None:
    """Answers one connection after another, one request each, until the socket is closed. A slow caller holds it for `seconds` only."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            line = read_line(connection, seconds=seconds)
            if line is not None:
                connection.settimeout(seconds)
                connection.sendall(answer(signer, line))


def attend(signer: Signer, connection: socket.socket) -> None:
    """Answers one caller until it is gone: the signer as a child, which ends with its parent."""
    with suppress(OSError):
        while (line := read_line(connection, seconds=None)) is not None:
            connection.sendall(answer(signer, line))


def read_line(connection: socket.socket, *, seconds: float | None) -> bytes | None:
    """One line without its end; None if the other side has gone. Raises `OSError` if it is too long or too slow."""
    end = None if seconds is None else monotonic() + seconds
    held = bytearray()
    while not held.endswith(b"\n"):
        if end is not None:
            connection.settimeout(max(0.001, end - monotonic()))
        more = connection.recv(MAX_LINE)
        if not more:
            return None
        held += more
        if len(held) > MAX_LINE:
            raise ConnectionAbortedError("a line is too long")
    return bytes(held[:-1])
