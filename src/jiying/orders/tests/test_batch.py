"""The bulk twins say what `act` and `accept_one` say: same events, clocks and columns, whatever happens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiying.core.errors import JiyingError, NotFound
from jiying.core.ids import uuid7
from jiying.orders import store, watcher
from jiying.orders.actions import act
from jiying.orders.actors import sees
from jiying.orders.batch import Batch, Command, act_many
from jiying.orders.intake import NewOrder, accept, accept_one
from jiying.orders.models import Clock, Event, EventText, Order, OrderText
from jiying.orders.proof import arrival_code
from jiying.orders.tests.build import District
from jiying.orders.verify import verify

T0 = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
EVENT_COLUMNS = ("version", "verb", "milestone", "by", "role", "at", "received_at", "claimed")
#: Drawn or counted per installation, order or text: these differ between any two orders.
RANDOM = {"number", "head", "track", "id", "created_at"}

#: A step of a walk: who says which verb, with what, how many minutes after the step before, how late it is told.
Step = tuple[str, str, dict[str, Any], int, int]

VERBS: list[tuple[str, str, dict[str, Any]]] = [
    ("sign", "company", {}),
    ("take", "worker", {}),
    ("take", "worker-2", {}),
    ("assign", "company", {"worker": "mate"}),
    ("assign", "operator", {"worker": "other"}),
    ("contact", "worker", {}),
    ("depart", "worker", {}),
    ("arrive", "worker", {"code": "right"}),
    ("arrive", "worker", {"code": "wrong"}),
    ("arrive", "operator", {"callback": True}),
    ("make_safe", "worker", {"note": "已关阀"}),
    ("done", "worker", {"note": "好了"}),
    ("pause", "manager", {"reason": "weather", "until": "in an hour"}),
    ("approve_pause", "town", {}),
    ("resume", "worker", {}),
    ("confirm", "track", {"solved": True}),
    ("confirm", "track", {"solved": False}),
    ("verify", "committee", {}),
    ("close", "operator", {}),
    ("reopen", "track", {"reason": "还在漏"}),
    ("rate", "track", {"satisfaction": "fairly", "comment": "还行"}),
    ("reclassify", "operator", {"urgency": "ordinary"}),
    ("reclassify", "operator", {"category": "lift", "urgency": "emergency"}),
    ("return", "company", {"reason": "不是我们的"}),
    ("urge", "track", {"text": "快"}),
    ("note", "committee-2", {"text": "不该看见"}),
    ("solve_remotely", "worker", {"note": "电话里说好了"}),
    ("cancel", "track", {}),
    ("supervise", "town", {"text": "请说明"}),
]

_minutes = st.sampled_from([0, 1, 4, 12, 29, 61, 1441, 10081])
_late = st.sampled_from([0, 0, 7])
_steps = st.tuples(st.sampled_from(VERBS), _minutes, _late).map(lambda drawn: (*drawn[0], drawn[1], drawn[2]))
#: The usual way first, so that most walks get somewhere.
_USUAL = [(*VERBS[i], 1, 0) for i in (0, 1, 5, 6, 7, 11)]
walks = st.tuples(st.integers(0, 6), st.lists(_steps, min_size=3, max_size=10)).map(
    lambda pair: _USUAL[: pair[0]] + pair[1]
)


def new(d: District, category: str) -> NewOrder:
    return NewOrder(category=category, description="漏水", estate=d.estate.code, phone="13812345678", lot=True)


def commands(d: District, order: Order, walk: list[Step]) -> list[Command]:
    """The walk as commands about `order`."""
    at, said = T0, []
    actors = {who: d.actor(who) for _verb, who, *_rest in walk}
    workers = {"mate": d.mate, "other": d.worker2}
    for verb, who, drawn, minutes, late in walk:
        at += timedelta(minutes=minutes)
        data = dict(drawn)
        if "code" in data:
            right = arrival_code(order.pk, 1)
            data["code"] = right if data["code"] == "right" else "nothing"
        if "until" in data:
            data["until"] = (at + timedelta(hours=30)).isoformat()
        if verb == "supervise":
            data["answer_by"] = (at + timedelta(days=1)).isoformat()
        if "worker" in data:
            data["worker"] = str(workers[data["worker"]].pk)
        said.append(Command(order.pk, verb, actors[who], at, data, at + timedelta(minutes=late)))
        at += timedelta(minutes=late)
    return said


def one_by_one(order: Order, said: list[Command]) -> list[str]:
    """Say the commands through the one door, with a watcher that is never late.

    Who speaks in the very instant in which something falls due speaks first, as in a batch.
    """
    results = []
    for command in said:
        now = command.received_at or command.at
        while (due := Order.objects.get(pk=order.pk).next_at) is not None and due < now:
            watcher.fire(order.pk, due)
        try:
            act(order.pk, command.verb, by=command.by, at=command.at, data=command.data, now=now)
            results.append("done")
        except JiyingError as error:
            results.append(error.code)
    return results


def in_bulk(said: list[Command], batch: Batch) -> list[str]:
    results = []
    for command in said:
        try:
            batch.act(command)
            results.append("done")
        except JiyingError as error:
            results.append(error.code)
    return results


def told(order: Order) -> dict[str, Any]:
    """Everything about an order that does not differ between any two orders."""
    row = Order.objects.get(pk=order.pk)
    columns = {f.attname: getattr(row, f.attname) for f in Order._meta.fields if f.attname not in RANDOM}
    events = [
        [getattr(event, name) for name in EVENT_COLUMNS]
        + sorted((name, "salted" if name.endswith("_sm3") else str(value)) for name, value in event.data.items())
        for event in Event.objects.filter(order=order).order_by("version")
    ]
    rows = Clock.objects.filter(order=order).values_list("promise", "round", *store.CLOCK_FIELDS)
    clocks = sorted(tuple(map(str, row)) for row in rows)
    texts = sorted(EventText.objects.filter(order=order).values_list("version", "field", "text"))
    text = OrderText.objects.get(order=order)
    return {
        "columns": columns,
        "events": events,
        "clocks": clocks,
        "texts": texts,
        "text": (text.description, text.unit, text.address, text.phone_hash),
    }


together = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@together
@given(walk=walks, category=st.sampled_from(["leak", "drain"]))
def test_a_walk_in_memory_leaves_what_the_same_walk_leaves_one_by_one(d, walk, category):
    order, _ = accept_one(new(d, category), by=d.actor("operator"), now=T0)
    single = one_by_one(order, commands(d, order, walk))
    with Batch() as batch:
        twin = batch.accept(new(d, category), by=d.actor("operator"), now=T0)
        many = in_bulk(commands(d, twin, walk), batch)
    assert many == single
    assert told(twin) == told(order)
    assert not verify(twin.pk).broken


@together
@given(walk=walks, cut=st.integers(0, 8))
def test_many_verbs_at_once_leave_what_they_leave_one_by_one(d, walk, cut):
    order, _ = accept_one(new(d, "leak"), by=d.actor("operator"), now=T0)
    one_by_one(order, commands(d, order, walk))
    [accepted] = accept([new(d, "leak")], by=d.actor("operator"), now=T0)
    twin = accepted.order
    assert twin is not None
    said = commands(d, twin, walk)
    act_many(said[:cut])
    act_many(said[cut:])
    last = said[-1].received_at
    assert last is not None
    assert told(twin) == told(order)
    assert not verify(twin.pk).broken


def test_a_command_about_an_order_that_is_not_there_stops_none_of_the_others(d):
    order, _ = accept_one(new(d, "leak"), by=d.actor("operator"), now=T0)
    nobody = Command(uuid7(), "sign", d.actor("company"), T0)
    hidden = Command(order.pk, "sign", d.actor("company-2"), T0)
    results = act_many([nobody, hidden, Command(order.pk, "sign", d.actor("company"), T0)])
    assert [type(result) for result in results] == [NotFound, NotFound, Order]
    assert Order.objects.get(pk=order.pk).state == "signed"


def test_an_error_leaves_the_whole_batch_unwritten(d):
    def half() -> None:
        with Batch() as batch:
            batch.accept(new(d, "leak"), by=d.actor("operator"), now=T0)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        half()
    assert Order.objects.count() == 0


def test_what_was_flushed_goes_on_in_memory(d):
    with Batch() as batch:
        order = batch.accept(new(d, "leak"), by=d.actor("operator"), now=T0)
        batch.flush()
        batch.act(Command(order.pk, "sign", d.actor("company"), T0 + timedelta(minutes=1)))
        assert batch.flush() == 1
        batch.watch(T0 + timedelta(minutes=11))
    assert Order.objects.get(pk=order.pk).state == "signed"
    assert [e.at for e in Event.objects.filter(order=order, verb="escalate")] == [T0 + timedelta(minutes=10)]
    assert not verify().broken


def test_numbers_drawn_in_bulk_never_clash(d, monkeypatch):
    """As if only four numbers a day existed."""
    import random

    from jiying.orders.drafts import Numbers

    numbers = Numbers(1)
    monkeypatch.setattr(random.Random, "randrange", lambda self, stop: int(self.random() * 4))
    orders = []
    for _ in range(4):
        with Batch(numbers=numbers) as batch:
            orders.append(batch.accept(new(d, "leak"), by=d.actor("operator"), now=T0))
    assert len({order.number for order in orders}) == 4


def test_who_sees_an_order_in_memory_sees_it_in_the_database(d):
    orders = [new(d, "leak"), NewOrder(category="leak", description="二", estate=d.estate2.code)]
    rows = [accepted.order for accepted in accept(orders, by=d.actor("resident"), now=T0)]
    by = {role: d.actor(role) for role in [*d.users, "stranger"]}
    for worker in (None, d.worker, d.mate):
        for state in ("submitted", "signed", "paused", "assigned", "done"):
            Order.objects.update(worker=worker, state=state)
            for role, actor in by.items():
                found = set(Order.objects.in_scope(actor.scope).values_list("pk", flat=True))
                fresh = Order.objects.filter(pk__in=[row.pk for row in rows if row])
                assert found == {row.pk for row in fresh if sees(row, actor, state)}, (role, worker, state)
