"""When somebody is told, and by what: no database."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jiying.notices.outgoing import Wish, channels_for, due, parcel, quiet_until

SHANGHAI = ZoneInfo("Asia/Shanghai")
ALL = ("email", "sms", "voice")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-11-25 21:59", None),
        ("2026-11-25 22:00", "2026-11-26 07:00"),
        ("2026-11-25 23:59", "2026-11-26 07:00"),
        ("2026-11-26 00:00", "2026-11-26 07:00"),
        ("2026-11-26 06:59", "2026-11-26 07:00"),
        ("2026-11-26 07:00", None),
        ("2026-12-31 23:30", "2027-01-01 07:00"),
    ],
)
def test_quiet_hours_reach_over_midnight(now, end):
    assert quiet_until(Wish(), at(now), SHANGHAI) == (at(end) if end else None)


def test_quiet_hours_within_a_day_end_the_same_day():
    wish = Wish(quiet_from=12 * 60, quiet_to=14 * 60)
    assert quiet_until(wish, at("2026-11-25 13:00"), SHANGHAI) == at("2026-11-25 14:00")
    assert quiet_until(wish, at("2026-11-25 23:00"), SHANGHAI) is None


def test_the_same_time_twice_is_no_quiet_hours():
    assert quiet_until(Wish(quiet_from=60, quiet_to=60), at("2026-11-25 01:00"), SHANGHAI) is None


def test_the_hours_are_those_of_the_district_also_where_the_server_counts_otherwise():
    utc = at("2026-11-25 23:00").astimezone(ZoneInfo("UTC"))
    assert quiet_until(Wish(), utc, SHANGHAI) == at("2026-11-26 07:00")


def test_an_emergency_breaks_through_the_night_and_the_rest_waits_for_the_morning():
    night = at("2026-11-25 23:30")
    assert due(Wish(), night, SHANGHAI, urgent=True) - night < timedelta(minutes=1)
    assert due(Wish(), night, SHANGHAI, urgent=False) == at("2026-11-26 07:00")


@pytest.mark.parametrize(
    ("digest", "now", "when"),
    [
        ("hour", "2026-11-25 10:20", "2026-11-25 11:00"),
        ("hour", "2026-11-25 21:30", "2026-11-26 07:00"),
        ("day", "2026-11-25 07:59", "2026-11-25 08:00"),
        ("day", "2026-11-25 08:01", "2026-11-26 08:00"),
        ("now", "2026-11-25 10:20", "2026-11-25 10:25"),
    ],
)
def test_what_is_not_urgent_goes_by_the_digest_that_was_chosen(digest, now, when):
    assert due(Wish(digest=digest), at(now), SHANGHAI, urgent=False) == at(when)


def test_a_digest_takes_everything_and_what_is_urgent_only_its_like():
    base = {"recipient": "u", "estate": "E1", "promise": "respond_30", "step": "breach"}
    other = {**base, "estate": "E2"}
    assert parcel(Wish(), urgent=False, **base) == parcel(Wish(), urgent=False, **other)
    assert parcel(Wish(), urgent=True, **base) != parcel(Wish(), urgent=True, **other)
    assert parcel(Wish(digest="now"), urgent=False, **base) != parcel(Wish(digest="now"), urgent=True, **base)


def test_nobody_is_called_for_what_is_not_urgent_nor_without_a_number():
    known = Wish(email="a@b.cn", phone="+8613812345678", ordinary=ALL)
    assert channels_for(known, "escalate", urgent=True, ready=ALL) == ["email", "sms", "voice"]
    assert channels_for(known, "breach", urgent=True, ready=ALL) == ["email", "sms"]
    assert channels_for(known, "escalate", urgent=False, ready=ALL) == ["email", "sms"]
    assert channels_for(Wish(email="a@b.cn"), "escalate", urgent=True, ready=ALL) == ["email"]
    assert channels_for(known, "escalate", urgent=True, ready=["sms"]) == ["sms"]
