"""What the host can and cannot see: one honest page, open to everyone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from consult.second_factor import anonymous


@anonymous
@require_safe
def host(request: HttpRequest) -> HttpResponse:
    return render(request, "consult/about/host.html")


urlpatterns = [path("about/host", host)]
