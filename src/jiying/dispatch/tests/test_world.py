"""The world in memory: followed by the log, made anew after a restart, and the same as a day's run has it."""

from __future__ import annotations

import gc
import math
import random
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from django.db import transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from jiying.dispatch import actions, outlooks, service, staff
from jiying.dispatch.engine import costs
from jiying.dispatch.engine.fleet import plain
from jiying.dispatch.engine.fleet.cover import look, price_of
from jiying.dispatch.engine.fleet.field import Field
from jiying.dispatch.engine.fleet.kernels import decide_one, reveal
from jiying.dispatch.engine.fleet.motion import advance
from jiying.dispatch.engine.fleet.prices import Prices, Road
from jiying.dispatch.engine.fleet.tables import BUSY, GOING, OPEN, ORDER, TAKEN
from jiying.dispatch.engine.fleet.usual import worth_now
from jiying.dispatch.engine.fleet.world import world_of
from jiying.dispatch.engine.outlook import Outlook, Plane, unpacked
from jiying.dispatch.engine.ranking import rank
from jiying.dispatch.engine.world import DEFAULTS, Candidate, Doing, Job, Spot, Tier
from jiying.dispatch.keeping import Keeper
from jiying.dispatch.looking import KNOWN_SKILLS, fleet_of
from jiying.dispatch.shadow import compare
from jiying.dispatch.tests.town import T0, after, assigned, automatic, hire, let_it_work
from jiying.dispatch.world import OutOfStep, World
from jiying.estates.models import Estate, Shift, Worker
from jiying.estates.queries import zone_of
from jiying.orders import watcher, withdrawal
from jiying.orders.actions import act
from jiying.orders.models import Event, Order
from jiying.orders.past import importer
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk

ROAD, PRICES = Road(), Prices()
CENTRE = Spot(121.5, 31.2)
PLANE = Plane(CENTRE)


def spot(x: float, y: float) -> Spot:
    """The place so many kilometres from the centre."""
    east, north = PLANE.km(Spot(CENTRE.lon + 0.01, CENTRE.lat + 0.01))
    return Spot(CENTRE.lon + 0.01 * x / east, CENTRE.lat + 0.01 * y / north)


people = st.lists(
    st.tuples(
        st.floats(-4, 4), st.floats(-4, 4), st.integers(1, 63), st.sampled_from(("free", "going", "working")),
        st.integers(0, 60), st.floats(5, 400),
    ),
    min_size=1, max_size=9,
)  # fmt: skip


