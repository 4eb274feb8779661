"""The demonstration's own pages: who there is to play, and walking in as one of them."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_otp.plugins.otp_totp.models import TOTPDevice

from consult.demo.cast import BY_SLUG, CAST, Persona
from consult.demo.seed import recovery_keys
from consult.second_factor import anonymous, complete_sign_in
from secure import cards, key_packages


def persona_of(request: HttpRequest) -> Persona | None:
    """Whose origin this is; None at the personas page's own."""
    return BY_SLUG.get(request.get_host().split(":")[0].removesuffix(".localhost"))


def keep_to_personas(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """At the bare address there is nothing but the choice of personas; at a persona's, nobody else can be signed in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        path = request.path
        if persona_of(request) is None:
            if path == "/":
                return personas(request)
            if not path.startswith(("/static/", "/healthz", "/log/", "/csp-report", "/about/", "/demonstration/personas")):
                return redirect(f"http://localhost:{settings.ENV.port}/")
        elif path in ("/sign-in", "/restore") or (path == "/" and not request.user.is_authenticated):
            return redirect("/demonstration/enter")
        return get_response(request)

    return middleware


@anonymous
@require_safe
def personas(request: HttpRequest) -> HttpResponse:
    accounts = {account.sign_in_name: account for account in get_user_model().objects.filter(sign_in_name__in=BY_SLUG)}
    rows = [
        {
            "persona": persona,
            "url": f"http://{persona.slug}.localhost:{settings.ENV.port}/",
            "here": _is_here(accounts[persona.slug]),
        }
        for persona in CAST
    ]
    return render(request, "demonstration/personas.html", {"rows": rows})


def _is_here(account: object) -> bool:
    """A browser has restored the keys and made key packages."""
    card = cards.current_card(account)  # type: ignore[arg-type]
    devices = cards.devices_of([card.hash]).get(card.hash, []) if card else []
    return any(key_packages.ready_count(device.hash) for device in devices)


@anonymous
def enter(request: HttpRequest) -> HttpResponse:
    """Shows whose part this is; on the button's press signs in as if password and code had been given, and hands over the recovery key."""
    persona = persona_of(request)
    if persona is None:
        return HttpResponseNotFound()
    if request.method != "POST":
        return render(request, "demonstration/enter.html", {"persona": persona})
    return _walk_in(request, persona)


@require_POST
def _walk_in(request: HttpRequest, persona: Persona) -> HttpResponse:
    account = get_user_model().objects.get(sign_in_name=persona.slug)
    complete_sign_in(request, account=account, device=TOTPDevice.objects.get(user=account))
    card = cards.current_card(account)
    context = {"persona": persona, "recovery_key": recovery_keys()[persona.slug], "card": card.hash if card else ""}
    return render(request, "demonstration/keys.html", context)
