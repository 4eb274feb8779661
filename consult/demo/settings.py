"""The product's settings with the demonstration's routes, and one origin for each persona."""

from __future__ import annotations

from pathlib import Path

from consult.demo.cast import CAST
from consult.settings import *  # noqa: F403
from consult.settings import ENV, MIDDLEWARE, TEMPLATES

ROOT_URLCONF = "consult.demo.urls"
ALLOWED_HOSTS = ["localhost", *(f"{persona.slug}.localhost" for persona in CAST)]
CONSULT_ORIGINS = [f"http://{host}:{ENV.port}" for host in ALLOWED_HOSTS]
CSRF_TRUSTED_ORIGINS = CONSULT_ORIGINS
CONSULT_DEMONSTRATION = {"personas_url": f"http://localhost:{ENV.port}/"}
MIDDLEWARE = [*MIDDLEWARE, "consult.demo.views.keep_to_personas"]
TEMPLATES = [{**TEMPLATES[0], "DIRS": [Path(__file__).parent / "templates"]}]
