"""What a promise's clock shows at one moment: how full the half ring is, and the words.

Pure.  `static/pages/js/clockface.js` says the same in the browser, and a test holds the two together.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.utils.functional import Promise as Lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _p

#: A clock is `soon` when less than this share of its limit is left.
SOON_SHARE = 1 / 3

PHRASES: dict[str, Lazy | str] = {
    "d": _("%(d)s 天 %(h)s 小时"),
    "h": _("%(h)s 小时 %(m)s 分"),
    "m": _("%(m)s 分"),
    "z": _("不到 1 分"),
    "running": _("还剩 %(t)s"),
    "late": _("超时 %(t)s"),
    "met": _("按时，用时 %(t)s"),
    "missed": _("晚了 %(t)s"),
    "unmet": _("没有做到"),
    "paused": _("已暂停"),
    "void": _("不计时"),
    "unit_d": _p("unit", "天"),
    "unit_h": _p("unit", "小时"),
    "unit_m": _p("unit", "分钟"),
    "cap_running": _p("caption", "还剩"),
    "cap_late": _p("caption", "已超时"),
    "cap_met": _p("caption", "按时，用时"),
    "cap_missed": _p("caption", "晚了"),
    "ago": _("%(m)s 分钟前"),
    "now": _("刚刚"),
}

#: The sign in the ring of each phase, as SVG path data in the ring's own 48 × 27 box.
SIGNS: dict[str, str] = {
    "running": "",
    "soon": "M24 23.5V14",
    "late": "M24 11v6.5M24 22v.6",
    "paused": "M20.8 13v9.5M27.2 13v9.5",
    "met": "M18.5 18l4 4 7.5-8.5",
    "missed": "M19.5 13l9 9M28.5 13l-9 9",
    "void": "M19 18.5h10",
}


@lru_cache(maxsize=4)
def _phrases(_language: str | None) -> dict[str, str]:
    return {key: str(text) for key, text in PHRASES.items()}


def phrase(key: str) -> str:
    """A phrase in the request's language; queues ask hundreds of times, so each language is translated once."""
    return _phrases(get_language())[key]


@dataclass(frozen=True, slots=True)
class Face:
    """How a clock looks now.

    `phase` is running, soon, late, paused, met, missed or void; `share` the filled part of the ring in
    percent; `words` the whole sentence; `number`, `unit` and `caption` the same in three parts for large
    rings (number and unit are empty where there is nothing to count).
    """

    phase: str
    share: int
    words: str
    number: str = ""
    unit: str = ""
    caption: str = ""


def duration(seconds: float) -> str:
    """A length of time in two units at most: 2 天 3 小时, 3 小时 20 分, 12 分, 不到 1 分."""
    minutes = int(seconds // 60)
    days, hours = divmod(minutes // 60, 24)
    if days >= 2:
        return phrase("d") % {"d": days, "h": hours}
    if minutes >= 60:
        return phrase("h") % {"h": minutes // 60, "m": minutes % 60}
    return phrase("m") % {"m": minutes} if minutes else phrase("z")


def in_one_unit(seconds: float) -> tuple[str, str]:
    """Number and unit for the middle of a large ring; whole units, rounded down."""
    minutes = int(seconds // 60)
    if minutes >= 48 * 60:
        return str(minutes // (24 * 60)), phrase("unit_d")
    if minutes >= 120:
        return str(minutes // 60), phrase("unit_h")
    return str(minutes), phrase("unit_m")


def face(
    state: str,
    from_at: datetime,
    due_at: datetime,
    reached_at: datetime | None,
    limit_minutes: float,
    now: datetime,
    *,
    ended: bool = False,
) -> Face:
    """How a clock in `state` (running, paused, met, missed, void) looks at `now`; all times aware.

    A running clock past its due time counts as late, whether or not anybody wrote it down.  `ended`: the
    order is over, so a promise that was missed and never reached counts no further.
    """
    limit = max(limit_minutes * 60, 1)
    left = (due_at - now).total_seconds()
    if state in ("paused", "void"):
        return Face(state, 0, phrase(state), caption=phrase(state))
    if state == "met" and reached_at is not None:
        spare = (due_at - reached_at).total_seconds()
        return _said("met", (reached_at - from_at).total_seconds(), _share(spare, limit))
    if reached_at is not None:
        return _said("missed", (reached_at - due_at).total_seconds(), 0)
    if left < 0 or state == "missed":
        if ended:
            return Face("missed", 0, phrase("unmet"), caption=phrase("unmet"))
        return _said("late", max(-left, 0), 100)
    return _said("soon" if left < limit * SOON_SHARE else "running", left, _share(left, limit))


def _share(seconds: float, limit: float) -> int:
    return max(0, min(100, int(100 * seconds / limit + 0.5)))


def _said(phase: str, seconds: float, share: int) -> Face:
    key = "running" if phase == "soon" else phase
    number, unit = in_one_unit(max(seconds, 0))
    words = phrase(key) % {"t": duration(max(seconds, 0))}
    return Face(phase, share, words, number, unit, phrase(f"cap_{key}"))


def phrases_json() -> str:
    """The phrases in the request's language, for the browser."""
    return json.dumps(_phrases(get_language()), ensure_ascii=False, separators=(",", ":"))
