"""The built front end: `{% bundle "pages/frame" %}` is its script tag, `{% bundle_url "fonts" %}` its address."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django import template
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


class Built(NamedTuple):
    file: str
    integrity: str


@lru_cache(maxsize=4)
def manifest(folder: Path) -> dict[str, Built]:
    """Entry name → hashed file and its integrity, as build.mjs wrote it."""
    try:
        entries = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ImproperlyConfigured("The front end is not built: run `make`.") from None
    return {name: Built(**entry) for name, entry in entries.items()}


def built(name: str) -> Built:
    return manifest(settings.CONSULT_BUNDLE)[name]


@register.simple_tag
def bundle_url(name: str) -> str:
    return static(f"consult/dist/{built(name).file}")


@register.simple_tag
def bundle(name: str, crossorigin: str = "") -> SafeString:
    extra = format_html(' crossorigin="{}"', crossorigin) if crossorigin else ""
    return format_html('<script type="module" src="{}" integrity="{}"{}></script>', bundle_url(name), built(name).integrity, extra)
