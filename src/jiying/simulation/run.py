"""A run on a virtual clock: orders come in at their times, simulated people act through the same door.

Nothing here writes an order: people's moves become commands of a `Batch`, which folds, checks and writes
them like any others, and the watcher's steps fire between them at their due times.
"""

from __future__ import annotations

import heapq
import random
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from jiying.core.errors import BadInput, ImpossibleVerb, JiyingError
from jiying.core.geo import Point, distance_m
from jiying.orders.actors import TRACKER, Actor
from jiying.orders.batch import Batch, Command
from jiying.orders.intake import NewOrder
from jiying.orders.models import Order
from jiying.orders.proof import arrival_code
from jiying.orders.states import ENDED, State
from jiying.simulation.crew import Crew, Hand
from jiying.simulation.habits import Habits

FLUSH_EVENTS = 1000
BEYOND_THE_CAP = timedelta(hours=3)
DAWN = datetime.min.replace(tzinfo=UTC)
NO_ORDER = uuid.UUID(int=0)
"""For moves that concern no order."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new order at its time, with where it is for travel and who reports it."""

    at: datetime
    new: NewOrder
    place: Point
    by: Actor


@dataclass(frozen=True, slots=True)
class Desks:
    """Who signs and assigns for each company, and for orders that no company serves."""

    companies: dict[uuid.UUID, Actor]
    centre: Actor


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order for which nobody was free, since when."""

    order: uuid.UUID
    skill: str
    place: Point
    company: uuid.UUID | None
    emergency: bool
    since: datetime


Move = Callable[["Run", uuid.UUID, datetime], None]


@dataclass(slots=True)
class Run:
    """The state of a run: what people intend to do, earliest first."""

    batch: Batch
    crew: Crew
    desks: Desks
    rng: random.Random
    habits: Habits = field(default_factory=Habits)
    now: datetime = DAWN
    speed: float | None = None
    """Times real time; None: as fast as it goes."""
    places: dict[uuid.UUID, Point] = field(default_factory=dict)
    hands: dict[uuid.UUID, Hand] = field(default_factory=dict)
    orders: dict[uuid.UUID, Order] = field(default_factory=dict)
    on_progress: Callable[[Run], None] | None = None
    arrived: int = 0
    accepted: int = 0
    waiting: dict[str, dict[uuid.UUID, Waiting]] = field(default_factory=dict)
    """Orders for which nobody was free, by the skill they need."""
    refused: list[tuple[int, JiyingError]] = field(default_factory=list)
    """Which arrivals (by their place among all) intake refused, and why."""
    _shift_planned: bool = False
    _plan: list[tuple[datetime, int, Move, uuid.UUID]] = field(default_factory=list)
    _count: int = 0
    _since_flush: int = 0

    # -- the clock ----------------------------------------------------------------------------------

    def run(self, arrivals: Iterable[Arrival], *, until: datetime | None = None) -> None:
        """Run until nothing is left to do, or to `until`."""
        coming = iter(arrivals)
        following = next(coming, None)
        pace = self._pace(following.at) if following else _never_wait
        while True:
            times = [following.at] if following else []
            times += [self._plan[0][0]] if self._plan else []
            times += [self.batch.next_due] if self.batch.next_due else []
            if not times or (until is not None and min(times) > until):
                break
            self.now = max(self.now, min(times))
            pace()
            if following and following.at <= self.now:
                self._arrive(following)
                following = next(coming, None)
            elif self._plan and self._plan[0][0] <= self.now:
                _at, _n, move, order = heapq.heappop(self._plan)
                move(self, order, self.now)
            else:
                self.batch.watch(self.now)
            self._flush_if_due()
        if until is not None:
            self.now = max(self.now, until)
            pace()
            self.batch.watch(until)
        self.batch.flush()

    def plan(self, minutes: float, move: Move, order: uuid.UUID) -> None:
        """Somebody intends to do something in `minutes`."""
        self._count += 1
        heapq.heappush(self._plan, (self.now + timedelta(minutes=minutes), self._count, move, order))

    def _pace(self, started: datetime) -> Callable[[], None]:
        """What waits until the wall clock has come as far as the virtual one, both counted from now on."""
        speed, since = self.speed, time.monotonic()
        if speed is None:
            return _never_wait

        def wait() -> None:
            ahead = (self.now - started).total_seconds() / speed - (time.monotonic() - since)
            if ahead > 0:
                self.batch.flush()
                time.sleep(ahead)

        return wait

    def _flush_if_due(self) -> None:
        self._since_flush += 1
        if self._since_flush >= FLUSH_EVENTS:
            self._since_flush = 0
            self.batch.flush()
            if self.on_progress:
                self.on_progress(self)

    # -- saying things --------------------------------------------------------------------------------

    def _arrive(self, arrival: Arrival) -> None:
        try:
            order = self.batch.accept(arrival.new, by=arrival.by, now=arrival.at)
        except BadInput as error:
            self.refused.append((self.arrived, error))
            return
        finally:
            self.arrived += 1
        self.accepted += 1
        self.orders[order.id], self.places[order.id] = order, arrival.place
        self.plan(self.habits.sign[order.urgency].draw(self.rng), _sign, order.id)
        if self.rng.random() < self.habits.cancels:
            self.plan(self.rng.uniform(2, 20), _cancel, order.id)
        if self.rng.random() < self.habits.urges_when_late:
            self.plan(self.rng.uniform(31, 60) if order.urgency == "emergency" else 1440, _urge, order.id)

    def say(self, order: uuid.UUID, verb: str, by: Actor, data: dict[str, Any] | None = None) -> bool:
        """Say a verb now; False when life has moved on and it is no longer possible."""
        try:
            self.batch.act(Command(order=order, verb=verb, by=by, at=self.now, data=data or {}))
        except ImpossibleVerb:
            return False
        return True

    def desk(self, order: Order) -> Actor:
        """Who signs and assigns for an order."""
        return self.desks.companies[order.company_id] if order.company_id else self.desks.centre

    def state(self, order: uuid.UUID) -> State:
        return self.batch.ledger(order).state


def _never_wait() -> None:
    """As fast as it goes."""


# -- moves: each reads the present state and does the next thing in life ---------------------------------


def _sign(run: Run, order: uuid.UUID, now: datetime) -> None:
    this = run.orders[order]
    if run.say(order, "sign", run.desk(this)):
        run.plan(run.habits.assign[this.urgency].draw(run.rng), _assign, order)


def _assign(run: Run, order: uuid.UUID, now: datetime) -> None:
    """The desk sends the nearest suitable of its own; in need the centre sends anybody's."""
    if run.state(order) not in (State.SIGNED, State.ASSIGNED):
        return
    this, place, skill = run.orders[order], run.places[order], _skill(run, order)
    found = run.crew.nearest(place, skill, now, company=this.company_id)
    found = found or run.crew.nearest(place, skill, now, company=None)
    if found is not None:
        _send(run, order, found[0], found[1])
    elif run.crew.anyone(skill):
        waiting = Waiting(order, skill, place, this.company_id, this.urgency == "emergency", now)
        run.waiting.setdefault(skill, {})[order] = waiting
        _await_shift(run)


