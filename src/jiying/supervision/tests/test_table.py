"""The table against a recount in plain Python over the same orders, and who sees what of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.orders.actions import act
from jiying.orders.intake import NewOrder, accept
from jiying.orders.models import Clock, Event, Order
from jiying.orders.tests.build import WAY, district
from jiying.people.scopes import scope_of
from jiying.supervision.figures import PROMISES
from jiying.supervision.queries import BY, table
from jiying.supervision.tests.lives import followed

pytestmark = pytest.mark.django_db

LIVES = (
    ("sign 2", "assign 4", "contact 6", "depart 8", "arrive 21", "done 90", "confirm 200", "rate:satisfied 210"),
    ("sign 3", "assign 9", "depart 20", "arrive 44", "done 70", "verify 300", "close 310"),
    ("sign 40",),
    ("cancel 12",),
    ("return 5",),
    ("refuse 9",),
    ("sign 2", "assign 3", "arrive 15", "done 30", "rate:fairly 70", "reopen 80", "arrive 100", "done 120"),
    ("reclassify:ordinary 3", "sign 10", "pause 20"),
    (),
    ("sign 1", "assign 2", "contact 40", "arrive 50", "done 60", "rate:dissatisfied 90"),
)  # fmt: skip


def _live(d, order, life, start):
    """Say the verbs of `life` ("verb:detail minute") at their minutes."""
    data = {
        "assign": {"worker": str((d.worker2 if order.company_id == d.company2.pk else d.worker).pk)},
        "return": {"reason": "不是我们的"},
        "refuse": {"rule": "示例"},
        "reopen": {"reason": "还在漏"},
        "verify": {"solved": True},
        "confirm": {"solved": True},
        "pause": {"reason": "waiting_parts", "until": (start + timedelta(days=2)).isoformat()},
    }
    suffix = "-2" if order.company_id == d.company2.pk else ""
    for step in life:
        verb, minute = step.split()
        verb, _, detail = verb.partition(":")
        said = dict(data.get(verb, {}))
        if verb == "rate":
            said = {"satisfaction": detail, "solved": detail != "dissatisfied"}
        if verb == "reclassify":
            said = {"urgency": detail}
        who = {"reclassify": "operator"}.get(verb) or WAY.get(verb, "company")
        if who != "track" and who != "operator":
            who += suffix
        at = start + timedelta(minutes=int(minute))
        act(order.pk, verb, by=d.actor(who), at=at, data=said, now=at + timedelta(seconds=20))


@pytest.fixture
def lived():
    """Sixty orders in two towns over six days, each with one of the lives above."""
    d = district()
    now = timezone.now().replace(microsecond=0)
    first = now - timedelta(days=6)
    orders = []
    for i in range(60):
        start = first + timedelta(hours=2.3 * i)
        news = NewOrder(
            kind="complaint" if i % 9 == 4 else "repair",
            category="leak",
            urgency="ordinary" if i % 5 == 3 else "emergency",
            description="漏水",
            estate=(d.estate, d.estate2, d.orphan)[i % 3].code,
            reported_at=start,
            lot=i % 4 == 0,
        )
        order = accept([news], by=d.actor("stranger"), now=start)[0].order
        assert order is not None
        if order.company_id:
            _live(d, order, LIVES[i % len(LIVES)], start)
        orders.append(order)
    followed()
    return SimpleNamespace(d=d, now=now, from_=first + timedelta(days=1), to=now + timedelta(hours=1))


def _recount(lived, key_of):
    """Every figure again, order by order."""
    inside = lambda at: at is not None and lived.from_ <= at < lived.to  # noqa: E731
    out = defaultdict(lambda: {"due": Counter(), "met": Counter(), "minutes": [], "orders": Counter(), "ratings": []})
    for order in Order.objects.select_related("town", "company", "estate", "committee"):
        row = out[key_of(order)]
        events = list(Event.objects.filter(order=order).order_by("version"))
        for clock in Clock.objects.filter(order=order):
            late = clock.state == "running" and clock.due_at < lived.now
            if not inside(clock.due_at) or not (clock.state in ("met", "missed") or late):
                continue
            row["due"][clock.promise] += 1
            row["met"][clock.promise] += clock.state == "met"
            if clock.promise == "respond_30":
                spent = (clock.reached_at or lived.now) - clock.from_at
                row["minutes"].append(int(spent.total_seconds() // 60))
        if inside(order.reported_at):
            row["orders"]["submitted"] += 1
            row["orders"]["complaints"] += order.kind == "complaint"
            row["orders"]["returned"] += any(event.verb == "return" for event in events)
            row["orders"]["downgraded"] += any(event.data.get("downgraded") for event in events)
            row["orders"]["refused"] += order.state == "refused"
            row["orders"]["cancelled"] += order.state == "cancelled"
            row["orders"]["reopened"] += order.reopened > 0
            row["orders"]["done"] += order.reopened > 0 or order.state in ("done", "verified", "closed")
        row["ratings"] += [e.data["satisfaction"] for e in events if e.verb == "rate" and inside(e.at)]
    return out


def _rank(values, q):
    values = sorted(values)
    return values[max(1, -(-len(values) * round(q * 100) // 100)) - 1] if values else None


KEYS = {
    "town": lambda order: order.town.code,
    "committee": lambda order: order.committee.code,
    "company": lambda order: order.company.uscc if order.company else "",
    "estate": lambda order: order.estate.code,
}


@pytest.mark.parametrize("by", BY)
def test_the_table_equals_a_recount_order_by_order(lived, by):
    figures = table(scope_of(lived.d.users["district"]), lived.from_, lived.to, by, now=lived.now)
    expected = _recount(lived, KEYS[by])
    assert {row["key"] for row in figures["rows"]} == set(expected)
    for row in figures["rows"]:
        want = expected[row["key"]]
        for promise in PROMISES:
            kept, due, met = row["promises"][promise], want["due"][promise], want["met"][promise]
            assert (kept["due"], kept["met"], kept["missed"]) == (due, met, due - met), (row["key"], promise)
            assert kept["share"] == (met / due if due else None)
        assert row["median_min"] == _rank(want["minutes"], 0.5)
        assert row["p90_min"] == _rank(want["minutes"], 0.9)
        for name in ("submitted", "complaints", "reopened", "done"):
            assert row[name] == want["orders"][name], (row["key"], name)
        for name in ("returned", "refused", "cancelled", "downgraded"):
            submitted = want["orders"]["submitted"]
            assert row["left_out"][name] == (want["orders"][name] / submitted if submitted else None), name
        ratings = Counter(want["ratings"])
        assert row["satisfaction"]["n"] == ratings.total()
        if ratings:
            happy = ratings["satisfied"] + 0.9 * ratings["fairly"]
            assert row["satisfaction"]["share"] == pytest.approx(happy / ratings.total())


def test_the_recount_has_something_of_everything_to_count(lived):
    total = table(scope_of(lived.d.users["district"]), lived.from_, lived.to, now=lived.now)["total"]
    assert all(total["promises"][name]["due"] for name in ("sign", "respond_30", "contact", "complete"))
    assert 0 < total["promises"]["respond_30"]["share"] < 1
    assert all(total["left_out"][name] for name in ("returned", "refused", "cancelled", "downgraded"))
    assert total["reopened"]
    assert total["complaints"]
    assert total["satisfaction"]["n"]


def test_a_promise_not_yet_due_is_left_out_and_one_past_due_is_missed_before_the_watcher_writes_it():
    d = district()
    now = timezone.now()
    news = NewOrder(category="leak", urgency="emergency", description="漏", estate=d.estate.code)
    accept([news], by=d.actor("stranger"), now=now)
    followed()
    who = scope_of(d.users["district"])
    span = (now - timedelta(days=1), now + timedelta(days=1))
    assert table(who, *span, now=now)["total"]["promises"]["respond_30"]["due"] == 0
    late = table(who, *span, now=now + timedelta(minutes=31))["total"]["promises"]["respond_30"]
    assert (late["due"], late["missed"], late["share"]) == (1, 1, 0.0)


def test_a_resident_changing_their_mind_is_counted_by_their_last_word(lived):
    total = table(scope_of(lived.d.users["district"]), lived.from_, lived.to, now=lived.now)["total"]
    last = {}
    for event in Event.objects.filter(verb__in=("rate", "confirm", "verify", "reopen")).order_by("version"):
        if event.role != "rule":
            last[event.order_id] = (event.at, event.verb != "reopen" and event.data["solved"])
    last = [solved for at, solved in last.values() if lived.from_ <= at < lived.to]
    assert total["resolution"] == {"share": sum(last) / len(last), "n": len(last)}
    assert not all(last)


@pytest.mark.parametrize(
    ("role", "estates"),
    [("district", 3), ("town", 2), ("town-2", 1), ("company", 1), ("company-2", 1), ("manager", 1), ("committee", 2)],
)
def test_everybody_gets_the_figures_of_what_their_roles_reach(lived, role, estates):
    user = lived.d.users[role]
    figures = table(user, lived.from_, lived.to, "estate", now=lived.now)
    seen = {order.estate.code for order in Order.objects.visible_to(user)}
    assert {row["key"] for row in figures["rows"]} == seen
    assert len(seen) == estates


def test_a_resident_and_a_stranger_get_no_figures(lived):
    from django.contrib.auth.models import AnonymousUser

    for user in (lived.d.users["resident"], AnonymousUser()):
        figures = table(user, lived.from_, lived.to, now=lived.now)
        assert figures["rows"] == []
        assert figures["total"]["submitted"] == 0


def test_a_town_without_orders_stands_in_the_table_with_nothing_instead_of_zero():
    d = district()
    now = timezone.now()
    rows = table(d.users["district"], now - timedelta(days=7), now, now=now)["rows"]
    assert [row["key"] for row in rows] == [d.town.code, d.town2.code]
    assert all(row["promises"]["sign"]["share"] is None and row["satisfaction"]["share"] is None for row in rows)


def test_the_number_of_queries_does_not_depend_on_the_number_of_orders(lived):
    def asked(days):
        scope = scope_of(lived.d.users["district"])
        with CaptureQueriesContext(connection) as queries:
            table(scope, lived.now - timedelta(days=days), lived.to, "estate", now=lived.now)
        return len(queries)

    assert asked(3) == asked(6) <= 16


def test_what_cannot_be_asked_is_refused(lived):
    with pytest.raises(ValueError, match="town"):
        table(lived.d.users["district"], lived.from_, lived.to, "worker")
    with pytest.raises(ValueError, match="before"):
        table(lived.d.users["district"], lived.to, lived.from_)
