"""What there is and who one is: the catalogue, the categories, /me, and the figures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router

from jiying.api import schemas
from jiying.api.answers import json_answer
from jiying.api.asking import SignedIn, asker
from jiying.api.listing import moment_of, text_of
from jiying.core.errors import BadInput, NotYours
from jiying.dispatch.recalling import standing
from jiying.estates.queries import the_district, zone_of
from jiying.orders.states import VERBS, roles_of
from jiying.orders.verbs import KINDS
from jiying.orders.wire import reference
from jiying.pages import words
from jiying.people.queries import main_role, memberships_of
from jiying.people.scopes import scope_of
from jiying.rules import packs
from jiying.rules.faults import NoPack
from jiying.rules.pack import Category, Pack
from jiying.rules.words import said
from jiying.supervision.days import midnight
from jiying.supervision.queries import BY, table

router = Router(tags=["about"])

_PERIOD = timedelta(days=30)


@router.get("/me", auth=SignedIn(), response=schemas.Me, summary="Who am I")
def me(request: HttpRequest) -> HttpResponse:
    """The user, what they are a member of today, and the role that reaches farthest."""
    user = asker(request)
    members = [
        {
            "role": member.role,
            "duty": member.duty,
            "organisation": reference(member.organisation.code, member.organisation.name)
            if member.organisation
            else None,
            "kind": member.organisation.kind if member.organisation else None,
            "estates": member.places,
            "valid_from": member.valid_from.isoformat(),
            "valid_to": member.valid_to.isoformat() if member.valid_to else None,
        }
        for member in memberships_of(user)
    ]
    named = {"id": str(user.pk), "username": user.username, "name": str(user)}
    return json_answer({"user": named, "memberships": members, "role": main_role(scope_of(user).roles)})


@router.get("/surge", auth=SignedIn(), response=schemas.Surges, summary="Whether there is more than people carry")
def surge(request: HttpRequest) -> HttpResponse:
    """For each district that one watches over: whether a surge runs, the load, and how many people to recall.

    For the centre and the district office; 403 for everybody else.
    """
    districts = scope_of(asker(request)).districts
    if not districts:
        raise NotYours(_("高峰情况只给指挥中心和区物管处看。"))
    found = [standing(district, timezone.now()).as_json() for district in sorted(districts)]
    return json_answer({"items": found, "next": None})


@router.get("/catalogue", response=schemas.Catalogue, summary="What there is to report and to say")
def catalogue(request: HttpRequest) -> HttpResponse:
    """By the rule pack in force today; names in the asker's language."""
    pack = _pack_today()
    return json_answer(
        {
            "kinds": [reference(kind, str(words.KINDS[kind])) for kind in KINDS],
            "categories": [_category(category) for category in pack.categories.values()],
            "verbs": [
                {**reference(verb, str(words.VERBS[verb].button)), "roles": sorted(roles_of(verb) - {"rule"})}
                for verb in VERBS
            ],
            "promises": [reference(code, said(names)) for code, names in pack.promise_names.items()],
            "pack": {
                "name": pack.name,
                "version": pack.version,
                "official": pack.official,
                "label": said(pack.label),
            },
        }
    )


@router.get("/categories", response=schemas.Categories, summary="The categories alone")
def categories(request: HttpRequest) -> HttpResponse:
    """As in the catalogue, as a list."""
    return json_answer({"items": [_category(row) for row in _pack_today().categories.values()], "next": None})


def _pack_today() -> Pack:
    district = the_district()
    return packs.in_force(timezone.now().astimezone(zone_of(district.code if district else "")))


def _category(category: Category) -> dict[str, Any]:
    return {
        "code": category.code,
        "name": said(category.names),
        "kind": category.kind,
        "default_urgency": category.default_urgency,
        "part": category.part,
        "safety": said(category.safety) if category.safety else None,
    }


def _before(until: datetime) -> datetime:
    """The usual period's beginning (BadInput `bad_time` where the calendar begins later)."""
    try:
        return until - _PERIOD
    except OverflowError as error:
        raise BadInput.of("to", "bad_time", _("时间超出了范围。")) from error


@router.get(
    "/figures",
    auth=SignedIn(),
    response=schemas.Figures,
    by_alias=True,
    openapi_extra=schemas.asks("from", "to", "by"),
    summary="How promises are kept",
)
def figures(request: HttpRequest) -> HttpResponse:
    """Of the asker's scope, for promises due from `from` up to but not including `to` (the last 30 days with today
    unless said), by `town`, `company`, `estate` or `committee`.  Whole days are answered soonest.  A share of
    nothing is null.
    """
    district = the_district()
    zone = zone_of(district.code if district else "")
    until = moment_of(request, "to", zone) or midnight(timezone.localdate(timezone=zone) + timedelta(days=1), zone)
    since = moment_of(request, "from", zone) or _before(until)
    by = text_of(request, "by") or "town"
    if by not in BY:
        choices = " ".join(BY)
        raise BadInput.of("by", "invalid", _("%(name)s 应为其中之一：%(choices)s") % {"name": "by", "choices": choices})
    if since >= until:
        raise BadInput.of("from", "bad_time", _("开始时间应早于结束时间。"))
    try:
        found = table(asker(request), since, until, by)
    except NoPack as error:
        raise BadInput.of("to", "bad_time", _("那时还没有规则包，请换一个时段。")) from error
    return json_answer({**found, "rows": [dict(row) for row in found["rows"]], "total": dict(found["total"])})
