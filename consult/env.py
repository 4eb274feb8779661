"""The installation's settings, as the environment and `consult.env` in the data folder give them.

The only reader of the environment. Doubt is a refusal: `read` raises `EnvError` naming every fault it found, and nothing starts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SECRET_KEY_LENGTH = 50
T = TypeVar("T")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class EnvError(Exception):
    """The settings do not make an installation; one sentence per fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Env:
    """Everything an installation can be told from outside. Documented in docs/operations.md, one line per variable."""

    data: Path
    origin: str
    secret_key: str
    listen: str
    port: int
    database_url: str
    redis_url: str
    processes: int
    signer: Path | None
    proxy: bool
    certificate: Path | None
    certificate_key: Path | None
    log_level: str
    debug: bool

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def signer_folder(self) -> Path:
        """Keys and memory of the signer that runs as the server's child."""
        return self.data / "signer"

    @property
    def log_vkeys(self) -> Path:
        return self.data / "log.vkey"

    @property
    def first_policy(self) -> Path:
        return self.data / "policy-1.txt"

    @property
    def receipt_key(self) -> Path:
        return self.data / "receipt.key"

    @property
    def blobs(self) -> Path:
        return self.data / "papers"

    @property
    def shred(self) -> Path:
        return self.data / "shred"

    @property
    def sqlite(self) -> Path | None:
        return None if self.database_url else self.data / "consult.sqlite3"


def file_values(data: Path) -> dict[str, str]:
    """The lines `NAME=value` of consult.env; `#` begins a comment."""
    path = data / "consult.env"
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#") and "=" in line)


def data_folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("CONSULT_DATA", "consult-data")).resolve()


def read(environ: Mapping[str, str]) -> Env:
    """Reads and checks everything.

    Raises:
        EnvError: naming each setting that is missing, malformed or unsafe.
    """
    data = data_folder(environ)
    values = {**file_values(data), **environ}
    faults: list[str] = []
    env = Env(
        data=data,
        origin=values.get("CONSULT_ORIGIN", ""),
        secret_key=_secret(values, "CONSULT_SECRET_KEY", faults),
        listen=values.get("CONSULT_LISTEN", "127.0.0.1"),
        port=_parsed(values, "CONSULT_PORT", "8000", int, "a port number", faults) or 0,
        database_url=_secret(values, "CONSULT_DATABASE_URL", faults),
        redis_url=_secret(values, "CONSULT_REDIS_URL", faults),
        processes=_parsed(values, "CONSULT_PROCESSES", "1", int, "a number", faults) or 0,
        signer=_path(values, "CONSULT_SIGNER"),
        proxy=_parsed(values, "CONSULT_PROXY", "no", _yes, "yes or no", faults) or False,
        certificate=_path(values, "CONSULT_CERTIFICATE"),
        certificate_key=_path(values, "CONSULT_CERTIFICATE_KEY"),
        log_level=values.get("CONSULT_LOG_LEVEL", "INFO"),
        debug=_parsed(values, "CONSULT_DEBUG", "no", _yes, "yes or no", faults) or False,
    )
    faults += doubts(env)
    if faults:
        raise EnvError(faults)
    return env


def doubts(env: Env) -> list[str]:
    """Why this installation must not start; empty if it may."""
    origin = urlsplit(env.origin)
    rules = [
        (not _is_origin(origin), "CONSULT_ORIGIN must be the address people type, such as https://consult.example.org, without a path."),
        (origin.scheme == "http" and not _local(origin.hostname), "CONSULT_ORIGIN must begin with https: only localhost may do without."),
        (_weak(env.secret_key), f"CONSULT_SECRET_KEY must be at least {SECRET_KEY_LENGTH} varied characters; `consult init` makes one."),
        (env.debug and not (_local(env.listen) and _local(origin.hostname)), "CONSULT_DEBUG is for localhost only."),
        (env.processes < 1, "CONSULT_PROCESSES must be 1 or more."),
        (env.processes > 1 and not env.redis_url, "More than one process needs CONSULT_REDIS_URL: the in-memory layer serves only one."),
        (env.processes > 1 and not env.database_url, "More than one process needs PostgreSQL in CONSULT_DATABASE_URL."),
        (bool(env.certificate) != bool(env.certificate_key), "CONSULT_CERTIFICATE and CONSULT_CERTIFICATE_KEY belong together."),
        (env.proxy and bool(env.certificate), "Either a proxy or an own certificate: not CONSULT_PROXY and CONSULT_CERTIFICATE both."),
        (env.secure and not env.proxy and not env.certificate, "An https address needs CONSULT_PROXY=yes or CONSULT_CERTIFICATE."),
        (not 0 <= env.port < 65536, "CONSULT_PORT must be a port number."),
        (env.log_level not in LOG_LEVELS, f"CONSULT_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}."),
        (
            bool(env.database_url) and not _known(env.database_url, "postgresql", "postgres"),
            "CONSULT_DATABASE_URL must begin with postgresql://.",
        ),
        (
            bool(env.redis_url) and not _known(env.redis_url, "redis", "rediss", "unix"),
            "CONSULT_REDIS_URL must begin with redis://, rediss:// or unix://.",
        ),
    ]
    return [sentence for wrong, sentence in rules if wrong]


def _is_origin(origin: SplitResult) -> bool:
    bare = origin.path == "" and not origin.query and not origin.fragment and origin.username is None
    return origin.scheme in ("http", "https") and bool(origin.hostname) and bare


def _local(host: str | None) -> bool:
    if host is None:
        return False
    if host in LOCAL_NAMES or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _weak(key: str) -> bool:
    return len(key) < SECRET_KEY_LENGTH or len(set(key)) < 10


def _known(url: str, *schemes: str) -> bool:
    return url.split(":", 1)[0] in schemes


def _yes(text: str) -> bool:
    return {"yes": True, "1": True, "true": True, "no": False, "0": False, "false": False, "": False}[text.lower()]


def _parsed(values: Mapping[str, str], name: str, default: str, parse: Callable[[str], T], what: str, faults: list[str]) -> T | None:  # noqa: PLR0917
    try:
        return parse(values.get(name, default))
    except (ValueError, KeyError):
        faults.append(f"{name} must be {what}.")
        return None


def _secret(values: Mapping[str, str], name: str, faults: list[str]) -> str:
    """A value, or the content of the file which NAME_FILE names."""
    path = values.get(f"{name}_FILE")
    if path is None:
        return values.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        faults.append(f"{name}_FILE: cannot read {path}.")
        return ""


def _path(values: Mapping[str, str], name: str) -> Path | None:
    return Path(values[name]).resolve() if values.get(name) else None
