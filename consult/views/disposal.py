"""How long consultations are kept, and how one is disposed of: asked for, signed, certified. What was said is on none of these pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, re_path
from django.utils import timezone

from consult.pages import page
from consult.second_factor import account_of
from meetings import disposal, parties, roll
from meetings.register_words import BASES

ADDRESS = r"^consultations/(?P<consultation>[0-9a-f]{64})/disposal"


@page
def retention(request: HttpRequest) -> HttpResponse:
    kept = disposal.all_kept(account=account_of(request), now=timezone.now())
    return render(request, "consult/disposal/retention.html", {"kept": kept, "bases": {word: disposal.basis_words(word) for word in BASES}})


@page
def one(request: HttpRequest, consultation: str) -> HttpResponse:
    account = account_of(request)
    keeping = disposal.kept(account=account, consultation_id=consultation, now=timezone.now())
    context = {
        "keeping": keeping,
        "consultation": keeping.consultation,
        "basis": disposal.basis_words(keeping.consultation.disposal_basis),
        "bases": disposal.bases_now(keeping),
        "officer": parties.is_officer(account),
        "chair": parties.is_chair(account),
    }
    return render(request, "consult/disposal/disposal.html", context)


@page
def certificate(request: HttpRequest, consultation: str) -> HttpResponse:
    account, now = account_of(request), timezone.now()
    rows = disposal.destroyed(account=account, consultation_id=consultation, now=now)
    keeping = disposal.kept(account=account, consultation_id=consultation, now=now)
    context = {
        "keeping": keeping,
        "consultation": keeping.consultation,
        "rows": rows,
        "first": rows[0],
        "basis": disposal.basis_words(rows[0].certificate.basis),
        "signers": roll.signers(rows[0].certificate.disposal),
    }
    return render(request, "consult/disposal/certificate.html", context)


@page
def manifest(request: HttpRequest, consultation: str) -> HttpResponse:
    """The list whose hash both Co-Chairs signed, byte for byte."""
    body = disposal.stored_manifest(account=account_of(request), consultation_id=consultation, now=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="destroyed-{consultation[:16]}.json"', "Cache-Control": "no-store"}
    return HttpResponse(body, content_type="application/json", headers=headers)


urlpatterns = [
    path("register/retention", retention),
    re_path(rf"{ADDRESS}$", one),
    re_path(rf"{ADDRESS}/certificate$", certificate),
    re_path(rf"{ADDRESS}/manifest$", manifest),
]
