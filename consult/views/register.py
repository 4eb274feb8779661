"""The secretariat's Register: the record in plain words with its proofs. Nothing here can show what was said."""

from __future__ import annotations

import base64
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext

from consult.pages import page
from consult.second_factor import account_of
from meetings import integrity, parties, roll
from meetings import register as records
from meetings.register_words import KINDS
from secure.errors import BadInput

if TYPE_CHECKING:
    from secure.log.record import Proof

LONGEST = 120


@page
def register(request: HttpRequest) -> HttpResponse:
    account, now = account_of(request), timezone.now()
    wanted = _search(request)
    ticket = request.GET.get("ticket", "")
    if ticket:
        found = records.more(account=account, ticket=ticket)
    else:
        zone = ZoneInfo(parties.zone_of(parties.party_of(account)))
        found = records.search(account=account, wanted=wanted, zone=zone, now=now)
    context = {
        "found": found,
        "wanted": wanted,
        "further": bool(ticket),
        "kinds": {word: gettext(name) for word, name in KINDS.items()},
        "parties": roll.party_names() | {parties.SECRETARIAT: parties.SECRETARIAT_NAME},
        "integrity": integrity.read(now=now),
        "now": now,
        "look_ups": records.own_look_ups(account=account),
    }
    return render(request, "consult/register/register.html", context)


@page
def entry(request: HttpRequest, number: int) -> HttpResponse:
    opened = records.open_entry(account=account_of(request), number=number, now=timezone.now())
    context = {"opened": opened, "line": opened.line, "proof": _shown(opened.proof) if opened.proof else None}
    return render(request, "consult/register/entry.html", context)


def _search(request: HttpRequest) -> records.Search:
    return records.Search(
        person=_text(request, "person"),
        party=_text(request, "party"),
        kind=_text(request, "kind"),
        since=_day(request, "since"),
        until=_day(request, "until"),
    )


def _text(request: HttpRequest, name: str) -> str:
    text = request.GET.get(name, "").strip()
    if len(text) > LONGEST or not text.isprintable():
        raise BadInput("bad_field", field=name)
    return text


def _day(request: HttpRequest, name: str) -> date | None:
    """A day as a browser's date field sends it: `2017-10-13`."""
    text = _text(request, name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput("bad_field", field=name) from error


def _shown(proof: Proof) -> dict[str, object]:
    """The proof as text: what the page's script checks, and what an expert copies."""
    return {
        "number": proof.number,
        "size": proof.tree_size,
        "last": proof.tree_size - 1,
        "leaf": base64.b64encode(proof.leaf).decode(),
        "path": " ".join(base64.b64encode(each).decode() for each in proof.hashes),
        "event": proof.event.decode(),
        "note": proof.note.decode(),
    }


urlpatterns = [path("register", register), path("register/<int:number>", entry)]
