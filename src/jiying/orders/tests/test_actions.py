"""The one door: who may say what, with which data, when."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from jiying.core.errors import BadInput, ImpossibleVerb, NotFound, NotYours, StaleVersion, UnknownVerb
from jiying.estates.models import Worker
from jiying.orders import store, watcher
from jiying.orders.actions import act
from jiying.orders.actors import Actor
from jiying.orders.models import Clock, Event, EventText, Order
from jiying.orders.tests.build import report, walk
from jiying.orders.verify import verify
from jiying.people.actions import join, leave
from jiying.people.models import Organisation, User

T0 = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
M = timedelta(minutes=1)


def later(minutes: float) -> datetime:
    return T0 + minutes * M


def events_of(order: Order) -> list[str]:
    return list(Event.objects.filter(order=order).order_by("version").values_list("verb", flat=True))


def test_the_usual_way_leads_from_the_report_to_the_closed_order_and_every_chain_holds(d):
    order = walk(d, report(d), "sign", "assign", "contact", "depart", "arrive", "make_safe", "done", "confirm", "close")
    assert order.state == "closed"
    assert order.version == 10
    assert Order.objects.get(pk=order.pk).next_at is None
    assert not verify().broken


WRONG_DATA = [
    # state before, verb, who, data, field, code
    ((), "return", "company", {}, "data.reason", "required"),
    ((), "return", "company", {"reason": " \u200b "}, "data.reason", "required"),
    ((), "return", "company", {"reason": 7}, "data.reason", "invalid"),
    ((), "refuse", "company", {}, "data.rule", "required"),
    ((), "refuse", "company", {"rule": "x" * 201}, "data.rule", "too_long"),
    (("sign",), "assign", "company", {}, "data.worker", "required"),
    (("sign",), "assign", "company", {"worker": "nobody"}, "data.worker", "unknown_worker"),
    (("sign",), "assign", "company", {"worker": "\x00"}, "data.worker", "unknown_worker"),
    (("sign",), "assign", "company", {"worker": ["a"]}, "data.worker", "unknown_worker"),
    (("sign",), "pause", "manager", {}, "data.reason", "unknown_reason"),
    (("sign",), "pause", "manager", {"reason": ["weather"]}, "data.reason", "unknown_reason"),
    (("sign",), "pause", "manager", {"reason": "weather"}, "data.until", "bad_time"),
    (("sign",), "pause", "manager", {"reason": "weather", "until": "2020-01-01T00:00:00Z"}, "data.until", "bad_time"),
    (("sign",), "pause", "manager", {"reason": "weather", "until": "2099-01-01T00:00:00Z"}, "data.until", "bad_time"),
    (("sign",), "pause", "manager", {"reason": "weather", "until": "2026-11-24T14:05:00"}, "data.until", "bad_time"),
    (("sign",), "solve_remotely", "manager", {}, "data.note", "required"),
    ((), "reclassify", "operator", {}, "data", "unchanged"),
    ((), "reclassify", "operator", {"kind": "repair", "urgency": "emergency"}, "data", "unchanged"),
    ((), "reclassify", "operator", {"kind": "war"}, "data.kind", "unknown_kind"),
    ((), "reclassify", "operator", {"kind": ["repair"]}, "data.kind", "unknown_kind"),
    ((), "reclassify", "operator", {"category": "ufo"}, "data.category", "unknown_category"),
    ((), "reclassify", "operator", {"category": {"a": 1}}, "data.category", "unknown_category"),
    ((), "reclassify", "operator", {"urgency": "soon"}, "data.urgency", "unknown_urgency"),
    ((), "supervise", "town", {"text": "请答复"}, "data.answer_by", "bad_time"),
    ((), "supervise", "town", {"text": "请答复", "answer_by": "2020-01-01T00:00:00Z"}, "data.answer_by", "bad_time"),
    ((), "supervise", "town", {"answer_by": "2099-01-01T00:00:00Z"}, "data.text", "required"),
    ((), "note", "company", {}, "data.text", "required"),
    ((), "note", "company", {"text": "x" * 4001}, "data.text", "too_long"),
    ((), "note", "company", {"text": "答复", "answers": "nothing"}, "data.answers", "unknown_event"),
    ((), "urge", "track", {"text": ["快"]}, "data.text", "invalid"),
    (("sign", "take", "arrive"), "make_safe", "worker", {"note": 5}, "data.note", "invalid"),
    (("sign", "take", "arrive"), "done", "worker", {"attachments": "a.jpg"}, "data.attachments", "invalid"),
    (("sign", "take", "arrive"), "done", "worker", {"attachments": ["a"] * 21}, "data.attachments", "invalid"),
    (("sign", "take"), "arrive", "worker", {"point": "here"}, "data.point", "bad_point"),
    (("sign", "take"), "arrive", "worker", {"point": {"lon": 121}}, "data.point", "bad_point"),
    (("sign", "take"), "arrive", "worker", {"point": {"lon": 31.2, "lat": 121.5}}, "data.point", "bad_point"),
    (("sign", "take"), "arrive", "worker", {"point": {"lon": 1, "lat": 1, "crs": []}}, "data.point", "bad_point"),
    (("sign", "take", "arrive", "done"), "confirm", "track", {"solved": "yes"}, "data.solved", "invalid"),
    (("sign", "take", "arrive", "done"), "verify", "committee", {"solved": 0}, "data.solved", "invalid"),
    (("sign", "take", "arrive", "done"), "reopen", "track", {}, "data.reason", "required"),
    (("sign", "take", "arrive", "done"), "rate", "track", {}, "data.satisfaction", "invalid"),
    (("sign", "take", "arrive", "done"), "rate", "track", {"satisfaction": ["fairly"]}, "data.satisfaction", "invalid"),
    (
        ("sign", "take", "arrive", "done"),
        "rate", "track", {"satisfaction": "fairly", "solved": "no"}, "data.solved", "invalid",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("way", "verb", "who", "data", "field", "code"), WRONG_DATA)
def test_wrong_data_is_refused_by_field_and_nothing_is_written(d, way, verb, who, data, field, code):
    order = walk(d, report(d), *way)
    with pytest.raises(BadInput) as refusal:
        act(order.pk, verb, by=d.actor(who), data=data)
    assert [(error.field, error.code) for error in refusal.value.errors] == [(field, code)]
    assert Order.objects.get(pk=order.pk).version == order.version
    assert Event.objects.filter(order=order).count() == order.version


def test_an_unknown_verb_and_a_verb_of_others_and_an_impossible_one_are_three_refusals(d):
    order = report(d)
    with pytest.raises(UnknownVerb):
        act(order.pk, "fly", by=d.actor("company"))
    with pytest.raises(UnknownVerb):
        act(order.pk, "breach", by=d.actor("company"))
    with pytest.raises(NotYours) as not_theirs:
        act(order.pk, "rate", by=d.actor("company"))
    assert "sign" in not_theirs.value.extra["possible_verbs"]
    with pytest.raises(ImpossibleVerb) as too_early:
        act(order.pk, "assign", by=d.actor("company"), data={"worker": str(d.worker.pk)})
    assert too_early.value.extra["possible_verbs"] == ["sign", "return", "refuse", "urge", "note"]


@pytest.mark.parametrize(
    "who",
    ["stranger", "town-2", "committee-2", "company-2", "manager-2", "worker-2", "operator-2", "district-2", "resident"],
)
def test_an_order_of_another_town_company_or_district_does_not_exist_for_them(d, who):
    order = report(d)
    for verb in ("note", "sign", "take", "fly"):
        with pytest.raises(NotFound):
            act(order.pk, verb, by=d.actor(who), data={"text": "看看"})


def test_the_worker_of_another_company_cannot_be_sent_by_the_company_but_by_the_centre(d):
    order = walk(d, report(d), "sign")
    with pytest.raises(BadInput):
        act(order.pk, "assign", by=d.actor("company"), data={"worker": str(d.worker2.pk)})
    order = act(order.pk, "assign", by=d.actor("operator"), data={"worker": str(d.worker2.pk)})
    assert order.worker == d.worker2
    assert act(order.pk, "depart", by=d.actor("worker-2")).state == "en_route"


def test_a_worker_who_left_is_not_sent(d):
    Worker.objects.filter(pk=d.mate.pk).update(active=False)
    with pytest.raises(BadInput):
        act(walk(d, report(d), "sign").pk, "assign", by=d.actor("company"), data={"worker": str(d.mate.pk)})


# -- versions ------------------------------------------------------------------------------------------


def test_what_a_person_did_makes_the_version_stale_that_others_saw(d):
    order = report(d)
    seen = order.version
    act(order.pk, "urge", by=d.actor("track"))
    with pytest.raises(StaleVersion):
        act(order.pk, "sign", by=d.actor("company"), expected_version=seen)
    assert act(order.pk, "sign", by=d.actor("company"), expected_version=seen + 1).state == "signed"


def test_what_the_watcher_wrote_makes_nobody_stale(d):
    order = report(d, now=T0)
    assert watcher.sweep(later(4)) == 1
    assert act(order.pk, "sign", by=d.actor("company"), expected_version=1, now=later(4.5)).version == 3


def test_what_a_dated_rule_did_makes_stale_since_it_moved_the_order(d):
    order = walk(d, report(d, now=T0), "sign", "take", "arrive", "done", now=later(1))
    watcher.sweep(later(60 * 24 * 8))
    with pytest.raises(StaleVersion):
        act(order.pk, "confirm", by=d.actor("track"), expected_version=order.version, now=later(60 * 24 * 8 + 1))


def test_a_version_nobody_can_have_seen_is_stale(d):
    with pytest.raises(StaleVersion):
        act(report(d).pk, "sign", by=d.actor("company"), expected_version=99)


# -- times ---------------------------------------------------------------------------------------------


def test_an_action_in_the_future_or_before_the_last_one_is_refused(d):
    order = report(d, now=T0)
    with pytest.raises(BadInput) as future:
        act(order.pk, "sign", by=d.actor("company"), at=later(2), now=later(1))
    assert future.value.first_code == "bad_time"
    act(order.pk, "sign", by=d.actor("company"), at=later(5), now=later(9))
    with pytest.raises(BadInput) as earlier:
        act(order.pk, "take", by=d.actor("worker"), at=later(4), now=later(10))
    assert earlier.value.first_code == "bad_time"


def test_what_happened_long_before_it_was_told_is_marked_as_claimed(d):
    order = walk(d, report(d, now=T0), "sign", "take", now=later(1))
    act(order.pk, "depart", by=d.actor("worker"), at=later(5), now=later(10))
    act(order.pk, "arrive", by=d.actor("worker"), at=later(20), now=later(40))
    marks = dict(Event.objects.filter(order=order).values_list("verb", "claimed"))
    assert (marks["depart"], marks["arrive"]) == (False, True)
    clock = Clock.objects.get(order=order, promise="respond_30")
    assert (clock.state, clock.claimed) == ("met", True)


def test_two_clocks_that_differ_a_little_stop_nobody(d):
    """Two machines, or two requests of which the later one got the lock first."""
    order = report(d, now=T0)
    act(order.pk, "sign", by=d.actor("company"), now=later(1))
    act(order.pk, "take", by=d.actor("worker"), now=later(1) - timedelta(milliseconds=200))
    times = list(Event.objects.filter(order=order).order_by("version").values_list("at", "received_at"))
    assert [at for at, _ in times] == sorted(at for at, _ in times)
    assert all(at <= received for at, received in times)
    assert not verify().broken


# -- who took it ---------------------------------------------------------------------------------------


def test_who_comes_too_late_is_told_who_took_the_order(d):
    mate = User.objects.create(username="mate", name="赵师傅")
    Worker.objects.filter(pk=d.mate.pk).update(user=mate)
    join(mate, d.company.organisation, "worker")
    order = walk(d, report(d), "sign", "take")
    with pytest.raises(StaleVersion) as late:
        act(order.pk, "take", by=Actor.of(User.objects.get(pk=mate.pk)))
    assert "王师傅" in late.value.detail
    assert late.value.extra["taken_by"] == "王师傅"


def test_only_colleagues_are_told_who_took_it(d):
    order = walk(d, report(d), "sign", "take")
    for who in ("track", "operator", "company"):
        with pytest.raises(NotYours) as refusal:
            act(order.pk, "take", by=d.actor(who))
        assert "王师傅" not in refusal.value.detail


def test_an_order_given_back_may_be_signed_and_taken_again(d):
    order = walk(d, report(d), "sign", "take")
    order = act(order.pk, "return", by=d.actor("company"), data={"reason": "不是我们的小区"})
    assert (order.state, order.worker) == ("returned", None)
    order = walk(d, order, "sign", "take")
    assert (order.state, order.worker) == ("assigned", d.worker)


# -- coming back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "who"), [("confirm", "track"), ("verify", "committee")])
def test_not_solved_is_the_order_coming_back(d, verb, who):
    order = walk(d, report(d), "sign", "take", "arrive", "done")
    order = act(order.pk, verb, by=d.actor(who), data={"solved": False})
    assert (order.state, order.reopened) == ("assigned", 1)
    assert events_of(order)[-1] == "reopen"
    assert EventText.objects.get(order=order, field="reason_text").text == "居民表示没有解决。"
    rounds = dict(Clock.objects.filter(order=order, round=2).values_list("promise", "state"))
    assert rounds == {"respond_30": "running", "complete": "running"}


def test_a_reopened_order_that_nobody_was_sent_to_waits_signed_for(d):
    order = act(report(d).pk, "solve_remotely", by=d.actor("operator"), data={"note": "电话指导合闸"})
    order = act(order.pk, "confirm", by=d.actor("track"), data={"solved": False})
    assert (order.state, order.worker) == ("signed", None)
    assert act(order.pk, "take", by=d.actor("worker")).state == "assigned"


def test_solved_remotely_is_no_arrival_and_no_kept_promise(d):
    order = act(report(d).pk, "solve_remotely", by=d.actor("operator"), data={"note": "电话指导合闸"})
    states = dict(Clock.objects.filter(order=order).values_list("promise", "state"))
    assert states["respond_30"] == "void"
    assert states["complete"] == "void"
    assert states["follow_up"] == "running"


def test_supervision_is_answered_by_a_note_about_it(d):
    order = report(d)
    until = (timezone.now() + timedelta(days=1)).isoformat()
    act(order.pk, "supervise", by=d.actor("town"), data={"text": "请说明", "answer_by": until})
    asked = Event.objects.get(order=order, verb="supervise")
    act(order.pk, "note", by=d.actor("company"), data={"text": "已安排", "answers": str(asked.id)})
    assert Event.objects.get(order=order, verb="note").data["answers"] == str(asked.id)


def test_the_columns_of_an_order_always_say_what_its_events_say(d):
    order = walk(d, report(d), "sign", "assign", "depart", "arrive", "done", "reopen")
    row = Order.objects.get(pk=order.pk)
    kept = {name: getattr(row, name) for name in store.MOVING_FIELDS}
    store.mirror(row, store.load(row))
    assert kept == {name: getattr(row, name) for name in store.MOVING_FIELDS}


def test_somebody_who_left_the_company_acts_no_more(d):
    order = report(d)
    member = d.users["company"].memberships.get()
    leave(member, on=timezone.localdate())
    with pytest.raises(NotFound):
        act(order.pk, "sign", by=d.actor("company"))


# -- who repairs does not judge ------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["company", "manager", "worker"])
@pytest.mark.parametrize("verb", ["verify", "close", "confirm", "reopen"])
def test_who_serves_the_company_never_judges_its_work_whatever_else_they_are(d, role, verb):
    order = walk(d, report(d), "sign", "take", "arrive", "done", *(["verify"] if verb == "close" else []))
    for office, kind in (("operator", "centre"), ("committee", "committee")):
        join(d.users[role], Organisation.objects.get(kind=kind, code__in=["310115", "310115004001"]), office)
    Order.objects.filter(pk=order.pk).update(reporter=d.users[role])
    with pytest.raises(NotYours):
        act(order.pk, verb, by=d.actor(role), data={"solved": True, "reason": "没修好"})


def test_who_serves_the_company_neither_rates_it_nor_loosens_its_urgency(d):
    centre = Organisation.objects.get(kind="centre", code="310115")
    join(d.users["company"], centre, "operator")
    order = report(d)
    Order.objects.filter(pk=order.pk).update(reporter=d.users["company"])
    with pytest.raises(NotYours):
        act(order.pk, "reclassify", by=d.actor("company"), data={"urgency": "ordinary"})
    order = walk(d, order, "sign", "take", "arrive", "done")
    with pytest.raises(NotYours):
        act(order.pk, "rate", by=d.actor("company"), data={"satisfaction": "satisfied"})


def test_the_colleagues_of_a_helping_company_do_not_judge_what_it_repaired(d):
    order = walk(d, report(d), "sign")
    act(order.pk, "assign", by=d.actor("operator"), data={"worker": str(d.worker2.pk)})
    act(order.pk, "arrive", by=d.actor("worker-2"))
    act(order.pk, "done", by=d.actor("worker-2"))
    join(d.users["company-2"], Organisation.objects.get(kind="centre", code="310115"), "operator")
    with pytest.raises(NotYours):
        act(order.pk, "verify", by=d.actor("company-2"))
    assert act(order.pk, "verify", by=d.actor("operator")).state == "verified"
