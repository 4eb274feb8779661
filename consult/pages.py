"""Pages: read-only, for people who are signed in; a refusal becomes a page in plain words. Acts go through the JSON doors."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from consult.views import errors
from secure.errors import Refusal

P = ParamSpec("P")


def page(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a page: GET and HEAD only, refusals in words. The second-factor middleware has let the reader through."""

    @wraps(view)
    def shown(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            return errors.refused(request, refusal)

    return require_safe(shown)
