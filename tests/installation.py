"""A real installation for tests: its own folder, made and served by the `consult` command in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 40


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Installation:
    """`log` is everything the server has written; `restart` keeps folder and port. With `trust` it serves https by itself.

    `code` is the folder to run from, where another build lies (tests/builds.py).
    """

    data: Path
    port: int = field(default_factory=free_port)
    extra: dict[str, str] = field(default_factory=dict)
    trust: ssl.SSLContext | None = None
    process: subprocess.Popen[bytes] | None = None
    code: Path | None = None

    @property
    def origin(self) -> str:
        """Where people reach it."""
        return self.itself

    @property
    def itself(self) -> str:
        """Where the server itself listens, whatever stands in front of it."""
        return f"{'https' if self.trust else 'http'}://localhost:{self.port}"

    @property
    def log_path(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8") if self.log_path.exists() else ""

    def environ(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("CONSULT_", "DJANGO_"))}
        return {**own, "CONSULT_DATA": str(self.data), "CONSULT_PORT": str(self.port), **self.extra}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One `consult` command, to its end."""
        command = [sys.executable, "-m", "consult", *words]
        return subprocess.run(command, env=self.environ(), cwd=self.code, capture_output=True, text=True, check=False, timeout=120)

    def make(self) -> None:
        made = self.run("init", "--origin", self.origin)
        assert made.returncode == 0, made.stderr

    def invite_chairs(self, *, indonesia: str, australia: str) -> tuple[str, str]:
        """The two codes as printed."""
        answer = self.run("admin", "invite-chairs", "--indonesia", indonesia, "--australia", australia)
        assert answer.returncode == 0, answer.stderr
        codes = re.findall(rf"{self.origin}/enrol#(\S+)", answer.stdout)
        return codes[0], codes[1]

    def start(self, words: Sequence[str] = ("serve",)) -> None:
        with self.log_path.open("ab") as log:
            command = [sys.executable, "-m", "consult", *words]
            self.process = subprocess.Popen(command, env=self.environ(), cwd=self.code, stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.itself}/healthz", timeout=2, context=self.trust):
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the server did not start:\n{self.log[-4000:]}")

    def stop(self) -> int:
        """SIGTERM, then the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.process = None
        return status
