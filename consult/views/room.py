"""The plenary's page, the names shown in it, and the inside of the frame in which papers are shown."""

from __future__ import annotations

from collections.abc import Mapping

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from consult import policies
from consult.api import ApiRequest, door
from consult.pages import page
from consult.second_factor import account_of, anonymous
from meetings import access, parties, roll
from secure import delivery


@page
def room(request: HttpRequest, consultation: str) -> HttpResponse:
    """The room needs its keys and its socket: everything inside is drawn by the browser."""
    place = access.access_consultation(account=account_of(request), consultation_id=consultation)
    plenary = next((each for each in delivery.rooms_of(consultation) if each.kind == "plenary"), None)
    if plenary is None:
        return redirect("consultation", consultation=consultation)
    access.access_room(account=account_of(request), room_id=plenary.room)
    years = place.consultation.retention_years
    kept = ngettext("kept for %(n)s year", "kept for %(n)s years", years) % {"n": years}
    context = {
        "place": place,
        "room": plenary.room,
        "names": _names(consultation),
        "zone": parties.zone_of(parties.party_of(account_of(request))),
        "marking": f"{place.consultation.marking} · {_('on the record')} · {kept}",
    }
    return render(request, "consult/room/room.html", context)


@door("GET")
def names(request: ApiRequest, consultation: str) -> Mapping[str, object]:
    access.access_consultation(account=request.account, consultation_id=consultation)
    return _names(consultation)


def _names(consultation: str) -> dict[str, object]:
    known = {**roll.party_names(), parties.SECRETARIAT: parties.SECRETARIAT_NAME}
    return {"parties": known, "people": roll.names_in(consultation)}


@anonymous
@csp_replace(policies.viewer_changes(settings.CONSULT_ORIGINS))  # type: ignore[untyped-decorator]
@require_safe
def viewer(request: HttpRequest) -> HttpResponse:
    """Holds nothing and may reach nothing: the paper's bytes come in by message from the room's page."""
    response = render(request, "consult/room/viewer.html")
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


urlpatterns = [
    path("consultations/<str:consultation>/room", room, name="room"),
    path("api/consultations/<str:consultation>/names", names),
    path("viewer", viewer),
]
