"""Waiting where one will be missed: suggested, asked, answered; never ordered."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from jiying.core.errors import BadInput, NotFound, StaleVersion
from jiying.dispatch import service
from jiying.dispatch.follower import mark
from jiying.dispatch.keeping import Keeper
from jiying.dispatch.models import Moving, Standby
from jiying.dispatch.standby import actions, queries, saying
from jiying.dispatch.tests.town import T0, after, hire, station
from jiying.estates import actions as estates
from jiying.estates.models import Estate, Worker
from jiying.orders.actions import act
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk
from jiying.people.actions import join
from jiying.people.models import User


@pytest.fixture
def d(db):
    """A tiny district whose station has six people in one place, of whom one can answer by telephone page; emergencies
    came from five kilometres to the south, where nobody is.
    """
    d = build.district()
    company, _worker = station(d)
    d.station = company
    d.users["stationed"] = User.objects.create(username="stationed", name="stationed")
    d.users["boss"] = User.objects.create(username="boss", name="boss")
    join(d.users["stationed"], company.organisation, "worker")
    join(d.users["boss"], company.organisation, "manager")
    d.crew = [hire(d, company, f"站{n}", home=d.orphan) for n in range(5)]
    d.south = Estate.objects.create(
        code="E9", name="南边新村", district=d.division.code, town=d.town2, committee=d.committee2, lon=121.521,
        lat=31.178, households=500,
    )  # fmt: skip
    calls(d, T0)
    return d


def calls(d, now) -> None:
    """Emergencies from the south in the last half-hour."""
    for n in range(8):
        report(d, estate=d.south.code, now=now + timedelta(minutes=n - 30))


def like(one: Standby) -> dict[str, object]:
    """Where and why, as in another."""
    names = ("district", "estate", "lon", "lat", "skill", "town", "reach", "metres", "minutes")
    return {name: getattr(one, name) for name in names}


def only(d, one: Standby, now) -> None:
    """Of the station's people all others have said no for this shift."""
    for worker in Worker.objects.filter(company=d.station).exclude(pk=one.worker_id):
        times = {"suggested_at": now, "asked_at": now, "until": now + timedelta(hours=8)}
        Standby.objects.create(**like(one), **times, worker=worker, state="declined")


def suggested(now=T0) -> list[Standby]:
    Keeper().keep(now)
    return list(Standby.objects.filter(state="suggested").select_related("worker", "estate", "town"))


def asked(d, now=T0) -> Standby:
    """Somebody of the station was asked, and the page is theirs."""
    one = suggested(now)[0]
    Worker.objects.filter(pk=one.worker_id).update(user=d.users["stationed"])
    return actions.ask(one.pk, by=d.users["operator"], now=now)


def refused(call) -> str:
    with pytest.raises(BadInput) as error:
        call()
    return error.value.first_code


def test_one_of_many_is_suggested_to_wait_where_hardly_anybody_is(d):
    [one] = suggested()
    assert one.worker.company_id == d.station.pk
    assert (one.estate, one.town, one.state) == (d.south, d.town2, "suggested")
    # Of all others only the other company's worker could be there, who is four kilometres from it.
    assert (one.reach, one.metres, one.minutes) == (1.0, pytest.approx(4893, abs=100), 27)
    assert saying.why(one) == "水工急修：三林镇现在只有 1 位能在 30 分钟内赶到"
    estates.switch_duty(d.worker2, False, by=d.users["company-2"], at=after(1))
    Standby.objects.all().delete()
    first, *_others = sorted(suggested(after(2)), key=lambda one: one.reach)
    assert saying.why(first) == "水工急修：三林镇现在没有人能在 30 分钟内赶到"


def test_the_second_is_decided_knowing_where_the_first_is_bound_for(d):
    for n in range(20):
        report(d, estate=d.south.code, now=after(n / 4 - 6))
    found = suggested()
    assert len(found) > 1
    reached = sorted(one.reach for one in found)
    assert reached == [1.0 + n for n in range(len(found))]


