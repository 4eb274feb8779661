"""What the frame of every page shows: who is reading, where they can go, which build this is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from consult import second_factor
from consult.second_factor import account_of
from consult.templatetags.bundle import release
from meetings import parties
from secure.codes import fingerprint

if TYPE_CHECKING:
    from secure.models import Account


class Place(NamedTuple):
    """An entry of the main navigation."""

    url: str
    label: str
    current: bool


def variables(request: HttpRequest) -> dict[str, object]:
    """Context processor. `demonstration` is `settings.CONSULT_DEMONSTRATION`: a mapping with `personas_url`, or None."""
    account = reader(request)
    party = parties.party_of(account) if account else ""
    return {
        "demonstration": getattr(settings, "CONSULT_DEMONSTRATION", None),
        "navigation": navigation(account, path=request.path) if account else [],
        "reader_zone": parties.zone_of(party) if party else "UTC",
        "reader_party": parties.name_of(party) if party else "",
        "reader_card": parties.card_of(account) if account else "",
        "build": build(),
    }


def reader(request: HttpRequest) -> Account | None:
    """The person reading, once both factors are through. Asked anew: this very request may have signed somebody in or out."""
    if not hasattr(request, "user") or not hasattr(request, "session"):
        return None
    return account_of(request) if second_factor.signed_in(request) else None


def navigation(account: Account, *, path: str) -> list[Place]:
    """Only places this person can open."""
    chair, officer = parties.is_chair(account), parties.is_officer(account)
    entries = [
        (True, "/", _("Consultations")),
        (chair, "/chairs", _("Co-Chairs")),
        (chair, "/parties", _("Parties")),
        (chair or officer, "/register", _("Register")),
        (officer, "/evidence", _("Evidence")),
    ]
    return [Place(url, label, _within(path, url)) for shown, url, label in entries if shown]


def build() -> str:
    """The build's fingerprint, so that two people can read to each other what they were served."""
    return fingerprint(release(settings.CONSULT_BUNDLE).name)


def _within(path: str, url: str) -> bool:
    if path.endswith("/evidence"):
        return url == "/evidence"
    if path.endswith(("/disposal", "/disposal/certificate")):
        return url == "/register"
    if url == "/":
        return path == "/" or path.startswith(("/consultations", "/proposals"))
    return path == url or path.startswith(f"{url}/")
