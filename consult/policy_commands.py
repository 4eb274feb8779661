"""`consult policy` and `consult courier`: who witnesses the record, and witnesses who are reached by hand."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from consult.env import read

if TYPE_CHECKING:
    from secure.log.signer import Signer

Command = Callable[[argparse.Namespace], int]
SetUp = Callable[[], None]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], set_up: SetUp) -> None:
    """Both commands. `set_up` makes Django ready."""
    policy = commands.add_parser("policy", help="who witnesses the record").add_subparsers(required=True, metavar="ACT")
    proposed = _act(policy, set_up, "propose", propose, "the next policy, for the present witnesses to endorse, on standard output")
    proposed.add_argument("--witness", type=Path, action="append", default=[], metavar="FILE", help="the witness.txt of each, all of them")
    proposed.add_argument("--colluding", type=int, default=0, metavar="F", help="how many of them may side with the host (default: 0)")
    adopted = _act(policy, set_up, "adopt", adopt, "put a proposed policy in force")
    adopted.add_argument("policy", type=Path, help="what `propose` has printed")
    adopted.add_argument("endorsements", type=Path, nargs="*", help="what `consult witness endorse` has printed, of each witness")
    shown = _act(policy, set_up, "show", show, "the policy in force, or an earlier one, with its signatures")
    shown.add_argument("number", type=int, nargs="?")
    courier = commands.add_parser("courier", help="files for witnesses without a network").add_subparsers(required=True, metavar="ACT")
    asked = _act(courier, set_up, "ask", ask, "the checkpoint to be signed by one witness, on standard output")
    asked.add_argument("witness", help="the name of its key, e.g. witness.example.gov/consult")
    taken = _act(courier, set_up, "take", take, "keep the signatures that came back")
    taken.add_argument("request", type=Path, help="what `ask` has printed")
    taken.add_argument("signatures", type=Path, help="what `consult witness sign` has printed")


def _act(
    acts: argparse._SubParsersAction[argparse.ArgumentParser], set_up: SetUp, name: str, run: Command, text: str
) -> argparse.ArgumentParser:
    act = acts.add_parser(name, help=text, description=text)
    act.set_defaults(run=_plainly(set_up, run))
    return act


def _plainly(set_up: SetUp, run: Command) -> Command:
    """Runs with Django, and says a refusal as one sentence."""

    def guarded(args: argparse.Namespace) -> int:
        set_up()
        from secure.errors import Refusal
        from secure.keys import KeyFileError
        from secure.log.signer import SignerAwayError, SignerRefusalError

        try:
            return run(args)
        except Refusal as refusal:
            print(_sentence(refusal.code), file=sys.stderr)
        except (OSError, KeyFileError, SignerAwayError, SignerRefusalError) as error:
            print(error, file=sys.stderr)
        return 1

    return guarded


def _sentence(code: str) -> str:
    words = {
        "no_policy": "The record has not begun: start the server once.",
        "below_quorum": "Too few of the present witnesses have endorsed this policy. Nothing was changed.",
        "bad_policy": "This is not the policy that follows the one in force, or its lines make no policy.",
        "bad_signature": "A signature does not hold: it is of another text, or was changed on the way.",
        "not_a_witness": "Nobody in the policy in force has signed this.",
        "unknown_checkpoint": "This host has not signed that checkpoint.",
        "bad_time": "The witness's clock is ahead of this one by more than ten minutes.",
    }
    return words.get(code, f"This file is not what it should be ({code}).")


def propose(args: argparse.Namespace) -> int:
    from secure.log import policies

    snippets = [path.read_bytes() for path in args.witness]
    with _Signer() as signer:
        note = policies.propose(witnesses=snippets, colluding=args.colluding, logs=signer.verifiers, sign=signer.sign_policy)
    _print(note)
    return 0


def adopt(args: argparse.Namespace) -> int:
    from secure.log import policies

    endorsements = [path.read_bytes() for path in args.endorsements]
    adopted = policies.adopt(args.policy.read_bytes(), endorsements=endorsements, now=datetime.now(UTC))
    print(f"Policy {adopted.number} is in force. Give it to everybody who verifies: consult policy show > policy-{adopted.number}.txt")
    return 0


def show(args: argparse.Namespace) -> int:
    from secure.log import policies

    note = policies.note(args.number)
    if note is None:
        print("There is no such policy.", file=sys.stderr)
        return 1
    _print(note)
    return 0


def ask(args: argparse.Namespace) -> int:
    from secure.log import cosigning, cosigning_thread

    found = next((each for each in cosigning.standings() if each.name == args.witness), None)
    published = cosigning.offered()
    if found is None or published is None:
        print(f"{args.witness} is no witness of the policy in force.", file=sys.stderr)
        return 1
    _print(cosigning_thread.request_from(published, found.size))
    return 0


def take(args: argparse.Namespace) -> int:
    from secure.log import cosigning
    from secure.log.note import split_note

    text, _ = split_note(args.request.read_bytes().partition(b"\n\n")[2])
    kept = cosigning.take(text + b"\n" + args.signatures.read_bytes(), now=datetime.now(UTC))
    print(f"{kept} signatures kept.")
    return 0


class _Signer:
    """The installation's signer, begun for this one command unless it runs apart."""

    def __enter__(self) -> Signer:
        from consult.serving import signer_of
        from consult.signing import Child

        env = read(os.environ)
        self._child = None if env.signer else Child(env.signer_folder)
        return signer_of(env, self._child)

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.stop()


def _print(raw: bytes) -> None:
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()
