"""The demonstration: invented people, a data folder of its own, every persona at an origin of its own.

Nothing else imports this package; `consult demo` names it by its string. Its routes and keys exist only in the process it starts.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from consult.install import DEMONSTRATION


def run(*, port: int, data: Path, reset: bool) -> int:
    """Serves the demonstration until it is stopped. Refuses a folder which is not a demonstration's own."""
    if data.exists() and any(data.iterdir()) and not (data / DEMONSTRATION).is_file():
        print(f"{data} is not a demonstration's folder and is left alone. Name another one with --data.", file=sys.stderr)
        return 1
    if reset and data.exists():
        shutil.rmtree(data)
    _prepare(data, port)

    import django

    django.setup()
    from django.conf import settings

    from consult import database
    from consult.demo import seed, witness
    from consult.serving import serve

    database.migrate(now=datetime.now(UTC))
    seed.sow(now=datetime.now(UTC))

    def ready() -> None:
        witness.start()
        _announce(port)

    return serve(settings.ENV, announce=ready)


def _prepare(data: Path, port: int) -> None:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / DEMONSTRATION).write_text("Invented people, no real consultation.\n", encoding="utf-8")
    (data / "papers").mkdir(mode=0o700, exist_ok=True)
    secret = data / "secret.key"
    if not secret.is_file():
        secret.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        secret.chmod(0o600)
    lines = [f"CONSULT_ORIGIN=http://localhost:{port}", f"CONSULT_PORT={port}", f"CONSULT_SECRET_KEY_FILE={secret}"]
    (data / "consult.env").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("CONSULT_") and name != "CONSULT_LOG_LEVEL"]:
        del os.environ[name]
    os.environ |= {"DJANGO_SETTINGS_MODULE": "consult.demo.settings", "CONSULT_DATA": str(data)}


def _announce(port: int) -> None:
    from consult.demo.cast import CAST

    print(f"\nThe demonstration is at  http://localhost:{port}/\n", flush=True)
    print("Open it in one browser and play every part from there:", flush=True)
    for persona in CAST:
        print(f"  {persona.office:<42} {persona.name:<24} http://{persona.slug}.localhost:{port}/", flush=True)
    print("\nCtrl+C ends it. Nothing you do here leaves this machine.", flush=True)
