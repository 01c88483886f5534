"""Times at the doors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiying.core.errors import BadInput
from jiying.core.times import floor_day, minutes_between, parse_rfc3339, rfc3339

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 24, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T12:05:00+08:00",
        "2026-11-24T04:05:00Z",
        "2026-11-24t04:05:00z",
        "2026-11-24 04:05:00.000+00:00",
        "2026-11-24T12:05+08:00",
        " 2026-11-23T23:05:00.000000-05:00 ",
    ],
)
def test_one_moment_in_many_spellings(text):
    assert parse_rfc3339(text, "at") == NOON


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        1764000000,
        NOON,
        "2026-11-24",
        "2026-W48-2T04:05:00Z",
        "20261124T040500Z",
        "2026-02-30T00:00:00Z",
        "2026-11-24T25:00:00Z",
        "２０２６-11-24T04:05:00Z",
        "0001-01-01T00:00:00+08:00",
        "9999-12-31T23:59:59-08:00",
        "2026-11-24T04:05:00Z" + " " * 100,
        "2026-11-24T04:05:00\x00Z",
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(BadInput) as caught:
        parse_rfc3339(text, "at")
    assert caught.value.first_code == "bad_time"
    assert caught.value.errors[0].field == "at"


def test_a_time_without_offset_is_refused_and_told_so():
    with pytest.raises(BadInput, match="时区"):
        parse_rfc3339("2026-11-24T12:05:00", "at")


@given(
    st.integers(-2_208_902_400, 253_402_128_000).map(
        lambda second: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    ),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_a_time_written_is_read_again(at, zone):
    assert parse_rfc3339(rfc3339(at, zone), "at") == at


def test_microseconds_are_written_only_where_there_are_any():
    assert rfc3339(NOON) == "2026-11-24T04:05:00+00:00"
    assert rfc3339(NOON, SHANGHAI) == "2026-11-24T12:05:00+08:00"
    assert rfc3339(NOON.replace(microsecond=5)) == "2026-11-24T04:05:00.000005+00:00"


def test_a_naive_time_is_never_written():
    with pytest.raises(ValueError, match="no time zone"):
        rfc3339(NOON.replace(tzinfo=None), SHANGHAI)


def test_a_day_begins_at_the_midnight_of_its_zone():
    late = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)
    assert floor_day(late, SHANGHAI) == datetime(2026, 11, 24, tzinfo=SHANGHAI)
    assert floor_day(late, UTC) == datetime(2026, 11, 23, tzinfo=UTC)


def test_a_day_of_daylight_saving_begins_at_its_own_midnight():
    new_york = ZoneInfo("America/New_York")
    after_the_change = datetime(2023, 3, 12, 20, 0, tzinfo=new_york)
    assert floor_day(after_the_change, new_york).astimezone(UTC) == datetime(2023, 3, 12, 5, tzinfo=UTC)


def test_minutes_between_two_moments():
    assert minutes_between(NOON, NOON + timedelta(seconds=90)) == 1.5
    assert minutes_between(NOON, NOON - timedelta(hours=1)) == -60
