"""Times as ledgers write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jiying.core.mapping.moments import read_moment

AT = datetime(2019, 4, 25, 9, 32, 9)  # noqa: DTZ001 - as it is written


@pytest.mark.parametrize(
    "text",
    [
        "2019/4/25 9:32:09",
        "2019-04-25 09:32:09",
        "2019-04-25T09:32:09",
        "2019.4.25 9:32:09",
        "2019年4月25日9时32分9秒",
        "2019年4月25日 9：32：09",
        "2019/4/25 上午 9:32:09",
        "2019/4/25 上午9:32:09",
        "2019/4/25 9:32:09 AM",
        "２０１９/4/25 9:32:09",
        "43580.3973263889",
    ],
)
def test_one_column_may_write_the_same_time_in_many_ways(text):
    assert read_moment(text, ["zh", "excel"]) == AT


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2019/4/25 下午3:05", 15),
        ("2019/4/25 下午 12:05", 12),
        ("2019/4/25 上午12:05", 0),
        ("2019/4/25 3:05 PM", 15),
        ("2019/4/25 晚上9:05", 21),
        ("2019/4/25 下午15:05", 15),
        ("2019/4/25 15:05", 15),
    ],
)
def test_a_twelve_hour_clock_is_understood(text, hour):
    assert read_moment(text, ["zh"]) == datetime(2019, 4, 25, hour, 5)  # noqa: DTZ001


def test_a_pattern_of_their_own_stands_beside_real_dates_and_chinese_halves():
    forms = ["%m/%d/%Y %I:%M:%S %p"]
    assert read_moment("04/25/2019 09:32:09 AM", forms) == AT
    assert read_moment("04/25/2019 09:32:09 上午", forms) == AT
    # What a real date of a spreadsheet becomes.
    assert read_moment("2019-04-25T09:32:09", forms) == AT
    assert read_moment("2019-04-25T09:32:09+00:00", forms) == AT.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "昨天",
        "25/4/2019",
        "2019/13/1",
        "2019/2/30",
        "2019/4/25 25:00",
        "2019/4/25 上午13:05",
        "0",
        "99999999",
        "三点",
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        read_moment(text, ["zh", "excel"])


def test_a_number_is_a_day_only_where_the_mapping_says_so():
    with pytest.raises(ValueError):
        read_moment("43580.5", ["zh"])
