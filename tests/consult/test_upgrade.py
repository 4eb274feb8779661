"""An installation from before names were boxed: afterwards no name stands in plain text, and each is still what was recorded."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from secure.log import jcs
from secure.log.encoding import b64, disclosure_digest, encode_event
from secure.log.shred import ShredStore
from tests.installation import Installation

AT = "2026-10-13 09:00:00"
SALT, EVENT_ID, TAG, CARD = b"s" * 32, b"e" * 16, "4a" * 16, "5c" * 32


def former(made: Installation) -> Path:
    """A data folder whose database is two versions old, with one event about a person of one party."""
    made.make()
    path = made.data / "consult.sqlite3"
    path.unlink()
    command = [sys.executable, "-m", "django", "migrate", "secure", "0003_departure", "-v", "0"]
    subprocess.run(command, env={**made.environ(), "DJANGO_SETTINGS_MODULE": "consult.settings"}, check=True, timeout=120)
    values = {"person": "Anong Srisai", "party": "THA"}
    digests = sorted(disclosure_digest(salt=SALT, name=name, value=value) for name, value in values.items())
    data = {"card": CARD, "_sd": digests, "slot": 7, "salt": b64(b"n" * 16)}
    raw = encode_event(event_id=EVENT_ID, ns=TAG, type="sign_in.reset", src="host", at=1, data=data)
    with sqlite3.connect(path) as database:
        database.execute(
            "INSERT INTO secure_namespace (tag, scope, slot, salt, count, head) VALUES (?, 'host', 7, ?, 0, ?)", (TAG, b"n" * 16, "0" * 64)
        )
        database.execute(
            "INSERT INTO secure_logevent (id, namespace_id, type, src, statement, kid, hash, body, at)"
            " VALUES (1, ?, 'sign_in.reset', 'host', '', '', ?, ?, ?)",
            (TAG, hashlib.sha256(raw).hexdigest(), raw, AT),
        )
        database.executemany(
            "INSERT INTO secure_disclosure (event_id, name, value, salt) VALUES (1, ?, ?, ?)", [(*pair, SALT) for pair in values.items()]
        )
    return path


def test_names_go_into_boxes_and_parties_stay_open(tmp_path: Path) -> None:
    made = Installation(tmp_path / "data")
    path = former(made)
    assert made.run("migrate").returncode == 0
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT digest, subject, box FROM secure_disclosure").fetchall()
        assert database.execute("SELECT event_id, party FROM secure_eventparty").fetchall() == [(1, "THA")]
    (digest, subject, box) = rows[0]
    assert (len(rows), subject) == (1, CARD)
    assert digest == disclosure_digest(salt=SALT, name="person", value="Anong Srisai")
    store = ShredStore(made.data / "shred")
    whose, where = store.key(f"subject-{CARD}"), store.key(f"scope-{TAG}")
    assert whose is not None
    assert where is not None
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"consult/disclosure/v1\n" + EVENT_ID).derive(whose + where)
    assert AESGCM(key).decrypt(box[:12], box[12:], digest.encode()) == jcs.encode([b64(SALT), "person", "Anong Srisai"])
