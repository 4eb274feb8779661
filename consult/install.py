"""A new installation's data folder: settings and secrets, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from consult.env import Env, EnvError, read
from secure.keys import create_receipt_key, write_vkeys
from secure.log import policy_chain
from secure.log.signer import create_signer

DEMONSTRATION = "demonstration"
"""Name of the file that marks a folder as the demonstration's own."""

LINES = """\
# Settings of this installation; every name is explained in docs/operations.md.
CONSULT_ORIGIN={origin}
CONSULT_SECRET_KEY_FILE={data}/secret.key
# Behind a proxy which ends TLS (the usual way):
{proxy}
# or with an own certificate:
#CONSULT_CERTIFICATE=/etc/consult/fullchain.pem
#CONSULT_CERTIFICATE_KEY=/etc/consult/privkey.pem
#CONSULT_LISTEN=0.0.0.0
#CONSULT_PORT=443
"""


class AlreadyThereError(Exception):
    """The folder holds something."""


def make(data: Path, *, origin: str) -> None:
    """Writes the folder. A fault in the origin is found before anything is written.

    Raises:
        AlreadyThereError: the folder is not empty.
        EnvError: the origin does not make an installation.
    """
    if data.exists() and any(data.iterdir()):
        raise AlreadyThereError
    key = secrets.token_urlsafe(48)
    local = origin.startswith("http:")
    proxy = "#CONSULT_PROXY=yes" if local else "CONSULT_PROXY=yes"
    read(
        {
            **_own(os.environ),
            "CONSULT_DATA": str(data),
            "CONSULT_ORIGIN": origin,
            "CONSULT_SECRET_KEY": key,
            "CONSULT_PROXY": "no" if local else "yes",
        }
    )
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    data.chmod(0o700)
    for folder in ("papers", "shred"):
        (data / folder).mkdir(mode=0o700)
    _write(data / "secret.key", key + "\n")
    _write(data / "consult.env", LINES.format(origin=origin, data=data, proxy=proxy))


def make_keys(env: Env, *, origin: str) -> None:
    """The record's keys: the signer's folder, what everybody may know of it, the key of receipts; and the policy that names no witness.

    Raises:
        KeyFileError: there are keys already.
    """
    signer = create_signer(env.signer_folder, origin=origin, clock=lambda: datetime.now(UTC))
    write_vkeys(env.log_vkeys, signer.verifiers)
    create_receipt_key(env.receipt_key, origin=origin)
    _write(env.first_policy, policy_chain.first(signer.verifiers, sign=signer.sign_policy).decode())


def _own(environ: os._Environ[str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith("CONSULT_")}


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


__all__ = ["DEMONSTRATION", "AlreadyThereError", "EnvError", "make", "make_keys"]
