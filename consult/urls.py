"""Every route. A view module exports `urlpatterns`; one that is not named here is not served."""

from __future__ import annotations

from importlib import import_module

from django.urls import URLPattern

VIEWS = (
    "about",
    "account",
    "api",
    "api_enrolment",
    "api_recovery",
    "blob_api",
    "chairs",
    "convening",
    "delegation",
    "disposal",
    "disposal_api",
    "enrolment",
    "evidence",
    "export_api",
    "home",
    "log",
    "parties",
    "register",
    "reports",
    "restore",
    "room",
    "room_api",
    "sign_in",
)

urlpatterns: list[URLPattern] = [pattern for name in VIEWS for pattern in import_module(f"consult.views.{name}").urlpatterns]
handler400 = "consult.views.errors.bad_request"
handler403 = "consult.views.errors.forbidden"
handler404 = "consult.views.errors.not_found"
handler500 = "consult.views.errors.server_error"
