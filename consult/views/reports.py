"""For machines: whether we serve, and what a browser refused."""

from __future__ import annotations

import json
import logging
from urllib.parse import urlsplit

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from consult.second_factor import anonymous
from secure import limits

REPORT_LIMIT = 4096
FIELD_LIMIT = 120
#: anybody can post a report: enough lines to see a fault by, too few to fill a disk with
reports = limits.Buckets(per_second=1.0, burst=30)

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
    if reports.take("all"):
        logger.warning("content policy: %s", _told(request.read(REPORT_LIMIT)))
    return HttpResponse(status=204)


def _told(body: bytes) -> str:
    """What was refused, and on which page. Nothing else of a report is repeated: its sample may be words of a page, an address a query."""
    try:
        report = json.loads(body)["csp-report"]
        named = [str(report["effective-directive"]), *(urlsplit(str(report[name])).path for name in ("document-uri", "blocked-uri"))]
    except (ValueError, LookupError, TypeError, RecursionError):
        return "a report that cannot be read"
    return "{} on {}: {}".format(*(text[:FIELD_LIMIT] for text in named))


urlpatterns = [path("healthz", healthz), path("csp-report", csp_report)]
