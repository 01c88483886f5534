"""Emergencies that a rule gave to somebody, looked at again when somebody else becomes free."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from jiying.config import serve
from jiying.core.errors import StaleVersion
from jiying.dispatch import actions, improving
from jiying.dispatch.keeping import Keeper
from jiying.dispatch.models import Policy
from jiying.dispatch.plan import History
from jiying.dispatch.service import advise
from jiying.dispatch.tests.town import T0, after, assigned, automatic, fresh, hire, let_it_work, station
from jiying.estates import actions as estates
from jiying.estates.actions import switch_duty
from jiying.estates.models import Estate, Worker
from jiying.orders import followers, watcher
from jiying.orders.actions import act
from jiying.orders.models import Event, Order
from jiying.orders.store import load
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk
from jiying.orders.tests.test_races import at_once
from jiying.orders.verify import verify

pytestmark = pytest.mark.django_db(transaction=True)

KM = 0.0105
"""One kilometre to the east, in degrees."""


@pytest.fixture
def d(transactional_db: None) -> build.District:
    """Emergencies go by rule, and of the house's people nobody is on duty yet."""
    d = build.district()
    automatic(d)
    for worker in (d.worker, d.mate):
        switch_duty(worker, False, by=d.users["company"], at=T0)
    return d


def place(d: build.District, km: float) -> Estate:
    """An estate of the same company, so many kilometres east of the first."""
    found = Estate.objects.create(
        code=f"K{km}", name=f"东{km}里", district=d.division.code, town=d.town, committee=d.committee,
        lon=121.520 + km * KM, lat=31.222, households=100,
    )  # fmt: skip
    estates.sign_contract(d.company, found, since=T0.date())
    return found


def living(d: build.District, km: float) -> Worker:
    """Somebody of the company who lives so far to the east."""
    return hire(d, d.company, f"东{km}", home=place(d, km))


def comes(d: build.District, worker: Worker, minutes: float) -> None:
    switch_duty(worker, True, by=d.users["company"], at=after(minutes))


def look_again(d: build.District, minutes: float) -> int:
    """What falls due, the outlook of the minute, then the look; what it wrote is followed."""
    watcher.sweep(after(minutes))
    Keeper().keep(after(minutes))
    found = improving.improve(d.division.code, after(minutes))
    followers.catch_up()
    return found


def sent_to_the_far_one(d: build.District) -> tuple[Order, Worker]:
    """An emergency of minute 0 and who has it from minute 1, 23 minutes away."""
    far = living(d, 4)
    order = report(d, now=T0)
    assert let_it_work(after(1.1)) == 1
    assert assigned(order) == [(str(far.pk), "rule")]
    return order, far


def walk_to_a_swap(d: build.District, far: Worker) -> Order:
    """Where the far one lives an emergency of minute 1.6, given to who lives where the first one is."""
    comes(d, d.mate, 1.5)
    other = report(d, now=after(1.6), estate=far.home_estate.code)
    Keeper().keep(after(2.6))
    assert let_it_work(after(2.7)) == 1
    assert who(other) == [str(d.mate.pk)]
    return other


def who(order: Order) -> list[str]:
    return [worker for worker, _role in assigned(order)]


def last(order: Order) -> dict[str, object]:
    return dict(Event.objects.filter(order=order, verb="assign").latest("version").data)


def test_who_has_not_set_off_is_let_go_when_somebody_much_nearer_becomes_free(d):
    order, far = sent_to_the_far_one(d)
    assert look_again(d, 1.5) == 0, "nobody else is on duty"
    comes(d, d.mate, 2)
    assert look_again(d, 2.2) == 1
    assert assigned(order) == [(str(far.pk), "rule"), (str(d.mate.pk), "rule")]
    data = last(order)
    assert (data["instead_of"], data["nearer"], data["advice"]["minutes"]) == (str(far.pk), True, 2)
    history = History.of(load(fresh(order)).moments)
    assert (history.barred, history.reassigned, history.replaced, history.asked) == ({}, 1, 0, 1)
    assert look_again(d, 2.5) == 0
    assert not verify(order.pk).broken


def test_a_few_minutes_are_no_reason(d):
    living(d, 1.5)
    order = report(d, now=T0)
    let_it_work(after(1.1))
    comes(d, d.mate, 2)
    assert look_again(d, 2.2) == 0, "ten minutes against two: it saves eight, and not quite"
    assert len(who(order)) == 1


@pytest.mark.parametrize(("departs", "changed"), [(5, 0), (9, 1)])
def test_who_has_set_off_is_turned_round_only_where_that_is_late_or_in_time(d, departs, changed):
    order, far = sent_to_the_far_one(d)
    act(order.pk, "depart", by=d.actor("operator"), data={}, now=after(departs))
    comes(d, d.mate, 9.5)
    assert look_again(d, 10) == changed
    assert who(order) == [str(far.pk), str(d.mate.pk)][: 1 + changed]
    assert fresh(order).state == ("assigned" if changed else "en_route")


