"""`consult witness`: what a member state runs on a machine of its own. Needs no installation, no settings and no database."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from secure.witness.folder import Folder, FolderError, create, load
from secure.witness.pull import pull
from secure.witness.records import DamagedRecordError
from secure.witness.server import make_server
from secure.witness.web import UnreachableError
from secure.witness.witness import MAX_REQUEST, WitnessRefusal

Command = Callable[[argparse.Namespace], int]
EXPECTED = (FolderError, WitnessRefusal, UnreachableError, DamagedRecordError, OSError)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command and its four acts, and `endorse`."""
    top = commands.add_parser("witness", help="sign along with a host's record, for a member state")
    top.add_argument("--folder", type=Path, default=Path("consult-witness"), help="the witness's own folder (default: ./consult-witness)")
    acts = top.add_subparsers(required=True, metavar="ACT")
    made = _act(acts, "init", init, "make a folder with keys, and print the lines which the host needs")
    made.add_argument("--name", required=True, help="a name without a scheme, e.g. witness.example.gov/consult")
    made.add_argument("--log", required=True, metavar="KEY", help="the key of the host's record, compared by telephone")
    made.add_argument("--log-url", default="", metavar="URL", help="the host's address, for `pull`")
    made.add_argument("--url", default="", help="where the host reaches `serve`, e.g. https://witness.example.gov")
    served = _act(acts, "serve", serve, "answer the host's requests over HTTP")
    served.add_argument("--listen", default="127.0.0.1")
    served.add_argument("--port", type=int, default=8100)
    pulled = _act(acts, "pull", pull_rounds, "fetch, check and sign without opening a port")
    pulled.add_argument("--every", type=float, default=0, metavar="SECONDS", help="go on, with this pause; default: one round")
    _act(acts, "sign", sign, "a courier's file: request on standard input, signatures on standard output")
    endorsed = _act(acts, "endorse", endorse, "a proposed policy on standard input, signatures on standard output")
    endorsed.add_argument("--instead", action="store_true", help="another policy of this number was endorsed, and has been given up")


def _act(acts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Command, text: str) -> argparse.ArgumentParser:
    act = acts.add_parser(name, help=text, description=text)
    act.set_defaults(run=_plainly(run))
    return act


def _plainly(run: Command) -> Command:
    """Errors that an operator can do something about, as one sentence."""

    def guarded(args: argparse.Namespace) -> int:
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        try:
            return run(args)
        except EXPECTED as error:
            print(sentence(error), file=sys.stderr)
            return 1

    return guarded


def sentence(error: Exception) -> str:
    """What happened, and what it means, for the operator of a witness."""
    if not isinstance(error, WitnessRefusal):
        return str(error)
    size = error.about.get("size")
    words = {
        "malformed": "This is no request for a witness.",
        "bad_signature": "The record's key has not signed this. Nothing was signed.",
        "unknown_log": "This witness does not know the log. Add its key to the file logs.",
        "size_moved": f"This witness has agreed up to {size} already; the host must prove from there. Nothing was signed.",
        "shrunk": f"ALARM: the host shows fewer entries than the {size} this witness has agreed to. Nothing was signed.",
        "other_root": f"ALARM: at size {size} the host shows another past than before. Nothing was signed. Keep this file.",
        "bad_proof": "ALARM: what the host shows does not continue what this witness has seen. Nothing was signed. Keep this file.",
        "policy_passed": f"This witness has endorsed another policy already, number {size}. Nothing was signed.",
    }
    return words[error.code]


def init(args: argparse.Namespace) -> int:
    lines = create(args.folder, name=args.name, log=args.log, log_url=args.log_url.rstrip("/"), url=args.url.rstrip("/"))
    print(f"Ready in {args.folder}. Send these lines (witness.txt) to the host, and compare them by telephone:\n", file=sys.stderr)
    print(lines, end="")
    return 0


def serve(args: argparse.Namespace) -> int:
    folder = load(args.folder)
    server = make_server(folder.witness, listen=args.listen, port=args.port)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"{folder.name} witnesses at http://{args.listen}:{server.server_port}/add-checkpoint", flush=True)
    with server:
        server.serve_forever(poll_interval=0.2)
    return 0


def pull_rounds(args: argparse.Namespace) -> int:
    """One round, or rounds until the process is stopped; a failed one is told and the next one tried."""
    folder = load(args.folder)
    outcome = _round(folder)
    pause = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: pause.set())
    while args.every > 0 and not pause.wait(args.every):
        outcome = _round(folder)
    return outcome


def _round(folder: Folder) -> int:
    urls = sorted({log.url for log in folder.logs if log.url})
    if not urls:
        raise FolderError("No log in the file logs has an address.")
    outcome = 0
    for url in urls:
        try:
            print(f"{url}: agreed up to {pull(folder.witness, url=url, now=datetime.now(UTC))}", flush=True)
        except EXPECTED as error:
            print(f"{url}: {sentence(error)}", file=sys.stderr, flush=True)
            outcome = 1
    return outcome


def sign(args: argparse.Namespace) -> int:
    return _courier(load(args.folder).witness.add_checkpoint)


def endorse(args: argparse.Namespace) -> int:
    return _courier(partial(load(args.folder).witness.endorse, instead=args.instead))


def _courier(act: Callable[..., bytes]) -> int:
    raw = sys.stdin.buffer.read(MAX_REQUEST + 1)
    sys.stdout.buffer.write(act(raw, now=datetime.now(UTC)))
    sys.stdout.buffer.flush()
    return 0
