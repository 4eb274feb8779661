"""The built front end: `{% bundle "pages/frame" %}` is its script tag, `{% bundle_url "crypto/worker" %}` an address,
`{% bundle_style "fonts" %}` and `{% style "css/consult.css" %}` are style sheets. Each tag carries what its file must hash to."""

from __future__ import annotations

import base64
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

from consult import release as releases
from consult.release import Release

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


@lru_cache(maxsize=4)
def release(folder: Path) -> Release:
    """What this build serves, as it was described when it was made."""
    try:
        return releases.read((folder / releases.NAME).read_bytes())
    except FileNotFoundError:
        raise ImproperlyConfigured("The front end is not built: run `make`.") from None


def built(name: str) -> Built:
    return manifest(settings.CONSULT_BUNDLE)[name]


@register.simple_tag
def bundle_url(name: str) -> str:
    return static(f"consult/dist/{built(name).file}")


@register.simple_tag
def bundle(name: str, crossorigin: str = "") -> SafeString:
    extra = format_html(' crossorigin="{}"', crossorigin) if crossorigin else ""
    return format_html('<script type="module" src="{}" integrity="{}"{}></script>', bundle_url(name), built(name).integrity, extra)


@register.simple_tag
def bundle_style(name: str, crossorigin: str = "") -> SafeString:
    return _style(bundle_url(name), built(name).integrity, crossorigin)


@register.simple_tag
def style(name: str, crossorigin: str = "") -> SafeString:
    """A style sheet that is served as it was written; named below `static/consult`."""
    listed = release(settings.CONSULT_BUNDLE).by_path[f"{releases.PREFIX}{name}"]
    digest = base64.b64encode(bytes.fromhex(listed.sha256)).decode()
    return _style(static(f"consult/{name}"), f"sha256-{digest}", crossorigin)


def _style(url: str, integrity: str, crossorigin: str) -> SafeString:
    extra = format_html(' crossorigin="{}"', crossorigin) if crossorigin else ""
    return format_html('<link rel="stylesheet" href="{}" integrity="{}"{}>', url, integrity, extra)
