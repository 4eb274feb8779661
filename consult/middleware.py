"""What every answer carries, whatever its status, and what no request may bring."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"

Answer = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Both:
    """A middleware for async servers which the test client can also call synchronously."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        early = self.before(request)
        if iscoroutinefunction(self.get_response):
            return self._later(request, early)
        return self.after(request, early or self.get_response(request))

    async def _later(self, request: HttpRequest, early: HttpResponse | None) -> HttpResponse:
        return self.after(request, early or await self.get_response(request))  # type: ignore[misc]

    def before(self, request: HttpRequest) -> HttpResponse | None:
        return None

    def after(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        return response


class request_id(Both):  # noqa: N801  named as a function in settings
    """A random name for the request, in the answer, so that a person can quote it to the people who run the host."""

    def after(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response["X-Request-Id"] = uuid.uuid4().hex[:16]
        return response


class response_headers(Both):  # noqa: N801
    """Methods by allow-list; nothing stored unless a view says so; no sharing across origins."""

    def before(self, request: HttpRequest) -> HttpResponse | None:
        return None if request.method in METHODS else HttpResponseNotAllowed(METHODS)

    def after(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response["Permissions-Policy"] = PERMISSIONS
        return response


class LineFormatter(logging.Formatter):
    """One event, one line: what a client wrote cannot forge a second one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
