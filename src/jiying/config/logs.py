"""Where the log goes, and one line for every request.

`JIYING_LOG` names a file (it may be moved away while we run); unset: stderr.  Lines are JSON, except where
stderr is a terminal.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from jiying.core import journal

log = logging.getLogger("jiying.request")

HEADER = "X-Request-ID"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
#: An id from in front of us is kept if it is one: 32 hex digits, with or without hyphens.
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def configuration() -> dict[str, Any]:
    """What `logging.config.dictConfig` takes.

    Raises:
        ImproperlyConfigured: JIYING_LOG cannot be written.
    """
    path = os.environ.get("JIYING_LOG", "")
    words = not path and sys.stderr is not None and sys.stderr.isatty()
    handler: dict[str, Any] = {"class": "logging.StreamHandler"}
    if path:
        try:
            Path(path).open("a").close()
        except OSError as error:
            raise ImproperlyConfigured(f"JIYING_LOG: {path} cannot be written: {error.strerror}.") from error
        handler = {"class": "logging.handlers.WatchedFileHandler", "filename": path, "encoding": "utf-8"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"jiying.core.journal.{'Words' if words else 'JsonLines'}"}},
        "filters": {"refusals": {"()": "jiying.core.journal.Refusals"}},
        "handlers": {"out": {**handler, "formatter": "line", "filters": ["refusals"]}},
        "root": {"handlers": ["out"], "level": "WARNING"},
        # Django comes with a handler of its own for what it does as a development server.
        "loggers": {
            "jiying": {"level": "INFO"},
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # What a visitor typed wrong is no news; what the program did wrong is.
            "django.request": {"level": "ERROR"},
            "axes": {"level": "ERROR"},
        },
    }


def request_id(given: str = "") -> str:
    """The id of a request: the one a web server in front gave it, or a new one."""
    return given if _ID.fullmatch(given) else uuid.uuid4().hex


def method_of(method: str | None) -> str:
    """The method, or `other`: it is the visitor's own word."""
    return method if method in _METHODS else "other"


def route_of(request: HttpRequest) -> str:
    """The pattern behind an address, never the address: that may hold tokens and words."""
    if request.resolver_match is not None:
        return f"/{request.resolver_match.route}"
    return "/static/" if request.path.startswith("/static/") else ""


class RequestLog:
    """Every answer carries `X-Request-ID`; every request but a static file's leaves one line that names it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        number, began = request_id(request.headers.get(HEADER, "")), time.perf_counter()
        with journal.circumstances(request=number, method=method_of(request.method)) as around:
            response = self.get_response(request)
            route = around["route"] = route_of(request)
            user = getattr(request, "_cached_user", None)
            if user is not None and user.is_authenticated:
                around.setdefault("user", str(user.pk))
            if route != "/static/" or response.status_code >= 400:
                facts = {"status": response.status_code, "ms": round((time.perf_counter() - began) * 1000, 1)}
                level = logging.WARNING if response.status_code >= 500 else logging.INFO
                log.log(level, "request", extra={"facts": facts})
        response.headers[HEADER] = number
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """From here on every line of the request knows its route: also the one that tells of a failure."""
        journal.note(route=route_of(request))