def test_who_has_arrived_stays(d):
    order, far = sent_to_the_far_one(d)
    act(order.pk, "arrive", by=d.actor("operator"), data={}, now=after(9))
    comes(d, d.mate, 9.5)
    assert look_again(d, 10) == 0
    assert who(order) == [str(far.pk)]


def test_whom_a_person_picked_is_never_touched(d):
    far = living(d, 4)
    order = act(report(d, now=T0).pk, "sign", by=d.actor("company"), now=T0)
    noted = {"advice": {"rank": 1, "minutes": 23}}
    act(order.pk, "assign", by=d.actor("company"), data={"worker": str(far.pk)}, now=after(0.5), noted=noted)
    comes(d, d.mate, 2)
    assert look_again(d, 2.2) == 0
    assert who(order) == [str(far.pk)]


def test_where_the_district_only_wants_suggestions_nothing_is_handed_on(d):
    order, far = sent_to_the_far_one(d)
    Policy.objects.update(mode="suggest")
    comes(d, d.mate, 2)
    assert look_again(d, 2.2) == 0
    assert who(order) == [str(far.pk)]


def test_a_higher_tier_is_not_asked_for_being_nearer(d):
    order, far = sent_to_the_far_one(d)
    station(d)
    assert look_again(d, 2.2) == 0
    assert who(order) == [str(far.pk)]


def test_somebody_at_work_or_with_an_emergency_that_a_person_gave_them_is_not_taken(d):
    order, _far = sent_to_the_far_one(d)
    comes(d, d.mate, 2)
    by = d.actor("company")
    theirs = act(report(d, now=after(1.5), description="z").pk, "sign", by=by, now=after(1.6))
    act(theirs.pk, "assign", by=by, data={"worker": str(d.mate.pk)}, now=after(2.1))
    assert look_again(d, 8.5) == 0, "though who has it, and has not set off, would be late by now"
    act(theirs.pk, "arrive", by=d.actor("operator"), data={}, now=after(9))
    assert look_again(d, 9.5) == 0
    for verb in ("make_safe", "done"):
        act(theirs.pk, verb, by=d.actor("operator"), data={"note": "好了"}, now=after(10))
    assert look_again(d, 10.5) == 1
    assert who(order)[-1] == str(d.mate.pk)


def test_it_is_handed_on_no_oftener_than_the_district_allows(d):
    Policy.objects.update(most_replaced=1)
    order, _far = sent_to_the_far_one(d)
    nearer = living(d, 2)
    assert look_again(d, 2) == 1
    comes(d, d.mate, 2.1)
    assert look_again(d, 2.5) == 0
    assert who(order)[-1] == str(nearer.pk)


def test_two_emergencies_change_their_people_at_once(d):
    order, far = sent_to_the_far_one(d)
    other = walk_to_a_swap(d, far)
    assert look_again(d, 3) == 2
    assert (who(order)[-1], who(other)[-1]) == (str(d.mate.pk), str(far.pk))
    assert last(order)["nearer"] and last(other)["nearer"]
    assert not verify().broken


def test_who_can_save_another_leaves_theirs_to_somebody_who_is_in_time_too(d):
    """In a row from west to east: who has the first, the first, the second with its own man, who comes on duty."""
    place(d, 0.01)
    theirs = living(d, -4.9)
    first = report(d, now=T0)
    assert let_it_work(after(1.1)) == 1
    between = living(d, 4)
    second = report(d, now=after(2.5), estate=between.home_estate.code)
    assert let_it_work(after(3.6)) == 1
    assert (who(first), who(second)) == ([str(theirs.pk)], [str(between.pk)])
    comes_late = living(d, 8.2)
    assert look_again(d, 5) == 2
    assert (who(first)[-1], who(second)[-1]) == (str(between.pk), str(comes_late.pk))
    assert (last(first).get("nearer"), last(second).get("swapped")) == (True, True)
    events = Event.objects.filter(verb="assign", order__in=(first, second)).order_by("seq")
    assert [event.order_id for event in events][2:] == [second.pk, first.pk]


