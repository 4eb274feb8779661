"""JSON doors of a disposal: an officer's request, and the list of what would go, for the Co-Chair who signs it."""

from __future__ import annotations

from collections.abc import Mapping

from django.urls import path
from django.utils import timezone

from consult.api import ApiRequest, by_method, checked_hex, door
from meetings import disposal
from secure.errors import BadInput, NotFound

Json = Mapping[str, object]


@door("GET")
def listed(request: ApiRequest, consultation: str) -> Json:
    basis, manifest = disposal.manifest_for(account=request.account, consultation_id=_named(consultation))
    return {"basis": basis, "manifest": manifest.decode()}


@door("POST")
def request_it(request: ApiRequest, consultation: str) -> Json:
    request.fields.only("basis")
    basis = request.fields.text("basis", most=20)
    disposal.request(account=request.account, consultation_id=_named(consultation), basis=basis, now=timezone.now())
    return {}


def _named(consultation: str) -> str:
    """What is no name is not found, like a name of nothing."""
    try:
        return checked_hex(consultation, size=32, name="consultation")
    except BadInput as error:
        raise NotFound from error


urlpatterns = [path("api/consultations/<str:consultation>/disposal", by_method(listed, request_it))]
