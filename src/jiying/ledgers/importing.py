"""Imports: upload a ledger, say which column is what, look at every row's verdict, write, take back."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiying.core import mapping as maps
from jiying.core.errors import JiyingError, NotYours
from jiying.core.mapping import MappingError, TableError
from jiying.estates.models import Estate
from jiying.estates.queries import zone_of
from jiying.exchange import actions, queries, runs, uploads
from jiying.exchange.models import Import, ImportKind, Stage, Verdict
from jiying.exchange.queries import Shown
from jiying.exchange.uploads import Upload
from jiying.ledgers.choosing import SYSTEMS, Choice, choice_of, sentences
from jiying.ledgers.gate import may_import
from jiying.pages.gates import signed_in
from jiying.pages.shown import category_name
from jiying.pages.words import word

VERBS = ("apply", "revert", "discard")
FIRST = 30
MOST_REJECTS = 100


@require_http_methods(["GET", "HEAD", "POST"])
@may_import
def upload(request: HttpRequest) -> HttpResponse:
    """What is brought in, and from which file."""
    kind = request.POST.get("kind", "")
    if request.method != "POST":
        return _upload_page(request, kind)
    file = request.FILES.get("file")
    if kind not in ImportKind.values or file is None or not file.name:
        return _upload_page(request, kind, [_("请选择要导入什么，并选一个文件。")], status=422)
    try:
        kept = uploads.keep(file.chunks(), file.name, kind=kind, by=signed_in(request))
        if not request.POST.get("map"):
            return _mapping_page(request, kept, choice_of(kept, {}))
        return _stage(request, kept, lambda: maps.load(request.POST["map"]))
    except (MappingError, TableError, JiyingError) as error:
        return _upload_page(request, kind, sentences(error), status=422)


@require_POST
@may_import
def mapping(request: HttpRequest) -> HttpResponse:
    """Which column is what, as it was clicked: look at another sheet, or judge the rows."""
    try:
        kept = uploads.found(request.POST.get("token", ""), by=signed_in(request))
        choice = choice_of(kept, request.POST.dict())  # type: ignore[arg-type]
    except (TableError, JiyingError) as error:
        return _upload_page(request, "", sentences(error), status=422)
    if request.POST.get("step") == "sheet":
        return _mapping_page(request, kept, choice)
    try:
        return _stage(request, kept, choice.mapping, sheet=choice.sample.sheet or None)
    except (MappingError, TableError, JiyingError) as error:
        return _mapping_page(request, kept, choice, sentences(error), status=422)


@require_safe
@may_import
def imported(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """An import: what was found in its rows, how far it is, what came of it."""
    return _imported_page(request, _found(request, import_id))


@require_POST
@may_import
def run(request: HttpRequest, import_id: uuid.UUID, verb: str) -> HttpResponse:
    """Do one of `VERBS`; a second click changes nothing."""
    found = _found(request, import_id)
    try:
        if verb == "discard":
            actions.discard(found.pk)
        elif verb == "revert" and not request.POST.get("sure"):
            return _imported_page(request, found, _("请先勾选确认，再撤销。"), status=422)
        else:
            runs.begin(found, verb)
    except JiyingError as error:
        return _imported_page(request, _found(request, import_id), sentences(error)[0], status=error.status)
    return redirect(f"/ledgers/imports/{found.pk}")


@require_safe
@may_import
def rejects(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """The rows that were not taken, each with its reason, to be mended and brought again."""
    found = _found(request, import_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rejects.csv"
        queries.write_rejects(found, path)
        answer = HttpResponse(path.read_bytes(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="rejects-{found.pk}.csv"'
    return answer


def _stage(
    request: HttpRequest, kept: Upload, mapping: Callable[[], maps.Mapping], *, sheet: str | None = None
) -> HttpResponse:
    try:
        found = actions.stage(
            kept.kind, kept.path, mapping(), by=signed_in(request), original_name=kept.original, sheet=sheet
        )
    except NotYours:
        raise PermissionDenied from None
    uploads.drop(kept)
    return redirect(f"/ledgers/imports/{found.pk}")


def _found(request: HttpRequest, import_id: uuid.UUID) -> Import:
    found = Import.objects.visible_to(request.user).select_related("by").filter(pk=import_id).first()
    if found is None:
        raise Http404
    return found


def _upload_page(
    request: HttpRequest, kind: str, problems: list[str] | None = None, *, status: int = 200
) -> HttpResponse:
    context = {
        "kinds": ImportKind.choices,
        "kind": kind or ImportKind.ORDERS,
        "maps": maps.shipped(),
        "endings": ",".join(uploads.ENDINGS),
        "problems": problems or [],
    }
    return render(request, "ledgers/upload.html", context, status=status)


def _mapping_page(
    request: HttpRequest, kept: Upload, choice: Choice, problems: list[str] | None = None, *, status: int = 200
) -> HttpResponse:
    context = {
        "upload": kept,
        "label": ImportKind(kept.kind).label,
        "choice": choice,
        "rows": choice.rows(),
        "systems": SYSTEMS,
        "problems": problems or [],
    }
    return render(request, "ledgers/mapping.html", context, status=status)


def _imported_page(request: HttpRequest, found: Import, refused: str = "", *, status: int = 200) -> HttpResponse:
    with timezone.override(zone_of(found.district)):
        context: dict[str, Any] = {
            "import": found,
            "codes": queries.codes(found),
            "first": _first(found),
            "rejects": [
                (row, _label(found, row.field))
                for row in queries.preview(found, verdict=Verdict.REJECT, first=MOST_REJECTS)
            ],
            "made": queries.made(found),
            "kept": queries.kept(found),
            "refused": refused,
            **shown(found),
        }
        return render(request, "ledgers/imported.html", context, status=status)


def _label(found: Import, name: str) -> str:
    """What people call one of our values."""
    return next((str(field.label) for field in queries.fields(found.kind) if field.name == name), name)


def _first(found: Import) -> list[tuple[Shown, list[tuple[str, str]]]]:
    """The first rows, with what each would write."""
    rows = queries.preview(found, first=FIRST)
    codes = {str(row.values["estate"]) for row in rows if row.values.get("estate")}
    estates = dict(Estate.objects.filter(code__in=codes).values_list("code", "name"))
    return [(row, _said(found, row, estates)) for row in rows]


def _said(found: Import, row: Shown, estates: dict[str, str]) -> list[tuple[str, str]]:
    """What a row would write, by the names people use; times on the district's clock."""
    said = []
    for field in queries.fields(found.kind):
        value = row.values.get(field.name)
        if value in (None, "", []):
            continue
        if field.time:
            at = parse_datetime(str(value))
            value = f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at is not None else value
        elif field.name == "category":
            value = category_name(str(value))
        elif field.name == "estate":
            value = estates.get(str(value), value)
        elif field.name in _WORDS and found.kind == ImportKind.ORDERS:
            value = word(_WORDS[field.name], str(value))
        said.append((str(field.label), "、".join(map(str, value)) if isinstance(value, list) else str(value)))
    return said


def shown(found: Import) -> dict[str, Any]:
    """How an import stands: what may be done with it, and how far a job is."""
    under_way = found.stage in (Stage.APPLYING, Stage.REVERTING)
    job = runs.job_of(found) if under_way else None
    done, total = queries.progress(found) if under_way else (0, 0)
    return {
        "moving": job is not None,
        "stuck": under_way and job is None,
        "done": done,
        "total": total,
        "percent": 100 * done // total if total else None,
        "tone": _TONES.get(found.stage, ""),
        "again": "apply" if found.stage == Stage.APPLYING else "revert",
    }


_WORDS = {"kind": "kind", "urgency": "urgency", "channel": "channel", "state": "ledger_state"}
"""The tables of words for the values of an imported order."""
_TONES = {
    Stage.STAGED: "tone-soon",
    Stage.APPLYING: "tone-brand",
    Stage.APPLIED: "tone-good",
    Stage.REVERTING: "tone-brand",
}
