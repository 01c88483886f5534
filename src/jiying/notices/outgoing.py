"""By which channels somebody is told, when, and together with what.

Pure: tables and functions, no database and no clock.  docs/notices.md has the tables in words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

PERSONAL = ("email", "sms", "voice")
"""The channels a person may choose from; the inbox is not among them, since nobody can be without it."""

CALLED = frozenset({"escalate", "assign", "ask_centre"})
"""Kinds of notice that are worth a telephone call."""

LATER = frozenset({"follow_up", "complete", "reply"})
"""Promises about days: nobody is woken for them, even where the order was an emergency."""

GATHER_URGENT, GATHER = timedelta(seconds=20), timedelta(minutes=5)
"""How long the first message of its kind waits for others about the same estate, promise and step."""

ATTEMPTS = 6
FIRST_REST, LONGEST_REST = timedelta(seconds=15), timedelta(minutes=30)
DIGEST_HOUR = 8
"""The hour at which the day's digest goes out."""

#: What a resident who left a telephone is told of, by verb; the words stand in `wording`.
RESIDENT = frozenset({"report", "depart", "arrive", "breach", "explain", "note"})


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants to be told; the defaults are everybody's until they say otherwise.

    `phone` in E.164; `quiet_from` and `quiet_to` in minutes of the day.
    """

    email: str = ""
    phone: str = ""
    urgent: tuple[str, ...] = PERSONAL
    ordinary: tuple[str, ...] = ("email",)
    quiet_from: int = 22 * 60
    quiet_to: int = 7 * 60
    digest: str = "hour"
    language: str = "zh-hans"

    def reaches(self, channel: str) -> bool:
        """Whether there is an address for `channel`."""
        return bool(self.email if channel == "email" else self.phone)


def is_urgent(urgency: str, promise: str) -> bool:
    """Whether a notice breaks through quiet hours: those about an emergency that is still to be attended.

    >>> is_urgent("emergency", "respond_30"), is_urgent("emergency", "follow_up"), is_urgent("ordinary", "sign")
    (True, False, False)
    """
    return urgency == "emergency" and promise not in LATER


def channels_for(wish: Wish, kind: str, *, urgent: bool, ready: Iterable[str]) -> list[str]:
    """The channels by which somebody is told, of those that are `ready` (configured).

    >>> channels_for(Wish(email="a@b.cn", phone="+8613812345678"), "breach", urgent=True, ready=["email", "sms"])
    ['email', 'sms']
    """
    chosen = wish.urgent if urgent else wish.ordinary
    return [
        name
        for name in ready
        if name in chosen and wish.reaches(name) and (name != "voice" or (urgent and kind in CALLED))
    ]


def quiet_until(wish: Wish, at: datetime, zone: tzinfo) -> datetime | None:
    """When the quiet hours that hold at `at` end; None where none hold.

    >>> from zoneinfo import ZoneInfo
    >>> shanghai = ZoneInfo("Asia/Shanghai")
    >>> str(quiet_until(Wish(), datetime(2026, 3, 1, 23, 30, tzinfo=shanghai), shanghai))
    '2026-03-02 07:00:00+08:00'
    """
    start, end = wish.quiet_from, wish.quiet_to
    local = at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    inside = start <= minute < end if start < end else minute >= start or minute < end
    if start == end or not inside:
        return None
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    day = midnight if minute < end else midnight + timedelta(days=1)
    return day.replace(hour=end // 60, minute=end % 60)


def due(wish: Wish, at: datetime, zone: tzinfo, *, urgent: bool, on_duty: bool = False) -> datetime:
    """When a message made at `at` is to go out: urgent ones in a moment, others by digest, after the quiet hours.

    Who is on duty has none.
    """
    if urgent:
        return at + GATHER_URGENT
    wanted = _digest(wish.digest, at.astimezone(zone))
    return wanted if on_duty else quiet_until(wish, wanted, zone) or wanted


def _digest(digest: str, local: datetime) -> datetime:
    hour = local.replace(minute=0, second=0, microsecond=0)
    if digest == "hour":
        return hour + timedelta(hours=1)
    if digest == "day":
        today = hour.replace(hour=DIGEST_HOUR)
        return today if local <= today else today + timedelta(days=1)
    return local + GATHER


def parcel(wish: Wish, *, urgent: bool, recipient: str, estate: object, promise: str, step: str) -> str:
    """What a message may be put together with: its like about one estate, or all of a digest."""
    if not urgent and wish.digest != "now":
        return f"{recipient}:digest"
    return f"{recipient}:{'urgent' if urgent else 'ordinary'}:{estate}:{promise}:{step}"[:160]


def rest(attempts: int) -> timedelta:
    """How long a message rests after so many attempts: each time twice as long.

    >>> [rest(n).seconds for n in (1, 2, 3, 20)]
    [15, 30, 60, 1800]
    """
    return min(FIRST_REST * 2 ** min(attempts - 1, 12), LONGEST_REST)
