"""What every test may use."""

from __future__ import annotations

import os

import pytest

from tests.chromium import find


def pytest_report_header() -> list[str]:
    chromium = find()
    engines = "PostgreSQL and Redis" if os.environ.get("CONSULT_TEST_ENGINES") else "SQLite, in-process layer"
    return [f"engines: {engines}", f"chromium: {chromium.path if chromium else 'none; run `make test`, which installs it'}"]


@pytest.fixture(scope="session", autouse=True)
def log_key() -> None:
    """The record's key, in the tests' own data folder."""
    from django.conf import settings

    from secure.keys import create_log_key

    settings.CONSULT_BLOBS.mkdir(mode=0o700, exist_ok=True)
    create_log_key(settings.CONSULT_LOG_KEY, origin=settings.CONSULT_ORIGIN)
