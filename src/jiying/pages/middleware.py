"""Language, large type and theme: asked for in the address, remembered in a cookie.

Pages are Chinese unless somebody chose otherwise; what the browser prefers does not count, since shared
machines in offices are often set up in a language their users do not read.  The REST interface has no page to
choose on, so there `Accept-Language` counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import translation

LANGUAGES = {"zh": "zh-hans", "en": "en"}
SWITCHES: dict[str, frozenset[str]] = {
    "lang": frozenset(LANGUAGES),
    "type": frozenset({"large", "normal"}),
    "theme": frozenset({"light", "dark", "auto"}),
}
_YEAR = 365 * 24 * 3600


class LanguageMiddleware:
    """Sets `request.switches` ({lang, type, theme}) and the active language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            asked, refusal = request.GET, None
        except TooManyFieldsSent as error:
            # What says so, in the asker's language, must not stumble over the query again.
            request.GET = asked = QueryDict()
            refusal = error
        chosen = {name: value for name in SWITCHES if (value := _allowed(name, asked.get(name)))}
        kept = {name: value for name in SWITCHES if (value := _allowed(name, request.COOKIES.get(f"jiying_{name}")))}
        switches: dict[str, str] = {**kept, **chosen}
        switches.setdefault("lang", _by_header(request) if request.path.startswith("/api/") else "zh")
        request.switches = switches  # type: ignore[attr-defined]
        with translation.override(LANGUAGES[switches["lang"]]):
            request.LANGUAGE_CODE = LANGUAGES[switches["lang"]]
            response = response_for_exception(request, refusal) if refusal else self.get_response(request)
            response.headers.setdefault("Content-Language", "en" if switches["lang"] == "en" else "zh-CN")
        for name, value in chosen.items():
            if kept.get(name) != value:
                response.set_cookie(
                    f"jiying_{name}", value, max_age=_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
                )
        return response


def _allowed(name: str, value: Any) -> str:
    return value if value in SWITCHES[name] else ""


def _by_header(request: HttpRequest) -> str:
    """zh or en, whichever the header names first; zh when it names neither."""
    weighed: list[tuple[float, str]] = []
    for part in request.headers.get("Accept-Language", "")[:200].split(","):
        tag, _, quality = part.strip().partition(";q=")
        language = tag.lower().partition("-")[0]
        if language in LANGUAGES:
            weighed.append((_number(quality), language))
    return max(weighed, key=lambda pair: pair[0], default=(1.0, "zh"))[1]


def _number(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
