"""The world of a district in memory: who has what in hand, what waits, what was seen of late; followed by the log.

`World.of` reads it from the database, `follow` takes in what the event log has since, `look` works out the outlook.
The outlook depends on what the database says and on `now` alone, not on when the world was made: after a restart, and
with two of them, it is the same to the byte.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from jiying.dispatch.engine.world import Spot
from jiying.dispatch.hands import spot_of
from jiying.orders import followers
from jiying.orders.models import Event, Order, Withdrawal
from jiying.orders.states import IN_HAND, OBSERVATIONS, OPEN, WAITING
from jiying.orders.store import pack_of
from jiying.rules.faults import NoPack

WINDOW = timedelta(hours=24)
"""What is older says nothing any more: what was seen fades to a third in four hours and a half."""

MOST_SEEN = 10_000
"""A district's day; in a flood of reports the latest of them say what matters, and a look stays short."""

CHUNK = 500
TOO_FAR_BEHIND = 20_000
"""So many events later it is faster to read everything anew."""


BREATH_S = 0.005
"""How long is rested between two chunks: who reads a hundred thousand orders leaves the others the interpreter."""

Id = int
"""A UUID as a number.  The collector of garbage looks through objects again and again, and through no number: a
hundred thousand orders that wait would hold up everybody for a tenth of a second, every few seconds."""


class Seen(NamedTuple):
    """A repair that was reported in the window."""

    reported: datetime
    at: Spot
    urgent: bool
    skill: str


class InHand(NamedTuple):
    """An open order that somebody has."""

    worker: Id
    state: str
    since: datetime
    at: Spot | None


class OutOfStep(Exception):
    """The log no longer has what was read of it, or has gone on too far, or orders were withdrawn, of which no event
    tells: the world is to be made anew."""


@dataclass
class World:
    """One district: orders `in_hand` and those that `wait` for somebody, by id; what was `seen`; work that is under way
    (`arrived`) and finished (`worked`: when it began, minutes).  `withdrawn`: how many orders had been taken out whole.
    """

    district: str
    cursor: followers.Position
    withdrawn: int = 0
    in_hand: dict[Id, InHand] = field(default_factory=dict)
    waiting: set[Id] = field(default_factory=set)
    seen: dict[Id, Seen] = field(default_factory=dict)
    arrived: dict[Id, datetime] = field(default_factory=dict)
    worked: dict[Id, tuple[datetime, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, district: str, now: datetime) -> World:
        """From the database.  What commits meanwhile stands after the cursor and is read again by `follow`."""
        world = cls(district, followers.end(), Withdrawal.objects.count())
        rows = Order.objects.filter(district=district)
        world._take(rows.filter(state__in=sorted(OPEN)))
        newest = rows.filter(reported_at__gte=now - WINDOW).order_by("-reported_at")
        world._take(newest[:MOST_SEEN])
        begun = Event.objects.filter(verb__in=("arrive", "done"), at__gte=now - WINDOW, district=district)
        for order, verb, at in begun.order_by("order_id", "version").values_list("order_id", "verb", "at"):
            world._work(order, verb, at)
        return world

    def follow(self) -> int:
        """Take in what the log has since; returns how many events that were, observations apart.

        Raises:
            OutOfStep: make the world anew.
        """
        if Withdrawal.objects.count() != self.withdrawn:
            raise OutOfStep
        xid, seq = self.cursor
        # Where the last one that was read is gone, another log answers.
        if seq and not Event.objects.filter(xid=xid, seq=seq).exists():
            raise OutOfStep
        end = followers.end()
        rows = followers.after(self.cursor).filter(Q(xid__lt=end[0]) | Q(xid=end[0], seq__lte=end[1]))
        # What only observes sends nobody anywhere: a move to another rule pack would be all orders read again.
        rows = rows.exclude(verb__in=OBSERVATIONS)
        told = list(rows.values_list("order_id", "district", "verb", "at")[: TOO_FAR_BEHIND + 1])
        if len(told) > TOO_FAR_BEHIND:
            raise OutOfStep
        touched: dict[uuid.UUID, None] = {}
        for order, district, verb, at in told:
            if district == self.district:
                touched[order] = None
                self._work(order, verb, at)
        for order in touched:
            self.in_hand.pop(order.int, None)
            self.waiting.discard(order.int)
        ids = list(touched)
        for first in range(0, len(ids), CHUNK):
            self._take(Order.objects.filter(pk__in=ids[first : first + CHUNK]))
        self.cursor = max(self.cursor, end)
        return len(told)

    def forget(self, now: datetime) -> None:
        """Let go of what lies before the window; what came since `now` was said is for the next look."""
        since = now - WINDOW
        newest = sorted(
            (key for key, one in self.seen.items() if since <= one.reported),
            key=lambda key: (self.seen[key].reported, key),
        )[-MOST_SEEN:]
        self.seen = {key: self.seen[key] for key in newest}
        self.arrived = {key: at for key, at in self.arrived.items() if at >= since}
        self.worked = {key: self.worked[key] for key in sorted(self.worked) if self.worked[key][0] >= since}

    def _take(self, rows: QuerySet[Order]) -> None:
        columns = (
            *("pk", "worker_id", "state", "state_since", "lon", "lat"),
            *("urgency", "kind", "category", "pack", "reported_at"),
        )
        found = rows.values_list(*columns).iterator(chunk_size=CHUNK)
        for n, (pk, worker, state, since, lon, lat, urgency, kind, category, pack, reported) in enumerate(found, 1):
            if n % CHUNK == 0:
                time.sleep(BREATH_S)
            key = pk.int
            spot = spot_of(lon, lat)
            spot = spot if spot is not None and spot.is_somewhere else None
            if worker is not None and state in IN_HAND:
                self.in_hand[key] = InHand(worker.int, state, since, spot)
            elif kind == "repair" and worker is None and state in WAITING:
                self.waiting.add(key)
            if kind == "repair" and spot is not None:
                self.seen[key] = Seen(reported, spot, urgency == "emergency", skill_of(pack, category))

    def _work(self, order: uuid.UUID, verb: str, at: datetime) -> None:
        if verb == "arrive":
            self.arrived[order.int] = at
        elif verb == "done" and (begun := self.arrived.pop(order.int, None)) is not None:
            self.worked[order.int] = (begun, (at - begun).total_seconds() / 60)


def skill_of(pack: str, category: str) -> str:
    """The skill that a category wants; "" where none, or where its pack is not here any more."""
    try:
        found = pack_of(pack).categories.get(category)
    except NoPack:
        return ""
    return found.skill if found else ""
