"""`consult verify BUNDLE.zip | log FOLDER | watch URL`, and the same as one file, `consult-verify.pyz`: arguments in, verdict out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from consult.verifier import folder, watch
from meetings import evidence, report
from meetings.evidence import Verdict
from secure.log.archive import MAX_BYTES
from secure.log.encoding import b64
from secure.log.entries import Fault
from secure.log.errors import LogError
from secure.log.trust import Trust, read_trust

USAGE = "BUNDLE.zip | log FOLDER | watch URL"


class UsageError(Exception):
    """One sentence for whoever typed it."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="consult-verify",
        description="Checks evidence of a consultation, a whole log, or a log as it is served, on this machine alone.",
        epilog="Exit codes: 0 verified and witnessed; 1 tampered; 2 usage or unreadable; 3 consistent, not anchored; 4 incomplete.",
    )
    add_arguments(parser, nargs="+")
    return run(parser.parse_args(argv))


def add_arguments(parser: argparse.ArgumentParser, *, nargs: str) -> None:
    parser.add_argument("what", nargs=nargs, metavar=USAGE, help="what to verify")
    parser.add_argument("--policy", type=Path, help="your own copy of the policy: whose log it is, whose witnesses must have signed")
    parser.add_argument("--pin", metavar="SIZE:ROOT", help="a tree you kept from before; what is verified must lead back to it")
    parser.add_argument("--state", type=Path, help="watch: the file in which the last tree is kept")
    parser.add_argument("--every", type=float, default=60.0, metavar="SECONDS", help="watch: how long to wait between rounds")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="watch: how many rounds (default: once)")
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="bundle: write a readable report of what was verified")
    parser.add_argument("--json", action="store_true", help="say it for programs")


def run(args: argparse.Namespace) -> int:
    """The exit code. Whatever cannot be read or was asked wrongly is 2."""
    try:
        trust = read_trust(_read(args.policy, 1 << 20) if args.policy else None, args.pin)
        return _one_of_three(args, trust)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
    except LogError as error:
        sys.stderr.write(f"The policy or the pin cannot be read ({error.code}).\n")
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'A file'}: {error.strerror or 'cannot be read or written'}.\n")
    return Verdict.UNREADABLE


def _one_of_three(args: argparse.Namespace, trust: Trust) -> int:
    match args.what:
        case ["log", path]:
            return _log(Path(path), trust, args)
        case ["watch", url]:
            return _watch(url, trust, args)
        case [path]:
            return _bundle(Path(path), trust, args)
    raise UsageError(f"What to verify: {USAGE}.")


def _bundle(path: Path, trust: Trust, args: argparse.Namespace) -> int:
    outcome = evidence.verify(_read(path, MAX_BYTES), trust)
    if args.report:
        args.report.write_bytes(report.render(outcome))
    found = outcome.findings
    if args.json:
        about = {
            "consultation": outcome.bundle.manifest.consultation if outcome.bundle else None,
            "origin": outcome.bundle.manifest.origin if outcome.bundle else None,
            "entries": len(found.items),
            "statements": outcome.proving.count,
            "size": found.size,
            "root": b64(found.root),
        }
        _say_json(outcome.verdict, found.faults, found.missing, found.doubts, about)
    else:
        _say(report.words(outcome))
    return outcome.verdict


def _log(path: Path, trust: Trust, args: argparse.Namespace) -> int:
    outcome = folder.verify(path, trust)
    if args.json:
        about = {"entries": outcome.entries, "statements": outcome.statements, "size": outcome.size, "root": b64(outcome.root)}
        _say_json(outcome.verdict, outcome.faults, outcome.missing, outcome.doubts, about)
    else:
        _say(folder.words(outcome))
    return outcome.verdict


def _watch(url: str, trust: Trust, args: argparse.Namespace) -> int:
    if args.state is None or not url.startswith(("https://", "http://")):
        raise UsageError("watch needs an address and --state FILE, in which the last tree is kept.")
    if trust.policy is None:
        raise UsageError("watch needs --policy FILE: whose log it is, and whose witnesses must have signed.")
    verdict = Verdict.UNREADABLE
    for seen in watch.rounds(url, trust=trust, state=args.state, every=args.every, times=args.times):
        verdict = seen.verdict
        if args.json:
            _say_json(verdict, seen.faults, [], seen.doubts, {"size": seen.size, "root": b64(seen.root)})
        else:
            _say(watch.words(seen))
    return verdict


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise UsageError(f"{path} is too large to be what it should be.")
    return raw


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _say_json(verdict: Verdict, faults: list[Fault], missing: list[Fault], doubts: list[Fault], about: Mapping[str, object]) -> None:
    lists = {"faults": faults, "missing": missing, "doubts": doubts}
    told = {name: [{"check": each.check, "where": each.where, "what": each.what} for each in rows] for name, rows in lists.items()}
    _say([json.dumps({"verdict": verdict.name.lower(), "code": int(verdict), **about, **told}, ensure_ascii=False)])
