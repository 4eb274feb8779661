"""What every test may rely on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseOperations
from django.db.models.signals import post_migrate


@pytest.fixture(scope="session", autouse=True)
def emptying_a_test_database_is_no_act() -> Iterator[None]:
    """After a test with real transactions Django empties all tables; on SQLite the record's triggers would refuse that.

    They are lifted for the emptying and put back at once, so that every test runs with them.
    """
    plain = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
        return [
            *(f"DROP TRIGGER {name}" for name, _ in triggers),
            *plain(self, *args, **options),
            *(sql for _, sql in triggers),
        ]

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]
    yield
    DatabaseOperations.sql_flush = plain  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def the_member_list_outlives_the_emptying() -> Iterator[None]:
    """The list of members comes with a migration, and Django's emptying takes it away: it is put back at once."""
    members = import_module("meetings.migrations.0002_parties")

    def put_back(**_: Any) -> None:
        if "meetings_party" in connection.introspection.table_names():
            members.add_members(apps, None)

    post_migrate.connect(put_back, dispatch_uid="members")
    yield
    post_migrate.disconnect(dispatch_uid="members")
