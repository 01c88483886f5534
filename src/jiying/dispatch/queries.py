"""Reads about dispatch, for screens and the REST interface."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from jiying.dispatch import saying
from jiying.dispatch.engine.ranking import Choice
from jiying.dispatch.plan import FREE
from jiying.dispatch.service import Advice, advise_many
from jiying.orders.models import Event, Order, OrderQuerySet
from jiying.orders.states import RULE
from jiying.people.scopes import Scope

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What somebody who assigns is shown: the best few of those whom they may send.

    `reach`: the workers whom the asker may send, `everybody` where these are all; `left_out` counts among them for
    what reasons others cannot go.
    """

    advice: Advice
    choices: tuple[Choice, ...]
    left_out: dict[str, int] = field(default_factory=dict)
    reach: frozenset[str] = frozenset()
    everybody: bool = False

    def why(self, choice: Choice) -> str:
        """One sentence for a row that names the tier already."""
        return saying.why(self.spoken(choice), with_tier=False)

    def pool(self, choice: Choice) -> str:
        """By which pool somebody may be sent, where their tier does not say so already."""
        return saying.pool(choice.candidate.pool) if choice.candidate.pool in ("company", "alliance") else ""

    @property
    def wider(self) -> str:
        """What a wider pool would have, in words; "" where nothing."""
        found = self.advice.outside if self.everybody else None
        return saying.outside(found.n, found.minutes) if found is not None else ""

    @property
    def held(self) -> str:
        """That a rule would hold the order back, and for how long; "" where it would not."""
        return saying.held(self.advice.held_min)

    def spoken(self, choice: Choice) -> dict[str, object]:
        """What speaks for somebody, among those whom the asker may send."""
        return self.advice.spoken(choice.worker, self.reach)

    @property
    def outside(self) -> dict[str, int | None] | None:
        """What a wider pool would have: how many would be there sooner, and the first in how many minutes.  It is of
        others' people, so only who sees everybody is told.
        """
        found = self.advice.outside if self.everybody else None
        return None if found is None else {"n": found.n, "minutes": found.minutes}

    @property
    def order(self) -> Order:
        return self.advice.order


def suggestions(
    orders: Sequence[Order], scope: Scope, *, limit: int = SHOWN, now: datetime | None = None
) -> list[Suggestions]:
    """The suggestions for `orders` (which carry estate, town and company), in as many queries as for one.

    The centre sees all tiers; a company its own people alone.
    """
    return [_narrowed(advice, scope, limit) for advice in advise_many(orders, now=now)]


def _narrowed(advice: Advice, scope: Scope, limit: int) -> Suggestions:
    bodies = None if "operator" in scope.roles or advice.order.district in scope.districts else scope.desks
    ours = {key for key, hand in advice.people.items() if bodies is None or hand.organisation_id in bodies}
    choices = [choice for choice in advice.ranking.ranked if choice.worker in ours]
    why = Counter(left.why for left in advice.ranking.left_out if left.candidate.worker in ours)
    return Suggestions(advice, tuple(choices[:limit]), dict(why), frozenset(ours), bodies is None)


def wants_somebody(rows: OrderQuerySet) -> OrderQuerySet:
    """Of `rows`, the emergencies that nobody has, and what the dispatcher has asked the centre about."""
    free = Q(urgency="emergency", kind="repair", worker=None, state__in=sorted(FREE))
    asked = Q(dispatch_task__isnull=False, state__in=sorted({*FREE, "assigned", "en_route"})) & ~Q(
        dispatch_task__why=""
    )
    return rows.filter(free | asked)


@dataclass(slots=True)
class Overrulings:
    """Assignments of a period: by rule; by people who had a suggestion; of these, how many overruled it and why."""

    by_rule: int = 0
    by_people: int = 0
    overruled: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """Overruled ÷ by people; None where people had no suggestion to overrule."""
        return self.overruled / self.by_people if self.by_people else None


def overruled(district: str, start: datetime, end: datetime) -> Overrulings:
    """How often people sent somebody else than was suggested, from the events of a period."""
    events = Event.objects.filter(verb="assign", at__gte=start, at__lt=end, district=district)
    counts, reasons = Overrulings(), Counter[str]()
    for role, canonical in events.values_list("role", "canonical").iterator(chunk_size=2000):
        if role == RULE:
            counts.by_rule += 1
            continue
        data = json.loads(canonical)["data"]
        overrules = data.get("advice", {}).get("overrules")
        if overrules is None:
            continue
        counts.by_people += 1
        if overrules:
            counts.overruled += 1
            reasons[data.get("overrule", "")] += 1
    counts.reasons = dict(reasons)
    return counts