def test_people_of_companies_without_a_mandate_and_of_an_estate_s_own_post_are_left_alone(d):
    estates.sign_contract(d.station, d.orphan, since=date(2020, 1, 1))
    Worker.objects.filter(company=d.station, name="station").update(active=False)
    assert suggested() == []
    line = Moving.objects.create(district=d.division.code, mode="suggest", posts=True)
    assert {one.worker.company_id for one in suggested(after(2))} == {d.station.pk}
    Moving.objects.create(district=d.division.code, company=d.station, mode="off")
    assert suggested(after(4)) == []
    line.delete()
    Moving.objects.create(district=d.division.code, company=d.company, mode="suggest", posts=True)
    assert {one.worker.company_id for one in suggested(after(6))} == {d.company.pk}


def test_a_line_that_names_no_company_moves_nobody_without_a_mandate(d):
    Worker.objects.filter(company=d.station).update(company=d.company)
    line = Moving.objects.create(district=d.division.code, posts=True)
    assert suggested() == []
    Moving.objects.filter(pk=line.pk).update(company=d.company)
    assert suggested(after(2)), "one that names them does"


def test_the_list_stays_as_it_is_while_nothing_changes_and_goes_with_its_reason(d):
    keeper = Keeper()
    keeper.keep(T0)
    first = list(Standby.objects.values())
    keeper.keep(after(2))
    Keeper().keep(after(2))
    assert list(Standby.objects.values()) == first and len(first) == 1
    Worker.objects.filter(company=d.station).update(active=False)
    keeper.keep(after(4))
    assert not Standby.objects.exists()


def test_after_a_restart_the_same_is_suggested(d):
    keeper = Keeper()
    keeper.keep(after(-6))
    Standby.objects.all().delete()
    keeper.keep(T0)
    kept = list(Standby.objects.values("worker", "estate", "skill", "reach", "until"))
    Standby.objects.all().delete()
    Keeper().keep(T0)
    assert list(Standby.objects.values("worker", "estate", "skill", "reach", "until")) == kept and kept


def test_who_waits_is_looked_at_every_two_minutes_and_the_outlook_every_minute(d):
    keeper = Keeper()
    assert keeper.keep(T0) == 1
    Standby.objects.all().delete()
    assert keeper.keep(after(1)) == 1 and not Standby.objects.exists()
    assert keeper.keep(after(2)) == 1 and Standby.objects.exists()


def test_one_worker_has_one_suggestion_whoever_keeps(d):
    [one] = suggested()
    one.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        one.save(force_insert=True)


def test_a_second_click_and_a_second_operator_ask_once(d):
    [one] = suggested()
    actions.ask(one.pk, by=d.users["operator"], now=T0)
    again = actions.ask(one.pk, by=d.users["boss"], now=after(1))
    one.refresh_from_db()
    assert (again.state, one.asked_at, one.asked_by) == ("asked", T0, d.users["operator"])


def test_of_two_who_decided_on_the_same_state_one_has_its_way(d):
    [one] = suggested()
    late = Standby.objects.select_related("worker__company").get(pk=one.pk)
    actions.ask(one.pk, by=d.users["operator"], now=T0)
    assert actions._ask(late, d.users["boss"], T0).state == "asked"
    one.refresh_from_db()
    assert one.asked_by == d.users["operator"]


def test_another_company_and_another_district_have_nothing_to_say(d):
    one = asked(d)
    for who in ("operator-2", "supervisor-2", "district-2", "manager", "company", "manager-2", "worker", "resident"):
        for call in (actions.ask, actions.take_back):
            with pytest.raises(NotFound):
                call(one.pk, by=d.users[who])
        for yes in (True, False):
            with pytest.raises(NotFound):
                actions.answer(one.pk, yes=yes, by=d.users[who])
    one.refresh_from_db()
    assert one.state == "asked"


