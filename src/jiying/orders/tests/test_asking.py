"""The next tier is asked: who that is, what they see of the order, and what they may do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.core.errors import BadInput, NotFound, NotYours
from jiying.estates import actions as estates
from jiying.estates.models import Company, Mandate, Tier
from jiying.notices.follower import tell
from jiying.notices.models import Notice
from jiying.orders import reveal, watcher
from jiying.orders.actions import act
from jiying.orders.actors import Actor, roles_towards
from jiying.orders.models import Ask, Event, Order
from jiying.orders.queries import one, rows_of
from jiying.orders.tests.build import SKILLS, District, district, report, walk
from jiying.people.actions import join
from jiying.people.models import User

WAIT = timedelta(minutes=10, seconds=1)


@pytest.fixture
def d(db) -> District:
    """Company 2 is the station of town 1; a third company is the district's centre; a fourth is nothing."""
    built = district()
    for name, uscc in (("centre", "91310115MA1K00001U"), ("none", "91310115MA1K00002R")):
        company = estates.register_company(district="310115", uscc=_valid(uscc), name=name)
        user = User.objects.create(username=f"{name}-desk")
        join(user, company.organisation, "company", duty="front_desk")
        built.users[f"{name}-desk"] = user
        worker = User.objects.create(username=f"{name}-worker")
        join(worker, company.organisation, "worker")
        built.users[f"{name}-worker"] = worker
        estates.hire(company, name=name, skills=SKILLS, shifts=[(0, 1440)], known_skills=SKILLS, user=worker)
    Mandate.objects.create(company=built.company2, tier=Tier.STATION, division=built.town)
    Mandate.objects.create(company=Company.objects.get(name="centre"), tier=Tier.CENTRE, division=built.division)
    return built


def _valid(code: str) -> str:
    from stdnum.cn import uscc

    return code[:17] + str(uscc.calc_check_digit(code[:17]))


def _wait(order: Order, after: timedelta = WAIT) -> None:
    watcher.sweep(order.reported_at + after)


def _asked() -> list[tuple[str, str]]:
    return sorted(Ask.objects.values_list("tier", "organisation__name"))


def _told() -> set[str]:
    tell(list(Event.objects.select_related("order").order_by("seq")))
    return set(Notice.objects.filter(step="not_departed_10").values_list("user__username", flat=True))


def test_an_order_nobody_sets_off_for_asks_the_station_of_its_town(d):
    _wait(report(d))
    assert _asked() == [("station", "示例物业二")]
    assert _told() == {"company-2"}
    assert set(Notice.objects.filter(step="not_departed_10").values_list("why", flat=True)) == {"next_tier"}


def test_with_a_station_already_the_centres_company_is_asked(d):
    order = report(d)
    act(order.pk, "assign", by=d.actor("operator"), data={"worker": str(d.worker2.pk)})
    _wait(order)
    assert _asked() == [("centre", "centre")]
    assert _told() == {"centre-desk"}


def test_without_a_station_the_centres_company_is_asked_and_without_that_the_command_centre(d):
    Mandate.objects.filter(tier=Tier.STATION).delete()
    _wait(report(d))
    assert _asked() == [("centre", "centre")]
    Mandate.objects.all().delete()
    Ask.objects.all().delete()
    second = report(d)
    _wait(second)
    assert _asked() == []
    tell(list(Event.objects.filter(order=second).select_related("order").order_by("seq")))
    told = Notice.objects.filter(order=second, step="not_departed_10")
    assert {(notice.user.username, notice.why) for notice in told} == {("operator", "centre")}


def test_a_mandate_that_is_over_asks_nobody(d):
    Mandate.objects.filter(tier=Tier.STATION).update(valid_to=timezone.localdate())
    _wait(report(d))
    assert _asked() == [("centre", "centre")]


def test_several_stations_are_asked_at_once(d):
    Mandate.objects.create(company=Company.objects.get(name="none"), tier=Tier.STATION, division=d.town)
    _wait(report(d))
    assert _asked() == [("station", "none"), ("station", "示例物业二")]


def test_an_order_without_a_company_asks_the_station_too(d):
    _wait(report(d, estate=d.orphan.code))
    assert _asked() == [("station", "示例物业二")]


def test_before_it_is_asked_and_if_it_never_is_a_company_does_not_see_the_order(d):
    order = report(d)
    _wait(order, timedelta(minutes=9))
    assert one(order.pk, d.users["company-2"]) is None
    _wait(order)
    assert one(order.pk, d.users["company-2"]) is not None
    for stranger in ("none-desk", "centre-desk"):
        assert one(order.pk, d.users[stranger]) is None
        with pytest.raises(NotFound):
            act(order.pk, "note", by=Actor.of(d.users[stranger]), data={"text": "我们来"})


