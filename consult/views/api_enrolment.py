"""JSON doors of enrolment: invite, open a code, reserve a second factor, complete (docs/protocol.md, section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone

from consult import known_browser
from consult.api import ApiRequest, by_method, created, door
from consult.qr import qr_image
from consult.second_factor import complete_sign_in
from meetings import devices, parties
from meetings.devices import FirstDevice
from secure import enrolling, enrolment, limits, recovery
from secure.enrolling import Application
from secure.statements import encode_signed, parse_signed

if TYPE_CHECKING:
    from secure.enrolment import Invitation
    from secure.models import Account

PURPOSES = ("focal_point", "delegate", "secretariat")
NAME_MOST = 120
PASSWORD_MOST = 4096


@door("POST")
def make(request: ApiRequest) -> HttpResponse:
    fields = request.fields
    fields.only("locator", "purpose", "party", "name")
    row = enrolment.invite(
        actor=request.account,
        locator=fields.hex("locator", size=16),
        purpose=fields.choice("purpose", PURPOSES),
        party=fields.text("party", most=16),
        name=fields.text("name", most=NAME_MOST).strip(),
        may_invite=_may_invite,
        now=timezone.now(),
    )
    return created({"enrolment": row.id})


@door("GET")
def own(request: ApiRequest) -> Sequence[object]:
    return [_invitation(each) for each in enrolment.invitations_of(request.account, now=timezone.now())]


@door("POST")
def confirm(request: ApiRequest, enrolment_id: str) -> Mapping[str, object]:
    request.fields.only("card")
    now = timezone.now()
    enrolment.confirm(
        actor=request.account,
        enrolment=enrolment_id,
        card=request.fields.hex("card", size=32),
        now=now,
        then=lambda account: parties.confirm_officer(actor=request.account, account=account, now=now),
    )
    return {}


@door("DELETE")
def withdraw(request: ApiRequest, enrolment_id: str) -> Mapping[str, object]:
    enrolment.withdraw(actor=request.account, enrolment=enrolment_id, now=timezone.now())
    return {}


@door("POST", anonymous=True)
def open_code(request: ApiRequest) -> Mapping[str, object]:
    request.fields.only("locator")
    locator = request.fields.hex("locator", size=16)
    offer = enrolling.open_code(locator=locator, source=known_browser.source_of(request), now=timezone.now())
    return {
        "name": offer.name,
        "party": offer.party,
        "purpose": offer.purpose,
        "inst": offer.inst,
        "installation_head": offer.head,
    }


@door("POST", anonymous=True)
def sign_in_details(request: ApiRequest) -> Mapping[str, object]:
    fields = request.fields
    fields.only("locator", "sign_in_name", "password")
    address = enrolling.reserve_second_factor(
        locator=fields.hex("locator", size=16),
        sign_in_name=fields.text("sign_in_name", most=NAME_MOST),
        password=fields.text("password", most=PASSWORD_MOST),
        now=timezone.now(),
    )
    return {"otpauth": address}


@door("POST", anonymous=True)
def complete(request: ApiRequest) -> HttpResponse:
    now = timezone.now()
    application, first = _application(request), _first_device(request)
    enrolled = enrolling.complete(
        locator=request.fields.hex("locator", size=16),
        application=application,
        keep_keys=lambda account, party: devices.enrol(account=account, party=party, card=application.card, device=first, now=now),
        now=now,
    )
    complete_sign_in(request, account=enrolled.account, device=enrolled.second_factor)
    response = created({"recovery_codes": enrolled.recovery_codes})
    known_browser.remember(request, response, sign_in_name=enrolled.account.sign_in_name)
    return response


@door("POST", anonymous=True)
def qr(request: ApiRequest) -> Mapping[str, object]:
    """Draws an authenticator's address as a picture for an `<img>`. Nothing is stored or looked up."""
    request.fields.only("otpauth")
    return {"image": qr_image(request.fields.text("otpauth", most=500))}


def _application(request: ApiRequest) -> Application:
    """Field by field; the statements' own form is read strictly, their meaning is judged later."""
    fields = request.fields
    fields.only(
        "locator",
        "sign_in_name",
        "password",
        "totp",
        "card",
        "device",
        "label",
        "mac",
        "recovery",
        "key_packages",
        "last_resort",
    )
    box = fields.object("recovery")
    box.only("box", "number")
    return Application(
        sign_in_name=fields.text("sign_in_name", most=NAME_MOST),
        password=fields.text("password", most=PASSWORD_MOST),
        totp=fields.text("totp", most=16),
        card=parse_signed(fields.values.get("card")),
        mac=fields.text("mac", most=44),
        box=box.base64("box", most=recovery.BOX_BYTES),
        number=box.integer("number", least=1, most=1),
    )


def _first_device(request: ApiRequest) -> FirstDevice:
    fields = request.fields
    return FirstDevice(
        statement=parse_signed(fields.values.get("device")),
        label=fields.text("label", most=devices.LABEL),
        key_packages=fields.blobs("key_packages", most=limits.KEY_PACKAGES_KEPT, longest=limits.KEY_PACKAGE_BYTES),
        last_resort=None if fields.null("last_resort") else fields.base64("last_resort", most=limits.KEY_PACKAGE_BYTES),
    )


def _may_invite(account: Account, purpose: str, party: str) -> bool:
    return parties.may_invite(account=account, purpose=purpose, party=party)


def _invitation(invitation: Invitation) -> dict[str, object]:
    return {
        "enrolment": invitation.id,
        "locator": invitation.locator,
        "name": invitation.name,
        "purpose": invitation.purpose,
        "party": invitation.party,
        "state": invitation.state,
        "card": encode_signed(invitation.card) if invitation.card else None,
        "mac": invitation.mac,
    }


urlpatterns = [
    path("api/enrolments", by_method(make, own)),
    path("api/enrolments/open", open_code),
    path("api/enrolments/sign-in-details", sign_in_details),
    path("api/enrolments/complete", complete),
    path("api/enrolments/qr", qr),
    path("api/enrolments/<slug:enrolment_id>/confirm", confirm),
    path("api/enrolments/<slug:enrolment_id>", withdraw),
]
