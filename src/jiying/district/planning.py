"""`/district/planning`: what if there were other staff, other pools, more demand; asked by the district's officers.

A study runs as a job; its page follows it, and stays.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiying.core.errors import BadInput
from jiying.district import asking, studyshown
from jiying.estates.queries import zone_of
from jiying.exchange import studies
from jiying.pages.gates import only, signed_in
from jiying.people.scopes import scope_of
from jiying.planning import queries
from jiying.planning.models import Study
from jiying.planning.pools import POOLS

at_planning = only("district")


@require_http_methods(["GET", "HEAD", "POST"])
@at_planning
def planning(request: HttpRequest) -> HttpResponse:
    """The form, and what was asked before; `?from=` fills it in as an earlier question was."""
    district = min(scope_of(request.user).led, default="")
    known = queries.choices(district)
    if request.method != "POST":
        return _form(request, district, known, _values(request))
    sent = asking.asked(request.POST.dict(), known)  # type: ignore[arg-type]
    if sent.question is None:
        return _form(request, district, known, sent.values, sent.problems, status=422)
    try:
        study = studies.begin(district, sent.question, by=signed_in(request))
    except BadInput as error:
        return _form(request, district, known, sent.values, [error.detail], status=422)
    return redirect(f"/district/planning/{study.pk}")


@require_safe
@at_planning
def study(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """A study: how far it is, or what it found."""
    found = _found(request, study_id)
    with timezone.override(zone_of(found.district)):
        standing = studies.standing(found)
        context: dict[str, Any] = {
            "study": found,
            "summary": studyshown.summary_of(found.question),
            "standing": standing,
            "moving": standing.state in ("waiting", "running"),
            "stuck": standing.state == "failed" and not found.problem,
            "problem": studyshown.problem_of(found.problem) if found.problem else "",
            "searching": found.question["target"] is not None,
        }
        if found.answer:
            context |= _shown(found.answer, request.GET.get("sort", ""))
        return render(request, "district/study.html", context)


@require_POST
@at_planning
def again(request: HttpRequest, study_id: uuid.UUID) -> HttpResponse:
    """Take up a study that was broken off; a second click changes nothing."""
    found = _found(request, study_id)
    studies.again(found)
    return redirect(f"/district/planning/{found.pk}")


def _found(request: HttpRequest, study_id: uuid.UUID) -> Study:
    found = queries.found(request.user, study_id)
    if found is None:
        raise Http404
    return found


def _values(request: HttpRequest) -> dict[str, str]:
    try:
        earlier = queries.found(request.user, uuid.UUID(request.GET.get("from", "")))
    except ValueError:
        earlier = None
    return asking.shown(earlier.question) if earlier else asking.usual()


def _form(
    request: HttpRequest,
    district: str,
    known: queries.Choices,
    values: dict[str, str],
    problems: list[str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    with timezone.override(zone_of(district)):
        context = {
            "values": values,
            "problems": problems or [],
            "pools": [(pool, studyshown.POOL_NAMES[pool]) for pool in POOLS],
            "demands": [(one, _("和现在一样") if one == "1" else f"×{one}") for one in asking.DEMANDS],
            "days": asking.DAYS,
            "shifts": [f"{begin // 60:02}–{end // 60:02}" for begin, end in asking.SHIFTS],
            "staff": [
                (
                    studyshown.trade(skill),
                    [
                        (asking.name_of(skill, shift), values.get(asking.name_of(skill, shift), ""))
                        for shift in asking.SHIFTS
                    ],
                )
                for skill in known.skills
            ],
            "changed": any(name.startswith("staff-") for name in values) or bool(values.get("company")),
            "towns": known.towns,
            "companies": known.companies,
            "rows": [_row(one) for one in queries.latest(request.user)],
        }
        return render(request, "district/planning.html", context, status=status)


def _row(study: Study) -> dict[str, Any]:
    standing = studies.standing(study)
    tones = {"done": "tone-good", "failed": "tone-late", "running": "tone-brand", "waiting": "tone-soon"}
    return {
        "study": study,
        "summary": studyshown.summary_of(study.question),
        "word": studyshown.standing_word(standing.state),
        "tone": tones[standing.state],
        "percent": standing.percent if standing.state == "running" else None,
    }


def _shown(answer: dict[str, Any], sort: str) -> dict[str, Any]:
    told = answer["then"] or answer["today"]
    return {
        "about": answer["model"],
        "both": bool(answer["then"]),
        "today": studyshown.headline(answer["today"]),
        "then": studyshown.headline(told),
        "difference": studyshown.difference(answer["difference"]),
        "sentence": studyshown.sentence(told["finding"]),
        "sentence_today": studyshown.sentence(answer["today"]["finding"]) if answer["then"] else "",
        "causes": studyshown.causes(told),
        "towns": studyshown.towns(answer, sort),
        "map": studyshown.town_map(answer),
        "hours": studyshown.hours(answer),
        "pools": studyshown.pools(answer),
        "staffing": studyshown.staffing(answer),
        "days": answer["question"]["days"],
        "seed": answer["seed"],
    }
