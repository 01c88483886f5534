"""`/desk/roster`: who of an organisation is on duty in which night of a week, and the forms that fill it.

Everything is a plain form; what is refused comes back with what was chosen.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jiying.core.errors import BadInput
from jiying.estates.models import Contract, Estate
from jiying.estates.queries import nights_of
from jiying.pages.gates import only, signed_in
from jiying.pages.words import word
from jiying.people import rosters
from jiying.people.actions import copy_duties, put_on_duty, take_off_duty
from jiying.people.models import NightDuty, User
from jiying.people.nights import Nights
from jiying.people.rosters import Keeper
from jiying.people.scopes import scope_of

keepers = only("company", "manager", "committee", "town", "operator", "supervisor", "district")
WEEK = timedelta(days=7)
MOST_WEEKS = 5
"""Of one filling: a month."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose roster, and which week (its Monday)."""

    keeper: Keeper
    nights: Nights
    monday: date
    others: list[Keeper]

    @property
    def url(self) -> str:
        return self.of(self.monday)

    def of(self, monday: date, keeper: Keeper | None = None) -> str:
        return f"/desk/roster?body={(keeper or self.keeper).organisation.pk}&week={monday}"

    def rows(self, monday: date) -> list[NightDuty]:
        """The lines of a week's nights: those that begin in them."""
        start, end = self.nights.night(monday)[0], self.nights.night(monday + WEEK - timedelta(days=1))[1]
        found = rosters.between([self.keeper.organisation.pk], start, end)
        days = {monday + timedelta(days=n) for n in range(7)}
        return [row for row in found if self.night_of(row) in days]

    def night_of(self, row: NightDuty) -> date:
        """The night that shows a line; one in working hours stands with the evening after."""
        return self.nights.of(row.starts_at) or row.starts_at.astimezone(self.nights.zone).date()

    def may_change(self, row: NightDuty) -> bool:
        """Whether it is theirs: who is bound to estates changes lines for these alone."""
        bound = self.keeper.places
        return not bound or (bool(row.places) and bound.issuperset(row.places))


@dataclass(frozen=True, slots=True)
class Line:
    row: NightDuty
    hours: str
    estates: str
    gone: bool
    removable: bool


@dataclass(slots=True)
class Night:
    """A night of the page: for each duty its lines, and whether it has a gap."""

    day: date
    begins: datetime
    ends: datetime
    whole_day: bool
    over: bool
    duties: list[tuple[str, list[Line], bool]] = field(default_factory=list)


@require_safe
@keepers
def show(request: HttpRequest) -> HttpResponse:
    """The roster of a week."""
    return _page(request, _asked(request, request.GET))


@require_POST
@keepers
def fill(request: HttpRequest) -> HttpResponse:
    """Put people (`person`) on `duty` for nights (`night`) of the week, and of `weeks` in all."""
    asked, post = _asked(request, request.POST), request.POST
    try:
        done = put_on_duty(
            asked.keeper.organisation,
            post.get("duty", ""),
            _people(post.getlist("person")),
            _spans(asked, post),
            places=_places(asked, post.getlist("place")),
            by=signed_in(request),
        )
    except BadInput as error:
        return _page(request, asked, refused=error, status=error.status)
    said = _("已排 %(n)d 班。") % {"n": done.made}
    if done.kept:
        said += _("%(n)d 班原来就有，没有重复。") % {"n": done.kept}
    messages.success(request, said)
    return redirect(asked.url)


@require_POST
@keepers
def copy(request: HttpRequest) -> HttpResponse:
    """Take over the week before."""
    asked = _asked(request, request.POST)
    now = timezone.now()
    before = [row for row in asked.rows(asked.monday - WEEK) if asked.may_change(row) and row.ends_at + WEEK > now]
    done = copy_duties(asked.keeper.organisation, before, asked.nights, by=signed_in(request))
    if not before:
        messages.error(request, _("上一周没有排班，没有可照抄的。"))
    else:
        said = _("已照上一周排 %(n)d 班。") % {"n": done.made}
        if done.kept:
            said += _("%(n)d 班没有照抄：已经有安排，或人已离开。") % {"n": done.kept}
        messages.success(request, said)
    return redirect(asked.url)


