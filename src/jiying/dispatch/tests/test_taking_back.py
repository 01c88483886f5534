"""An ordinary order whose worker is sent to an emergency: somebody else goes, or the same one later."""

from __future__ import annotations

import pytest

from jiying.dispatch import loop
from jiying.dispatch.models import Policy, Task
from jiying.dispatch.tests.town import T0, after, assigned, automatic, hire, let_it_work
from jiying.estates.actions import switch_duty
from jiying.estates.models import Worker
from jiying.orders import followers
from jiying.orders.actions import act
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk
from jiying.orders.verify import verify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def d(transactional_db: None) -> build.District:
    """Everything goes by rule, and one worker alone is on duty."""
    d = build.district()
    automatic(d)
    Policy.objects.create(district=d.division.code, urgency="ordinary", mode="automatic")
    switch_duty(d.mate, False, by=d.users["company"], at=T0)
    return d


def comes_on_duty(worker: Worker, d: build.District, minutes: float) -> None:
    switch_duty(worker, True, by=d.users["company"], at=after(minutes))


def sent_to_both(d: build.District, *, departs: bool) -> tuple[Order, Order]:
    """The worker has an ordinary order from minute 1 and an emergency from minute 6."""
    usual = report(d, now=T0, urgency="ordinary")
    assert let_it_work(after(1)) == 1
    if departs:
        act(usual.pk, "depart", by=d.actor("worker"), now=after(3))
    urgent = report(d, now=after(5))
    assert let_it_work(after(6)) == 1
    assert assigned(urgent) == assigned(usual) == [(str(d.worker.pk), "rule")]
    return usual, urgent


@pytest.mark.parametrize("departs", [False, True])
def test_an_ordinary_order_goes_to_somebody_else_when_who_has_it_is_called_to_an_emergency(d, departs):
    usual, urgent = sent_to_both(d, departs=departs)
    comes_on_duty(d.mate, d, 6.5)
    assert let_it_work(after(8)) == 1
    assert assigned(usual) == [(str(d.worker.pk), "rule"), (str(d.mate.pk), "rule")]
    event = Event.objects.filter(order=usual, verb="assign").latest("version")
    assert (event.data["instead_of"], event.data["called_away"]) == (str(d.worker.pk), True)
    assert len(assigned(urgent)) == 1
    assert not verify(usual.pk).broken


def test_where_nobody_else_can_go_they_come_later_and_the_centre_is_not_troubled(d):
    usual, urgent = sent_to_both(d, departs=False)
    walk(d, urgent, "depart", "arrive", now=after(7))
    for minute in (8, 12, 20, 40, 59):
        assert let_it_work(after(minute)) == 0
    assert not Event.objects.filter(order=usual, verb="ask_centre").exists()
    walk(d, urgent, "make_safe", "done", now=after(60))
    comes_on_duty(d.mate, d, 61)
    assert let_it_work(after(69)) == 0, "they have ten minutes from the end of the emergency, not from the morning"
    assert let_it_work(after(80)) == 1
    assert assigned(usual)[-1] == (str(d.mate.pk), "rule")
    event = Event.objects.filter(order=usual, verb="assign").latest("version")
    assert "called_away" not in event.data


def test_who_was_called_away_may_be_sent_again_and_no_higher_tier_is_asked(d):
    usual, urgent = sent_to_both(d, departs=False)
    comes_on_duty(d.mate, d, 6.5)
    let_it_work(after(8))
    walk(d, urgent, "depart", "arrive", "make_safe", "done", now=after(9))
    # The other one does not set off: now it is the first one's again.
    switch_duty(d.mate, False, by=d.users["company"], at=after(12))
    assert let_it_work(after(18.1)) == 1
    assert [worker for worker, _role in assigned(usual)] == [str(w.pk) for w in (d.worker, d.mate, d.worker)]


def test_whom_a_person_sent_to_an_ordinary_order_keeps_it(d):
    usual = act(report(d, now=T0, urgency="ordinary").pk, "sign", by=d.actor("company"), now=T0)
    hire(d, d.company, "夜班", shifts=[(0, 1)])
    act(usual.pk, "assign", by=d.actor("company"), data={"worker": str(d.worker.pk)}, now=after(0.5))
    report(d, now=after(5))
    let_it_work(after(6))
    comes_on_duty(d.mate, d, 6.5)
    let_it_work(after(8))
    assert [worker for worker, _role in assigned(usual)] == [str(d.worker.pk)]


def test_an_emergency_that_was_theirs_before_takes_nothing_back(d):
    urgent = report(d, now=T0)
    let_it_work(after(1))
    usual = report(d, now=after(2), urgency="ordinary")
    assert let_it_work(after(3)) == 1
    comes_on_duty(d.mate, d, 3.5)
    assert let_it_work(after(5)) == 0
    assert assigned(urgent) == assigned(usual) == [(str(d.worker.pk), "rule")]


def test_a_second_look_finds_it_done(d):
    usual, _urgent = sent_to_both(d, departs=False)
    comes_on_duty(d.mate, d, 6.5)
    assert let_it_work(after(8)) == 1
    Task.objects.update(due_at=after(8))
    assert let_it_work(after(8.5)) == 0
    assert len(assigned(usual)) == 2