def test_in_a_flood_those_are_looked_at_first_that_have_something_to_gain(d):
    comes(d, d.worker, 0.1)
    near = report(d, now=T0)
    let_it_work(after(1.1))
    assert who(near) == [str(d.worker.pk)]
    far = living(d, 4)
    order = report(d, now=after(1.2), description="z")
    Keeper().keep(after(2.2))
    assert let_it_work(after(2.3)) == 1
    assert who(order) == [str(far.pk)]
    comes(d, d.mate, 2.5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(improving, "MOST", 1)
        assert look_again(d, 3) == 1
    assert who(order)[-1] == str(d.mate.pk)


def test_the_log_and_the_clock_say_when_to_look(d):
    order, _far = sent_to_the_far_one(d)
    Keeper().keep(after(2))
    improver, looks = improving.Improver(), []
    real = improving.improve
    counted = lambda district, now: looks.append(now) or real(district, now)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(improving, "improve", counted)
        for second in (0, 5, 10, 25, 40):
            improver.sweep(after(2 + second / 60))
        assert looks == [after(2)], "nothing happened since"
        walk(d, report(d, now=after(2.7), urgency="ordinary"), "sign", "cancel", now=after(2.7))
        for second in (42, 51, 52, 62):
            improver.sweep(after(2 + second / 60))
        assert looks[1:] == [after(2 + 51 / 60)], "somebody may be free; ten seconds are kept"
        comes(d, d.mate, 3.5)
        watcher.sweep(after(2 + 120 / 60))
        assert improver.sweep(after(2 + 110 / 60)) == 0
        assert improver.sweep(after(2 + 120 / 60)) == 1, "who comes on duty is seen within the minute"
    assert who(order)[-1] == str(d.mate.pk)


def test_where_nobody_has_an_emergency_nothing_is_read(d):
    living(d, 4)
    improver = improving.Improver()
    with CaptureQueriesContext(connection) as seen:
        improver.sweep(after(2))
    assert len(seen) == 2


def test_the_number_of_queries_does_not_grow_with_the_emergencies(d):
    counts = []
    far = living(d, 4)
    Policy.objects.update(load_cap=50)
    for many in (2, 6):
        for n in range(many):
            order = act(report(d, now=T0, description=f"{many} {n}").pk, "sign", by=d.actor("company"), now=T0)
            advice = advise(Order.objects.select_related("town", "company", "estate").get(pk=order.pk), now=after(1))
            assert advice.ranking.best is not None and actions.send(advice, order.version, now=after(1)) is not None
        followers.catch_up()
        Keeper().keep(after(2))
        with CaptureQueriesContext(connection) as seen:
            assert improving.improve(d.division.code, after(2)) == 0
        counts.append(len(seen))
    assert Order.objects.filter(worker=far).count() == 8
    assert counts[0] == counts[1]


def test_of_two_who_look_at_once_one_hands_it_on(d):
    order, far = sent_to_the_far_one(d)
    other = walk_to_a_swap(d, far)
    Keeper().keep(after(3))
    results = at_once(lambda: improving.improve(d.division.code, after(3)) for _ in range(3))
    assert Counter(type(one) for one in results if one != 2) == {StaleVersion: 2}
    assert [len(who(one)) for one in (order, other)] == [2, 2]
    assert {who(order)[-1], who(other)[-1]} == {str(far.pk), str(d.mate.pk)}


def test_when_one_of_two_was_touched_since_neither_is_changed(d):
    order, far = sent_to_the_far_one(d)
    other = walk_to_a_swap(d, far)
    Keeper().keep(after(3))
    real = improving.reassign

    def interrupted(held):
        act(other.pk, "depart", by=d.actor("operator"), data={}, now=after(3))
        return real(held)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(improving, "reassign", interrupted)
        improver = improving.Improver()
        assert improver.sweep(after(3)) == 0
    assert (who(order), who(other)) == ([str(far.pk)], [str(d.mate.pk)])
    assert fresh(other).state == "en_route"
    living(d, 0.01)
    watcher.sweep(after(3 + 11 / 60))
    assert improver.sweep(after(3 + 11 / 60)) == 1, "it is looked at again in ten seconds, not in a minute"


def test_who_was_to_come_after_other_work_counts_from_its_expected_end(d):
    comes(d, d.worker, 0.1)
    usual = walk(d, report(d, now=after(0.2), urgency="ordinary"), "sign", "assign", "depart", "arrive", now=after(0.5))
    order = report(d, now=after(1))
    Keeper().keep(after(2))
    assert let_it_work(after(2.1)) == 1
    assert "leave_by" in last(order)["advice"]
    living(d, 2)
    assert look_again(d, 3) == 1
    assert last(order)["nearer"]
    assert fresh(usual).worker_id == d.worker.pk


def test_a_database_that_is_away_for_a_moment_does_not_end_the_looking(monkeypatch):
    looks, seen_twice, stop = [], threading.Event(), threading.Event()

    def sweep(_self: improving.Improver, _now: datetime) -> int:
        looks.append(1)
        if len(looks) == 1:
            raise OperationalError("away")
        seen_twice.set()
        return 0

    monkeypatch.setattr(improving.Improver, "sweep", sweep)
    monkeypatch.setattr(improving, "LOOK_EVERY_S", 0.01)
    looking = threading.Thread(target=improving.run, args=(stop,), daemon=True)
    looking.start()
    try:
        assert seen_twice.wait(30)
    finally:
        stop.set()
        looking.join(30)
    assert not looking.is_alive()
    assert improving.run in serve.loops()
