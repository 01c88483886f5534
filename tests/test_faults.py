"""`kill -9` between any two lines: afterwards everything happened or nothing did, and doing it again works.

A forked child runs the action under a tracer and kills itself at a line; the parent looks at the database.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import pytest
from django.db import connection, connections

from jiying.core.errors import BadCode
from jiying.orders import store, watcher
from jiying.orders.actions import act
from jiying.orders.actors import STRANGER
from jiying.orders.intake import NewOrder, accept_one
from jiying.orders.models import Clock, Event, EventText, IdempotencyKey, Order, OrderText
from jiying.orders.proof import arrival_code
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk
from jiying.orders.verify import verify

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

T0 = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
_OURS = ("actions", "saying", "store", "watcher", "intake", "group", "drafts", "idempotency")
WATCHED = (*(f"jiying/orders/{name}.py" for name in _OURS), "django/db/transaction.py")
#: On a server every kill leaves a connection to be noticed, which takes longer; fewer points do there.
POINTS = {"sqlite": 45, "postgresql": 12}

Point = tuple[str, int]


@pytest.fixture
def d(transactional_db: None) -> build.District:
    return build.district()


def traced(visit: Callable[[Point], None], job: Callable[[], Any]) -> None:
    """Run `job`, calling `visit` before every line of the watched files."""

    def lines(frame: FrameType, what: str, _arg: Any) -> Any:
        if what == "line":
            visit((frame.f_code.co_filename, frame.f_lineno))
        return lines

    def calls(frame: FrameType, _what: str, _arg: Any) -> Any:
        return lines if frame.f_code.co_filename.endswith(WATCHED) else None

    sys.settrace(calls)
    try:
        job()
    finally:
        sys.settrace(None)


def in_child(run: Callable[[], Any]) -> int:
    """Run in a forked child with connections of its own; returns the signal that ended it, or 0."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            run()
        finally:
            connections.close_all()
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def points_of(job: Callable[[], Any]) -> list[Point]:
    """The lines that `job` runs through, each once, in the order of their first visit."""
    reading, writing = os.pipe()

    def run() -> None:
        seen: dict[Point, None] = {}
        traced(lambda point: seen.setdefault(point), job)
        os.write(writing, json.dumps(list(seen)).encode())

    in_child(run)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = [(str(file), int(line)) for file, line in json.loads(pipe.read())]
    assert len(found) > 20
    return found


def some(points: list[Point]) -> list[Point]:
    """A spread of the points: all around the commit, and every n-th of the rest."""
    late = [point for point in points if point[0].endswith("transaction.py")]
    rest = [point for point in points if point not in late]
    room = POINTS[connection.vendor]
    step = max(1, len(rest) // room)
    late = late if connection.vendor == "sqlite" else late[-room:]
    return sorted({*rest[::step], *late}, key=points.index)


def killed_at(point: Point, job: Callable[[], Any]) -> None:
    def visit(here: Point) -> None:
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(lambda: traced(visit, job)) == signal.SIGKILL, f"never came to {point}"


def whole(order: Order) -> int:
    """The order's version, after making sure that order, events and chain tell one story."""
    row = Order.objects.get(pk=order.pk)
    assert Event.objects.filter(order=row).count() == row.version
    assert not verify(row.pk).broken
    return row.version


def test_killed_anywhere_in_an_action_it_happened_whole_or_not_at_all(d):
    worker = d.actor("worker")
    place = {"lon": d.estate.lon, "lat": d.estate.lat}

    def arriving() -> tuple[Order, Callable[[], Any]]:
        order = walk(d, report(d), "sign", "take", "depart")
        data = {"code": arrival_code(order.pk, 1), "point": place}
        return order, lambda: act(order.pk, "arrive", by=worker, data=data, key=f"k-{order.pk}")

    points = some(points_of(arriving()[1]))
    outcomes = set()
    for point in points:
        order, job = arriving()
        killed_at(point, job)
        after = whole(order) - order.version
        outcomes.add(after)
        assert after in (0, 1), point
        assert EventText.objects.filter(order=order).count() == after
        assert IdempotencyKey.objects.filter(order=order).count() == after
        assert Clock.objects.filter(order=order, promise="respond_30", state="met").count() == after
        job()
        assert whole(order) == order.version + 1, point
        assert Event.objects.filter(order=order, verb="arrive").count() == 1
    assert outcomes == {0, 1}, "the kills came on both sides of the commit"


def test_killed_anywhere_a_wrong_code_counts_once_or_not_at_all(d):
    worker = d.actor("worker")

    def guessing() -> tuple[Order, Callable[[], Any]]:
        order = walk(d, report(d), "sign", "take")

        def guess() -> None:
            with pytest.raises(BadCode):
                act(order.pk, "arrive", by=worker, data={"code": "nothing"})

        return order, guess

    for point in some(points_of(guessing()[1]))[::4]:
        order, job = guessing()
        killed_at(point, job)
        assert whole(order) - order.version in (0, 1), point
        assert Order.objects.get(pk=order.pk).state == "assigned"


def test_killed_anywhere_the_watcher_neither_loses_nor_repeats_a_step(d):
    now = T0 + timedelta(minutes=12)
    wanted = ["unsigned_3", "unsigned_5", "not_departed_10"]

    def late() -> tuple[Order, Callable[[], Any]]:
        order = report(d, now=T0)
        return order, lambda: watcher.fire(order.pk, now)

    # A rule pack is read once and then remembered: its lines would be come by in the first run alone.
    store.pack_of(late()[0].pack)
    outcomes = set()
    for point in some(points_of(late()[1])):
        order, job = late()
        killed_at(point, job)
        outcomes.add(whole(order))
        watcher.sweep(now)
        watcher.sweep(now)
        fired = [event.data["step"] for event in Event.objects.filter(order=order, verb="escalate").order_by("version")]
        assert fired == wanted, point
        whole(order)
    assert len(outcomes) == 2, "all steps of one order are written together"


def test_killed_anywhere_a_report_with_its_key_makes_one_order(d):
    def reporting(key: str) -> Callable[[], tuple[Order, bool]]:
        new = NewOrder(category="leak", description="漏水", estate=d.estate.code, phone="13812345678")
        return lambda: accept_one(new, by=STRANGER, caller="c", key=key)

    outcomes = set()
    for number, point in enumerate(some(points_of(reporting("first")))):
        before = Order.objects.count()
        killed_at(point, reporting(f"k{number}"))
        made = Order.objects.count() - before
        outcomes.add(made)
        assert made in (0, 1), point
        assert IdempotencyKey.objects.filter(key=f"k{number}").count() == made
        order, is_new = reporting(f"k{number}")()
        assert is_new == (not made), point
        assert Order.objects.count() == before + 1
        assert OrderText.objects.filter(order=order).count() == 1
        assert whole(order) == 1
    assert outcomes == {0, 1}
