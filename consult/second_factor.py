"""No page, no door and no socket without password *and* second factor. The default is no.

HTTP: `SecondFactorMiddleware` stands after `OTPMiddleware`. A view is open to strangers only if it says so itself: a page by
`@anonymous`, a JSON door by `@door(…, anonymous=True)`. Sockets: `account_for_scope(scope)`, or `SocketSecondFactor` around the
router, which refuses the handshake. All of them ask for the live `SignInSession`, so ending it ends everything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp import login as otp_login
from django_otp.models import Device

from consult.errors import SIGN_IN, json_error
from secure import sessions

if TYPE_CHECKING:
    from secure.models import Account

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
Scope = dict[str, Any]
Asgi = Callable[[Scope, Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]], Awaitable[None]]
BACKEND = "django.contrib.auth.backends.ModelBackend"


def anonymous(view: View) -> View:
    """Marks a page as open to people who have not signed in. Everything else is closed."""
    view.anonymous = True  # type: ignore[attr-defined]
    return view


class SecondFactorMiddleware:
    """Refuses every view that is not marked `anonymous` unless the session has both factors and has not been ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        request.signed_in = signed_in(request)  # type: ignore[attr-defined]
        if request.signed_in or getattr(view, "anonymous", False):  # type: ignore[attr-defined]
            return None
        return _refusal(request)


def signed_in(request: HttpRequest) -> bool:
    """Both factors given, and the session is still in the list of sessions."""
    user = request.user
    # the device itself rather than `is_verified`, which django-otp adds only to users it loaded with the request
    if not user.is_authenticated or getattr(user, "otp_device", None) is None:
        return False
    account = sessions.live_account(session_key=request.session.session_key, now=timezone.now())
    return account is not None and account.pk == user.pk


def account_of(request: HttpRequest) -> Account:
    """The account of a request which the middleware has let through."""
    return request.user  # type: ignore[return-value]


def complete_sign_in(request: HttpRequest, *, account: Account, device: Device) -> None:
    """Both factors have just been given: a new session under a new key, and its row in the list of sessions."""
    if request.session.session_key:
        sessions.end(session_key=request.session.session_key)
    request.session.flush()
    login(request, account, backend=BACKEND)
    otp_login(request, device)
    request.session.save()
    key = request.session.session_key
    assert key is not None
    sessions.begin(session_key=key, account=account, label=browser_label(request), now=timezone.now())


def sign_out(request: HttpRequest) -> None:
    """End this browser's session; whoever is signed in, or nobody."""
    if request.session.session_key:
        sessions.end(session_key=request.session.session_key)
    request.session.flush()


def browser_label(request: HttpRequest) -> str:
    """'Firefox on Linux': enough to recognise one's own browser in a list."""
    agent = request.headers.get("User-Agent", "")
    browsers = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in browsers if mark in agent), "Browser")
    system = next((name for mark, name in systems if mark in agent), "")
    return f"{browser} on {system}" if system else browser


def session_key_of(scope: Scope) -> str | None:
    """The key of the session whose cookie came with the handshake."""
    header = b"; ".join(value for name, value in scope.get("headers", []) if name == b"cookie")
    try:
        found = SimpleCookie(header.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return found.value if found else None


async def account_for_scope(scope: Scope) -> Account | None:
    """Whose socket this would be; None without both factors. Ask `secure.sessions.live` again while it is open."""
    return await database_sync_to_async(_account_of_key)(session_key_of(scope))


class SocketSecondFactor:
    """Around the socket router: refuses the handshake (HTTP 403), or puts `account` and `session_key` into the scope."""

    def __init__(self, app: Asgi) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        account = await account_for_scope(scope)
        if account is None:
            await receive()
            await send({"type": "websocket.close", "code": 4401})
            return
        await self.app({**scope, "account": account, "session_key": session_key_of(scope)}, receive, send)


def _account_of_key(key: str | None) -> Account | None:
    """What AuthenticationMiddleware, OTPMiddleware and SecondFactorMiddleware check together, without a request."""
    account = sessions.live_account(session_key=key, now=timezone.now())
    if account is None or key is None:
        return None
    session = sessions.stored(key)
    if session.get(SESSION_KEY) != str(account.pk):
        return None
    if not constant_time_compare(session.get(HASH_SESSION_KEY, ""), account.get_session_auth_hash()):
        return None
    device = Device.from_persistent_id(session.get(DEVICE_ID_SESSION_KEY) or "")
    return account if device is not None and device.user_id == account.pk and device.confirmed else None


def _refusal(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return json_error(SIGN_IN, 401)
    if request.method != "GET" or request.path == "/":
        return HttpResponseRedirect("/sign-in")
    return HttpResponseRedirect("/sign-in?" + urlencode({"next": request.get_full_path()}))