def _skill(run: Run, order: uuid.UUID) -> str:
    return run.batch.ledger(order).pack.categories[run.orders[order].category].skill


def _send(run: Run, order: uuid.UUID, hand: Hand, metres: float) -> None:
    """Assign `hand` and plan what they will do; others' hands are assigned by the centre."""
    this = run.orders[order]
    by = run.desk(this) if hand.company == this.company_id else run.desks.centre
    if not run.say(order, "assign", by, {"worker": str(hand.id)}):
        return
    run.hands[order] = hand
    habits, rng = run.habits, run.rng
    depart = habits.depart.draw(rng)
    arrive = depart + habits.travel_min(metres)
    service = habits.service_min(this.category, this.urgency, rng)
    run.crew.take(hand, run.places[order], run.now + timedelta(minutes=arrive + service))
    run.plan(min(habits.contact.draw(rng), arrive * 0.9), _contact, order)
    run.plan(depart, _depart, order)
    run.plan(arrive, _reach, order)
    if this.urgency == "emergency":
        run.plan(arrive + min(habits.make_safe.draw(rng), service * 0.9), _make_safe, order)
    run.plan(arrive + service, _done, order)


def _await_shift(run: Run) -> None:
    """While somebody waits, look again at the next beginning of a shift."""
    if not run._shift_planned:
        run._shift_planned = True
        run.plan(run.crew.next_shift(run.now), _shift_begins, NO_ORDER)


def _shift_begins(run: Run, _order: uuid.UUID, now: datetime) -> None:
    run._shift_planned = False
    for hand in run.crew.hands:
        _next_for(run, hand)
    if any(run.waiting.values()):
        _await_shift(run)


