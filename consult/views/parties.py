"""Every member, its focal point or none; the Co-Chairs invite focal points and officers here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from consult.pages import page
from consult.second_factor import account_of
from meetings import installation, roll
from meetings import parties as members
from secure.errors import Forbidden


@page
def parties(request: HttpRequest) -> HttpResponse:
    if not members.is_chair(account_of(request)):
        raise Forbidden("chairs_only")
    offices = roll.focal_points()
    held = roll.persons(offices)
    context = {
        "founded": installation.current() is not None,
        "offices": offices,
        "officers": roll.officers(),
        "focal_points": held,
        "seated": len(held),
        "party_names": roll.party_names(),
    }
    return render(request, "consult/parties/parties.html", context)


urlpatterns = [path("parties", parties)]
