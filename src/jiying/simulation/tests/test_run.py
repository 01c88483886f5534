"""The run and its crew: who may be sent, and that a run ends whatever nobody can do."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jiying.core.geo import Point
from jiying.estates.models import Worker
from jiying.orders.actors import STRANGER
from jiying.orders.batch import Batch
from jiying.orders.intake import NewOrder
from jiying.orders.models import Event, Order
from jiying.orders.tests.build import District, district
from jiying.simulation.crew import Crew, Hand
from jiying.simulation.habits import Delay, Habits
from jiying.simulation.run import Arrival, Desks, Run

SHANGHAI = ZoneInfo("Asia/Shanghai")
HERE = Point(121.52, 31.22)
NOON = datetime(2026, 3, 2, 12, tzinfo=SHANGHAI)
COMPANY, OTHER = uuid.uuid4(), uuid.uuid4()


def hand(
    *, skills: Iterable[str] = ("water",), shifts=((0, 1440),), at: Point = HERE, company=COMPANY, free=NOON
) -> Hand:
    return Hand(uuid.uuid4(), STRANGER, company, frozenset(skills), tuple(shifts), at, free)


def crew(*hands: Hand, cap_km: float = 8) -> Crew:
    made = Crew(zone=SHANGHAI, cap_m=cap_km * 1000)
    for one in hands:
        made.add(one)
    return made


def east(km: float) -> Point:
    return Point(HERE.lon + km / 95.2, HERE.lat)


def test_the_nearest_free_hand_that_can_do_it_is_sent() -> None:
    near, nearer = hand(at=east(2)), hand(at=east(1))
    unable = hand(at=HERE, skills=("lift",))
    busy = hand(at=HERE, free=NOON + timedelta(minutes=1))
    asleep = hand(at=HERE, shifts=((1320, 1800),))
    elsewhere = hand(at=HERE, company=OTHER)
    found = crew(near, nearer, unable, busy, asleep, elsewhere).nearest(HERE, "water", NOON, company=COMPANY)
    assert found is not None
    assert found[0] is nearer
    assert found[1] == pytest.approx(1000, rel=0.02)


def test_nobody_is_sent_beyond_the_cap() -> None:
    assert crew(hand(at=east(9))).nearest(HERE, "water", NOON, company=None) is None


def test_a_shift_past_midnight_covers_the_small_hours() -> None:
    night = hand(shifts=((1320, 1800),))
    assert [night.on_duty(minute) for minute in (1319, 1320, 1439, 0, 359, 360)] == [
        False, True, True, True, True, False
    ]  # fmt: skip


def test_the_next_shift_is_counted_in_the_district_s_minutes() -> None:
    assert crew(hand(shifts=((450, 960),)), hand(shifts=((780, 1200),))).next_shift(NOON) == 60
    assert crew(hand(shifts=((720, 960),))).next_shift(NOON) == 1440, "one that begins now is not the next"


def test_half_of_all_delays_are_shorter_than_the_median() -> None:
    rng = random.Random(1)
    drawn = [Delay(10).draw(rng) for _ in range(4000)]
    assert 0.47 < sum(minutes < 10 for minutes in drawn) / len(drawn) < 0.53


# -- runs -----------------------------------------------------------------------------------------------


def live(d: District, *categories: str, habits: Habits | None = None) -> Run:
    """One order of each category at noon, lived to the end."""
    workers = Worker.objects.exclude(user=None).select_related("company", "home_estate").prefetch_related("shifts")
    start = NOON.astimezone(UTC)
    desks = Desks({d.company.id: d.actor("company"), d.company2.id: d.actor("company-2")}, d.actor("operator"))
    with Batch() as batch:
        hands = Crew.of(workers.order_by("name"), zone=SHANGHAI, cap_km=8, start=start, middle=HERE)
        run = Run(batch, hands, desks, random.Random(1), habits or Habits(cancels=0))
        run.run(
            Arrival(start, NewOrder(category=c, description=c, estate=d.estate.code, reported_at=start), HERE, STRANGER)
            for c in categories
        )
    return run


@pytest.fixture
def town(db: None) -> District:
    return district()


def test_an_order_that_nobody_can_do_stays_unserved_and_the_run_ends(town: District) -> None:
    for worker in Worker.objects.all():
        worker.skills = [skill for skill in worker.skills if skill != "lift"]
        worker.save()
    live(town, "lift", "leak")
    lift, leak = Order.objects.get(category="lift"), Order.objects.get(category="leak")
    assert (lift.state, leak.state) == ("signed", "closed")
    assert not Event.objects.filter(order=lift, milestone="arrived").exists()
    told = [event.data["step"] for event in Event.objects.filter(order=lift, verb="escalate").order_by("version")]
    assert told[-4:] == ["company_20", "town_centre_30", "supervisor_45", "district_90"]


def test_what_intake_refuses_is_told_by_its_place_and_the_rest_goes_on(town: District) -> None:
    run = live(town, "leak", "dragons", "drain")
    assert [(index, error.errors[0].code) for index, error in run.refused] == [(1, "unknown_category")]
    assert (run.arrived, run.accepted) == (3, 2)


def test_an_order_that_is_cancelled_is_left_in_peace(town: District) -> None:
    live(town, "drain", habits=Habits(cancels=1, sign={"ordinary": Delay(30), "emergency": Delay(30)}))
    verbs = list(Event.objects.order_by("version").values_list("verb", flat=True))
    assert verbs == ["report", "cancel"]


def test_work_is_undone_at_most_twice(town: District) -> None:
    live(town, "leak", habits=Habits(cancels=0, solved=0, answers_by_themselves=1))
    order = Order.objects.get()
    assert (order.state, order.reopened) == ("closed", 2)
