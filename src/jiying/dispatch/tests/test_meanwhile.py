"""What happens meanwhile: between a look and what is written, between a page and a click, before a follower comes."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from jiying.core.errors import NotFound, StaleVersion
from jiying.dispatch import improving
from jiying.dispatch.follower import mark
from jiying.dispatch.keeping import Keeper
from jiying.dispatch.models import Moving, Standby
from jiying.dispatch.standby import actions as standby
from jiying.dispatch.tests.test_improving import comes, living, look_again, sent_to_the_far_one, who
from jiying.dispatch.tests.town import T0, after, automatic, let_it_work
from jiying.estates.actions import switch_duty
from jiying.estates.models import Worker
from jiying.orders import watcher
from jiying.orders.actions import act
from jiying.orders.models import Event
from jiying.orders.tests import build
from jiying.orders.tests.build import report

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def d(transactional_db: None) -> build.District:
    """Emergencies go by rule, and of the house's people nobody is on duty yet."""
    d = build.district()
    automatic(d)
    for worker in (d.worker, d.mate):
        switch_duty(worker, False, by=d.users["company"], at=T0)
    return d


def meanwhile(monkeypatch, happens) -> None:
    """`happens` after it was decided who changes with whom, before it is written."""
    real = improving.reassign

    def interrupted(held):
        found = real(held)
        happens()
        return found

    monkeypatch.setattr(improving, "reassign", interrupted)


def test_who_was_given_something_else_meanwhile_is_not_sent(d, monkeypatch):
    order, far = sent_to_the_far_one(d)
    comes(d, d.mate, 2)
    by = d.actor("company")
    theirs = act(report(d, now=after(1.5), description="z").pk, "sign", by=by, now=after(1.6))
    meanwhile(monkeypatch, lambda: act(theirs.pk, "assign", by=by, data={"worker": str(d.mate.pk)}, now=after(2.2)))
    with pytest.raises(StaleVersion):
        look_again(d, 2.2)
    assert who(order) == [str(far.pk)]


def test_one_order_that_cannot_be_read_keeps_no_other_with_who_is_farther(d):
    order, _far = sent_to_the_far_one(d)
    broken = act(report(d, now=after(1.2), description="z").pk, "sign", by=d.actor("company"), now=after(1.2))
    act(broken.pk, "assign", by=d.actor("company"), data={"worker": str(d.worker.pk)}, now=after(1.3))
    comes(d, d.mate, 2)
    watcher.sweep(after(2.2))
    Keeper().keep(after(2.2))
    event = Event.objects.get(order=broken, verb="report")
    Event.objects.filter(pk=event.pk).update(canonical=event.canonical.replace('"pack":"', '"pack":"no'))
    assert improving.improve(d.division.code, after(2.2)) == 1
    assert who(order)[-1] == str(d.mate.pk)


def test_a_change_that_is_void_keeps_no_other_from_being_made(d, monkeypatch):
    order, _far = sent_to_the_far_one(d)
    other, far2 = report(d, now=after(1.2), description="z"), living(d, 3.9)
    Keeper().keep(after(2.2))
    assert let_it_work(after(2.3)) == 1
    assert who(other) == [str(far2.pk)]
    comes(d, d.worker, 2.4)
    comes(d, d.mate, 2.4)
    stale = min((order, other), key=lambda one: one.pk)
    fine = other if stale == order else order
    meanwhile(monkeypatch, lambda: act(stale.pk, "depart", by=d.actor("operator"), data={}, now=after(2.5)))
    with pytest.raises(StaleVersion):
        look_again(d, 2.5)
    assert (len(who(stale)), len(who(fine))) == (1, 2)