@given(people, st.tuples(st.floats(-4, 4), st.floats(-4, 4)), st.integers(0, 5), st.floats(3, 29.5), st.integers(0, 5))
@settings(deadline=None, max_examples=80, phases=(Phase.explicit, Phase.generate))
def test_live_and_a_day_s_run_send_the_same_one_to_an_emergency(everybody, place, skill, left, seed):
    """The same people, orders and time, once as the fleet's records, once as candidates with an outlook."""
    # By way of degrees for both, or a place on the line between two cells lies in one here and in the other there.
    now, rng = 600.0, random.Random(seed)
    shifts = [[(0.0, now + duty)] for *_, duty in everybody]
    none = np.zeros(len(everybody), np.int64)
    fleet = world_of(
        np.array([PLANE.km(spot(x, y)) for x, y, *_ in everybody]),
        np.array([row[2] for row in everybody], np.int64), shifts, none, none, len(KNOWN_SKILLS), 100, ROAD, PRICES,
    )  # fmt: skip
    feed = np.zeros(61, ORDER)
    for n, row in enumerate(feed[:60]):
        row["x"], row["y"], row["skill"] = rng.uniform(-4, 4), rng.uniform(-4, 4), rng.randrange(6)
        row["reported"], row["emergency"], row["worker"], row["state"] = 540.0 + n, n % 2, -1, OPEN
        row["limit"] = row["reported"] + 240.0
    feed[60]["x"], feed[60]["y"], feed[60]["skill"], feed[60]["emergency"] = *PLANE.km(spot(*place)), skill, 1
    feed[60]["reported"], feed[60]["limit"], feed[60]["worker"], feed[60]["state"] = now, now + left, -1, OPEN
    finish = np.full(len(everybody), math.inf)
    advance(now, fleet.workers, fleet.orders, fleet.shifts, finish, fleet.field)
    reveal(now, feed, fleet, PRICES)
    usual = iter(range(0, 60, 2))
    for worker, (_x, _y, _skills, doing, since, _duty) in zip(fleet.workers, everybody, strict=True):
        if doing != "free":
            order = next(usual)
            worker["order"], worker["state"] = order, GOING if doing == "going" else BUSY
            worker["arrive_min"] = now - since
            fleet.orders[order]["state"], fleet.orders[order]["worker"] = TAKEN, 0
    looked = Field(*(part.copy() if isinstance(part, np.ndarray) else part for part in fleet.field))
    crew = fleet.workers.copy()
    plain.look(now, crew, looked, PRICES)
    look(now, fleet.workers, fleet.field, PRICES)
    for name in ("seen", "rate", "want", "have", "worth", "known"):
        assert getattr(looked, name) == pytest.approx(getattr(fleet.field, name), abs=1e-9), name
    assert crew["cell"].tolist() == fleet.workers["cell"].tolist()
    assert crew["counted"] == pytest.approx(fleet.workers["counted"], abs=1e-9)
    shape = costs_of_work(fleet.field)
    assert plain.service_shape(looked) == pytest.approx(shape)
    known = Outlook(
        at=T0, plane=PLANE, x0=fleet.field.x0, y0=fleet.field.y0, cell_km=fleet.field.cell_km, rows=fleet.field.ny,
        columns=fleet.field.nx, skills=KNOWN_SKILLS, lost=plain.lost(fleet.field), work=shape,
        staffing=np.ones((6, 24)), pressure=0.0, value=1.0, load=0.0, crowd=np.zeros((0, 4)), companies=(),
    )  # fmt: skip
    candidates = [
        Candidate(
            worker=f"{n:03}", tier=Tier.TEAM, at=spot(x, y), on_duty=True, load=int(doing != "free"),
            skills=frozenset(name for bit, name in enumerate(KNOWN_SKILLS) if skills >> bit & 1),
            doing=Doing(doing), busy_min=float(since) if doing == "working" else 0.0, duty_min=duty,
        )
        for n, (x, y, skills, doing, since, duty) in enumerate(everybody)
    ]  # fmt: skip
    for n, one in enumerate(candidates):
        price = known.price(one.at or CENTRE, one.skills, one.duty_min)
        assert price == pytest.approx(price_of(fleet.field, fleet.workers[n], now, PRICES), abs=1e-9)
    job = Job("order", spot(*place), KNOWN_SKILLS[skill], "emergency", left_min=left)
    far = replace(DEFAULTS, cap_m={"emergency": 50_000.0, "ordinary": 50_000.0})
    best = rank(job, candidates, far, known=known).best
    said = decide_one(now, 60, fleet, ROAD, PRICES)
    if said == 1:
        assert best is not None and best.worker == f"{int(fleet.orders[60]['worker']):03}"
    elif said == 3:
        # The day leaves it alone: nobody is in time with a chance worth waiting for.  Live somebody goes all the same.
        assert best is None or (best.cost is not None and best.cost.total >= PRICES.alone)
    else:
        assert best is not None and best.candidate.doing is Doing.WORKING


def costs_of_work(field: object) -> tuple[float, float]:
    from jiying.dispatch.engine.fleet.cover import service_shape

    mean, spread = service_shape(field)
    return float(mean), float(spread)


