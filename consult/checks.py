from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def front_end_is_built(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if (settings.CONSULT_BUNDLE / "manifest.json").is_file():
        return []
    return [Error("The front end is not built.", hint="Run `make`.", id="consult.E001")]
