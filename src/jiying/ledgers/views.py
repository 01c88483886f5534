"""`/ledgers`: the tables somebody brought in and took out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jiying.estates.queries import the_district, zone_of
from jiying.exchange import queries
from jiying.exchange.models import Export
from jiying.ledgers import importing
from jiying.ledgers.exporting import shown
from jiying.ledgers.gate import IMPORTING, at_ledgers
from jiying.pages.gates import signed_in
from jiying.people.scopes import scope_of

SHOWN = 30


@require_safe
@at_ledgers
def ledgers(request: HttpRequest) -> HttpResponse:
    """The latest imports and exports of whoever asks."""
    rows = list(Export.objects.visible_to(request.user).order_by("-asked_at")[:SHOWN])
    context: dict[str, Any] = {"exports": [(row, shown(row)) for row in rows]}
    context["may_import"] = bool(IMPORTING & scope_of(request.user).roles)
    found = queries.imports(signed_in(request))[:SHOWN]
    context["imports"] = [(row, importing.shown(row)) for row in found]
    context["moving"] = any(more["moving"] for _row, more in [*context["exports"], *context["imports"]])
    with timezone.override(zone_of(getattr(the_district(), "code", ""))):
        return render(request, "ledgers/ledgers.html", context)
