"""What the host can and cannot see, and which build it serves: one honest page, open to everyone, and the same for a script."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import path
from django.views.decorators.http import require_safe

from consult import release as releases
from consult.api import ApiRequest, door
from consult.second_factor import anonymous
from consult.templatetags.bundle import release
from secure.codes import fingerprint
from secure.log import builds
from secure.log.events import milliseconds

if TYPE_CHECKING:
    from consult.release import Release


@anonymous
@require_safe
def host(request: HttpRequest) -> HttpResponse:
    served = release(settings.CONSULT_BUNDLE)
    context = {
        "release": served,
        "listed_at": static(f"consult/dist/{releases.NAME}"),
        "deployed": _deployed(served),
        "origin": settings.CONSULT_ORIGINS[0],
    }
    return render(request, "consult/about/host.html", context)


@door("GET", anonymous=True)
def build(_request: ApiRequest) -> Mapping[str, object]:
    served = release(settings.CONSULT_BUNDLE)
    at = _deployed(served)
    return {
        "version": served.version,
        "manifest": served.name,
        "fingerprint": fingerprint(served.name),
        "deployed": milliseconds(at) if at else None,
    }


def _deployed(served: Release) -> datetime | None:
    """Since when the record says that this build is in service; None if it speaks of another one, or of none."""
    last = builds.newest()
    return last.at if last is not None and last.manifest == served.name else None


urlpatterns = [path("about/host", host), path("api/build", build)]