def test_who_is_asked_sends_their_own_worker_though_nobody_has_signed(d):
    order = report(d)
    _wait(order)
    station = d.actor("company-2")
    fresh = act(order.pk, "assign", by=station, data={"worker": str(d.worker2.pk)})
    assert (fresh.state, fresh.worker_id) == ("assigned", d.worker2.pk)
    event = Event.objects.get(order=order, verb="assign")
    assert (event.role, event.by) == ("helper", station.code)
    for verb in ("depart", "arrive"):
        act(order.pk, verb, by=d.actor("worker-2"))
    assert one(order.pk, d.users["company-2"]) is not None


@pytest.mark.parametrize("verb", ["sign", "return", "refuse", "close", "verify", "reclassify", "reopen"])
def test_who_is_asked_only_sends_somebody_and_speaks(d, verb):
    order = report(d)
    _wait(order)
    row = one(order.pk, d.users["company-2"])
    assert row is not None and row.verbs == ["assign", "urge", "note"]
    with pytest.raises(NotYours):
        act(order.pk, verb, by=d.actor("company-2"), data={"reason": "不", "rule": "不", "solved": True})


def test_who_is_asked_cannot_send_other_peoples_workers(d):
    order = report(d)
    _wait(order)
    for worker in (d.worker, d.mate):
        with pytest.raises(BadInput):
            act(order.pk, "assign", by=d.actor("company-2"), data={"worker": str(worker.pk)})


def test_who_is_asked_sees_no_telephone(d):
    order = report(d, phone="13812345678")
    _wait(order)
    fresh = Order.objects.with_names().get(pk=order.pk)
    assert not reveal.may_reveal(fresh, d.actor("company-2"))


def test_the_order_goes_out_of_sight_once_somebody_else_has_arrived(d):
    order = report(d)
    _wait(order)
    walk(d, order, "sign", "assign", "depart")
    assert one(order.pk, d.users["company-2"]) is not None
    walk(d, order, "arrive")
    assert one(order.pk, d.users["company-2"]) is None


def test_a_reopened_order_is_the_stations_again_only_when_it_is_asked_again(d):
    order = report(d)
    _wait(order)
    walk(d, order, "sign", "assign", "depart", "arrive", "make_safe", "done", "reopen")
    assert one(order.pk, d.users["company-2"]) is None
    reopened = Event.objects.get(order=order, verb="reopen").at
    watcher.sweep(reopened + WAIT)
    assert one(order.pk, d.users["company-2"]) is not None
    assert sorted(Ask.objects.values_list("round", flat=True)) == [0, 1]


def test_a_manager_bound_to_estates_does_not_speak_for_the_station(d):
    order = report(d)
    _wait(order)
    assert one(order.pk, d.users["manager-2"]) is None
    roaming = User.objects.create(username="roaming")
    join(roaming, d.company2.organisation, "manager")
    assert one(order.pk, roaming) is not None


def test_what_the_ask_says_in_memory_is_what_the_database_says(d):
    order = report(d)
    _wait(order)
    for verbs in ((), ("sign", "assign"), ("depart",), ("arrive",)):
        walk(d, order, *verbs)
        fresh = Order.objects.with_names().get(pk=order.pk)
        for name, user in d.users.items():
            listed = Order.objects.visible_to(user).filter(pk=order.pk).exists()
            assert bool(roles_towards(fresh, Actor.of(user)) - {"worker"}) == listed or name.startswith("worker"), name


def test_a_list_asks_no_more_for_more_orders(d):
    def asked() -> int:
        user = User.objects.get(username="company-2")
        orders = list(Order.objects.visible_to(user).with_names())
        with CaptureQueriesContext(connection) as seen:
            rows_of(orders, Actor.of(user))
        return len(seen)

    for _ in range(2):
        _wait(report(d))
    few = asked()
    for _ in range(6):
        _wait(report(d))
    assert Order.objects.visible_to(User.objects.get(username="company-2")).count() == 8
    assert asked() == few


def test_a_rung_fired_by_whoever_acts_asks_as_the_watcher_would(d):
    order = report(d, now=timezone.now() - timedelta(minutes=12))
    act(order.pk, "note", by=d.actor("company"), data={"text": "马上"})
    assert _asked() == [("station", "示例物业二")]


def test_the_ask_of_an_old_contract_day_is_judged_by_the_day_it_fires(d):
    Mandate.objects.filter(tier=Tier.STATION).update(valid_from=date(2099, 1, 1))
    _wait(report(d))
    assert _asked() == [("centre", "centre")]
