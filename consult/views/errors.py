"""What a person sees when a page cannot be shown: what happened, and what to do. JSON doors have their own answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import render
from django.template import loader

from consult.errors import json_error, status_of
from consult.second_factor import anonymous

if TYPE_CHECKING:
    from django.urls import URLPattern

    from secure.errors import Refusal

PAGES = {400: "400", 403: "403", 404: "404", 409: "409", 410: "410", 429: "429"}


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A domain function's refusal, as a page."""
    return _page(request, status_of(refusal))


@anonymous
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400)


@anonymous
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 403)


@anonymous
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404)


@anonymous
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's own check failed: the page was open too long, or the request came from elsewhere."""
    if request.path.startswith("/api/"):
        return json_error("csrf", 403)
    return render(request, "consult/errors/csrf.html", status=403)


@anonymous
def server_error(request: HttpRequest) -> HttpResponse:
    """Made without the frame, which may be what failed."""
    if request.path.startswith("/api/"):
        return json_error("failed", 500)
    return HttpResponseServerError(loader.render_to_string("consult/errors/500.html"))


def _page(request: HttpRequest, status: int) -> HttpResponse:
    if request.path.startswith("/api/"):
        return json_error({400: "bad_input", 403: "forbidden"}.get(status, "not_found"), status)
    return render(request, f"consult/errors/{PAGES.get(status, '400')}.html", status=status)


urlpatterns: list[URLPattern] = []