def test_when_the_emergency_goes_to_somebody_else_they_are_free_and_have_their_ten_minutes(d):
    usual, urgent = sent_to_both(d, departs=False)
    assert let_it_work(after(7)) == 0
    comes_on_duty(d.mate, d, 11.6)
    act(urgent.pk, "assign", by=d.actor("company"), data={"worker": str(d.mate.pk)}, now=after(11.7))
    for minute in (12, 13, 15, 21):
        let_it_work(after(minute))
    assert [worker for worker, _role in assigned(usual)] == [str(d.worker.pk)]


def test_the_papers_of_an_emergency_that_is_over_give_no_new_ten_minutes(d):
    usual, urgent = sent_to_both(d, departs=False)
    walk(d, urgent, "depart", "arrive", now=after(7))
    for minute in (8, 20, 40, 59):
        let_it_work(after(minute))
    walk(d, urgent, "make_safe", "done", now=after(60))
    comes_on_duty(d.mate, d, 61)
    walk(d, urgent, "confirm", now=after(68))
    assert [minute for minute in (69, 70.1, 72) if let_it_work(after(minute))] == [70.1]
    assert assigned(usual)[-1] == (str(d.mate.pk), "rule")


def test_it_does_not_go_to_somebody_who_has_an_emergency_themselves(d):
    comes_on_duty(d.mate, d, 0.1)
    by = d.actor("company")
    theirs = act(report(d, now=after(0.2)).pk, "sign", by=by, now=after(0.2))
    act(theirs.pk, "assign", by=by, data={"worker": str(d.mate.pk)}, now=after(0.3))
    usual = report(d, now=after(2), urgency="ordinary")
    assert let_it_work(after(3)) == 1
    assert assigned(usual) == [(str(d.worker.pk), "rule")]
    second = act(report(d, now=after(4), description="z").pk, "sign", by=by, now=after(4))
    act(second.pk, "assign", by=by, data={"worker": str(d.worker.pk)}, now=after(4.5))
    let_it_work(after(5))
    assert len(assigned(usual)) == 1


def test_whom_a_person_sent_as_suggested_keeps_it_too(d):
    by = d.actor("company")
    usual = act(report(d, now=T0, urgency="ordinary").pk, "sign", by=by, now=T0)
    noted = {"advice": {"rank": 1, "minutes": 2}}
    act(usual.pk, "assign", by=by, data={"worker": str(d.worker.pk)}, now=after(0.5), noted=noted)
    report(d, now=after(4))
    assert let_it_work(after(5.1)) == 1
    comes_on_duty(d.mate, d, 5.5)
    for minute in (6, 8, 20):
        let_it_work(after(minute))
    assert [worker for worker, _role in assigned(usual)] == [str(d.worker.pk)]


def test_it_is_handed_on_no_oftener_than_the_district_allows(d):
    Policy.objects.filter(urgency="ordinary").update(most_replaced=1)
    usual, _urgent = sent_to_both(d, departs=False)
    comes_on_duty(d.mate, d, 6.5)
    assert let_it_work(after(8)) == 1
    other = report(d, now=after(8.1), description="z")
    act(act(other.pk, "sign", by=d.actor("company"), now=after(8.2)).pk, "assign", by=d.actor("company"),
        data={"worker": str(d.mate.pk)}, now=after(8.3))  # fmt: skip
    hire(d, d.company, "闲着")
    for minute in (9, 12, 15, 17):
        let_it_work(after(minute))
    assert [worker for worker, _role in assigned(usual)] == [str(d.worker.pk), str(d.mate.pk)]
    assert Task.objects.get(order=usual).due_at is not None, "it is looked at again"


def test_it_is_looked_at_at_once_though_they_set_off_in_the_same_moment(d):
    usual = report(d, now=T0, urgency="ordinary")
    let_it_work(after(1))
    urgent = report(d, now=after(2))
    followers.catch_up()
    loop.sweep(after(3))
    act(urgent.pk, "depart", by=d.actor("worker"), now=after(3.1))
    followers.catch_up()
    assert Task.objects.get(order=usual).due_at <= after(3.2)


def test_an_order_that_becomes_an_emergency_calls_away_too(d):
    first = report(d, now=T0, urgency="ordinary")
    let_it_work(after(1))
    second = report(d, now=after(1.5), urgency="ordinary", description="z")
    assert let_it_work(after(2.6)) == 1
    assert assigned(first) == assigned(second) == [(str(d.worker.pk), "rule")]
    comes_on_duty(d.mate, d, 2.7)
    act(
        second.pk, "reclassify", by=d.actor("operator"), data={"urgency": "emergency", "reason": "水大了"}, now=after(3)
    )
    assert let_it_work(after(3.1)) == 1
    assert assigned(first)[-1] == (str(d.mate.pk), "rule")


def test_who_sets_off_for_the_ordinary_one_all_the_same_keeps_it(d):
    usual, _urgent = sent_to_both(d, departs=False)
    act(usual.pk, "depart", by=d.actor("worker"), now=after(6.5))
    comes_on_duty(d.mate, d, 6.6)
    let_it_work(after(8))
    assert len(assigned(usual)) == 1
