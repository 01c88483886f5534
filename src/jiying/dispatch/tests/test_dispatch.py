"""From a report to somebody who goes, by rule; and everything that may come between."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from jiying.core.errors import BadInput, StaleVersion
from jiying.dispatch import actions, loop, queries, saying, service
from jiying.dispatch.engine.ranking import WHY
from jiying.dispatch.models import Policy, Task
from jiying.dispatch.service import advise
from jiying.dispatch.tests.town import T0, after, assigned, automatic, fresh, hire, let_it_work, station
from jiying.estates.actions import switch_duty
from jiying.estates.models import Mandate, Worker
from jiying.orders import followers, watcher
from jiying.orders.actions import act
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk
from jiying.orders.verbs import OVERRULINGS
from jiying.orders.verify import verify
from jiying.rules.pack import SKILLS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def d(transactional_db: None) -> build.District:
    return build.district()


def test_an_emergency_nobody_took_is_assigned_by_rule_and_can_still_be_signed(d):
    automatic(d)
    order = report(d, now=T0)
    assert let_it_work(after(0.9)) == 0, "people have a minute"
    assert let_it_work(after(1.1)) == 1
    now = fresh(order)
    assert (now.state, now.worker_id) == ("assigned", d.worker.pk)
    event = Event.objects.get(order=order, verb="assign")
    assert (event.by, event.role, event.milestone) == ("rule:dispatch", "rule", "assigned")
    # Whoever saw the order before the rule acted is not held up by it.
    signed = act(order.pk, "sign", by=d.actor("company"), expected_version=1, now=after(2))
    assert (signed.state, signed.worker_id) == ("assigned", d.worker.pk)
    assert not verify(order.pk).broken


def test_the_event_says_why_in_ids_and_numbers_alone(d):
    automatic(d)
    report(d, now=T0)
    let_it_work(after(2))
    data = Event.objects.get(verb="assign").data
    assert set(data) == {"worker", "advice"}
    assert data["advice"] == {
        "engine": "nearest-1", "rank": 1, "of": 2, "best": str(d.worker.pk),
        "skill": "water", "tier": "team", "load": 0, "home": True, "soon": 1, "metres": 0, "minutes": 2,
        "nearest": {"worker": str(d.worker.pk), "minutes": 2},
    }  # fmt: skip
    names = set(Worker.objects.values_list("name", flat=True))
    assert not [name for name in names if name in json.dumps(data, ensure_ascii=False)]


def test_without_a_district_s_decision_nothing_is_assigned_by_rule(d):
    order = report(d, now=T0)
    assert let_it_work(after(60)) == 0
    assert fresh(order).state == "submitted"
    assert advise(order).rules.mode == "suggest"


def test_ordinary_orders_and_what_is_no_repair_are_left_to_people(d):
    automatic(d)
    ordinary = report(d, now=T0, urgency="ordinary")
    complaint = report(d, now=T0, kind="complaint", category="complaint", urgency="emergency")
    assert let_it_work(after(60)) == 0
    assert {fresh(ordinary).state, fresh(complaint).state} == {"submitted"}


def test_the_line_that_says_most_about_an_order_counts(d):
    automatic(d)
    Policy.objects.create(district=d.division.code, company=d.company, mode="off")
    ours, theirs = report(d, now=T0), report(d, now=T0, estate=d.estate2.code)
    assert let_it_work(after(2)) == 1
    assert (fresh(ours).state, fresh(theirs).state) == ("submitted", "assigned")


def test_a_line_that_is_not_in_force_counts_for_nothing(d):
    automatic(d, valid_to=T0.date())
    report(d, now=T0)
    assert let_it_work(after(2)) == 0


def test_who_signs_has_the_same_time_again_and_what_people_do_goes_before(d):
    automatic(d)
    order = report(d, now=T0)
    act(order.pk, "sign", by=d.actor("company"), now=after(0.8))
    assert let_it_work(after(1.5)) == 0
    act(order.pk, "assign", by=d.actor("company"), data={"worker": str(d.mate.pk)}, now=after(1.6))
    assert let_it_work(after(30)) == 0, "what a person decided is not replaced by a rule"
    assert assigned(order) == [(str(d.mate.pk), "company")]


def test_a_person_reassigns_what_a_rule_assigned(d):
    automatic(d)
    order = report(d, now=T0)
    let_it_work(after(2))
    act(order.pk, "sign", by=d.actor("company"), expected_version=1, now=after(3))
    data = {"worker": str(d.mate.pk), "overrule": "knows_place", "reason": "老赵上周刚修过这家"}
    actions.say(order.pk, "assign", by=d.actor("company"), data=data, now=after(3))
    event = Event.objects.filter(order=order, verb="assign").latest("version")
    assert event.data["instead_of"] == str(d.worker.pk)
    assert event.data["overrule"] == "knows_place"
    assert event.data["advice"]["overrules"] is True
    assert "老赵" not in event.canonical
    assert let_it_work(after(30)) == 0
    assert not verify(order.pk).broken


def test_who_does_not_set_off_is_replaced_and_the_next_tier_is_asked(d):
    automatic(d)
    _company, other = station(d)
    order = report(d, now=T0)
    let_it_work(after(1))
    for worker in (d.mate, hire(d, d.company, "病假")):
        switch_duty(worker, False, by=d.users["company"], at=T0)
    assert let_it_work(after(10)) == 0
    assert let_it_work(after(11.1)) == 1
    assert assigned(order) == [(str(d.worker.pk), "rule"), (str(other.pk), "rule")]
    event = Event.objects.filter(order=order, verb="assign").latest("version")
    assert event.data["instead_of"] == str(d.worker.pk)
    assert event.data["advice"]["tier"] == "station"


def test_after_so_many_replacements_the_centre_is_told_once(d):
    automatic(d, most_replaced=1)
    order = report(d, now=T0)
    for minutes in (1, 12, 23, 34, 45):
        let_it_work(after(minutes))
    assert [worker for worker, _role in assigned(order)] == [str(d.worker.pk), str(d.mate.pk)]
    asked = Event.objects.filter(order=order, verb="ask_centre")
    assert [event.data["step"] for event in asked] == ["not_departed"]
    assert Task.objects.get(pk=order.pk).why == "not_departed"
    act(order.pk, "assign", by=d.actor("operator"), data={"worker": str(d.worker.pk)}, now=after(46))
    followers.catch_up()
    assert not Task.objects.exclude(why="").exists()


def test_when_nobody_can_go_the_centre_is_told_at_once_with_why(d):
    automatic(d)
    Worker.objects.filter(company=d.company).update(skills=["lift"])
    order = report(d, now=T0)
    assert let_it_work(after(1.1)) == 0
    event = Event.objects.get(order=order, verb="ask_centre")
    assert event.data == {"step": "nobody", "round": 0, "left_out": {"no_skill": 2}}
    assert Task.objects.get(pk=order.pk).why == "nobody"
    # It moved nothing and made nobody stale; and it is not said again while nothing changes.
    assert (fresh(order).state, fresh(order).acted_version) == ("submitted", 1)
    for minutes in range(2, 40):
        let_it_work(after(minutes))
    assert Event.objects.filter(order=order, verb="ask_centre").count() == 1
    # Somebody comes to work: it is tried again by itself.
    Worker.objects.filter(pk=d.mate.pk).update(skills=["water"])
    assert let_it_work(after(60)) == 1
    assert Task.objects.get(pk=order.pk).why == ""


def test_what_nobody_serves_goes_to_the_station(d):
    automatic(d)
    _company, other = station(d)
    order = report(d, now=T0, estate=d.orphan.code)
    assert order.company is None
    let_it_work(after(1.1))
    assert assigned(order) == [(str(other.pk), "rule")]


def test_what_the_company_gave_back_is_not_given_to_its_people_again(d):
    automatic(d)
    _company, other = station(d)
    order = report(d, now=T0)
    act(order.pk, "return", by=d.actor("company"), data={"reason": "人手不够"}, now=after(0.5))
    let_it_work(after(2))
    assert assigned(order) == [(str(other.pk), "rule")]


def test_a_mandate_counts_from_its_day_to_its_end_and_in_its_place_alone(d):
    company, other = station(d)
    order = report(d, now=T0)
    assert str(other.pk) in {choice.worker for choice in advise(order, now=T0).ranking.ranked}
    elsewhere = report(d, now=T0, estate=d.estate2.code)
    assert str(other.pk) not in {choice.worker for choice in advise(elsewhere, now=T0).ranking.ranked}
    Mandate.objects.filter(company=company).update(valid_to=T0.date())
    assert str(other.pk) not in {choice.worker for choice in advise(order, now=T0).ranking.ranked}


def test_two_stations_and_a_centre_stand_in_their_order(d):
    _one, first = station(d)
    _two, last = station(d, tier="centre")
    ranked = advise(report(d, now=T0), now=T0).ranking.ranked
    assert [choice.worker for choice in ranked] == [str(d.worker.pk), str(d.mate.pk), str(first.pk), str(last.pk)]


def test_who_says_that_they_cannot_go_is_replaced_at_once_and_not_asked_again(d):
    automatic(d)
    order = report(d, now=T0)
    let_it_work(after(1.1))
    actions.decline(order.pk, by=d.actor("worker"), reason="车坏在路上了")
    followers.catch_up()
    note = Event.objects.get(order=order, verb="note")
    assert note.data["declines"] == str(d.worker.pk)
    assert "车坏" not in note.canonical
    assert loop.sweep() == 1
    assert [worker for worker, _role in assigned(order)] == [str(d.worker.pk), str(d.mate.pk)]


def test_who_went_off_duty_is_never_sent(d):
    automatic(d)
    switch_duty(d.worker, False, by=d.users["worker"], at=T0)
    order = report(d, now=T0)
    let_it_work(after(1.1))
    assert assigned(order) == [(str(d.mate.pk), "rule")]


def test_load_is_what_somebody_has_in_hand_and_where_they_are_is_known_only_then(d):
    busy = walk(d, report(d, now=T0), "sign", "assign", "depart", "arrive", now=T0)
    Order.objects.filter(pk=busy.pk).update(lon=121.55, lat=31.222)
    order = report(d, now=T0)
    found = {choice.worker: choice for choice in advise(order, now=after(1)).ranking.ranked}
    assert found[str(d.worker.pk)].candidate.load == 1
    assert found[str(d.worker.pk)].metres == pytest.approx(2850, rel=0.05)
    walk(d, busy, "make_safe", "done", now=after(2))
    found = {choice.worker: choice for choice in advise(order, now=after(3)).ranking.ranked}
    assert (found[str(d.worker.pk)].candidate.load, found[str(d.worker.pk)].metres) == (0, 0)


def test_if_the_engine_fails_the_nearest_goes_and_the_centre_is_told(d, monkeypatch):
    def broken(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError("an engine with a fault")

    automatic(d)
    monkeypatch.setattr(service, "rank", broken)
    order = report(d, now=T0)
    assert let_it_work(after(1.1)) == 1
    assert Event.objects.get(order=order, verb="assign").data["advice"]["engine"] == "fallback-nearest"
    assert Event.objects.get(order=order, verb="ask_centre").data["step"] == "engine"
    assert Task.objects.get(pk=order.pk).why == "engine"


def test_one_order_that_cannot_be_handled_keeps_no_other_waiting(d, monkeypatch):
    automatic(d)
    bad, good = report(d, now=T0), report(d, now=T0)
    real = loop.advise_many

    def picky(orders: list[Order], **more: object) -> object:
        if orders[0].pk == bad.pk:
            raise RuntimeError("poison")
        return real(orders, **more)

    monkeypatch.setattr(loop, "advise_many", picky)
    assert let_it_work(after(1.1)) == 1
    assert (fresh(bad).state, fresh(good).state) == ("submitted", "assigned")
    assert Task.objects.get(pk=bad.pk).due_at == after(2.1)


def test_a_decision_made_on_an_older_version_is_void(d):
    automatic(d)
    order = report(d, now=T0)
    advice = advise(fresh_joined(order), now=T0)
    act(order.pk, "urge", by=d.actor("track"), now=after(1))
    with pytest.raises(StaleVersion):
        actions.send(advice, 1, now=after(1))
    assert fresh(order).state == "submitted"


def test_a_warning_in_between_voids_a_rule_s_decision_too_but_no_person_s(d):
    automatic(d)
    order = report(d, now=T0)
    advice = advise(fresh_joined(order), now=T0)
    watcher.sweep(after(6))
    with pytest.raises(StaleVersion):
        actions.send(advice, 1, now=after(6))
    assert act(order.pk, "sign", by=d.actor("company"), expected_version=1, now=after(6)).state == "signed"


def fresh_joined(order: Order) -> Order:
    return Order.objects.select_related("estate", "town", "company").get(pk=order.pk)


def test_what_is_paused_cancelled_or_done_is_no_longer_looked_at(d):
    automatic(d)
    cancelled, solved = report(d, now=T0), report(d, now=T0)
    followers.catch_up()
    act(cancelled.pk, "cancel", by=d.actor("track"), now=after(0.5))
    act(solved.pk, "solve_remotely", by=d.actor("operator"), data={"note": "已教居民复位"}, now=after(0.5))
    assert let_it_work(after(2)) == 0
    assert not Task.objects.exists()


def test_a_reopened_order_stays_with_who_had_it_until_they_do_not_set_off(d):
    automatic(d)
    order = report(d, now=T0)
    let_it_work(after(1.1))
    order = walk(d, order, "depart", "arrive", "done", now=after(20))
    act(order.pk, "reopen", by=d.actor("track"), data={"reason": "还在漏"}, now=after(30))
    assert let_it_work(after(39)) == 0
    assert fresh(order).worker_id == d.worker.pk
    assert let_it_work(after(60)) == 0, "who came back by reopening was sent by nobody; the ladder tells of it"


def test_a_demo_s_or_a_crashed_process_s_repeated_batch_marks_the_same(d):
    from jiying.dispatch.follower import mark

    automatic(d)
    report(d, now=T0)
    events = list(Event.objects.select_related("order"))
    mark(events)
    first = list(Task.objects.values())
    mark(events)
    assert list(Task.objects.values()) == first
    assert first[0]["due_at"] == T0 + timedelta(seconds=60)


def test_advice_costs_the_same_number_of_queries_however_many_ask_and_work(d):
    orders = [fresh_joined(report(d, now=T0))]

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            service.advise_many(orders, now=T0)
        return len(seen)

    cost()  # the district's time zone is read once and kept
    one = cost()
    station(d)
    station(d, tier="centre")
    for n in range(20):
        hire(d, d.company, f"工{n}", home=d.estate)
    orders += [fresh_joined(report(d, now=T0)) for _ in range(8)]
    assert cost() == one <= 9


def test_the_share_of_overrulings_is_counted_with_its_reasons(d):
    automatic(d)
    by = d.actor("company")
    picked = [(d.worker, {}), (d.mate, {"overrule": "on_the_way"}), (d.mate, {})]
    for worker, more in picked:
        order = act(report(d, now=T0).pk, "sign", by=by, now=T0)
        actions.say(order.pk, "assign", by=by, data={"worker": str(worker.pk), **more}, now=T0)
        Order.objects.filter(pk=order.pk).update(state="closed")
    report(d, now=T0)
    let_it_work(after(1.1))
    counts = queries.overruled(d.division.code, T0, after(60))
    assert (counts.by_rule, counts.by_people, counts.overruled) == (1, 3, 2)
    assert counts.reasons == {"on_the_way": 1, "": 1}
    assert counts.share == pytest.approx(2 / 3)
    assert queries.overruled(d.division.code, after(60), after(120)).share is None


def test_a_reason_that_is_none_is_refused(d):
    order = act(report(d).pk, "sign", by=d.actor("company"))
    with pytest.raises(BadInput):
        act(order.pk, "assign", by=d.actor("company"), data={"worker": str(d.mate.pk), "overrule": "mood"})


def test_a_repeat_under_its_key_stays_one_though_the_suggestion_has_changed(d):
    by, data = d.actor("company"), {"worker": str(d.mate.pk)}
    order = act(report(d).pk, "sign", by=by)
    first = actions.say(order.pk, "assign", by=by, data=data, key="k")
    switch_duty(d.worker, False, by=d.users["worker"])
    assert actions.say(order.pk, "assign", by=by, data=data, key="k").version == first.version
    assert len(assigned(order)) == 1


def test_only_who_was_sent_and_has_not_set_off_can_decline(d):
    order = walk(d, report(d), "sign", "assign")
    with pytest.raises(BadInput):
        actions.decline(order.pk, by=d.actor("company"), reason="他去不了")
    walk(d, order, "depart")
    with pytest.raises(BadInput):
        actions.decline(order.pk, by=d.actor("worker"), reason="不想去")


def test_a_company_is_shown_its_own_people_and_the_centre_all_tiers(d):
    station(d)
    order = fresh_joined(report(d))
    (theirs,) = queries.suggestions([order], d.actor("company").scope)
    assert {choice.worker for choice in theirs.choices} == {str(d.worker.pk), str(d.mate.pk)}
    (all_,) = queries.suggestions([order], d.actor("operator").scope)
    assert [choice.tier.name for choice in all_.choices] == ["TEAM", "TEAM", "STATION"]


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("zh-hans", "1.2 公里，约 8 分钟；会电工；十分钟内还有 2 位能到"),
        ("en", "1.2 km, about 8 min; does electrics; 2 more within ten minutes"),
    ],
)
def test_why_is_one_sentence(language, sentence):
    advice = {"metres": 1234, "minutes": 8, "tier": "team", "soon": 2, "skill": "electric"}
    with override(language):
        assert saying.why(advice) == sentence


def test_every_reason_and_tier_has_its_words():
    assert set(saying.LEFT_OUT) == set(WHY)
    assert set(saying.OVERRULINGS) == set(OVERRULINGS)
    assert set(saying.SKILLS) == set(SKILLS)
    with override("zh-hans"):
        assert saying.left_out({"off_duty": 3, "too_far": 2}) == "不在班 3 人、太远 2 人"
        assert saying.left_out({}) == ""
