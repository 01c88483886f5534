"""Orders that live at random, for tests of what follows the log."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from jiying.core.errors import JiyingError
from jiying.orders import watcher
from jiying.orders.actions import act
from jiying.orders.intake import NewOrder, accept
from jiying.orders.models import Event, Order
from jiying.orders.tests.build import District
from jiying.supervision.actions import prepare

WHO = {
    "sign": "company", "assign": "company", "contact": "worker", "depart": "worker", "arrive": "worker",
    "make_safe": "worker", "done": "worker", "confirm": "track", "verify": "committee", "close": "operator",
    "rate": "track", "reopen": "track", "pause": "worker", "resume": "worker", "cancel": "track", "return": "company",
    "refuse": "company", "reclassify": "operator", "solve_remotely": "worker", "urge": "track", "approve_pause": "town",
}  # fmt: skip


def followed() -> None:
    """Let the figures take in all that happened, settled or not: a test is one transaction that never ends."""
    prepare(list(Event.objects.select_related("order").order_by("seq")))()


def report(d: District, rng: random.Random, at: datetime) -> Order:
    """One new order anywhere in the district."""
    news = NewOrder(
        kind=rng.choice(("repair", "repair", "repair", "complaint", "enquiry")),
        category="leak",
        urgency=rng.choice(("emergency", "ordinary")),
        description="漏水",
        estate=rng.choice((d.estate, d.estate2, d.orphan)).code,
        reported_at=at,
        lot=rng.random() < 0.3,
    )
    order = accept([news], by=d.actor("stranger"), now=at)[0].order
    assert order is not None
    return order


def step(d: District, rng: random.Random, order: Order, now: datetime) -> str:
    """One verb that happens to be possible, said up to some days after it happened; "" when none was."""
    suffix = "-2" if order.company_id == d.company2.pk else ""
    worker = d.worker2 if suffix else d.worker
    data: dict[str, dict[str, Any]] = {
        "assign": {"worker": str(worker.pk)},
        "return": {"reason": "不是我们的"},
        "refuse": {"rule": "示例"},
        "reopen": {"reason": "还在漏"},
        "verify": {"solved": rng.random() < 0.8},
        "confirm": {"solved": True},
        "pause": {"reason": rng.choice(("waiting_parts", "weather")), "until": (now + timedelta(hours=20)).isoformat()},
        "rate": {"satisfaction": rng.choice(("satisfied", "fairly", "dissatisfied")), "solved": rng.random() < 0.8},
        "reclassify": {"urgency": rng.choice(("emergency", "ordinary")), "kind": rng.choice(("repair", "complaint"))},
        "solve_remotely": {"note": "电话里说清了"},
    }
    for verb in rng.sample(list(WHO), len(WHO)):
        who = WHO[verb]
        by = d.actor(who if who in ("track", "operator") else who + suffix)
        at = now - timedelta(minutes=rng.choice((0, 0, 0, 20, 600, 3000)))
        try:
            act(order.pk, verb, by=by, at=at, data=data.get(verb, {}), now=now)
        except JiyingError:
            continue
        return verb
    return ""


def live(d: District, rng: random.Random, start: datetime, steps: int) -> datetime:
    """Reports, verbs and what the watcher writes, in `steps` steps from `start` on; returns the last moment."""
    now, orders = start, []
    for _step in range(steps):
        now += timedelta(minutes=rng.choice((1, 3, 9, 40, 400)))
        if not orders or rng.random() < 0.3:
            orders.append(report(d, rng, now))
        else:
            step(d, rng, rng.choice(orders), now)
        if rng.random() < 0.5:
            watcher.sweep(now)
    return now
