"""A witness's folder: its keys, the logs it signs for, its state, and the lines it sends to the host.

`witness.key` two private keys of one name, Ed25519 and ML-DSA-44 · `logs` lines `log <vkey> [<url>]`, as in a tlog-policy ·
`state/` and `second/` the records · `witness.txt` the public lines for the host's policy.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from secure.log.errors import LogError
from secure.log.note import COSIGNATURE, MLDSA, Verifier, parse_vkey
from secure.log.policy import Log, parse_policy
from secure.log.signing import SigningKey
from secure.witness.records import Records
from secure.witness.witness import Witness


class FolderError(Exception):
    """The folder is not a witness's, or not safe; one sentence for its operator."""


@dataclass(frozen=True)
class Folder:
    """An opened folder."""

    witness: Witness
    name: str
    logs: Sequence[Log]


def create(folder: Path, *, name: str, log: str, log_url: str = "", url: str = "") -> str:
    """Makes the folder; returns the lines for the host's policy. `url` is where the host reaches this witness, if it may.

    Raises:
        FolderError: there is one already, or name or key are none.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FolderError(f"{folder} is in use already.")
    try:
        verifier = parse_vkey(log)
        keys = [SigningKey.generate(name, kind) for kind in (COSIGNATURE, MLDSA)]
    except LogError as error:
        raise FolderError("The log's key or the name of this witness is malformed.") from error
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for each in ("state", "second"):
        (folder / each).mkdir(mode=0o700)
    lines = policy_lines(name, [key.verifier for key in keys], url)
    _write(folder / "witness.key", "".join(f"{key.line}\n" for key in keys))
    _write(folder / "logs", f"log {verifier.vkey} {log_url}".rstrip() + "\n")
    _write(folder / "witness.txt", lines)
    return lines


def policy_lines(name: str, verifiers: Sequence[Verifier], url: str) -> str:
    """What a policy says of this witness. A browser can check one of its two signatures only, so one of them is enough."""
    ed25519, mldsa = verifiers
    return (
        f"witness {name}/ed25519 {ed25519.vkey} {url}".rstrip()
        + f"\nwitness {name}/ml-dsa-44 {mldsa.vkey}\ngroup {name} any {name}/ed25519 {name}/ml-dsa-44\n"
    )


def load(folder: Path) -> Folder:
    """Opens a folder.

    Raises:
        FolderError: something is missing, damaged, or readable by others.
    """
    keys = _keys(folder / "witness.key")
    try:
        logs = parse_policy((folder / "logs").read_bytes() + b"quorum none\n").logs
    except (OSError, LogError) as error:
        raise FolderError(f"{folder / 'logs'} cannot be read: one line `log <key> [<address>]` for each log.") from error
    if not all((folder / each).is_dir() for each in ("state", "second")):
        raise FolderError(f"{folder} must hold the folders state and second; is a disk missing?")
    by_origin: dict[str, list[Verifier]] = {}
    for log in logs:
        by_origin.setdefault(log.verifier.name, []).append(log.verifier)
    witness = Witness(keys=keys, logs=by_origin, records=Records(folder))
    return Folder(witness, keys[0].verifier.name, logs)


def _keys(path: Path) -> list[SigningKey]:
    try:
        mode, lines = stat.S_IMODE(path.stat().st_mode), path.read_text(encoding="utf-8").split()
        keys = [SigningKey.parse(line) for line in lines]
    except (OSError, UnicodeDecodeError, LogError) as error:
        raise FolderError(f"{path} cannot be read; `consult witness init` makes it.") from error
    if mode & 0o077:
        raise FolderError(f"{path} can be read by others: set its mode to 600.")
    if {key.verifier.type for key in keys} - {COSIGNATURE, MLDSA} or len({key.verifier.name for key in keys}) != 1:
        raise FolderError(f"{path} holds no witness's keys.")
    return keys


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
