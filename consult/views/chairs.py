"""The Co-Chairs' own page: compare fingerprints, found the installation, give second signatures."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from consult.pages import page
from consult.second_factor import account_of
from meetings import installation, parties, roll
from secure.errors import Forbidden
from secure.keys import load_vkeys


@page
def chairs(request: HttpRequest) -> HttpResponse:
    if not parties.is_chair(account_of(request)):
        raise Forbidden("chairs_only")
    founded = installation.current()
    context = {
        "chairs": roll.chairs(),
        "founded": founded is not None,
        "log": founded.log if founded else load_vkeys(settings.CONSULT_LOG_VKEYS, origin=settings.CONSULT_ORIGIN)[0].vkey,
        "people": roll.names_for_chair(),
        "party_names": roll.party_names(),
    }
    return render(request, "consult/chairs/chairs.html", context)


urlpatterns = [path("chairs", chairs)]
