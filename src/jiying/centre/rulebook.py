"""`/centre/rules`: which rule pack is in force, what it promises, what came before, what another one changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jiying.centre.moving import district_of, left_behind
from jiying.core.times import parse_rfc3339
from jiying.estates.queries import zone_of
from jiying.pages.gates import only
from jiying.people.scopes import scope_of
from jiying.rules import calendars, differing, loading, packs, words
from jiying.rules.pack import Calendar, Pack, PromiseRule


@dataclass(frozen=True, slots=True)
class Line:
    """One rule, as a row reads."""

    who: str
    way: str
    limit: str
    more: str
    origin: str


@dataclass(frozen=True, slots=True)
class Version:
    """One pack of the history: `when` is past, now, later or beside (valid, but another goes first)."""

    pack: Pack
    label: str
    when: str
    said: str
    at: Any
    by: str


@require_safe
@only("operator", "supervisor", "district", "town")
def rules(request: HttpRequest) -> HttpResponse:
    """The pack in force; with `?pack=NAME@VERSION` another one, and the difference in words."""
    scope = scope_of(request.user)
    district = district_of(scope)
    zone = zone_of(district)
    with timezone.override(zone):
        today = timezone.localdate()
        current = packs.in_force(today, district)
        mine = [pack for pack in packs.all_packs() if pack.district in (None, district)]
        shown = _asked(request.GET.get("pack", ""), mine) or current
        context = {
            "current": current,
            "shown": shown,
            "label": words.said(shown.label),
            "other": shown is not current,
            "behind": left_behind(current, district, scope) if shown is current else None,
            "changes": _changes(current, shown) if shown is not current else [],
            "promises": list(_promises(shown)),
            "ladders": [
                (words.promise(code, shown), list(_ladder(shown, code)))
                for code in dict.fromkeys(step.promise for step in shown.ladder)
            ],
            "pauses": [
                (words.said(reason.names), words.minutes(reason.max_min), _origin(reason.source, reason.assumption))
                for reason in shown.pauses.values()
            ],
            "silence": [
                (words.said(rule.names), words.minutes(rule.after_min), _origin(rule.source, rule.assumption))
                for rule in shown.silence
            ],
            "explanations": [
                (words.promise(code, shown), words.explanation(given), _origin(given.source, given.assumption))
                for code, given in shown.explanations.items()
            ],
            "hours": words.hours(shown.calendar),
            "hours_origin": _origin(shown.calendar.source, shown.calendar.assumption) if shown.calendar else "",
            "years": list(_years(shown.calendar, today)) if shown.calendar else [],
            "versions": list(_versions(mine, current, today)),
        }
        return render(request, "centre/rules.html", context)


def _asked(stamp: str, mine: Iterable[Pack]) -> Pack | None:
    """The pack asked for; None where none was (Http404: there is none of that name here)."""
    if not stamp:
        return None
    found = next((pack for pack in mine if pack.stamp == stamp), None)
    if found is None:
        raise Http404
    return found


def _changes(old: Pack, new: Pack) -> list[tuple[str, str, str, str]]:
    return [
        (words.promise(one.promise, new, old) if one.promise else "", one.what, one.before or "—", one.after or "—")
        for one in differing.changes(old, new)
    ]


def _promises(pack: Pack) -> Iterator[tuple[str, list[Line]]]:
    for code in dict.fromkeys(rule.promise for rule in pack.promises):
        rules_of = [rule for rule in pack.promises if rule.promise == code]
        yield words.promise(code, pack), [_line(rule, pack) for rule in rules_of]


def _line(rule: PromiseRule, pack: Pack) -> Line:
    more = [_("可以暂停") if rule.pausable else _("不能暂停")]
    if rule.rounds:
        more.append(_("返修后重新计时"))
    if rule.warn_before_min:
        more.append(_("到期前 %(time)s提醒") % {"time": words.minutes(rule.warn_before_min)})
    return Line(
        who=words.condition(rule.when, pack),
        way=words.way(rule),
        limit=words.limit(rule.limit),
        more=words.listed(more),
        origin=_origin(rule.source, rule.assumption),
    )


def _origin(source: str, assumption: bool) -> str:
    assumed = _("假设，无人确认") if assumption else ""
    return _("；").join(filter(None, (source, assumed)))


def _ladder(pack: Pack, promise: str) -> Iterator[tuple[str, str, str, str]]:
    """Of each rung: after what time, whom it tells, unless what, and what they read."""
    for rung in pack.ladder_for(promise):
        told = words.listed(words.AUDIENCES[who] for who in rung.tells)
        unless = words.MILESTONES[rung.unless] if rung.unless else ""
        yield words.minutes(rung.after_min), told, str(unless), words.said(rung.names)


def _years(calendar: Calendar, today: date) -> Iterator[tuple[int, str, bool]]:
    """This year and the next: where their holidays are known from, and whether they are."""
    for year in (today.year, today.year + 1):
        if calendar.table(year) is not None:
            yield year, _("节假日按规则包自己的表"), True
        elif calendars.library_knows(year):
            yield year, _("节假日和调休按国家公布的安排"), True
        else:
            yield year, _("节假日安排还不知道，暂按周一至周五计算；请在规则包里补上这一年的表"), False


def _versions(mine: Iterable[Pack], current: Pack, today: date) -> Iterator[Version]:
    loaded = {line.pack: line for line in loading.journal()}
    says = {"now": _("现行"), "past": _("已失效"), "later": _("尚未生效"), "beside": _("有效，但让位于现行规则包")}
    for pack in sorted(mine, key=lambda pack: (pack.valid_from, pack.stamp), reverse=True):
        when = _when(pack, current, today)
        line = loaded.get(pack.stamp)
        at = parse_rfc3339(line.at, "at") if line else None
        yield Version(pack, words.said(pack.label), when, says[when], at, line.by if line else "")


def _when(pack: Pack, current: Pack, today: date) -> str:
    if pack is current:
        return "now"
    if pack.valid_from > today:
        return "later"
    return "beside" if pack.covers(today) else "past"
