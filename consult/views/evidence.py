"""The evidence of a consultation: who asked, what was answered, the file, and how to check it. Acts go through `export_api`."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import path, re_path
from django.utils import timezone

from consult import words
from consult.pages import page
from consult.second_factor import account_of
from meetings import access, exporting, exports, integrity
from secure import cards

VERIFIERS: Final = ("consult-verify.pyz", "consult-verify.html")


class Verifier(NamedTuple):
    """A file to take away. `sha256` in hex, to compare with what others were given."""

    name: str
    url: str
    kibibytes: int
    sha256: str


@page
def overview(request: HttpRequest) -> HttpResponse:
    account, now = account_of(request), timezone.now()
    due = exports.due(account=account, now=now)
    context = {"places": access.evidence_of(account), "due": [words.export_step(each) for each in due]}
    return render(request, "consult/evidence/overview.html", context)


@page
def evidence(request: HttpRequest, consultation: str) -> HttpResponse:
    account, now = account_of(request), timezone.now()
    place = access.access_evidence(account=account, consultation_id=consultation)
    found = exports.of_consultation(account=account, consultation_id=consultation, now=now)
    deciders = cards.cards_named(each.row.decided_by for each in found)
    names = {name: f"{card.party} · {card.account.name}" for name, card in deciders.items()}
    context = {
        "consultation": place.consultation,
        "place": place,
        "requests": [(each, names.get(each.row.decided_by, "")) for each in found],
        "current": next((each for each in found if each.own and each.open), None),
        "decidable": [each for each in found if each.decidable],
        "purposes": words.PURPOSES,
        "light": integrity.read(now=now),
        "file_name": exporting.file_name(place.consultation.reference),
        "verifiers": verifiers(),
        "approval_days": exports.APPROVAL_LASTS.days,
    }
    return render(request, "consult/evidence/evidence.html", context)


def verifiers() -> list[Verifier]:
    """The offline verifiers, as far as the build has made them."""
    files = [settings.CONSULT_BUNDLE / name for name in VERIFIERS]
    return [_verifier(file, file.stat().st_mtime_ns) for file in files if file.is_file()]


@lru_cache(maxsize=8)
def _verifier(file: Path, _changed: int) -> Verifier:
    raw = file.read_bytes()
    sha256 = hashlib.sha256(raw).hexdigest()
    # built files are kept by browsers for good: the hash makes another build another address
    return Verifier(file.name, f"{static(f'consult/dist/{file.name}')}?{sha256[:12]}", -(-len(raw) // 1024), sha256)


urlpatterns = [
    path("evidence", overview),
    re_path(r"^consultations/(?P<consultation>[0-9a-f]{64})/evidence$", evidence),
]
