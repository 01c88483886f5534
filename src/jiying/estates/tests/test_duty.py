"""On duty: by shifts, by what was switched since; and mandates with their days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from jiying.core.errors import BadInput
from jiying.estates.actions import give_mandate, switch_duty
from jiying.estates.duty import LONGEST, Hours, Switch, holds_until, is_on
from jiying.estates.models import DutyChange, Mandate
from jiying.estates.queries import mandated
from jiying.orders.tests.build import District, district

SHANGHAI = ZoneInfo("Asia/Shanghai")
EARLY, NIGHT = Hours(450, 990), Hours(1080, 1620)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        ([EARLY], "2026-11-24 10:00", "2026-11-24 16:30"),  # off for the rest of the shift
        ([EARLY], "2026-11-24 20:00", "2026-11-25 07:30"),  # on in the evening, until the next shift begins
        ([NIGHT], "2026-11-25 01:00", "2026-11-25 03:00"),  # a shift that began yesterday
        ([EARLY], "2026-11-24 16:20", "2026-11-25 07:30"),  # ten minutes early is the end of the day
        ([], "2026-11-24 10:00", "2026-11-25 02:00"),  # without shifts, sixteen hours
    ],
)
def test_a_switch_holds_until_the_shifts_turn(hours, at, until):
    assert holds_until(hours, local(at), SHANGHAI) == local(until)


def test_round_the_clock_a_switch_holds_until_midnight():
    assert holds_until([Hours(0, 1440)], local("2026-11-24 10:00"), SHANGHAI) == local("2026-11-25 00:00")


def test_the_latest_switch_counts_and_then_the_shifts_again():
    noon = local("2026-11-24 12:00")
    off = Switch(False, noon, noon + timedelta(hours=4))
    back = Switch(True, noon + timedelta(hours=1), noon + timedelta(hours=4))
    said = [is_on([EARLY], [off, back], noon + timedelta(minutes=minutes), SHANGHAI) for minutes in (-1, 0, 59, 60)]
    assert said == [True, False, False, True]
    assert not is_on([EARLY], [back], local("2026-11-24 16:30"), SHANGHAI)
    assert is_on([], [back], noon + timedelta(hours=2), SHANGHAI)
    assert is_on([EARLY], [off], noon.astimezone(UTC) - timedelta(minutes=1), SHANGHAI)


@pytest.fixture
def d(db: None) -> District:
    return district()


def test_each_switch_is_kept_with_who_made_it_and_until_when(d):
    at = local("2026-11-24 10:00")
    switch_duty(d.worker, False, by=d.users["worker"], at=at)
    switch_duty(d.worker, True, by=d.users["company"], at=at + timedelta(minutes=5))
    assert list(DutyChange.objects.order_by("at").values_list("on", "by__username", "until")) == [
        (False, "worker", local("2026-11-25 00:00")),
        (True, "company", local("2026-11-25 00:00")),
    ]
    assert not d.worker.on_duty(at + timedelta(minutes=1), SHANGHAI)
    assert d.worker.on_duty(at + timedelta(minutes=6), SHANGHAI)


@pytest.mark.parametrize("until", [timedelta(0), -timedelta(hours=1), LONGEST + timedelta(minutes=1)])
def test_a_switch_that_ends_before_it_begins_or_too_late_is_refused(d, until):
    at = local("2026-11-24 10:00")
    with pytest.raises(BadInput):
        switch_duty(d.worker, False, by=d.users["worker"], at=at, until=at + until)
    assert not DutyChange.objects.exists()


def test_a_town_may_have_two_stations_each_from_its_day_to_its_end(d):
    give_mandate(d.company, "station", d.town, since=date(2026, 1, 1))
    give_mandate(d.company2, "station", d.town, since=date(2026, 6, 1), until=date(2026, 9, 1))
    give_mandate(d.company2, "centre", d.division, since=date(2026, 1, 1))

    def on(day: date) -> list[tuple[str, str]]:
        rows = mandated([d.town.pk], [d.division.code], day)
        names = {d.company.pk: "one", d.company2.pk: "two"}
        return sorted((tier, names[company]) for _division, _code, tier, company in rows)

    assert on(date(2025, 12, 31)) == []
    assert on(date(2026, 5, 31)) == [("centre", "two"), ("station", "one")]
    assert on(date(2026, 6, 1)) == [("centre", "two"), ("station", "one"), ("station", "two")]
    assert on(date(2026, 9, 1)) == [("centre", "two"), ("station", "one")]
    assert mandated([d.town2.pk], [], date(2026, 6, 1)) == []


def test_a_mandate_fits_its_division_and_its_days(d):
    with pytest.raises(BadInput, match="服务站属于街镇"):
        give_mandate(d.company, "station", d.division, since=date(2026, 1, 1))
    with pytest.raises(BadInput, match="服务站属于街镇"):
        give_mandate(d.company, "centre", d.town, since=date(2026, 1, 1))
    with pytest.raises(BadInput, match="只有服务站"):
        give_mandate(d.company, "team", d.town, since=date(2026, 1, 1))
    with pytest.raises(BadInput, match="晚于"):
        give_mandate(d.company, "station", d.town, since=date(2026, 1, 1), until=date(2026, 1, 1))
    with pytest.raises(IntegrityError), transaction.atomic():
        Mandate.objects.create(
            company=d.company, tier="station", division=d.town, valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 1)
        )
