"""Exports: asking for one, seeing how far it is, and the file."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jiying.core.errors import BadInput, NotYours
from jiying.estates.queries import zone_of
from jiying.exchange import exports, jobs
from jiying.exchange.models import Export
from jiying.exchange.sources import source_of
from jiying.ledgers.gate import at_ledgers

KINDS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


@require_POST
@at_ledgers
def ask(request: HttpRequest) -> HttpResponseBase:
    """Ask for a table: a small one is the answer, a large one has a page that tells how far it is."""
    wanted = {name: request.POST.get(name, "") for name in ("kind", "query", "format")}
    try:
        export = exports.ask(
            request.user,  # type: ignore[arg-type]
            wanted["kind"],
            wanted["query"][:1000],
            wanted["format"] or "xlsx",
            language=get_language() or "zh-hans",
            origin=str(request.META.get("REMOTE_ADDR", ""))[:60],
        )
    except NotYours:
        raise PermissionDenied from None
    except BadInput as error:
        context = {"title": _("没有导出"), "error": error, "back": "/ledgers"}
        return render(request, "ledgers/refused.html", context, status=error.status)
    if export.job is None:
        return _file(request, export)
    return redirect(f"/ledgers/exports/{export.pk}")


@require_safe
@at_ledgers
def export(request: HttpRequest, export_id: uuid.UUID) -> HttpResponse:
    """How far an export is, and its file when it is there."""
    found = _found(request, export_id)
    with timezone.override(zone_of(found.district)):
        return render(request, "ledgers/export.html", {"export": found, **shown(found)})


@require_safe
@at_ledgers
def file(request: HttpRequest, export_id: uuid.UUID) -> HttpResponseBase:
    """The file."""
    found = _found(request, export_id)
    try:
        return _file(request, found)
    except BadInput as error:
        with timezone.override(zone_of(found.district)):
            context = {"export": found, **shown(found), "refused": error.detail}
            return render(request, "ledgers/export.html", context, status=410)


def _found(request: HttpRequest, export_id: uuid.UUID) -> Export:
    found = Export.objects.visible_to(request.user).filter(pk=export_id).first()
    if found is None:
        raise Http404
    return found


def _file(request: HttpRequest, export: Export) -> FileResponse:
    path = exports.file_for(request.user, export)  # type: ignore[arg-type]
    at = timezone.localtime(export.asked_at, zone_of(export.district))
    label = str(source_of(export.kind).label)
    answer = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=f"{label}-{at:%Y%m%d-%H%M}.{export.format}",
        content_type=KINDS[export.format],
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def shown(export: Export) -> dict[str, Any]:
    """An export as pages show it: its kind, where the same rows stand, its state with how far it is."""
    source = source_of(export.kind)
    standing = jobs.standing(export.job) if export.finished_at is None and not export.problem else None
    if export.finished_at is not None:
        state = "ready" if export.is_there else "expired"
    elif standing is None or standing.state == "failed":
        state = "failed"
    else:
        # Between its end and the word of it, a job that is over is still under way here.
        state = "running" if standing.state == "done" else standing.state
    return {
        "label": str(source.label),
        "page": f"{source.page}?{export.query}" if export.query else source.page,
        "state": state,
        "standing": standing,
        "moving": state in ("waiting", "running"),
    }
