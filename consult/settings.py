"""Django's settings, all of them from `consult.env`. Tests and the demonstration build on this file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.utils.translation import gettext_lazy

from consult import env as environment
from consult import policies

ENV = environment.read(os.environ)
HERE = Path(__file__).resolve().parent

SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug
ALLOWED_HOSTS = [ENV.host]
CONSULT_ORIGINS = [ENV.origin]
CSRF_TRUSTED_ORIGINS = CONSULT_ORIGINS
CONSULT_DATA = ENV.data
CONSULT_LOG_VKEYS = ENV.log_vkeys
CONSULT_RECEIPT_KEY = ENV.receipt_key
CONSULT_SIGNER_FOLDER = ENV.signer_folder
CONSULT_BLOBS = ENV.blobs
CONSULT_SHRED = ENV.shred
CONSULT_PROXY = ENV.proxy
#: the log's origin (C2SP tlog-checkpoint): the installation's own name, without scheme
CONSULT_ORIGIN = f"{ENV.host}/consult"
CONSULT_BUNDLE = HERE / "static" / "consult" / "dist"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "channels",
    "secure",
    "meetings",
    "consult",
]
AUTH_USER_MODEL = "secure.Account"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "consult.middleware.request_id",
    "consult.middleware.response_headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "consult.second_factor.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "consult.urls"
ASGI_APPLICATION = "consult.asgi.application"
APPEND_SLASH = False
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "consult.frame.variables",
            ],
        },
    },
]

SQLITE_START = (
    # FULL: an acknowledgement must survive a power cut
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
)


def database(url: str, data: Path) -> dict[str, Any]:
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": data / "consult.sqlite3",
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": SQLITE_START},
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def channel_layer(url: str) -> dict[str, Any]:
    if not url:
        return {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
    # redis-py 8 times out idle reads after 5 s, exactly as long as the layer's blocking pop: ask for longer
    host = {"address": url, "socket_timeout": 15, "socket_connect_timeout": 5}
    return {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [host], "capacity": 1000}}


DATABASES = {"default": database(ENV.database_url, ENV.data)}
CHANNEL_LAYERS = {"default": channel_layer(ENV.redis_url)}

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/sign-in"
OTP_TOTP_ISSUER = "Consult"

SESSION_ENGINE = "secure.session_store"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_NAME = "__Host-consult" if ENV.secure else "consult"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.secure
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_NAME = "__Host-consult-csrf" if ENV.secure else "consult-csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "consult.views.errors.csrf_failure"

SECURE_CONTENT_TYPE_NOSNIFF = True
#: not "no-referrer": with that, browsers send `Origin: null` with our own forms, and the CSRF check refuses them
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 2 * 365 * 24 * 60 * 60 if ENV.secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENV.secure
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.proxy else None
X_FRAME_OPTIONS = "DENY"
#: what Django's own check asks for and we do otherwise: frames are refused by the content policy and `consult/middleware.py`; whoever
#: ends TLS sends people to https; a place in the browsers' preload list is the domain's owner to ask for
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W008", "security.W021"]
#: a sealed chunk and a room's tree both fit; larger bodies are refused by the server before they are read
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS: list[str] = []

CONTENT_SECURITY_POLICY = {"DIRECTIVES": policies.PAGE}

STATIC_URL = "/static/"
STATICFILES_DIRS: list[Path] = []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
# unhashed files are asked for again each time and answered by 304: an upgrade shows at once
WHITENOISE_MAX_AGE = 0
WHITENOISE_ALLOW_ALL_ORIGINS = False


def WHITENOISE_ADD_HEADERS_FUNCTION(headers: Any, _path: str, url: str) -> None:  # noqa: N802  whitenoise names it
    """The paper viewer's frame has an opaque origin: its script, style and fonts are a stranger's request, and no secret."""
    if "/consult/dist/viewer/" in url or "/consult/dist/fonts" in url or url.endswith("/viewer.css"):
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def WHITENOISE_IMMUTABLE_FILE_TEST(_path: str, url: str) -> bool:  # noqa: N802  whitenoise names it
    """Built files carry their hash in the name; the lists beside them do not."""
    return re.search(r"/consult/dist/.+-[A-Z0-9]{8}\.\w+$", url) is not None


LANGUAGE_CODE = "en"
LANGUAGES = [("en", gettext_lazy("English"))]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "consult.middleware.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}, "nowhere": {"class": "logging.NullHandler"}},
    "root": {"handlers": ["stderr"], "level": ENV.log_level},
    "loggers": {
        # Daphne tells at INFO which endpoint it configures; we say ourselves when we serve
        "daphne.server": {"level": "WARNING" if ENV.log_level == "INFO" else ENV.log_level},
        # anybody can send a foreign Host: a refusal, not an error with its traceback
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
        "django.server": {"handlers": ["nowhere"], "propagate": False},
    },
}
