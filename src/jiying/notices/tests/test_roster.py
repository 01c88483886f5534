"""Who is told at night: those whom the duty roster names, and where it names nobody everybody."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.estates.queries import nights_of
from jiying.notices import outgoing
from jiying.notices.models import Notice
from jiying.notices.queries import told_about
from jiying.notices.recipients import Directory, Person
from jiying.orders.actions import act
from jiying.orders.models import Order
from jiying.orders.tests.build import District, report
from jiying.people.actions import join, leave, put_on_duty
from jiying.people.models import Membership, NightDuty, Organisation, User

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY = date(2026, 11, 27)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


NIGHT = at(FRIDAY, 23)


def roster(d: District, duty: str, user: User, night: date = FRIDAY, **more: object) -> None:
    body = Membership.objects.filter(user=user).exclude(organisation=None).first().organisation
    put_on_duty(body, duty, [user], [nights_of("310115").night(night)], **more)


@pytest.fixture
def guard(d: District) -> User:
    """One of the company's desk, beside `company`."""
    user = User.objects.create(username="guard", name="门岗老周")
    join(user, d.company.organisation, "company")
    return user


def told_at(order: Order, moment: datetime, *audiences: str) -> dict[str, Person]:
    order = Order.objects.select_related("company", "town", "committee", "estate").get(pk=order.pk)
    people = Directory.of([order], now=moment).people(order, audiences, None, at=moment)
    names = dict(User.objects.values_list("pk", "username"))
    return {names[person.user]: person for person in people}


def test_at_night_the_one_on_duty_is_told_instead_of_the_desk(d, guard):
    order = report(d)
    roster(d, "front_desk", guard)
    assert set(told_at(order, at(FRIDAY, 12), "front_desk")) == {"company", "guard"}
    found = told_at(order, NIGHT, "front_desk", "manager")
    assert set(found) == {"guard", "manager"}
    assert found["guard"].on_duty and not found["manager"].on_duty


def test_what_can_wait_for_the_morning_is_told_to_those_of_the_day(d, guard, told, monkeypatch):
    roster(d, "front_desk", guard)
    monkeypatch.setattr(timezone, "now", lambda: NIGHT)
    usual = report(d, category="door_lock", urgency="ordinary", description="门锁坏了", now=NIGHT)
    act(usual.pk, "urge", by=d.actor("track"), now=NIGHT)
    assert told()["company"] == {"urge"}
    urgent = report(d, now=NIGHT)
    act(
        urgent.pk,
        "supervise",
        by=d.actor("town"),
        now=NIGHT,
        data={"text": "请说明", "answer_by": "2099-01-01T00:00:00+08:00"},
    )
    assert told()["company"] == {"urge", "supervise"}


@pytest.mark.parametrize(
    ("moment", "by_roster"),
    [
        (at(FRIDAY, 17, 29), False),
        (at(FRIDAY, 17, 30), True),
        (at(FRIDAY + timedelta(1), 0, 1), True),
        (at(FRIDAY + timedelta(1), 8, 29), True),
    ],
)
def test_a_night_goes_from_evening_across_midnight_to_morning(d, guard, moment, by_roster):
    roster(d, "front_desk", guard)
    assert (set(told_at(report(d), moment, "front_desk")) == {"guard"}) is by_roster


def test_a_day_that_is_not_worked_is_night_as_a_whole(d, guard):
    saturday, holiday = FRIDAY + timedelta(1), date(2026, 10, 1)
    roster(d, "front_desk", guard, saturday)
    roster(d, "front_desk", guard, holiday)
    order = report(d)
    assert set(told_at(order, at(saturday, 12), "front_desk")) == {"guard"}
    assert set(told_at(order, at(holiday, 12), "front_desk")) == {"guard"}
    assert set(told_at(order, at(FRIDAY, 12), "front_desk")) == {"company", "guard"}


def test_a_line_of_the_roster_in_working_hours_counts_for_nothing(d, guard):
    body = d.company.organisation
    put_on_duty(body, "front_desk", [guard], [(at(FRIDAY, 9), at(FRIDAY, 20))])
    assert set(told_at(report(d), at(FRIDAY, 12), "front_desk")) == {"company", "guard"}
    assert set(told_at(report(d), at(FRIDAY, 18), "front_desk")) == {"guard"}


def test_a_night_nobody_is_put_down_for_is_as_by_day(d, guard):
    roster(d, "front_desk", guard, FRIDAY - timedelta(1))
    found = told_at(report(d), NIGHT, "front_desk")
    assert set(found) == {"company", "guard"} and not any(one.on_duty for one in found.values())