@require_POST
@keepers
def take_off(request: HttpRequest) -> HttpResponse:
    """Take a line (`row`) out; one that somebody took out before is no mistake."""
    asked = _asked(request, request.POST)
    pk = _uuid(request.POST.get("row", ""))
    row = NightDuty.objects.filter(organisation=asked.keeper.organisation, pk=pk).first() if pk else None
    if row is not None and not asked.may_change(row):
        raise Http404
    try:
        if row is not None:
            take_off_duty(row)
    except BadInput as error:
        return _page(request, asked, refused=error, status=error.status)
    messages.success(request, _("已撤下。") if row is not None else _("这一班已经撤下了。"))
    return redirect(asked.url)


def _asked(request: HttpRequest, data: QueryDict) -> Asked:
    """Another organisation's roster is not there; a week that is none is the present one."""
    kept = rosters.kept_by(scope_of(request.user))
    if not kept:
        raise PermissionDenied
    wanted = data.get("body", "")
    keeper = next((one for one in kept if str(one.organisation.pk) == wanted), None) if wanted else kept[0]
    if keeper is None:
        raise Http404
    nights = nights_of(keeper.organisation.district)
    day = _day(data.get("week", "")) or _tonight(nights)
    return Asked(keeper, nights, day - timedelta(days=day.weekday()), kept)


def _tonight(nights: Nights) -> date:
    now = timezone.now()
    return nights.of(now) or now.astimezone(nights.zone).date()


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and 2000 <= day.year <= 2100 else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _people(ids: list[str]) -> list[User]:
    wanted = {pk for one in ids[:100] if (pk := _uuid(one)) is not None}
    return list(User.objects.filter(pk__in=wanted).order_by("name", "pk"))


def _spans(asked: Asked, post: QueryDict) -> list[tuple[datetime, datetime]]:
    """The times that a form means.

    Raises:
        BadInput: `bad_night`, `over`, `bad_time` (hours that are none, or only one of them), `ends_before`,
            `not_at_night`.
    """
    text = post.get("weeks") or "1"
    weeks = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0
    week = {str(asked.monday + timedelta(days=n)): asked.monday + timedelta(days=n) for n in range(7)}
    chosen = post.getlist("night")
    if not 1 <= weeks <= MOST_WEEKS or any(one not in week for one in chosen):
        raise BadInput.of("night", "bad_night", _("页面不完整，请刷新后再试。"))
    days = [week[one] + n * WEEK for n in range(weeks) for one in dict.fromkeys(chosen)]
    hours = _minute(post.get("from", "")), _minute(post.get("to", ""))
    if (hours[0] is None) != (hours[1] is None):
        raise BadInput.of("from", "bad_time", _("只值一段时间的话，请把开始和结束都填上。"))
    spans = []
    for day in days:
        night = asked.nights.night(day)
        span = night if hours[0] is None or hours[1] is None else asked.nights.part(day, hours[0], hours[1])
        if span[1] <= span[0]:
            raise BadInput.of("to", "ends_before", _("值班的结束时间早于开始时间。"))
        if span[0] < night[0] or span[1] > night[1]:
            raise BadInput.of("from", "not_at_night", _("这段时间不在夜间值班的时间里。"))
        if span[1] <= timezone.now():
            raise BadInput.of("night", "over", _("有的夜晚已经过去，不能再排。"))
        spans.append(span)
    return spans


def _minute(text: str) -> int | None:
    if not text:
        return None
    hour, _colon, minute = text.partition(":")
    if not (
        text.isascii() and len(text) == 5 and hour.isdigit() and minute.isdigit() and hour < "24" and minute < "60"
    ):
        raise BadInput.of("from", "bad_time", _("时间应写成 23:00 这样。"))
    return int(hour) * 60 + int(minute)


