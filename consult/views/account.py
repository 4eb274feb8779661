"""One's own account: sessions, devices, password, recovery codes, the number of the recovery sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from consult import known_browser, second_factor
from consult.errors import status_of
from consult.forms import CodeForm, PasswordForm, sentence_for
from consult.pages import page
from consult.second_factor import account_of
from meetings import parties
from secure import accounts, cards, recovery, sessions
from secure import second_factor as factors
from secure.errors import NotFound, Refusal
from secure.session_store import kept_key

if TYPE_CHECKING:
    from django import forms

    from secure.models import Account


@page
def account(request: HttpRequest) -> HttpResponse:
    own, now = account_of(request), timezone.now()
    here = kept_key(request.session.session_key or "")
    rows = [
        {"name": row.key, "label": row.label, "created": row.created, "seen": row.last_seen, "here": row.key == here}
        for row in sessions.of_account(own, now=now)
    ]
    context = {
        "account": own,
        "sessions": rows,
        "labels": _device_labels(own),
        "sheet": recovery.sheet_number(own),
        "codes_left": factors.recovery_codes_left(own),
    }
    return render(request, "consult/account/account.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST or None)
    if not form.is_valid():
        return _form(request, "password.html", form)
    own = account_of(request)
    device = request.user.otp_device  # type: ignore[union-attr]
    source = known_browser.source_of(request, sign_in_name=own.sign_in_name)
    try:
        accounts.change_password(
            account=own, current=form.cleaned_data["current"], new=form.cleaned_data["new"], source=source, now=timezone.now()
        )
    except Refusal as refusal:
        return _refused(request, "password.html", form, refusal)
    second_factor.complete_sign_in(request, account=accounts.fresh(own), device=device)
    messages.success(request, _("The password was changed. Every other browser has been signed out."), extra_tags="good")
    return HttpResponseRedirect("/account")


@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if not form.is_valid():
        return _form(request, "recovery_codes.html", form)
    own = account_of(request)
    source = known_browser.source_of(request, sign_in_name=own.sign_in_name)
    try:
        codes = accounts.renew_recovery_codes(account=own, code=form.cleaned_data["code"], source=source, now=timezone.now())
    except Refusal as refusal:
        return _refused(request, "recovery_codes.html", form, refusal)
    return render(request, "consult/sign_in/recovery_codes.html", {"codes": codes})


@require_POST
def end_session(request: HttpRequest, session: str) -> HttpResponse:
    try:
        sessions.end_one(account=account_of(request), session=session, now=timezone.now())
        messages.success(request, _("That browser was signed out."), extra_tags="good")
    except NotFound:
        messages.info(request, _("That browser was signed out already."))
    return HttpResponseRedirect("/account")


@require_POST
def end_everywhere(request: HttpRequest) -> HttpResponse:
    sessions.end_all(account=account_of(request), now=timezone.now())
    request.session.flush()
    return HttpResponseRedirect("/sign-in")


def _device_labels(own: Account) -> dict[str, str]:
    """Device → its label; the key worker says which devices count."""
    card = parties.card_of(own)
    return {client.hash: client.label for client in cards.devices_of([card]).get(card, [])} if card else {}


def _form(request: HttpRequest, template: str, form: forms.Form, *, status: int = 200) -> HttpResponse:
    return render(request, f"consult/account/{template}", {"form": form}, status=status)


def _refused(request: HttpRequest, template: str, form: forms.Form, refusal: Refusal) -> HttpResponse:
    form.add_error(None, str(sentence_for(refusal)))
    return _form(request, template, form, status=status_of(refusal))


urlpatterns = [
    path("account", account),
    path("account/password", password),
    path("account/recovery-codes", recovery_codes),
    path("account/sessions/end-all", end_everywhere),
    path("account/sessions/<slug:session>/end", end_session),
]
