"""What every page needs: demo flag, switches, the person's role, their rooms and what waits for them."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from jiying.pages.doors import rooms_of
from jiying.people.queries import main_role
from jiying.people.scopes import scope_of


def page(request: HttpRequest) -> dict[str, Any]:
    """Template context: `demo page_lang page_lang_tag page_type page_theme page_role page_rooms inbox_count`."""
    switches: dict[str, str] = getattr(request, "switches", {"lang": "zh"})
    theme = switches.get("theme", "auto")
    return {
        "demo": settings.DEMO,
        "page_lang": switches["lang"],
        "page_lang_tag": "en" if switches["lang"] == "en" else "zh-CN",
        "page_type": switches.get("type", "normal"),
        "page_theme": "" if theme == "auto" else theme,
        "page_role": SimpleLazyObject(partial(_role, request)),
        "page_rooms": SimpleLazyObject(partial(_rooms, request)),
        "inbox_count": SimpleLazyObject(partial(_inbox_count, request)),
    }


def _role(request: HttpRequest) -> str:
    """The role that names the person; "" for a stranger."""
    user = getattr(request, "user", None)
    return main_role(scope_of(user).roles) if user is not None and user.is_authenticated else ""


def _rooms(request: HttpRequest) -> list[dict[str, Any]]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    here = "/" + request.path.strip("/").partition("/")[0]
    return [
        {"href": href, "label": str(label), "current": request.path == href or (here == href and href != "/centre")}
        for href, label in rooms_of(scope_of(user).roles)
    ]


def _inbox_count(request: HttpRequest) -> int:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or find_spec("jiying.notices.queries") is None:
        return 0
    return int(import_module("jiying.notices.queries").open_count(user))
