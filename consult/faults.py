"""What keeps an installation from serving, one sentence per fault: `consult check` tells them, and `consult serve` refuses.

Settings have been read by then (`consult/env.py`); here it is about what they lead to: files and the database.
"""

from __future__ import annotations

import os
import ssl

from consult import database
from consult.env import Env
from consult.install import DEMONSTRATION
from consult.serving import first_policy
from secure.keys import KeyFileError, check_log_keys, load_receipt_key, load_vkeys


def faults(env: Env, *, log_origin: str) -> list[str]:
    """Every fault; empty if the installation may serve."""
    if (env.data / DEMONSTRATION).is_file():
        return [f"{env.data} is a demonstration's folder, with invented people: consult --data {env.data} demo serves it."]
    found = [_keys(env, log_origin), _papers(env), _certificate(env), _database()]
    return [sentence for sentence in found if sentence]


def _keys(env: Env, origin: str) -> str | None:
    """The signer's keys are only looked for, and not at all if it runs apart: reading them is the signer's alone."""
    try:
        load_vkeys(env.log_vkeys, origin=origin)
        load_receipt_key(env.receipt_key, origin=origin)
        first_policy(env)
        if env.signer is None:
            check_log_keys(env.signer_folder)
    except KeyFileError as error:
        return str(error)
    return None


def _papers(env: Env) -> str | None:
    if env.blobs.is_dir() and os.access(env.blobs, os.W_OK | os.X_OK):
        return None
    return f"{env.blobs} is no folder that this user can write to: sealed papers lie there."


def _certificate(env: Env) -> str | None:
    if not (env.certificate and env.certificate_key):
        return None
    try:
        # with a password at hand OpenSSL does not ask for one at the terminal
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(env.certificate, env.certificate_key, password="")
    except OSError as error:
        return f"CONSULT_CERTIFICATE and CONSULT_CERTIFICATE_KEY cannot be used together: {error.strerror or error}."
    return None


def _database() -> str | None:
    unknown, pending = database.unknown_migrations(), database.pending_migrations()
    if unknown:
        return f"The database belongs to a newer version ({', '.join(unknown)}). Install that version again."
    if pending:
        return "The database is older than this version: run `consult migrate` first."
    return None
