"""The page on which a person enrols. Everything on it happens in the browser: the code stands behind `#` and never comes here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from consult.second_factor import anonymous
from meetings import parties


@anonymous
@require_safe
def enrol(request: HttpRequest) -> HttpResponse:
    names = {party.code: party.name for party in parties.all_parties()}
    names[parties.SECRETARIAT] = parties.SECRETARIAT_NAME
    return render(request, "consult/enrolment/enrol.html", {"party_names": names, "reader_card": ""})


urlpatterns = [path("enrol", enrol)]
