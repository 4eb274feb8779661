"""What a page of ours may load and reach: the content policies, as every answer carries them. Pure, so that they can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

Directives = Mapping[str, Sequence[str]]

NONE: Final = "'none'"
SELF: Final = "'self'"

PAGE: Final[Directives] = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:", "blob:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "worker-src": [SELF],
    "frame-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "require-trusted-types-for": ["'script'"],
    "trusted-types": ["lit-html", "consult"],
    "report-uri": ["/csp-report"],
}


def viewer_changes(origins: Sequence[str]) -> dict[str, list[str] | None]:
    """What is otherwise in the frame in which papers are drawn; None takes a directive away."""
    return {
        "sandbox": ["allow-scripts"],
        "default-src": [NONE],
        # the frame has no origin of its own, so 'self' would not mean us
        "script-src": list(origins),
        "style-src": list(origins),
        "img-src": ["blob:"],
        "font-src": [*origins, "data:"],
        "connect-src": [NONE],
        "worker-src": [NONE],
        "frame-src": [NONE],
        "form-action": [NONE],
        "frame-ancestors": list(origins),
        "require-trusted-types-for": None,
        "trusted-types": None,
    }


def viewer(origins: Sequence[str]) -> Directives:
    """The whole policy of that frame."""
    changed = {**PAGE, **viewer_changes(origins)}
    return {name: values for name, values in changed.items() if values is not None}


def as_text(directives: Directives) -> str:
    """One line, in a fixed order."""
    return "; ".join(" ".join([name, *sorted(values)]) for name, values in sorted(directives.items()))


def parsed(header: str) -> Directives:
    """What a browser reads out of the header: of two directives with one name the first counts."""
    found: dict[str, list[str]] = {}
    for part in header.split(";"):
        name, *values = part.split() or [""]
        if name:
            found.setdefault(name.lower(), values)
    return found


def normal(header: str) -> str:
    """The header in the fixed order, so that two that mean the same are equal."""
    return as_text(parsed(header))