def _places(asked: Asked, chosen: list[str]) -> list[str]:
    """The estates a line is for: those chosen, else all; for who is bound to some, theirs."""
    offered = {estate.code for estate in _estates(asked)}
    if not offered.issuperset(chosen):
        raise BadInput.of("place", "unknown_estate", _("有的小区不由本单位服务。"))
    return sorted(set(chosen) or asked.keeper.places)


def _estates(asked: Asked) -> list[Estate]:
    """The estates a line may be narrowed to: those a company serves today, or a manager's own."""
    if asked.keeper.organisation.kind != "company":
        return []
    if asked.keeper.places:
        return list(Estate.objects.filter(code__in=asked.keeper.places).order_by("name"))
    served = Contract.objects.valid_on(timezone.localdate()).filter(company__organisation=asked.keeper.organisation)
    return list(Estate.objects.filter(pk__in=served.values("estate_id")).order_by("name"))


def _page(request: HttpRequest, asked: Asked, *, refused: BadInput | None = None, status: int = 200) -> HttpResponse:
    body, today = asked.keeper.organisation, _tonight(asked.nights)
    estates, people = _estates(asked), rosters.people(body, timezone.localdate())
    nights = _nights(asked, {estate.code: estate.name for estate in estates}, dict(people), today)
    chosen = request.POST if refused is not None else QueryDict()
    context: dict[str, Any] = {
        "asked": asked,
        "body": body,
        "others": [(one.organisation.name, asked.of(asked.monday, one), one == asked.keeper) for one in asked.others],
        "nights": nights,
        "sunday": asked.monday + timedelta(days=6),
        "back": asked.of(asked.monday - WEEK),
        "on": asked.of(asked.monday + WEEK),
        "present": asked.of(today - timedelta(days=today.weekday())),
        "is_present": asked.monday <= today < asked.monday + WEEK,
        "open": [night for night in nights if not night.over],
        "people": people,
        "duties": [(duty, word("night_duty", duty)) for duty in rosters.BY_KIND.get(body.kind, ())],
        "estates": estates,
        "weeks": range(1, MOST_WEEKS + 1),
        "chosen": {name: chosen.getlist(name) for name in ("person", "night", "place", "duty", "weeks", "from", "to")},
        "refused": refused,
    }
    with timezone.override(asked.nights.zone):
        return render(request, "desk/roster.html", context, status=status)


def _nights(asked: Asked, names: dict[str, str], here: dict[User, tuple[str, ...]], today: date) -> list[Night]:
    body, now = asked.keeper.organisation, timezone.now()
    days = [asked.monday + timedelta(days=n) for n in range(7)]
    coming = [day for day in days if day >= today]
    gaps = (
        {(gap.night, gap.duty) for gap in rosters.gaps([body], asked.nights, coming[0], len(coming))} if coming else ()
    )
    rows = asked.rows(asked.monday)
    found = []
    for day in days:
        begins, ends = asked.nights.night(day)
        night = Night(day, begins, ends, (ends - begins) >= timedelta(days=1), ends <= now)
        for duty in rosters.BY_KIND.get(body.kind, ()):
            lines = [
                Line(
                    row,
                    "" if (row.starts_at, row.ends_at) == (begins, ends) else _hours(row, asked.nights),
                    "、".join(names.get(code, code) for code in row.places),
                    duty not in here.get(row.user, ()),
                    asked.may_change(row) and row.ends_at > now,
                )
                for row in rows
                if row.duty == duty and asked.night_of(row) == day
            ]
            night.duties.append((word("night_duty", duty), lines, (day, duty) in gaps))
        found.append(night)
    return found


def _hours(row: NightDuty, nights: Nights) -> str:
    return f"{row.starts_at.astimezone(nights.zone):%H:%M}–{row.ends_at.astimezone(nights.zone):%H:%M}"
