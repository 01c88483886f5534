"""A surge: when it begins and ends, what a person says about it, and how far the dispatcher looks while it runs."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection

from jiying.core.errors import BadInput, NotYours
from jiying.dispatch import commands, pools, queries, saying, surges
from jiying.dispatch.engine.outlook import Outlook, unpacked
from jiying.dispatch.engine.surging import recall, recall_by_skill
from jiying.dispatch.keeping import Keeper
from jiying.dispatch.models import Pool, Surge, SurgeSwitch, Task
from jiying.dispatch.service import advise
from jiying.dispatch.tests.town import T0, after, assigned, automatic, let_it_work, station
from jiying.dispatch.wire import suggestions_json
from jiying.estates.models import Worker
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def d(transactional_db: None) -> build.District:
    return build.district()


def look(d: build.District, load: float, minutes: float, *, staff: int = 10) -> Outlook:
    """The district as a keeper might see it so many minutes after `T0`."""
    known = Keeper().look(d.division.code, T0)
    return replace(known, load=load, at=after(minutes), staff=staff)


def followed(d: build.District, load: float, minutes: float) -> Surge | None:
    surges.follow(d.division.code, look(d, load, minutes), after(minutes))
    return surges.running(d.division.code)


def test_it_begins_above_the_one_limit_and_ends_below_the_other(d):
    assert followed(d, 0.80, 0) is None
    began = followed(d, 0.81, 1)
    assert began is not None and began.began_at == after(1)
    for minutes, load in enumerate((0.79, 0.41, 1.3, 0.4), start=2):
        assert followed(d, load, minutes) == began, "one that wavers between the limits goes on"
    assert followed(d, 0.39, 6) is None
    kept = Surge.objects.get()
    assert (kept.ended_at, kept.peak) == (after(6), 1.3)
    assert kept.most_recalled == 23, "10 on duty x 1.3 / 0.4, less the ten"
    assert followed(d, 0.6, 7) is None, "below the upper limit none begins anew"
    again = followed(d, 0.9, 8)
    assert again is not None and again != began


def test_who_keeps_the_worlds_begins_it_and_a_restart_knows_of_it(d):
    assert Keeper().keep(T0) == 1
    assert surges.running(d.division.code) is None
    for _ in range(4):
        report(d, now=T0)
    Keeper().keep(T0)
    began = Surge.objects.get()
    assert began.peak > 0.8 and began.most_recalled > 0
    Keeper().keep(after(2))
    assert Surge.objects.get() == began, "made anew in another process it is the same surge"
    assert surges.running("310999") is None
    Keeper().keep(after(24 * 60))
    assert Surge.objects.get().ended_at == after(24 * 60)


def test_one_that_runs_ends_though_the_last_worker_has_left(d):
    followed(d, 2.0, 0)
    Worker.objects.update(active=False)
    Keeper().keep(after(1))
    assert Surge.objects.get().ended_at == after(1)


def test_two_keepers_make_one(d):
    seen, ready, failed = look(d, 2.0, 0), threading.Barrier(2), []

    def keep() -> None:
        ready.wait()
        try:
            surges.follow(d.division.code, seen, T0)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    both = [threading.Thread(target=keep) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert failed == []
    assert Surge.objects.count() == 1
    with pytest.raises(IntegrityError):
        Surge.objects.create(district=d.division.code, began_at=T0)


def test_where_nobody_s_place_is_known_no_surge_goes_on_and_nothing_fails(d, caplog):
    followed(d, 2.0, 0)
    Worker.objects.update(home_estate=None)
    assert Keeper().keep(after(1)) == 0
    assert surges.running(d.division.code) is None
    assert not caplog.records


def test_how_many_are_wanted_by_skill_is_what_lacks_of_each(d):
    known = replace(
        look(d, 0.8, 0), skills=("electric", "lift", "water"), shares=(0.25, 0.25, 0.5),
        staffing=np.array([[9.0, 0.0], [3.0, 9.0], [4.0, 9.0]]),
    )  # fmt: skip
    assert recall(known) == 10, "20 needed, 10 on duty"
    assert recall_by_skill(known) == {"water": 6, "lift": 2}
    assert (recall(replace(known, load=0.1)), recall_by_skill(replace(known, load=0.1))) == (0, {})
    told = unpacked(known.packed())
    assert (told.staff, told.shares, recall_by_skill(told)) == (10, known.shares, {"water": 6, "lift": 2})


def test_a_person_goes_before_the_rule_until_it_is_undone(d):
    code, operator = d.division.code, d.users["operator"]
    surges.switch(code, True, by=operator, reason="台风", now=T0)
    assert surges.running(code) is not None
    assert followed(d, 0.0, 1) is not None, "the rule would end it"
    off = surges.switch(code, False, by=d.users["supervisor"], reason="演练结束", now=after(2))
    assert surges.running(code) is None
    assert followed(d, 5.0, 3) is None, "the rule would begin one"
    assert surges.switch(code, False, by=operator, reason="再点一次", now=after(4)) == off, "a second click"
    assert surges.undo(code, by=operator, now=after(5)) and not surges.undo(code, by=operator, now=after(5))
    assert followed(d, 5.0, 6) is not None
    first, second = SurgeSwitch.objects.order_by("at")
    assert (first.by, first.reason, first.undone_at, first.undone_by) == (
        operator, "台风", after(2), d.users["supervisor"],
    )  # fmt: skip
    assert (second.reason, second.undone_at) == ("演练结束", after(5))


def test_what_a_person_said_holds_some_hours(d):
    code, hours = d.division.code, surges.HOLDS.total_seconds() / 60
    surges.switch(code, True, by=d.users["operator"], reason="台风", now=T0)
    assert followed(d, 0.0, hours - 1) is not None
    assert followed(d, 0.0, hours) is None


def test_only_the_centre_of_the_district_switches_and_says_why(d):
    code = d.division.code
    for role in ("operator-2", "supervisor-2", "district", "town", "company", "manager", "worker", "resident"):
        with pytest.raises(NotYours):
            surges.switch(code, True, by=d.users[role], reason="不成", now=T0)
        with pytest.raises(NotYours):
            surges.undo(code, by=d.users[role], now=T0)
    with pytest.raises(BadInput):
        surges.switch(code, True, by=d.users["operator"], reason=" ", now=T0)
    assert not SurgeSwitch.objects.exists() and not Surge.objects.exists()


def pools_of(order: Order) -> list[str]:
    joined = Order.objects.select_related("estate", "town", "company").get(pk=order.pk)
    return [choice.candidate.pool for choice in advise(joined, now=after(1)).ranking.ranked]


def test_pools_reach_farther_while_it_runs_and_no_longer_after(d):
    station(d)
    station(d, tier="centre")
    Pool.objects.create(district=d.division.code, reach="company", surge_reach="district")
    order = report(d, now=T0)
    assert pools_of(order) == ["team", "team"]
    followed(d, 2.0, 0)
    assert pools_of(order) == ["team", "team", "town", "district"], "and no ally: nobody has agreed on anything"
    followed(d, 0.0, 1)
    assert pools_of(order) == ["team", "team"]


def test_a_line_that_says_nothing_of_surges_stays_as_it_is_and_so_does_another_district(d):
    station(d)
    line = Pool.objects.create(district=d.division.code, reach="company")
    order = report(d, now=T0)
    followed(d, 2.0, 0)
    assert pools_of(order) == ["team", "team"]
    Pool.objects.filter(pk=line.pk).update(surge_reach="town")
    pools.forget()
    Surge.objects.update(district="310999")
    surges.forget()
    assert pools_of(order) == ["team", "team"]


def test_the_event_and_the_sentence_say_that_a_surge_let_them_in(d):
    automatic(d)
    _company, guest = station(d)
    line = Pool.objects.create(district=d.division.code, reach="company", surge_reach="town")
    Worker.objects.filter(pk__in=(d.worker.pk, d.mate.pk)).update(skills=["lift"])
    order = report(d, now=T0)
    assert let_it_work(after(1.1)) == 0 and Task.objects.get(pk=order.pk).why == "nobody"
    due = Task.objects.get(pk=order.pk).due_at
    followed(d, 2.0, 1.2)
    soon = Task.objects.get(pk=order.pk).due_at
    assert after(1.2) < soon < due, "what nobody was found for is looked at anew"
    assert let_it_work(soon) == 1
    assert assigned(order) == [(str(guest.pk), "rule")]
    advice = Event.objects.get(order=order, verb="assign").data["advice"]
    assert advice["surge"] is True and "高峰期扩大了派工范围" in saying.why(advice)
    joined = Order.objects.select_related("estate", "town", "company").get(pk=report(d, now=after(2)).pk)
    (shown,) = queries.suggestions([joined], d.actor("operator").scope, now=after(2))
    (item,) = suggestions_json(shown)["items"]
    assert item["surge"] is True and "高峰期扩大了派工范围" in item["why"]
    Pool.objects.filter(pk=line.pk).update(reach="town")
    pools.forget()
    (shown,) = queries.suggestions([joined], d.actor("operator").scope, now=after(2))
    (item,) = suggestions_json(shown)["items"]
    assert item["surge"] is False and "高峰" not in item["why"], "whom the usual pool has needs no surge"


@pytest.mark.parametrize(
    ("reach", "surge", "fits"),
    [("town", "company", False), ("district", "alliance", False), ("town", "town", True), ("team", "district", True)],
)
def test_a_narrower_reach_in_a_surge_is_refused(d, reach, surge, fits):
    line = Pool(district=d.division.code, reach=reach, surge_reach=surge)
    if fits:
        line.full_clean()
        line.save()
        return
    with pytest.raises(ValidationError, match="不能比平时窄"):
        line.full_clean()
    with pytest.raises(IntegrityError):
        line.save()


def test_the_command_says_whether_one_runs(d):
    def said(*words: str) -> str:
        done = CliRunner().invoke(commands.dispatch, ["surge", *words])
        assert done.exit_code == 0, done.output
        return done.output

    told = json.loads(said("--json"))
    assert (told["district"], told["running"], told["load"]) == (d.division.code, False, None)
    surges.switch(d.division.code, True, by=d.users["operator"], reason="台风")
    told = json.loads(said("--json", "--district", d.division.code))
    assert told["running"] and told["by_hand"] and told["began_at"] and told["until"]
    assert "running: True" in said()
    assert json.loads(said("--json", "--district", "310999"))["running"] is False