def _next_for(run: Run, hand: Hand) -> None:
    """A free hand on duty takes what has waited: emergencies first, its own company's, the oldest.

    What has waited for hours is served beyond the cap, too.
    """
    if hand.free_at > run.now or not hand.on_duty(run.crew.minute(run.now)):
        return
    best: tuple[tuple[bool, bool, datetime], Waiting, float] | None = None
    for waiting in (each for skill in sorted(hand.skills) for each in run.waiting.get(skill, {}).values()):
        key = (not waiting.emergency, waiting.company != hand.company, waiting.since)
        if best is not None and best[0] <= key:
            continue
        metres = distance_m(hand.at, waiting.place)
        if metres <= run.crew.cap_m or run.now - waiting.since > BEYOND_THE_CAP:
            best = (key, waiting, metres)
    if best is not None:
        order = best[1].order
        del run.waiting[best[1].skill][order]
        if run.state(order) in (State.SIGNED, State.ASSIGNED):
            _send(run, order, hand, best[2])


def _hand(run: Run, order: uuid.UUID, verb: str, data: dict[str, Any] | None = None) -> bool:
    return run.say(order, verb, run.hands[order].actor, data)


def _contact(run: Run, order: uuid.UUID, now: datetime) -> None:
    _hand(run, order, "contact")


def _depart(run: Run, order: uuid.UUID, now: datetime) -> None:
    _hand(run, order, "depart")


def _reach(run: Run, order: uuid.UUID, now: datetime) -> None:
    data: dict[str, Any] = {}
    # Where no point is known the telephone shows none either: only the code, or the worker's word, is left.
    if run.orders[order].lon is not None:
        place = run.places[order]
        data = {"point": {"lon": place.lon, "lat": place.lat}, "accuracy_m": run.rng.randrange(5, 60)}
    if run.rng.random() < run.habits.shows_the_code:
        data["code"] = arrival_code(order, run.batch.ledger(order).judge.round)
    _hand(run, order, "arrive", data)


def _make_safe(run: Run, order: uuid.UUID, now: datetime) -> None:
    _hand(run, order, "make_safe")


def _done(run: Run, order: uuid.UUID, now: datetime) -> None:
    finished = _hand(run, order, "done")
    _next_for(run, run.hands[order])
    if not finished:
        return
    habits, rng = run.habits, run.rng
    facts = run.batch.ledger(order).judge.facts
    if rng.random() < habits.answers_by_themselves:
        run.plan(habits.answer.draw(rng), _answer, order)
    elif facts is not None and facts.drawn(run.batch.ledger(order).pack) and rng.random() < habits.answers_the_call:
        run.plan(habits.follow_up_call.draw(rng), _follow_up, order)


def _solved(run: Run, order: uuid.UUID) -> bool:
    """Nobody's work is undone more than twice."""
    return run.batch.ledger(order).reopened >= 2 or run.rng.random() < run.habits.solved


def _answer(run: Run, order: uuid.UUID, now: datetime) -> None:
    """The resident says whether it is solved, and perhaps how they liked it."""
    solved = _solved(run, order)
    if not run.say(order, "confirm", TRACKER, {"solved": solved}):
        return
    if run.rng.random() < run.habits.rates:
        names, weights = zip(*run.habits.satisfaction, strict=True)
        choice = run.rng.choices(names, weights)[0] if solved else "dissatisfied"
        run.say(order, "rate", TRACKER, {"satisfaction": choice, "solved": solved})
    _after_answer(run, order)


def _follow_up(run: Run, order: uuid.UUID, now: datetime) -> None:
    """The centre's follow-up call."""
    if run.say(order, "verify", run.desks.centre, {"solved": _solved(run, order)}):
        _after_answer(run, order)


def _after_answer(run: Run, order: uuid.UUID) -> None:
    if run.state(order) is State.VERIFIED:
        run.plan(run.habits.close.draw(run.rng), _close, order)
    elif run.state(order) not in ENDED:
        run.plan(run.habits.assign[run.orders[order].urgency].draw(run.rng), _assign, order)


def _close(run: Run, order: uuid.UUID, now: datetime) -> None:
    run.say(order, "close", run.desks.centre)


def _cancel(run: Run, order: uuid.UUID, now: datetime) -> None:
    run.say(order, "cancel", TRACKER)


def _urge(run: Run, order: uuid.UUID, now: datetime) -> None:
    clock = next((c for c in run.batch.ledger(order).judge.clocks if c.promise == "respond_30"), None)
    if clock is not None and clock.reached_at is None:
        run.say(order, "urge", TRACKER)