@pytest.mark.parametrize("how", ["left", "inactive"])
def test_who_has_gone_is_passed_over_and_everybody_is_told(d, guard, how):
    roster(d, "front_desk", guard)
    if how == "left":
        leave(Membership.objects.get(user=guard), on=timezone.localdate())
    else:
        User.objects.filter(pk=guard.pk).update(is_active=False)
    assert set(told_at(report(d), NIGHT, "front_desk")) == {"company"}


def test_a_line_for_some_estates_is_for_these_alone(d, guard):
    roster(d, "front_desk", guard, places=["E9"])
    order = report(d)
    assert set(told_at(order, NIGHT, "front_desk")) == {"company", "guard"}
    NightDuty.objects.update(places=[d.estate.code])
    assert set(told_at(order, NIGHT, "front_desk")) == {"guard"}


def test_the_manager_on_duty_stands_for_manager_and_company(d, guard):
    order = report(d)
    roster(d, "manager", guard)
    assert set(told_at(order, NIGHT, "manager")) == {"guard"}
    assert set(told_at(order, NIGHT, "company")) == {"guard"}


def test_a_manager_bound_to_another_estate_is_not_told_of_what_they_cannot_see(d):
    manager = d.users["manager"]
    roster(d, "manager", manager)
    Membership.objects.filter(user=manager).update(places=["E9"])
    assert set(told_at(report(d), NIGHT, "company")) == {"company"}


@pytest.mark.parametrize("role", ["town", "committee", "centre", "supervisor", "district"])
def test_offices_have_a_roster_too(d, role):
    held = {"centre": "operator"}.get(role, role)
    first = d.users[held]
    second = User.objects.create(username="second")
    join(second, Membership.objects.get(user=first).organisation, held)
    order = report(d)
    assert set(told_at(order, NIGHT, role)) == {held, "second"}
    roster(d, role, second)
    found = told_at(order, NIGHT, role)
    assert set(found) == {"second"} and found["second"].on_duty


def test_another_companys_roster_says_nothing_here(d):
    roster(d, "front_desk", d.users["company-2"])
    assert set(told_at(report(d), NIGHT, "front_desk")) == {"company"}


def test_who_is_on_duty_has_no_quiet_hours():
    late = at(FRIDAY, 23)
    quiet = outgoing.due(outgoing.Wish(digest="now"), late, SHANGHAI, urgent=False)
    assert quiet == at(FRIDAY + timedelta(1), 7)
    assert outgoing.due(outgoing.Wish(digest="now"), late, SHANGHAI, urgent=False, on_duty=True) < at(FRIDAY, 23, 10)


def test_the_roster_costs_one_question_more_at_night_and_none_by_day(d, guard):
    roster(d, "front_desk", guard)
    order = Order.objects.select_related("company", "town", "committee", "estate").get(pk=report(d).pk)
    nights_of(order.district)

    def asked(moment: datetime) -> int:
        with CaptureQueriesContext(connection) as seen:
            Directory.of([order] * 9, now=moment).people(order, ("front_desk", "manager", "town"), None, at=moment)
        return len(seen)

    assert (asked(at(FRIDAY, 12)), asked(NIGHT)) == (1, 2)


def test_who_was_told_says_that_it_was_by_the_roster(d, guard, told, monkeypatch):
    moment = timezone.now()
    put_on_duty(
        d.company.organisation, "front_desk", [guard], [(moment - timedelta(hours=1), moment + timedelta(hours=9))]
    )
    monkeypatch.setattr("jiying.people.nights.Nights.of", lambda _self, _at: FRIDAY)
    order = report(d, now=moment)
    from jiying.orders import watcher

    watcher.sweep(order.reported_at + timedelta(minutes=3, seconds=1))
    assert set(told()) == {"guard", "manager"}
    assert Notice.objects.get(user=guard).on_duty
    assert {line.who: line.on_duty for line in told_about(order)} == {"门岗老周": True, "manager": False}


def test_a_roster_of_an_office_that_serves_no_order_is_not_read(d):
    other = Organisation.objects.create(kind="town", code="999", name="别处", district="999999")
    user = User.objects.create(username="elsewhere")
    join(user, other, "town")
    put_on_duty(other, "town", [user], [nights_of("310115").night(FRIDAY)])
    assert set(told_at(report(d), NIGHT, "town")) == {"town"}
