"""The `consult` command: parse, one call, print."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from consult import __version__, policy_commands, witness_commands
from consult.env import Env, EnvError, data_folder, read
from consult.verifier.cli import add_arguments
from consult.verifier.cli import run as verify_offline

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    # whatever is made in the data folder is its owner's alone, SQLite's files beside the database included
    os.umask(0o077)
    if args.data:
        os.environ["CONSULT_DATA"] = args.data
    try:
        run: Command = args.run
        return run(args)
    except EnvError as error:
        return refuse(*error.faults)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="consult", description="Urgent, confidential consultations between states.")
    top.add_argument("--version", action="version", version=f"consult {__version__}")
    top.add_argument("--data", help="the data folder (default: $CONSULT_DATA, else ./consult-data)")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add(commands, "init", init, "make a data folder with its keys, settings and database").add_argument(
        "--origin", required=True, help="the address people will type, e.g. https://consult.example.org"
    )
    _add(commands, "serve", serve, "serve the installation")
    signer = _add(commands, "signer", sign, "sign the record, apart from the server (docs/operations.md, 'The signer')")
    signer.add_argument("--folder", type=Path, help="its keys and memory (default: signer/ in the data folder)")
    signer.add_argument("--socket", type=Path, help="where to listen (default: socket in its folder)")
    signer.add_argument("--group", help="a group that may ask for signatures (default: nobody but the owner)")
    signer.add_argument("--adopt", type=Path, metavar="CHECKPOINT", help="give it back its memory from the newest checkpoint it signed")
    signer.add_argument("--descriptor", type=int, help=argparse.SUPPRESS)
    _add(commands, "migrate", migrate, "bring the database to this version; SQLite is copied first")
    _add(commands, "check", check, "look for faults in settings, files and database")
    add_arguments(
        _add(commands, "verify", verify, "recompute the whole record; or check a bundle, a log's folder, a served log"), nargs="*"
    )
    _add(commands, "export-log", export_log, "write the whole log into a folder, for `consult verify log`").add_argument(
        "folder", type=Path
    )
    host = _add(commands, "verify-build", verify_build, "compare what a host serves with the build installed here; needs no data folder")
    host.add_argument("url", metavar="URL", help="the host's address, e.g. https://consult.example.org")
    host.add_argument("--manifest", type=Path, metavar="FILE", help="another build's release.json, got from elsewhere than the host")
    witness_commands.add(commands)
    policy_commands.add(commands, set_up)
    demo = _add(commands, "demo", demonstrate, "serve a demonstration from a data folder of its own")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--reset", action="store_true", help="begin again from the seed")
    admin = _add(commands, "admin", lambda _: 2, "what only the people who run the host can do").add_subparsers(required=True)
    chairs = _add(admin, "invite-chairs", invite_chairs, "print the two codes with which the Co-Chairs enrol")
    chairs.add_argument("--indonesia", required=True, metavar="NAME", help="the Co-Chair for Indonesia, by name")
    chairs.add_argument("--australia", required=True, metavar="NAME", help="the Co-Chair for Australia, by name")
    reset = _add(admin, "reset-sign-in", reset_sign_in, "give a person who lost access a one-use password and a new second factor")
    reset.add_argument("name", help="the sign-in name")
    erase = _add(admin, "erase-subject", erase_subject, "erase a person: name, sign-in and keys, for good")
    erase.add_argument("name", help="the sign-in name, or the card or invitation as the record names it")
    erase.add_argument("--for-good", action="store_true", help="do it; without this the command only says what would happen")
    return top


def _add(commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: Command, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    return command


def refuse(*sentences: str) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1


def set_up(settings: str = "consult.settings") -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    django.setup()


def init(args: argparse.Namespace) -> int:
    from consult.install import AlreadyThereError, make

    data = data_folder(os.environ)
    try:
        make(data, origin=args.origin)
    except AlreadyThereError:
        return refuse(f"{data} is in use already. Choose another folder with --data.")
    set_up()
    from django.conf import settings

    from consult import database
    from consult.install import make_keys

    make_keys(settings.ENV, origin=settings.CONSULT_ORIGIN)
    database.migrate(now=datetime.now(UTC))
    print(f"Ready in {data}.\nNext: consult --data {data} admin invite-chairs --indonesia NAME --australia NAME")
    return 0


def serve(_args: argparse.Namespace) -> int:
    env = read(os.environ)
    set_up()
    from django.conf import settings

    from consult.faults import faults
    from consult.serving import serve as run

    found = faults(env, log_origin=settings.CONSULT_ORIGIN)
    if found:
        return refuse(*found)
    return run(env, announce=lambda: print(f"Serving {env.origin} from {env.listen}:{env.port}.", flush=True))


def sign(args: argparse.Namespace) -> int:
    """Needs no setting: the folder holds all it knows."""
    from consult import signing
    from secure.keys import KeyFileError
    from secure.log.signer_state import StateError

    folder = args.folder or data_folder(os.environ) / "signer"
    try:
        if args.descriptor is not None:
            signing.attend(folder, args.descriptor)
        elif args.adopt:
            print(f"The signer remembers {signing.adopt(folder, args.adopt)} entries.")
        else:
            path = args.socket or folder / "socket"
            signing.listen(folder, path, group=args.group, announce=lambda: print(f"Signing at {path}.", flush=True))
    except (KeyFileError, StateError) as error:
        return refuse(str(error))
    except (OSError, LookupError) as error:
        return refuse(f"The signer cannot start: {error}.")
    return 0


def migrate(_args: argparse.Namespace) -> int:
    set_up()
    from consult import database

    try:
        copy = database.migrate(now=datetime.now(UTC))
    except database.DatabaseTooNewError as error:
        return refuse(f"The database belongs to a newer version ({error}). Install that version again; nothing was changed.")
    print(f"The database is up to date.{f' A copy of it from before: {copy}' if copy else ''}")
    return 0


def check(_args: argparse.Namespace) -> int:
    env = read(os.environ)
    set_up()
    from django.conf import settings
    from django.core.management import CommandError, call_command

    from consult.faults import faults

    try:
        call_command("check", deploy=env.secure)
    except CommandError as error:
        return refuse(str(error))
    found = faults(env, log_origin=settings.CONSULT_ORIGIN)
    return refuse(*found) if found else 0


def verify(args: argparse.Namespace) -> int:
    if args.what:
        return verify_offline(args)
    set_up()
    from consult import verify as verification
    from secure.log.errors import LogError
    from secure.log.trust import read_trust

    try:
        pin = read_trust(pin=args.pin).pin
    except LogError:
        refuse("A pin is SIZE:ROOT, as `consult verify` prints it.")
        return verification.UNUSABLE
    return verification.run(sys.stdout, pin=pin)


def export_log(args: argparse.Namespace) -> int:
    set_up()
    from secure.errors import Conflict
    from secure.log import export

    try:
        size = export.write(args.folder)
    except Conflict as refusal:
        return refuse(f"{args.folder} is not empty." if refusal.code == "folder_in_use" else "Nothing has been signed yet.")
    print(f"{size} entries in {args.folder}. Check them with: consult verify log {args.folder} --policy FILE")
    return 0


def verify_build(args: argparse.Namespace) -> int:
    from consult import verify_build as verification

    return verification.run(args.url, args.manifest, sys.stdout)


def invite_chairs(args: argparse.Namespace) -> int:
    env: Env = read(os.environ)
    set_up()
    from secure.enrolment import invite_chairs as invite
    from secure.errors import Refusal

    try:
        codes = invite(indonesia_name=args.indonesia, australia_name=args.australia, now=datetime.now(UTC))
    except Refusal:
        return refuse("The Co-Chairs have been invited and have enrolled. A lost sign-in: consult admin reset-sign-in NAME.")
    print(f"Hand each Co-Chair their own code outside this system. It works once, for 14 days, at {env.origin}/enrol\n")
    for party, name, code in zip(("Indonesia", "Australia"), (args.indonesia, args.australia), codes, strict=True):
        print(f"{party}, {name}:\n  {code}\n  {env.origin}/enrol#{code}\n" if code else f"{party} has enrolled already.\n")
    return 0


def reset_sign_in(args: argparse.Namespace) -> int:
    set_up()
    from secure.accounts import reset_sign_in as reset
    from secure.errors import Refusal

    try:
        access = reset(sign_in_name=args.name, now=datetime.now(UTC))
    except Refusal:
        return refuse(f"Nobody signs in as {args.name}.")
    print(f"One-use password: {access.password}\nIt works for 24 hours.")
    print("At sign-in the person chooses a password and sets up a new second factor.")
    print("All sessions of this person have ended. Keys and seats are untouched. The record has an entry of this.")
    return 0


def erase_subject(args: argparse.Namespace) -> int:
    set_up()
    from meetings.erasure import erase_person
    from secure.errors import NotFound, Refusal

    if not args.for_good:
        print("This destroys the person's name, sign-in, recovery backup and the keys to every name in the record.")
        print("Nobody can undo it. The record keeps what the person did, under a card without a name, and says that it was erased.")
        return refuse("Nothing was changed. To do it, say it again with --for-good.")
    try:
        erased = erase_person(which=args.name, now=datetime.now(UTC))
    except NotFound:
        return refuse(f"Nobody is called {args.name}.")
    except Refusal as refusal:
        return refuse(ERASE_REFUSED[refusal.code])
    print("Erased. The record has an entry of this." if erased.fresh else "This person was erased before; what was left is gone now too.")
    print("Copies of the shred folder must not outlive 30 days: the oldest one still opens the names.")
    return 0


ERASE_REFUSED = {
    "still_seated": "This person has a place in a consultation. Their focal point withdraws them, or both Co-Chairs end the seat, first.",
    "still_in_office": "This person is a Co-Chair or a party's focal point. Somebody else must hold that office first.",
}
"""Why somebody cannot be erased, in words."""


def demonstrate(args: argparse.Namespace) -> int:
    from importlib import import_module

    run = import_module("consult.demo").run
    return int(run(port=args.port, data=Path(args.data or "consult-demo").resolve(), reset=args.reset))
