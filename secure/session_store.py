"""Sessions kept under the hash of their key: whoever reads the database, or a backup of it, cannot sign in with what is there.

The cookie carries the key itself; `Session.session_key` and `SignInSession.key` hold `kept_key` of it. Only what Django's synchronous
middleware uses is replaced; our stack uses no other.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone


def kept_key(session_key: str) -> str:
    """40 hex characters, 160 bits: what Django's table has room for. A session key is random, so a plain hash is enough."""
    return hashlib.sha256(b"consult/session/v1\n" + session_key.encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        key = self.session_key
        found = Session.objects.filter(session_key=kept_key(key), expire_date__gt=timezone.now()).first() if key else None
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=kept_key(session_key)).exists()

    def create_model_instance(self, data: Any) -> Any:
        made = super().create_model_instance(data)
        made.session_key = kept_key(made.session_key)
        return made

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            Session.objects.filter(session_key=kept_key(key)).delete()
