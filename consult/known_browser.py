"""A browser in which somebody has signed in before, told by a signed cookie of its own (`secure/throttle.py` says what for).

The cookie lets nobody in. It says only: attempts for this name from here are counted apart from everybody else's.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from secure.throttle import Source

COOKIE = "__Host-consult-known" if settings.SESSION_COOKIE_SECURE else "consult-known"
LASTS = 180 * 24 * 60 * 60
NAMES_MOST = 6
"""People who share a browser; the oldest is forgotten."""
_SALT = "consult.known_browser"


def source_of(request: HttpRequest, *, sign_in_name: str = "") -> Source:
    """Where an attempt comes from, and whether this browser is known for this name."""
    browser, names = _read(request)
    known = browser if _mark(sign_in_name) in names else None
    return Source(address=request.META.get("REMOTE_ADDR", ""), browser=known)


def remember(request: HttpRequest, response: HttpResponse, *, sign_in_name: str) -> None:
    """Both factors were given here just now."""
    browser, names = _read(request)
    marks = [*(name for name in names if name != _mark(sign_in_name)), _mark(sign_in_name)][-NAMES_MOST:]
    value = signing.dumps([browser or secrets.token_hex(16), marks], salt=_SALT)
    response.set_cookie(COOKIE, value, max_age=LASTS, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Strict", path="/")


def _read(request: HttpRequest) -> tuple[str | None, list[str]]:
    try:
        browser, names = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LASTS)
    except (signing.BadSignature, ValueError, TypeError):
        return None, []
    return str(browser), [str(name) for name in names]


def _mark(sign_in_name: str) -> str:
    """The cookie names nobody: whoever reads it off a shared computer learns no sign-in name."""
    return salted_hmac(_SALT, sign_in_name.strip().lower(), algorithm="sha256").hexdigest()[:24]
