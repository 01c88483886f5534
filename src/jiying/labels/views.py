"""`/labels`: choose an estate; `/labels/{id}`: its sheets, to print; `/labels/{id}/sheet.pdf`: as a file."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jiying.core.errors import BadInput, JiyingError
from jiying.core.phones import parse_phone, spaced
from jiying.estates.models import Estate
from jiying.estates.queries import find_places
from jiying.labels.pdf import pdf_of
from jiying.labels.sheets import AT_ONCE, KINDS, LAYOUTS, labels_of, says, sheets_of
from jiying.pages.gates import only

SHOWN = 30
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
for_offices = only("company", "manager", "committee", "town", "operator", "supervisor", "district")


@require_safe
@for_offices
def choose(request: HttpRequest) -> HttpResponse:
    """The estates one answers for; with `?q=` those that fit the words."""
    words = request.GET.get("q", "").strip()[:60]
    estates = Estate.objects.visible_to(request.user).select_related("town")
    if words:
        estates = estates.filter(pk__in=[place.pk for place in find_places(words, limit=200)])
    found = list(estates.order_by("name", "code")[: SHOWN + 1])
    context = {"estates": found[:SHOWN], "more": len(found) > SHOWN, "q": words}
    return render(request, "labels/choose.html", context)


@require_safe
@for_offices
def sheet(request: HttpRequest, estate_id: uuid.UUID) -> HttpResponse:
    """The sheets of an estate as they will be printed."""
    context, status = _context(request, _estate(request, estate_id))
    return render(request, "labels/sheet.html", context, status=status)


@require_safe
@for_offices
def pdf(request: HttpRequest, estate_id: uuid.UUID) -> HttpResponse:
    """The same as a PDF file; where that cannot be made, the page with the reason."""
    estate = _estate(request, estate_id)
    context, status = _context(request, estate)
    if status == 200:
        try:
            made = pdf_of(context)
        except JiyingError as error:
            context["problem"], status = error.detail, error.status
        else:
            answer = HttpResponse(made, content_type="application/pdf")
            answer.headers["Content-Disposition"] = f'attachment; filename="labels-{estate.pk}.pdf"'
            return answer
    return render(request, "labels/sheet.html", context, status=status)


def _estate(request: HttpRequest, estate_id: uuid.UUID) -> Estate:
    found = Estate.objects.visible_to(request.user).select_related("town").filter(pk=estate_id).first()
    if found is None:
        raise Http404
    return found


def _context(request: HttpRequest, estate: Estate) -> tuple[dict[str, Any], int]:
    """What page and file show, and the status: 422 when the telephone is none."""
    asked = request.GET
    kinds = [kind for kind in KINDS if kind in asked.getlist("what")] or list(KINDS)
    layout = LAYOUTS.get(asked.get("size", ""), LAYOUTS["21"])
    typed, phone, problem = asked.get("phone", "").strip()[:40], "", ""
    if typed:
        try:
            phone = spaced(parse_phone(typed, field="phone"))
        except BadInput as error:
            problem = error.detail
    origin = _origin(request)
    labels = labels_of(estate, kinds, origin)
    parts = max(1, -(-len(labels) // AT_ONCE))
    part = min(max(int(number), 1), parts) if (number := asked.get("part", "1")[:4]).isdecimal() else 1
    query = [("what", kind) for kind in kinds] + [("size", layout.code)] + ([("phone", typed)] if phone else [])
    context = {
        "estate": estate,
        "kinds": [(kind, _kind_word(kind), kind in kinds) for kind in KINDS],
        "sizes": [(code, _("每页 %(n)d 张") % {"n": one.per_sheet}) for code, one in LAYOUTS.items()],
        "layout": layout,
        "sheets": sheets_of(labels[(part - 1) * AT_ONCE : part * AT_ONCE], layout),
        "count": len(labels),
        "parts": [(n, urlencode([*query, ("part", n)])) for n in range(1, parts + 1)] if parts > 1 else [],
        "part": part,
        "query": urlencode([*query, ("part", part)]),
        "says": says(),
        "phone": phone,
        "typed": typed,
        "origin": origin,
        "only_here": urlsplit(origin).hostname in _THIS_MACHINE,
        "problem": problem,
    }
    return context, 422 if problem else 200


def _kind_word(kind: str) -> str:
    return {"estate": _("小区大门"), "buildings": _("各楼栋"), "rooms": _("各设备间")}[kind]


def _origin(request: HttpRequest) -> str:
    """Scheme and host as residents reach us: the public name where there is one, else as this page was asked for."""
    if settings.PUBLIC_NAMES:
        return f"https://{settings.PUBLIC_NAMES[0]}"
    return request.build_absolute_uri("/").rstrip("/")
