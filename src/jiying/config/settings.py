"""Settings, from the environment (contract: JIYING_*)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlparse

from django.core.exceptions import ImproperlyConfigured

from jiying.config import logs
from jiying.config.home import allowed_hosts, home, is_loopback, secret
from jiying.config.storage import storages_of
from jiying.config.vendor import SERVED as VENDOR
from jiying.people.nights import night_hours

HOME = home()
HOST = os.environ.get("JIYING_HOST") or "127.0.0.1"
try:
    PORT = int(os.environ.get("JIYING_PORT") or 8030)
except ValueError as error:
    raise ImproperlyConfigured("JIYING_PORT must be a number from 0 to 65535.") from error
DEMO = os.environ.get("JIYING_DEMO", "") not in ("", "0")
try:
    NIGHT = night_hours(os.environ.get("JIYING_NIGHT") or "17:30-08:30")
except ValueError as error:
    raise ImproperlyConfigured("JIYING_NIGHT must be hours that cross midnight, for example 17:30-08:30.") from error
PUBLIC_RATE = os.environ.get("JIYING_PUBLIC_RATE") or "30/min"
REDIS_URL = os.environ.get("JIYING_REDIS_URL") or ""
"""What passes signals on between processes; empty: PostgreSQL does, where that is the database."""

if DEMO and not is_loopback(HOST):
    raise ImproperlyConfigured(
        f"JIYING_DEMO signs anybody in with one click, so it is refused on {HOST}: use a loopback host or unset it."
    )

SECRET_KEY = secret("secret-key", "JIYING_SECRET_KEY")
try:
    DATA_KEY = bytes.fromhex(secret("data-key", "JIYING_DATA_KEY", 16))
except ValueError as error:
    raise ImproperlyConfigured("JIYING_DATA_KEY must be 32 hex digits (16 bytes).") from error
if len(DATA_KEY) != 16:
    raise ImproperlyConfigured("JIYING_DATA_KEY must be 32 hex digits (16 bytes).")
DEBUG = False
PUBLIC_NAMES = [name for name in os.environ.get("JIYING_ALLOWED_HOSTS", "").split(",") if name]
"""Names under which a web server in front reaches us, over TLS."""
ALLOWED_HOSTS = [*PUBLIC_NAMES, *allowed_hosts(HOST, bool(PUBLIC_NAMES))]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("JIYING_TRUSTED_ORIGINS", "").split(",") if o]

ROOT_URLCONF = "jiying.config.urls"
WSGI_APPLICATION = "jiying.config.wsgi.application"
ROOMS = (
    "people", "estates", "orders", "dispatch", "notices", "supervision", "planning", "exchange", "pages",
    "resident", "worker", "desk", "centre", "district", "ledgers", "labels", "api", "live", "simulation",
)  # fmt: skip
INSTALLED_APPS = [
    *(f"jiying.{room}" for room in ROOMS),
    "jiying.config.backoffice.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "axes",
    "django_tasks",
    "django_tasks_db",
]
MIDDLEWARE = [
    "jiying.config.logs.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "jiying.config.security.ContentSecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "jiying.pages.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "jiying.pages.context.page",
            ]
        },
    }
]


def database(url: str) -> dict[str, Any]:
    """Django's settings for a database URL: `sqlite:///PATH` (four slashes: absolute) or `postgresql://USER:PASSWORD@HOST:PORT/NAME`."""
    parts = urlparse(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "jiying.config.sqlite",
            "NAME": unquote(parts.path.removeprefix("/")),
            # What tidying finds of how tables are filled is read when a connection opens.
            "CONN_MAX_AGE": 3600,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-32000;",
            },
            # A file, so that threads of a test see one database as they do in service.
            "TEST": {"NAME": str(HOME / "test.sqlite3")},
        }
    if parts.scheme in ("postgresql", "postgres"):
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            # Threads are few and stay, so each keeps its connection; a pool in between would only add a step.
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),
            "TEST": {"NAME": f"test_jiying_{os.environ.get('JIYING_TEST_RUN', '0')}"},
        }
    raise ImproperlyConfigured(f"JIYING_DATABASE_URL: {parts.scheme!r} is neither sqlite nor postgresql.")


DATABASES = {
    "default": database(os.environ.get("JIYING_DATABASE_URL") or f"sqlite:///{quote(str(HOME / 'jiying.sqlite3'))}")
}
TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        "QUEUES": ["default", "slow"],
        "OPTIONS": {"id_function": "jiying.core.ids.uuid7"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["jiying.config.security.LeanArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "jiying.pages.accounts.ClosedSignUp"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "jiying.pages.views.too_many"
SILENCED_SYSTEM_CHECKS = ["axes.W003", "account.W001"]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
# Rooms are apps and bring their texts; core and rules have no models and are none.
LOCALE_PATHS = [Path(__file__).resolve().parent.parent / room / "locale" for room in ("core", "rules")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

STATIC_URL = "/static/"
STATICFILES_DIRS = [("vendor", VENDOR)] if VENDOR.exists() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 300
# Addresses of browser libraries carry the version; ours do not.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/vendor/"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(PUBLIC_NAMES) or not is_loopback(HOST)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "jiying.pages.views.error_csrf"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
STORAGES = storages_of(os.environ.get("JIYING_STORAGE_URL") or "", HOME)

LOGGING = logs.configuration()
