"""Sign in: name and password, then the code. Only after both is anybody signed in; until then the session holds a half-way mark."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from consult import known_browser, second_factor
from consult.errors import status_of
from consult.forms import CodeForm, RenewForm, SignInForm, sentence_for
from consult.qr import qr_image
from consult.second_factor import anonymous
from secure import accounts
from secure import second_factor as factors
from secure.errors import Refusal, TooMany

if TYPE_CHECKING:
    from django import forms

    from secure.models import Account

HALF_WAY = "sign_in"
HALF_WAY_LASTS = timedelta(minutes=10)


@anonymous
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if second_factor.signed_in(request):
        return HttpResponseRedirect(_next(request))
    form = SignInForm(request.POST or None)
    if not form.is_valid():
        return _form(request, "sign_in.html", form)
    name = form.cleaned_data["sign_in_name"]
    source = known_browser.source_of(request, sign_in_name=name)
    try:
        account = accounts.check_password(sign_in_name=name, password=form.cleaned_data["password"], source=source, now=timezone.now())
    except Refusal as refusal:
        return _refused(request, "sign_in.html", form, refusal)
    _go_half_way(request, account)
    return HttpResponseRedirect("/sign-in/renew" if account.password_must_change else "/sign-in/code")


@anonymous
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    account = _half_way(request)
    if account is None or account.password_must_change:
        return HttpResponseRedirect("/sign-in")
    form = CodeForm(request.POST or None)
    if not form.is_valid():
        return _form(request, "code.html", form)
    source = known_browser.source_of(request, sign_in_name=account.sign_in_name)
    try:
        device = accounts.check_code(account=account, code=form.cleaned_data["code"], source=source, now=timezone.now())
    except Refusal as refusal:
        return _refused(request, "code.html", form, refusal)
    address = str(request.session[HALF_WAY]["next"])
    second_factor.complete_sign_in(request, account=account, device=device)
    response = HttpResponseRedirect(address)
    known_browser.remember(request, response, sign_in_name=account.sign_in_name)
    return response


@anonymous
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest) -> HttpResponse:
    """After lost access: the one-use password has been given; now an own password and a new second factor."""
    account = _half_way(request)
    waiting = factors.waiting_authenticator(account) if account and account.password_must_change else None
    if account is None or waiting is None:
        return HttpResponseRedirect("/sign-in")
    address = factors.otpauth(sign_in_name=account.sign_in_name, salt=waiting.key)
    picture = {"image": qr_image(address), "secret": _in_fours(factors.secret_of(waiting.key)), "sign_in_name": account.sign_in_name}
    form = RenewForm(request.POST or None)
    if not form.is_valid():
        return _form(request, "renew.html", form, picture)
    source = known_browser.source_of(request, sign_in_name=account.sign_in_name)
    try:
        renewed = accounts.renew_sign_in(
            account=account,
            password=form.cleaned_data["new"],
            code=form.cleaned_data["code"],
            source=source,
            now=timezone.now(),
        )
    except Refusal as refusal:
        return _refused(request, "renew.html", form, refusal, picture)
    second_factor.complete_sign_in(request, account=renewed.account, device=renewed.device)
    response = render(request, "consult/sign_in/recovery_codes.html", {"codes": renewed.recovery_codes})
    known_browser.remember(request, response, sign_in_name=account.sign_in_name)
    return response


@anonymous
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    second_factor.sign_out(request)
    return HttpResponseRedirect("/sign-in")


def _go_half_way(request: HttpRequest, account: Account) -> None:
    """Under a fresh session key, bound to the present password: a change of it in between ends the attempt."""
    address = _next(request)
    request.session.flush()
    request.session[HALF_WAY] = {
        "account": account.pk,
        "password": account.get_session_auth_hash(),
        "at": timezone.now().isoformat(),
        "next": address,
    }
    request.session.set_expiry(int(HALF_WAY_LASTS.total_seconds()))


def _half_way(request: HttpRequest) -> Account | None:
    mark = request.session.get(HALF_WAY)
    if not mark or timezone.now() - datetime.fromisoformat(mark["at"]) > HALF_WAY_LASTS:
        return None
    account = accounts.by_id(mark["account"])
    if account is None or not constant_time_compare(mark["password"], account.get_session_auth_hash()):
        return None
    return account


def _next(request: HttpRequest) -> str:
    """Only a path of our own; anything else is the first page."""
    address = request.GET.get("next", "/")
    own = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if own and not address.startswith("/sign-") else "/"


def _in_fours(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _form(request: HttpRequest, template: str, form: forms.Form, extra: dict[str, str] | None = None, *, status: int = 200) -> HttpResponse:
    return render(request, f"consult/sign_in/{template}", {"form": form, **(extra or {})}, status=status)


def _refused(request: HttpRequest, template: str, form: forms.Form, refusal: Refusal, extra: dict[str, str] | None = None) -> HttpResponse:
    form.add_error(None, str(sentence_for(refusal)))
    response = _form(request, template, form, extra, status=status_of(refusal))
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.about.get("seconds", 60))
    return response


urlpatterns = [
    path("sign-in", sign_in),
    path("sign-in/code", code),
    path("sign-in/renew", renew),
    path("sign-out", sign_out),
]
