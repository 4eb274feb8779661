"""From the wire to the application: origin check, then router. The consumer asks for both factors before anything else.

Server-neutral: nothing here depends on Daphne.
"""

from __future__ import annotations

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consult.settings")
pages = get_asgi_application()

from consult.consumers import RoomConsumer  # noqa: E402  needs Django to be set up

Scope = dict[str, Any]


def header(scope: Scope, name: bytes) -> str | None:
    """The one value of a header; None if absent or given twice."""
    values = [value for key, value in scope["headers"] if key.lower() == name]
    return values[0].decode("latin-1") if len(values) == 1 else None


class OwnOrigin:
    """Lets a socket in only from a page of this installation: the whole origin must be on the list, and be the host asked."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        origin = header(scope, b"origin")
        host = header(scope, b"host")
        if origin in settings.CONSULT_ORIGINS and host is not None and origin.split("://", 1)[1] == host:
            return await self.inner(scope, receive, send)
        await receive()
        await send({"type": "websocket.close", "code": 4403})
        return None


class NearestHop:
    """Behind a proxy the client's address is what the nearest hop says: the last entry, which a client cannot write."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> Any:
        if settings.CONSULT_PROXY and scope["type"] in ("http", "websocket"):
            values = [value for key, value in scope["headers"] if key.lower() == b"x-forwarded-for"]
            if values:
                scope = {**scope, "client": (values[-1].decode("latin-1").rsplit(",", 1)[-1].strip(), 0)}
        return await self.inner(scope, receive, send)


# Channels routes applications with Django's own `path`, which is typed for views
socket: Any = path("ws/rooms/<str:room>", RoomConsumer.as_asgi())  # type: ignore[arg-type]
application = NearestHop(
    ProtocolTypeRouter(
        {
            "http": pages,
            "websocket": OwnOrigin(URLRouter([socket])),
        }
    )
)
