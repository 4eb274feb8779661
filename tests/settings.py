"""The product's settings for tests: a data folder of their own, and real servers when the `engines` leg asks for them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_data = tempfile.mkdtemp(prefix="consult-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith("CONSULT_") and name != "CONSULT_TEST_ENGINES"]:
    del os.environ[_name]
os.environ |= {
    "CONSULT_DATA": _data,
    "CONSULT_ORIGIN": "http://localhost",
    "CONSULT_SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
    "CONSULT_LOG_LEVEL": "WARNING",
}
if os.environ.get("CONSULT_TEST_ENGINES") == "servers":
    from tests import servers

    os.environ["CONSULT_DATABASE_URL"] = servers.postgresql().url
    os.environ["CONSULT_REDIS_URL"] = servers.redis().url

from consult.settings import *  # noqa: E402, F403
from secure.keys import create_receipt_key  # noqa: E402

create_receipt_key(CONSULT_RECEIPT_KEY, origin=CONSULT_ORIGIN)  # noqa: F405

# Argon2's cost is the attacker's; tests sign in hundreds of times
PASSWORD_HASHERS = ["tests.hashers.QuickArgon2"]

# a file, as in life: threads of one process would share SQLite's in-memory database and its table locks
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": f"{_data}/test.sqlite3"}  # noqa: F405
