"""`make bench-ledger`: what the record costs on this machine. Prints a table, then the same as JSON; exits 1 if a target is missed.

Each group runs in a process of its own, so that one's memory and caches are not another's; what needs a database gets a fresh one.
A group is a module of this folder with `measures()`: a new one is a line in `GROUPS`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from tests.load.measure import Measure

NOTHING, SQLITE, POSTGRESQL = "nothing", "sqlite", "postgresql"
GROUPS = {
    "tree": NOTHING,
    "stored": SQLITE,
    "bundle": SQLITE,
    "transactions": POSTGRESQL,
}
"""Module → what it needs."""


def main() -> int:
    found = [measure for group in GROUPS for measure in measured(group)]
    print(table(found))
    print(json.dumps([{**asdict(measure), "met": measure.met} for measure in found]))
    return 1 if any(measure.met is False for measure in found) else 0


def measured(group: str) -> Iterator[Measure]:
    """Runs one group to its end; what it prints on stderr is shown as it comes."""
    with tempfile.TemporaryDirectory(prefix="consult-load-") as folder:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("CONSULT_", "DJANGO_"))}
        environ |= {"CONSULT_DATA": folder, "CONSULT_ORIGIN": "http://localhost", "CONSULT_SECRET_KEY": "load-" + "0123456789abcdef" * 4}
        environ |= {"CONSULT_LOG_LEVEL": "ERROR"}
        if GROUPS[group] == POSTGRESQL:
            from tests import servers

            environ["CONSULT_DATABASE_URL"] = servers.postgresql(durable=True).url
        command = [sys.executable, "-m", "tests.load.ledger", group]
        answer = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parents[2])
        yield from (Measure(**each) for each in json.loads(answer.stdout))


def run(group: str) -> None:
    """Inside the group's own process."""
    if GROUPS[group] != NOTHING:
        os.environ["DJANGO_SETTINGS_MODULE"] = "consult.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
    print(json.dumps([asdict(measure) for measure in import_module(f"tests.load.{group}").measures()]))


def table(found: list[Measure]) -> str:
    words = {True: "met", False: "MISSED", None: ""}
    lines = [f"{'':<56}{'measured':>16}  {'target':<14}"]
    for measure in found:
        value = f"{measure.value:,.0f}" if measure.value >= 1000 else f"{measure.value:,.2f}"
        target = "" if measure.target is None else f"{'≤' if measure.most else '≥'} {measure.target:,g} {measure.unit}"
        lines.append(f"{measure.name:<56}{value + ' ' + measure.unit:>16}  {target:<14}  {words[measure.met]}".rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(sys.argv[1])
    else:
        sys.exit(main())
