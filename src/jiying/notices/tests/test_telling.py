"""Who is told of what, and what ends it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.dispatch.actions import RULE
from jiying.notices.follower import tell
from jiying.notices.models import Notice
from jiying.notices.queries import replaced
from jiying.notices.telling import Said, settles
from jiying.notices.wording import asks_of
from jiying.orders import watcher
from jiying.orders.actions import act, observe
from jiying.orders.models import Event
from jiying.orders.promises import is_answer
from jiying.orders.store import moment_of
from jiying.orders.tests.build import report, walk
from jiying.people.actions import join, leave
from jiying.people.models import Membership, User


def _wait(order, minutes: float) -> None:
    watcher.sweep(order.reported_at + timedelta(minutes=minutes, seconds=1))


def test_an_emergency_nobody_signs_tells_desk_and_manager_then_the_centre(d, told):
    order = report(d)
    _wait(order, 3)
    assert told() == {"company": {"unsigned_3"}, "manager": {"unsigned_3"}}
    _wait(order, 5)
    assert {name for name, open_ in told().items() if "unsigned_5" in open_} == {"operator"}


def test_nobody_of_another_town_or_company_is_told(d, told):
    _wait(report(d), 120)
    assert not [name for name in told() if name.endswith("-2")]


def test_the_ladder_reaches_everybody_it_names(d, told):
    _wait(report(d), 120)
    found = told()
    assert "town_centre_30" in found["town"] & found["operator"]
    assert "supervisor_45" in found["supervisor"]
    assert any(step.startswith("district") for step in found["district"])
    assert "resident" not in found


def test_the_front_desk_is_told_before_the_rest_of_its_company(d, told):
    desk = User.objects.create(username="desk")
    join(desk, d.company.organisation, "company", duty="front_desk")
    _wait(report(d), 3)
    assert set(told()) == {"desk", "manager"}


def test_who_left_is_not_told(d, told):
    leave(Membership.objects.get(user=d.users["manager"]), on=date(2024, 1, 1))
    _wait(report(d), 3)
    assert set(told()) == {"company"}


def test_an_estate_without_a_company_is_the_towns(d, told):
    _wait(report(d, estate=d.orphan.code), 3)
    assert told() == {"town": {"unsigned_3"}}
    assert Notice.objects.get().why == "town"


def test_a_vacant_post_tells_the_centre(d, told):
    Membership.objects.filter(role="supervisor").delete()
    _wait(report(d), 45)
    assert "supervisor_45" in told()["operator"]


def test_signing_answers_what_asked_for_signing_and_nothing_else(d, told):
    order = report(d)
    _wait(order, 20)
    walk(d, order, "sign")
    left = {step for open_ in told().values() for step in open_}
    assert not {step for step in left if step.startswith("unsigned")}
    assert {"not_departed_10", "company_20"} <= left


def test_departing_answers_the_next_tier_and_arriving_all_the_rest(d, told):
    order = report(d)
    _wait(order, 31)
    walk(d, order, "sign", "assign", "depart")
    left = {step for open_ in told().values() for step in open_}
    assert "not_departed_10" not in left
    assert "town_centre_30" in left
    walk(d, order, "contact", "arrive", "make_safe")
    assert told() == {}


def test_the_worker_is_told_of_the_assignment_until_the_promise_is_due(d, told):
    order = walk(d, report(d), "sign", "assign")
    assert told() == {"worker": {"assign"}}
    assert Notice.objects.get(done_at=None).until == order.headline_due
    walk(d, order, "depart")
    assert told() == {}


def test_sending_somebody_else_takes_it_off_the_first_and_tells_them(d, told):
    order = walk(d, report(d), "sign", "assign")
    told()
    d.mate.user = User.objects.create(username="mate")
    d.mate.save()
    act(order.pk, "assign", by=d.actor("company"), data={"worker": str(d.mate.pk)})
    assert told() == {"mate": {"assign"}, "worker": {"assign"}}
    (notice,) = Notice.objects.filter(user=d.users["worker"], done_at=None)
    assert notice.why == "replaced"
    assert [one.pk for one in replaced(d.users["worker"])] == [notice.pk]
    # Once the other is on the way there is nothing left to know.
    act(order.pk, "depart", by=d.actor("operator"))
    told()
    assert replaced(d.users["worker"]) == []


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("called_away", "您先去急修，这单已改派给别人"),
        ("nearer", "有人能更早赶到，已改派，您不用去了"),
        ("swapped", "您改去另一处急修，这单已换人去"),
        ("", "已改派给别人，您不用去了"),
    ],
)
def test_who_need_not_go_any_more_reads_why_and_who_goes_instead_does_not(d, told, mark, words):
    order = walk(d, report(d), "sign", "assign")
    told()
    d.mate.user = User.objects.create(username="mate")
    d.mate.save()
    noted = {mark: True} if mark else {}
    act(order.pk, "assign", by=RULE, data={"worker": str(d.mate.pk)}, noted=noted)
    assert told() == {"mate": {"assign"}, "worker": {mark or "assign"}}
    assert [asks_of(one) for one in replaced(d.users["worker"])] == [words]
    (instead,) = Notice.objects.filter(user=d.mate.user)
    assert asks_of(instead) == "派给您的工单，请出发"


def test_who_cannot_go_is_told_to_the_desk_until_somebody_else_is_sent(d, told):
    order = walk(d, report(d), "sign", "assign")
    told()
    act(order.pk, "note", by=d.actor("worker"), data={"text": "车坏了", "declines": True})
    assert told()["manager"] == {"note"}
    act(order.pk, "assign", by=d.actor("company"), data={"worker": str(d.mate.pk)})
    assert "manager" not in told()


def test_what_the_dispatcher_asks_for_is_told_to_the_centre_until_somebody_is_sent(d, told):
    order = report(d)
    assert observe(order.pk, "ask_centre", rule="dispatch", data={"step": "nobody"}) is not None
    assert observe(order.pk, "ask_centre", rule="dispatch", data={"step": "nobody"}) is None
    assert told() == {"operator": {"nobody"}}
    act(order.pk, "assign", by=d.actor("operator"), data={"worker": str(d.worker.pk)})
    assert "operator" not in told()


def test_a_breach_takes_the_place_of_its_warning(d, told):
    order = walk(d, report(d), "sign", "assign", "contact")
    _wait(order, 25)
    assert "warn" in told()["worker"]
    _wait(order, 31)
    open_ = Notice.objects.filter(user=d.users["worker"], done_at=None, promise="respond_30")
    assert told()["worker"] >= {"breach"}
    assert {notice.kind for notice in open_} == {"breach"}


def test_taking_tells_nobody(d, told):
    walk(d, report(d), "sign", "take")
    assert told() == {}


def test_a_return_goes_to_the_centre_and_off_the_companys_hands(d, told):
    order = walk(d, report(d), "sign", "assign")
    act(order.pk, "return", by=d.actor("company"), data={"reason": "不归我们管"})
    assert told() == {"operator": {"return"}}
    act(order.pk, "sign", by=d.actor("operator"))
    assert told() == {}


def test_a_supervision_ends_with_its_answer_alone(d, told):
    order = walk(d, report(d), "sign", "assign", "arrive")
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    act(order.pk, "supervise", by=d.actor("town"), data={"text": "为何这么慢", "answer_by": until})
    assert told() == {"company": {"supervise"}, "manager": {"supervise"}}
    assert Notice.objects.filter(kind="supervise").first().until.isoformat() == until
    act(order.pk, "note", by=d.actor("company"), data={"text": "在修了"})
    order = walk(d, order, "done")
    assert set(told()) == {"company", "manager"}
    asked = Event.objects.get(verb="supervise")
    act(order.pk, "note", by=d.actor("company"), data={"text": "已修好", "answers": str(asked.id)})
    assert told() == {}


def test_urging_asks_those_who_can_move_it_and_not_who_urged(d, told):
    order = report(d, category="environment", urgency="ordinary")
    act(order.pk, "urge", by=d.actor("company"), data={})
    assert told() == {"manager": {"urge"}}
    order = walk(d, order, "sign", "assign", "arrive")
    act(order.pk, "urge", by=d.actor("track"), data={"text": "人呢"})
    assert told()["worker"] == {"urge"}
    act(order.pk, "note", by=d.actor("track"), data={"text": "还在等"})
    assert "urge" in told()["worker"]
    act(order.pk, "note", by=d.actor("worker"), data={"text": "还要十分钟"})
    assert told() == {}


def test_not_solved_comes_back_to_the_worker_and_the_manager(d, told):
    order = walk(d, report(d), "sign", "assign", "arrive", "done", "reopen")
    assert set(told()) == {"worker", "manager", "company"}
    walk(d, order, "depart")
    assert told() == {}


def test_a_follow_up_that_runs_out_is_the_committees_and_silence_does_not_answer_it(d, told):
    order = walk(d, report(d), "sign", "assign", "arrive", "make_safe", "done")
    done_at = Event.objects.get(verb="done").at
    watcher.sweep(done_at + timedelta(hours=25))
    assert "breach" in told()["committee"]
    watcher.sweep(done_at + timedelta(days=8))
    assert Event.objects.filter(verb="verify", role="rule").exists()
    order.refresh_from_db()
    if order.state == "verified":
        assert "breach" in told()["committee"]


def test_what_counts_as_a_residents_answer_is_said_in_one_way(d):
    order = walk(d, report(d), "sign", "assign", "arrive", "done", "confirm", "rate", "reopen", "arrive", "done")
    act(order.pk, "verify", by=d.actor("committee"), data={"solved": True})
    asked = Notice(kind="breach", why="committee", promise="follow_up", ends_with="answer")
    for event in Event.objects.order_by("seq"):
        said = Said(event.verb, event.role, event.milestone, event.data)
        assert settles(said, asked) == is_answer(moment_of(event)), event.verb


@pytest.mark.parametrize("ending", ["cancel", "refuse"])
def test_an_order_that_is_over_asks_nothing_of_anybody(d, told, ending):
    order = report(d)
    _wait(order, 60)
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    act(order.pk, "supervise", by=d.actor("town"), data={"text": "快", "answer_by": until})
    assert told()
    act(order.pk, ending, by=d.actor("track" if ending == "cancel" else "company"), data={"rule": "非报修"})
    assert told() == {}


def test_a_batch_read_twice_tells_once(d, told):
    _wait(report(d), 120)
    told()
    before = set(Notice.objects.values_list("pk", flat=True))
    told()
    assert set(Notice.objects.values_list("pk", flat=True)) == before


def test_what_was_answered_stays_answered_when_the_log_is_read_again(d, told):
    order = report(d)
    _wait(order, 3)
    walk(d, order, "sign", "assign", "depart", "contact", "arrive", "make_safe")
    assert told() == {}
    when = set(Notice.objects.values_list("done_at", flat=True))
    assert told() == {}
    assert set(Notice.objects.values_list("done_at", flat=True)) == when


def test_the_number_of_reads_does_not_grow_with_the_batch(d):
    def reads() -> int:
        events = list(Event.objects.select_related("order"))
        Notice.objects.all().delete()
        with CaptureQueriesContext(connection) as seen:
            tell(events)
        return sum(query["sql"].startswith("SELECT") for query in seen)

    for _ in range(2):
        _wait(walk(d, report(d), "sign"), 60)
    few = reads()
    for _ in range(8):
        _wait(walk(d, report(d), "sign"), 60)
    assert reads() == few <= 7