def test_a_no_holds_for_the_shift_and_costs_nothing(d):
    one = asked(d)
    no = actions.answer(one.pk, yes=False, by=d.users["stationed"], now=after(1))
    assert actions.answer(one.pk, yes=False, by=d.users["stationed"], now=after(2)).answered_at == no.answered_at
    with pytest.raises(StaleVersion):
        actions.answer(one.pk, yes=True, by=d.users["stationed"], now=after(2))
    calls(d, after(60))
    found = {other.worker_id for other in suggested(after(60))}
    assert found and one.worker_id not in found
    midnight = no.until
    calls(d, midnight)
    only(d, one, midnight)
    assert {other.worker_id for other in suggested(midnight)} == {one.worker_id}


def test_who_said_yes_is_taken_to_be_there_once_they_can_be_and_is_ranked_from_there(d):
    one = asked(d)
    actions.answer(one.pk, yes=True, by=d.users["stationed"], now=T0)
    order = report(d, estate=d.south.code, now=T0)
    Order.objects.filter(pk=order.pk).update(town=d.town)

    def metres(minute: float) -> float:
        ranking = service.advise(Order.objects.get(pk=order.pk), now=after(minute)).ranking
        choice = ranking.of(str(one.worker_id))
        return choice.metres if choice else -1.0

    assert metres(one.minutes - 1) == pytest.approx(one.metres, abs=1)
    assert metres(one.minutes) == pytest.approx(0.0, abs=1)
    there = after(one.minutes)
    crowd = Keeper().look(d.division.code, there)
    x, y = crowd.plane.km(service.spot_of(one.lon, one.lat))
    assert [round(x, 3), round(y, 3)] in crowd.crowd[:, :2].tolist()
    actions.answer(one.pk, yes=False, by=d.users["stationed"], now=there)
    assert metres(one.minutes + 1) == pytest.approx(one.metres, abs=1), "they changed their mind"


def test_it_is_over_with_the_shift(d):
    one = asked(d)
    actions.answer(one.pk, yes=True, by=d.users["stationed"], now=T0)
    assert queries.waiting({}, one.until - timedelta(seconds=1)).keys() == {one.worker_id}
    assert queries.waiting({}, one.until) == {}
    Keeper().keep(one.until)
    one.refresh_from_db()
    assert one.state == "ended"


def told(order: Order, verb: str) -> list[Event]:
    return list(Event.objects.filter(order=order, verb=verb).select_related("order"))


def test_an_order_goes_before_waiting(d):
    one = asked(d, T0)
    order = walk(d, report(d, now=after(1)), "sign", now=after(1))
    act(order.pk, "assign", by=d.actor("operator"), data={"worker": str(one.worker_id)}, now=after(2))
    mark(told(order, "assign"))
    one.refresh_from_db()
    assert (one.state, one.why) == ("ended", "order")
    with pytest.raises(StaleVersion):
        actions.answer(one.pk, yes=True, by=d.users["stationed"], now=after(3))


def test_who_sets_off_for_an_order_waits_no_longer_and_what_was_said_later_stands(d):
    one = asked(d, T0)
    order = walk(d, report(d, now=after(1)), "sign", now=after(1))
    actions.answer(one.pk, yes=True, by=d.users["stationed"], now=after(1))
    act(order.pk, "assign", by=d.actor("operator"), data={"worker": str(one.worker_id)}, now=after(2))
    mark(told(order, "assign"))
    one.refresh_from_db()
    assert one.state == "accepted", "they may set off from where they wait"
    act(order.pk, "depart", by=d.actor("operator"), data={}, now=after(3))
    Standby.objects.filter(pk=one.pk).update(answered_at=after(4))
    mark(told(order, "depart"))
    one.refresh_from_db()
    assert one.state == "accepted"
    Standby.objects.filter(pk=one.pk).update(answered_at=after(1))
    mark(told(order, "depart"))
    one.refresh_from_db()
    assert (one.state, one.why) == ("ended", "order")


