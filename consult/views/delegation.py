"""What a focal point does for its party in one consultation, and the undertaking a delegate signs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import re_path
from django.utils import timezone

from consult.pages import page
from consult.second_factor import account_of
from meetings import access, board, roll
from meetings import undertaking as undertakings
from secure.errors import NotFound


@page
def delegation(request: HttpRequest, consultation: str) -> HttpResponse:
    account, now = account_of(request), timezone.now()
    board.mark_reached(account=account, consultation_id=consultation, now=now)
    shown = board.read_board(account=account, consultation_id=consultation, now=now)
    row = next((each for each in shown.rows if each.code == shown.place.focal_point_of), None)
    if row is None or not shown.convened:
        raise NotFound
    context = {
        "consultation": shown.consultation,
        "row": row,
        "known": roll.people_of(row.code),
        "people": roll.names_for(account) | roll.names_in(consultation),
        "party_names": roll.party_names(),
    }
    return render(request, "consult/delegation/delegation.html", context)


@page
def undertaking(request: HttpRequest, consultation: str) -> HttpResponse:
    place = access.access_consultation(account=account_of(request), consultation_id=consultation)
    if place.delegate is None or place.chair:
        raise NotFound
    context = {
        "consultation": place.consultation,
        "undertaking": undertakings.text_named(place.consultation.undertaking),
        "undertaken": place.delegate.undertaken_at is not None,
    }
    return render(request, "consult/delegation/undertaking.html", context)


urlpatterns = [
    re_path(r"^consultations/(?P<consultation>[0-9a-f]{64})/delegation$", delegation),
    re_path(r"^consultations/(?P<consultation>[0-9a-f]{64})/undertaking$", undertaking),
]
