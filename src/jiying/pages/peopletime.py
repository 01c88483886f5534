"""Times as people say them: 12 分钟前, 今天 14:05, 11月3日 14:05.  Pure, but for the language."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.dates import MONTHS_3
from django.utils.translation import gettext_lazy as _

from jiying.pages.clockface import phrase

_TODAY = _("今天 %(time)s")
_YESTERDAY = _("昨天 %(time)s")
_TOMORROW = _("明天 %(time)s")
_THIS_YEAR = _("%(month)s月%(day)s日 %(time)s")
_ANY_YEAR = _("%(year)s年%(month)s月%(day)s日 %(time)s")


def people_time(at: datetime, now: datetime | None = None, *, ago: bool = True) -> str:
    """How people would say `at` (aware) in the active time zone; `ago` allows "12 分钟前" within the hour.

    >>> # at 14:05 of today, asked at 18:00: 今天 14:05
    """
    now = now or timezone.now()
    passed = (now - at).total_seconds()
    if ago and 0 <= passed < 3600:
        minutes = int(passed // 60)
        return phrase("ago") % {"m": minutes} if minutes else phrase("now")
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    names: dict[str, object] = {
        "time": f"{local:%H:%M}",
        "day": local.day,
        "month": local.month,
        "year": local.year,
    }
    days = {0: _TODAY, -1: _YESTERDAY, 1: _TOMORROW}
    text = days.get((local.date() - today).days)
    if text is None:
        text = _THIS_YEAR if local.year == today.year else _ANY_YEAR
        names["month_name"] = str(MONTHS_3[local.month]).capitalize()
    return str(text) % names


def exact_time(at: datetime) -> str:
    """The exact local time with its offset, for titles: 2026-11-24 14:05:09 +0800."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %z}"
