"""For machines: whether we serve, and what a browser refused."""

from __future__ import annotations

import logging

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from consult.second_factor import anonymous

REPORT_LIMIT = 4096

logger = logging.getLogger("consult.csp")


@anonymous
@require_GET
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 once the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@anonymous
@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """A browser's report of something our content policy refused; logged, never stored. Browsers send no token with it."""
    logger.warning("content policy: %s", request.read(REPORT_LIMIT).decode("utf-8", "replace"))
    return HttpResponse(status=204)


urlpatterns = [path("healthz", healthz), path("csp-report", csp_report)]
