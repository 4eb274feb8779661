"""Bringing the database to this version: never backwards, never without a copy."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class DatabaseTooNewError(Exception):
    """The database has been migrated by a newer version than this one."""


def unknown_migrations() -> list[str]:
    """Migrations the database has had which this version does not know."""
    loader = MigrationExecutor(connection).loader
    known = set(loader.disk_migrations) | set(loader.replacements)
    return sorted(f"{app}.{name}" for app, name in loader.applied_migrations if (app, name) not in known)


def pending_migrations() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def migrate(*, now: datetime) -> Path | None:
    """Applies what is pending; an SQLite database that is not empty is copied first. Returns the copy.

    Raises:
        DatabaseTooNewError: naming the unknown migrations; nothing is changed.
    """
    unknown = unknown_migrations()
    if unknown:
        raise DatabaseTooNewError(", ".join(unknown))
    copy = copy_sqlite(now=now) if pending_migrations() else None
    call_command("migrate", interactive=False, verbosity=0)
    return copy


def copy_sqlite(*, now: datetime) -> Path | None:
    """A consistent copy beside the database, by SQLite's own backup, while others may be using it."""
    source = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor != "sqlite" or not source.is_file() or not connection.introspection.table_names():
        return None
    folder = source.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{source.stem}-{now:%Y%m%dT%H%M%SZ}.sqlite3"
    with sqlite3.connect(source) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
    target.chmod(0o600)
    return target
