"""A new proposal, and a consultation as its board shows it. Everything is signed in the browser and sent to the JSON doors."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, re_path
from django.utils import timezone

from consult.pages import page
from consult.second_factor import account_of
from meetings import board, exports, installation, parties, roll, undertaking
from secure.errors import Conflict, Forbidden


@page
def proposal(request: HttpRequest, draft: str = "") -> HttpResponse:
    if not parties.is_chair(account_of(request)):
        raise Forbidden("chairs_only")
    if installation.current() is None:
        raise Conflict("no_installation")
    offices = sorted(roll.focal_points(), key=lambda office: (not office.party.chairing, not office.party.steering_group))
    context = {
        "draft": draft,
        "reference": f"CM-{timezone.now().year}-",
        "offices": offices,
        "focal_points": roll.persons(offices),
        "undertaking": undertaking.CURRENT,
        "party_names": roll.party_names(),
    }
    return render(request, "consult/convening/proposal.html", context)


@page
def convening_board(request: HttpRequest, consultation: str) -> HttpResponse:
    account, now = account_of(request), timezone.now()
    board.mark_reached(account=account, consultation_id=consultation, now=now)
    shown = board.read_board(account=account, consultation_id=consultation, now=now)
    context = {
        "board": shown,
        "consultation": shown.consultation,
        "place": shown.place,
        "now": now,
        "chairs": roll.chairs_of(proposer=shown.consultation.proposer),
        "undertaking": undertaking.text_named(shown.consultation.undertaking),
        "seatable": roll.seatable() if shown.place.chair else [],
        "focal_points": {row.code: row.focal_person for row in shown.rows if row.focal_point},
        "people": roll.names_in(consultation),
        "evidence": exports.may_ask(account=account, consultation_id=consultation),
        "party_names": roll.party_names(),
    }
    return render(request, "consult/convening/consultation.html", context)


urlpatterns = [
    path("proposals/new", proposal),
    path("proposals/<str:draft>", proposal),
    re_path(r"^consultations/(?P<consultation>[0-9a-f]{64})$", convening_board, name="consultation"),
]
