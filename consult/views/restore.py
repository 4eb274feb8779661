"""The page on which a signed-in person brings the keys back with the printed recovery key. The key stays in the browser."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from consult.pages import page
from consult.second_factor import account_of
from secure import recovery


@page
def restore(request: HttpRequest) -> HttpResponse:
    return render(request, "consult/restore/restore.html", {"sheet": recovery.sheet_number(account_of(request))})


urlpatterns = [path("restore", restore)]