def test_the_door_keeps_to_what_a_person_would_accept(d):
    [one] = suggested()
    worker, by = Worker.objects.get(pk=one.worker_id), d.users["operator"]
    ask = lambda: actions.ask(one.pk, by=by, now=T0)  # noqa: E731
    estates.switch_duty(worker, False, by=by, at=after(-1))
    assert refused(ask) == "off_duty"
    estates.switch_duty(worker, True, by=by, at=after(-0.5), until=after(59))
    assert refused(ask) == "shift_ends"
    estates.switch_duty(worker, True, by=by, at=after(-0.4), until=after(200))
    order = walk(d, report(d, now=after(-20)), "sign", now=after(-20))
    act(order.pk, "assign", by=d.actor("operator"), data={"worker": str(worker.pk)}, now=after(-2))
    assert refused(ask) == "at_work"
    act(order.pk, "assign", by=d.actor("operator"), data={"worker": str(d.worker.pk)}, now=after(-1))
    past = {**like(one), "worker": worker, "until": one.until, "suggested_at": one.suggested_at}
    earlier = [Standby.objects.create(**past, state="ended", asked_at=after(-ago)) for ago in (44, 90, 150)]
    assert refused(ask) == "too_often"
    earlier[2].delete()
    assert refused(ask) == "too_soon"
    Standby.objects.filter(pk=earlier[0].pk).update(asked_at=after(-45), state="declined")
    assert refused(ask) == "said_no"
    Standby.objects.filter(pk=earlier[0].pk).update(state="ended")
    line = Moving.objects.create(district=d.division.code, mode="off")
    assert refused(ask) == "not_moved"
    line.delete()
    assert Standby.objects.get(pk=one.pk).state == "suggested", "what is refused changes nothing"
    assert ask().state == "asked"


def test_who_just_finished_or_was_just_asked_is_not_suggested(d):
    [first] = suggested()
    Standby.objects.all().delete()
    order = walk(d, report(d, now=after(-40)), "sign", now=after(-40))
    for verb, minute in (("assign", -30), ("depart", -29), ("arrive", -20), ("done", -3)):
        data = {"worker": str(first.worker_id)} if verb == "assign" else {}
        act(order.pk, verb, by=d.actor("operator"), data=data, now=after(minute))
    [other] = suggested()
    assert other.worker_id != first.worker_id
    actions.ask(other.pk, by=d.users["operator"], now=T0)
    assert suggested(after(2)) == [], "one is on the way: nobody else is wanted"
    actions.take_back(other.pk, by=d.users["operator"], now=after(3))
    calls(d, after(44))
    only(d, other, after(4))
    assert suggested(after(44)) == []
    assert [one.worker_id for one in suggested(after(46))] == [other.worker_id]


def test_where_a_rule_asks_it_asks_whoever_can_answer(d):
    Moving.objects.create(district=d.division.code, mode="ask")
    [one] = suggested()
    assert one.asked_at is None, "who has no page is asked by a person"
    Worker.objects.filter(pk=one.worker_id).update(user=d.users["stationed"])
    Keeper().keep(after(2))
    one.refresh_from_db()
    assert (one.state, one.asked_at, one.asked_by) == ("asked", after(2), None)
    assert queries.asked_of(d.users["stationed"], after(3)) == one


def test_who_does_not_answer_or_leaves_is_not_waited_for(d):
    one = asked(d)
    Keeper().keep(after(14))
    one.refresh_from_db()
    assert one.state == "asked"
    Keeper().keep(after(15))
    one.refresh_from_db()
    assert (one.state, one.why) == ("ended", "silent")
    calls(d, after(17))
    other = next(iter(suggested(after(17))))
    actions.ask(other.pk, by=d.users["boss"], now=after(17))
    actions.answer(other.pk, yes=True, by=d.users["boss"], now=after(18))
    estates.switch_duty(other.worker, False, by=d.users["boss"], at=after(19))
    Keeper().keep(after(20))
    other.refresh_from_db()
    assert (other.state, other.why, other.answered_by) == ("ended", "off_duty", d.users["boss"])


def test_a_look_that_fails_to_find_anybody_leaves_the_outlook(d, monkeypatch):
    monkeypatch.setattr("jiying.dispatch.keeping.seek", lambda *_: 1 / 0)
    assert Keeper().keep(T0) == 1
    assert not Standby.objects.exists()