def test_what_freed_somebody_is_not_forgotten_while_the_database_is_away(d, monkeypatch):
    order, _far = sent_to_the_far_one(d)
    comes(d, d.mate, 1.5)
    Keeper().keep(after(2))
    improver, real = improving.Improver(), improving.improve

    def away(*_: object) -> int:
        raise OperationalError("away")

    monkeypatch.setattr(improving, "improve", away)
    with pytest.raises(OperationalError):
        improver.sweep(after(2))
    monkeypatch.setattr(improving, "improve", real)
    assert improver.sweep(after(2.2)) == 1
    assert who(order)[-1] == str(d.mate.pk)


def waits(d, worker: Worker, state: str, **more: object) -> Standby:
    """`worker` in `state` of waiting at the second estate since minute 0."""
    plain = {
        "district": d.division.code, "worker": worker, "estate": d.estate2, "lon": 121.5, "lat": 31.145,
        "skill": "lock", "town": d.town2, "reach": 0.2, "metres": 3100, "minutes": 13, "until": after(300),
        "suggested_at": T0, "state": state,
    }  # fmt: skip
    said = {"asked_at": T0, "answered_at": T0, "there_at": T0} if state == "accepted" else {}
    return Standby.objects.create(**{**plain, **said, **more})


def state(one: Standby) -> tuple[str, str]:
    one.refresh_from_db()
    return one.state, one.why


def test_a_suggestion_that_goes_while_somebody_clicks_is_said_not_to_be_there(d, monkeypatch):
    comes(d, d.mate, 0.5)
    one = waits(d, d.mate, "suggested")
    Moving.objects.create(district=d.division.code, company=d.company, posts=True)
    real = standby._check

    def checked(*said: object):
        Standby.objects.all().delete()
        return real(*said)

    monkeypatch.setattr(standby, "_check", checked)
    with pytest.raises(NotFound):
        standby.ask(one.pk, by=d.users["operator"], now=after(1))


def test_who_set_off_waits_no_longer_though_another_has_the_order_by_now(d):
    first, second = waits(d, d.worker, "accepted"), waits(d, d.mate, "accepted")
    by = d.actor("operator")
    order = act(report(d, now=after(1)).pk, "sign", by=d.actor("company"), now=after(1))
    act(order.pk, "assign", by=by, data={"worker": str(d.worker.pk)}, now=after(2))
    act(order.pk, "depart", by=by, data={}, now=after(3))
    act(order.pk, "assign", by=by, data={"worker": str(d.mate.pk)}, now=after(4))
    mark(list(Event.objects.filter(order=order).order_by("version").select_related("order")))
    assert state(first) == ("ended", "order")
    assert state(second) == ("accepted", ""), "sent, but not gone"


@pytest.mark.parametrize("leaves", ["inactive", "elsewhere"])
@pytest.mark.parametrize("where", ["asked", "accepted"])
def test_who_left_the_company_waits_nowhere(d, leaves, where):
    one = waits(d, d.mate, where, asked_at=T0)
    if leaves == "inactive":
        Worker.objects.filter(pk=d.mate.pk).update(active=False)
    else:
        d.company2.district = "310999"
        d.company2.save()
        Worker.objects.filter(pk=d.mate.pk).update(company=d.company2)
    Keeper().keep(after(2))
    assert state(one) == ("ended", "off_duty")


def test_what_somebody_was_asked_in_a_district_that_nobody_looks_at_does_not_bar_them(d):
    Worker.objects.exclude(pk=d.mate.pk).update(active=False)
    one, gone = waits(d, d.mate, "accepted", district="310999"), waits(d, d.worker, "suggested")
    Keeper().keep(after(2))
    assert state(one) == ("ended", "off_duty")
    assert not Standby.objects.filter(pk=gone.pk).exists()


def test_of_a_shift_long_past_nobody_keeps_where_somebody_waited(d):
    old = waits(d, d.mate, "ended", until=after(-90 * 24 * 60 - 2))
    kept = waits(d, d.mate, "ended", until=after(-90 * 24 * 60 + 2))
    Keeper().keep(after(0))
    assert list(Standby.objects.filter(pk__in=(old.pk, kept.pk))) == [kept]