@given(st.floats(-20, 240), st.floats(0, 1430), st.floats(0, 1), st.floats(0.2, 1))
@settings(deadline=None, max_examples=60, phases=(Phase.explicit, Phase.generate))
def test_an_ordinary_order_is_worth_what_a_day_s_run_says(left, minute, pressure, value):
    rng = random.Random(int(minute))
    roster = np.array([[float(rng.randrange(1, 30)) for _ in range(130)] for _ in KNOWN_SKILLS])
    slot = int(minute / 15)
    at = datetime.fromtimestamp(T0.timestamp() // 86400 * 86400 + minute * 60, T0.tzinfo)
    known = Outlook(
        at=at, plane=PLANE, x0=0, y0=0, cell_km=1, rows=1, columns=1, skills=KNOWN_SKILLS,
        lost=np.zeros((6, 1)), work=(3.4, 0.5), staffing=roster[:, slot : slot + 24], pressure=pressure, value=value,
        load=0.0, crowd=np.zeros((0, 4)), companies=(),
    )  # fmt: skip
    order = np.zeros(1, ORDER)[0]
    order["limit"], order["skill"] = minute + left, 2
    wanted = worth_now(minute, order, roster, pressure, value, ROAD, PRICES)
    assert known.theta(KNOWN_SKILLS[2], left) == pytest.approx(wanted, abs=1e-6)


# -- with the database -----------------------------------------------------------------------------------------------


@pytest.fixture
def d(transactional_db: None) -> build.District:
    return build.district()


def test_a_world_that_followed_and_one_made_anew_say_the_same_to_the_byte(d):
    code = d.division.code
    keeper = Keeper()
    keeper.look(code, T0)
    first = walk(d, report(d, now=after(1)), "sign", "assign", "depart", "arrive", now=after(2))
    report(d, now=after(3), urgency="ordinary", estate=d.estate2.code)
    keeper.look(code, after(4))
    walk(d, first, "make_safe", "done", now=after(25))
    walk(d, report(d, now=after(26)), "sign", "assign", "depart", now=after(27))
    act(report(d, now=after(28)).pk, "cancel", by=d.actor("track"), now=after(29))
    followed = keeper.look(code, after(30))
    anew = Keeper().look(code, after(30))
    assert followed.packed() == anew.packed()
    assert followed.lost.any(), "something is worth covering"
    assert unpacked(anew.packed()).packed() == anew.packed()
    world = keeper.worlds[code]
    assert (len(world.in_hand), len(world.waiting), len(world.worked)) == (1, 1, 1)


def test_the_collector_of_garbage_looks_through_no_order_that_waits(d):
    """A hundred thousand of them would hold up everybody for a tenth of a second, again and again."""
    for n in range(3):
        report(d, now=after(n))
    world = World.of(d.division.code, after(4))
    gc.collect()
    assert len(world.waiting) == 3
    assert not [one for one in world.waiting if gc.is_tracked(one)]


def test_orders_that_are_withdrawn_leave_the_world_though_no_event_says_so(d):
    code, keeper = d.division.code, Keeper()
    lot = importer("lot")
    gone = [report(d, now=after(n), by=lot) for n in (1, 2)]
    report(d, now=after(3))
    keeper.look(code, after(4))
    assert len(keeper.worlds[code].waiting) == 3
    with transaction.atomic():
        assert not withdrawal.withdraw([order.pk for order in gone], by=lot).left
    followed = keeper.look(code, after(5))
    assert len(keeper.worlds[code].waiting) == 1
    assert followed.packed() == Keeper().look(code, after(5)).packed()


def test_what_is_reported_while_an_outlook_is_worked_out_counts_in_the_next(d):
    code, keeper = d.division.code, Keeper()
    report(d, now=after(1))
    before = keeper.look(code, after(0.9))
    assert not before.load, "at that minute nothing had been reported"
    assert keeper.look(code, after(2)).packed() == Keeper().look(code, after(2)).packed()


def test_what_only_observes_is_not_read_again(d):
    code, keeper = d.division.code, Keeper()
    report(d, now=T0)
    keeper.look(code, after(1))
    watcher.sweep(after(40))
    assert Event.objects.filter(verb__in=("breach", "escalate")).exists()
    assert keeper.worlds[code].follow() == 0
    report(d, now=after(41))
    assert keeper.worlds[code].follow() == 1


def test_a_log_that_is_another_one_makes_the_world_anew(d):
    report(d, now=T0)
    world = World.of(d.division.code, T0)
    world.cursor = (world.cursor[0], world.cursor[1] + 1000)
    with pytest.raises(OutOfStep):
        world.follow()
    keeper = Keeper()
    keeper.worlds[d.division.code] = world
    assert keeper.look(d.division.code, T0).at == T0
    assert keeper.worlds[d.division.code] is not world


def test_people_with_wrong_data_leave_the_world_standing(d):
    hire(d, d.company, "无工种", home=d.estate, skills=())
    hire(d, d.company, "无地点", home=None)
    lost = Estate.objects.create(
        code="E0", name="坐标错", district=d.division.code, town=d.town, lon=0.0, lat=0.0, households=1
    )
    hire(d, d.company, "坐标错", home=lost)
    backwards = hire(d, d.company, "班次倒了", home=d.estate)
    Shift.objects.filter(worker=backwards).update(start_min=600, end_min=400)
    hire(d, d.company, "无班次", home=d.estate, shifts=())
    report(d, now=T0, estate="E0")
    found, _plane = staff.read(d.division.code, T0)
    assert len(found) == Worker.objects.count() - 2
    known = Keeper().look(d.division.code, after(1))
    assert np.isfinite(known.lost).all()
    assert known.staffing[KNOWN_SKILLS.index("water"), 0] == 3
    Worker.objects.all().update(active=False)
    assert np.isfinite(Keeper().look(d.division.code, after(1)).lost).all()
    assert Keeper().keep(after(1)) == 0


def test_what_cannot_be_read_or_is_old_is_as_if_it_were_not_there(d, caplog):
    Keeper().keep(T0)
    code = d.division.code
    assert outlooks.of(code, after(5)) is not None
    assert outlooks.of(code, after(11)) is None
    from jiying.dispatch.models import Look

    Look.objects.update(outlook=b"not one")
    outlooks.forget()
    assert outlooks.of(code, after(5)) is None
    assert "cannot be read" in caplog.text


def test_the_only_fitter_for_lifts_is_kept_back_and_the_event_says_so(d):
    """Two could open the tap: the nearer one is the only one who could free somebody from a lift."""
    automatic(d)
    Worker.objects.filter(pk__in=(d.worker.pk, d.mate.pk)).update(skills=["water"])
    Worker.objects.filter(pk=d.worker.pk).update(skills=["water", "lift"])
    beside = Estate.objects.create(
        code="E9", name="隔壁花园", district=d.division.code, town=d.town, lon=121.524, lat=31.222, households=1
    )
    Worker.objects.filter(pk=d.mate.pk).update(home_estate=beside)
    for n in range(40):
        busy = report(d, now=after(-40 + n), category="lift")
        act(busy.pk, "cancel", by=d.actor("track"), now=after(-39 + n))
    order = report(d, now=T0)
    Keeper().keep(after(1))
    assert let_it_work(after(1.1)) == 1
    assert assigned(order) == [(str(d.mate.pk), "rule")]
    advice = Event.objects.get(order=order, verb="assign").data["advice"]
    assert advice["engine"] == "fleet-1"
    assert advice["nearest"] == {"worker": str(d.worker.pk), "minutes": 2}
    assert advice["minutes"] > 2 and 0 < advice["price"] < 1


def test_through_the_log_and_through_a_restart_the_next_decision_is_the_same(d):
    """Reports come in, followers run, the loop decides, a worker leaves and arrives; then the world is dropped."""
    automatic(d)
    for n in range(6):
        hire(d, d.company, f"工{n}", home=d.estate if n % 2 else d.orphan)
    keeper = Keeper()
    keeper.keep(T0)
    first = report(d, now=T0)
    assert let_it_work(after(1.1)) == 1
    one = Worker.objects.get(pk=Order.objects.get(pk=first.pk).worker_id)
    for verb, minute in (("depart", 2), ("arrive", 8)):
        act(first.pk, verb, by=d.actor("operator"), data={}, now=after(minute))
    keeper.keep(after(9))
    assert keeper.worlds[d.division.code].in_hand[first.pk.int].worker == one.pk.int
    second = report(d, now=after(10), category="lift")
    chosen = []
    for keeps in (keeper, Keeper()):
        outlooks.forget()
        outlooks.publish(d.division.code, keeps.look(d.division.code, after(11)))
        joined = Order.objects.select_related("estate", "town", "company").get(pk=second.pk)
        advice = service.advise(joined, now=after(11.2), everybody=False)
        chosen.append([(choice.worker, choice.cost) for choice in advice.ranking.ranked])
    assert chosen[0] == chosen[1]
    assert let_it_work(after(11.2)) == 1
    assert assigned(second) == [(chosen[0][0][0], "rule")]
    assert str(one.pk) != chosen[0][0][0], "who is at work is not sent while others wait"


def test_an_ordinary_order_is_held_back_while_whoever_would_go_is_worth_more(d):
    known = replace(
        Keeper().look(d.division.code, T0), lost=np.full((6, 1), 0.9), rows=1, columns=1,
        staffing=np.full((6, 24), 3.0), pressure=0.0,
    )  # fmt: skip
    one = Candidate("w", Tier.TEAM, spot(0, 0), frozenset({"water"}), True, duty_min=300.0)
    job = Job("o", spot(1, 0), "water", "ordinary", left_min=239.0)
    best = rank(job, [one], known=known).best
    assert best is not None and best.cost is not None and best.minutes is not None
    waits = costs.held_min(job, best.minutes, best.cost, known)
    assert 100 < waits < 239
    assert costs.held_min(replace(job, left_min=239.0 - waits), best.minutes, best.cost, known) <= 1.0
    assert costs.held_min(replace(job, urgency="emergency"), best.minutes, best.cost, known) == 0.0
    nobody_misses = replace(known, lost=np.zeros((6, 1)))
    best = rank(job, [one], known=nobody_misses).best
    assert best is not None and best.cost is not None and best.minutes is not None
    assert costs.held_min(job, best.minutes, best.cost, nobody_misses) == 0.0


def test_the_engine_s_world_has_everybody_where_the_log_says(d):
    order = walk(d, report(d, now=T0), "sign", "assign", "depart", "arrive", now=after(5))
    world = World.of(d.division.code, after(6))
    found, plane = staff.read(d.division.code, after(6))
    fleet, minute = fleet_of(world, found, plane, zone_of(d.division.code), after(6))
    row = [one.id for one in found].index(d.worker.pk)
    assert fleet.workers[row]["state"] == BUSY
    assert minute - fleet.workers[row]["arrive_min"] == pytest.approx(1.0)
    assert world.in_hand[order.pk.int].worker == d.worker.pk.int
    assert (after(6) - timedelta(days=1)).date() <= after(6).date()


def test_two_emergencies_in_one_moment_share_the_people_as_a_batch_does(d):
    """One could go to either, the other to one alone: whoever is asked first does not take the wrong one."""
    automatic(d)
    Worker.objects.filter(pk=d.worker.pk).update(skills=["water", "lift"])
    Worker.objects.filter(pk=d.mate.pk).update(skills=["water"], home_estate=d.orphan)
    Keeper().keep(T0)
    tap = report(d, now=T0)
    lift = report(d, now=after(0.01), category="lift")
    assert let_it_work(after(1.2)) == 2
    assert assigned(lift) == [(str(d.worker.pk), "rule")]
    assert assigned(tap) == [(str(d.mate.pk), "rule")]


def test_who_was_to_come_after_other_work_is_replaced_when_that_takes_too_long(d):
    """The only one is at work, and expected to be through in time; at the latest useful minute somebody else goes."""
    automatic(d, depart_min=3)
    Worker.objects.exclude(pk=d.worker.pk).update(active=False)
    busy = walk(d, report(d, now=after(-60)), "sign", "assign", "depart", "arrive", now=after(-55))
    Keeper().keep(T0)
    order = report(d, now=T0)
    assert let_it_work(after(1.1)) == 1
    advice = Event.objects.get(order=order, verb="assign").data["advice"]
    assert (advice["load"], advice["leave_by"]) == (1, 26)
    Worker.objects.filter(pk=d.mate.pk).update(active=True)
    assert let_it_work(after(20)) == 0, "they have until then, not the three minutes of who is free"
    assert let_it_work(after(27.2)) == 1
    assert [worker for worker, _role in assigned(order)] == [str(d.worker.pk), str(d.mate.pk)]
    assert Order.objects.get(pk=busy.pk).state == "on_site"


def test_no_workers_at_all_and_no_coordinates_are_told_to_the_centre_at_once_with_why(d):
    automatic(d)
    nowhere = report(d, now=T0)
    Order.objects.filter(pk=nowhere.pk).update(lon=None, lat=None)
    Keeper().keep(T0)
    assert let_it_work(after(1.1)) == 1, "of the house it is known without a map that they are near"
    assert Event.objects.get(order=nowhere, verb="assign").data["worker"] in {str(d.worker.pk), str(d.mate.pk)}
    one, two = report(d, now=after(2)), report(d, now=after(2))
    assert let_it_work(after(3.2)) == 2, "two at one place are two orders"
    assert len({worker for order in (one, two) for worker, _role in assigned(order)}) == 2
    Worker.objects.all().update(active=False)
    alone = report(d, now=after(4))
    assert let_it_work(after(5.2)) == 0
    assert Event.objects.get(order=alone, verb="ask_centre").data["step"] == "nobody"
    Keeper().keep(after(6))


def test_people_without_skill_shift_or_place_are_counted_in_what_the_centre_is_told(d):
    automatic(d)
    Worker.objects.filter(pk__in=(d.worker.pk, d.mate.pk)).update(active=False)
    hire(d, d.company, "无工种", home=d.estate, skills=())
    backwards = hire(d, d.company, "班次倒了", home=d.estate)
    Shift.objects.filter(worker=backwards).update(start_min=600, end_min=400)
    hire(d, d.company, "无班次", home=d.estate, shifts=())
    order = report(d, now=T0)
    Keeper().keep(T0)
    assert let_it_work(after(1.1)) == 0
    assert Event.objects.get(order=order, verb="ask_centre").data["left_out"] == {"no_skill": 1, "off_duty": 2}


def test_prices_that_break_the_engine_let_the_nearest_go_and_the_centre_is_told(d):
    automatic(d)
    known = Keeper().look(d.division.code, T0)
    outlooks.publish(d.division.code, replace(known, lost=np.zeros((0, 0))))
    order = report(d, now=T0)
    assert let_it_work(after(1.1)) == 1
    assert Event.objects.get(order=order, verb="assign").data["advice"]["engine"] == "fallback-nearest"
    assert Event.objects.get(order=order, verb="ask_centre").data["step"] == "engine"


def test_the_shadow_counts_what_differs_and_what_was_kept(d):
    automatic(d)
    order = report(d, now=T0)
    let_it_work(after(1.1))
    other = act(report(d, now=T0).pk, "sign", by=d.actor("company"), now=T0)
    actions.say(other.pk, "assign", by=d.actor("company"), data={"worker": str(d.worker.pk)}, now=after(2))
    for verb, minute in (("depart", 3), ("arrive", 9)):
        act(order.pk, verb, by=d.actor("operator"), data={}, now=after(minute))
    watcher.sweep(after(31))
    found = compare(d.division.code, T0, after(60))
    assert (found.decisions, found.by_rule, found.same.decisions, found.other.decisions) == (2, 1, 1, 1)
    assert (found.same.share, found.other.share) == (1.0, 0.0)
    assert found.differs == 0.5 and found.as_json()["minutes"]["decisions"] == 2
    assert compare(d.division.code, after(60), after(90)).as_json()["differs"] is None
