from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from consult import release


@register()
def front_end_is_built(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    if all((settings.CONSULT_BUNDLE / name).is_file() for name in ("manifest.json", release.NAME)):
        return []
    return [Error("The front end is not built.", hint="Run `make`.", id="consult.E001")]
