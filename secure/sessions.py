"""Signed-in browsers. A `SignInSession` row is the one authority: no row, no session, whatever a cookie or a cache says.

A row is made when password and second factor have both been given, and deleting it ends the session: pages ask at every request
(`live_account`), open sockets are asked for by the delivery guard (`live`), every two seconds at the latest. Callers name a session by the
key of its cookie; rows hold only its hash (`secure/session_store.py`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from secure.errors import NotFound
from secure.log import events
from secure.models import Account, SignInSession
from secure.session_store import kept_key

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

LONGEST = timedelta(hours=12)
"""A signed-in browser asks for name, password and code again after this long (NIST SP 800-63B, AAL3)."""
SEEN_EVERY = timedelta(minutes=1)
"""`last_seen` is no more exact than this, so that reading a page seldom writes."""


def begin(*, session_key: str, account: Account, label: str, now: datetime) -> SignInSession:
    """A browser has given password and second factor. Inside the caller's transaction."""
    return SignInSession.objects.create(key=kept_key(session_key), account=account, label=label[:80], created=now, last_seen=now)


def live_account(*, session_key: str | None, now: datetime) -> Account | None:
    """Whose session this is; None if it has ended. One query."""
    if not session_key:
        return None
    row = SignInSession.objects.select_related("account").filter(key=kept_key(session_key), created__gt=now - LONGEST).first()
    if row is None or not row.account.is_active:
        return None
    if now - row.last_seen > SEEN_EVERY:
        SignInSession.objects.filter(pk=row.pk).update(last_seen=now)
    return row.account


def live(keys: Collection[str], *, now: datetime) -> frozenset[str]:
    """Which of these sessions have not ended. For whoever keeps sockets open: close the others (4401)."""
    kept = {kept_key(key): key for key in keys}
    rows = SignInSession.objects.filter(key__in=kept, created__gt=now - LONGEST, account__is_active=True)
    return frozenset(kept[key] for key in rows.values_list("key", flat=True))


def of_account(account: Account, *, now: datetime) -> list[SignInSession]:
    """The account's signed-in browsers, the one used last first."""
    rows = SignInSession.objects.filter(account=account, created__gt=now - LONGEST)
    return list(rows.order_by("-last_seen", "pk"))


@transaction.atomic
def end(*, session_key: str) -> None:
    """Sign out in one browser. Twice does no harm."""
    _delete([kept_key(session_key)])


@transaction.atomic
def end_one(*, account: Account, session: str, now: datetime) -> None:
    """End another browser's session, named by the key of its row, which opens nothing."""
    keys = [row.key for row in of_account(account, now=now) if row.key == session]
    if not keys:
        raise NotFound()
    _delete(keys)


@transaction.atomic
def end_all(*, account: Account, now: datetime, except_key: str | None = None) -> int:
    """Sign out everywhere, or everywhere else; returns how many sessions ended."""
    keys = SignInSession.objects.filter(account=account).exclude(key=kept_key(except_key or "")).values_list("key", flat=True)
    ended = _delete(list(keys))
    events.record_host(ns=events.HOST, type="session.ended_everywhere", data={"sessions": ended}, at=now)
    return ended


def stored(session_key: str) -> SessionBase:
    """Django's session with this key, for the socket side, which has no request."""
    engine = import_module(settings.SESSION_ENGINE)
    session: SessionBase = engine.SessionStore(session_key)
    return session


def _delete(keys: list[str]) -> int:
    Session.objects.filter(pk__in=keys).delete()
    ended, _ = SignInSession.objects.filter(pk__in=keys).delete()
    return ended
