"""The first page: what waits for the reader, then every consultation the reader may see."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from consult import words
from consult.pages import page
from consult.second_factor import account_of
from meetings import access, board, disposal, exports, installation, parties


@page
def home(request: HttpRequest) -> HttpResponse:
    account, now = account_of(request), timezone.now()
    founded, chair = installation.current() is not None, parties.is_chair(account)
    consultations = access.visible_consultations(account)
    steps = [words.due_step(board.read_board(account=account, consultation_id=each.id, now=now)) for each in consultations]
    asked = [words.export_step(each) for each in exports.due(account=account, now=now)]
    ending = [words.disposal_step(each) for each in disposal.asked_for(account=account)]
    visible = {each.id for each in consultations}
    context = {
        "founded": founded,
        "chair": chair,
        "officer": parties.is_officer(account),
        "secretariat": parties.party_of(account) == parties.SECRETARIAT,
        "consultations": consultations,
        "due": [*([words.found_step()] if chair and not founded else []), *(step for step in steps if step), *asked, *ending],
        "once_seated": [place for place in access.evidence_of(account) if not place.whole and place.consultation.id not in visible],
    }
    return render(request, "consult/home/home.html", context)


urlpatterns = [path("", home)]
