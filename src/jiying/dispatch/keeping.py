"""Who keeps the worlds: one a district, in this process' memory, and every minute an outlook for everybody.

Whether it runs once, twice or not at all, decisions are made: without an outlook by nearness.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from django.db import close_old_connections, connection
from django.utils import timezone

from jiying.dispatch import outlooks, staff, surges
from jiying.dispatch.engine.outlook import Outlook, Plane
from jiying.dispatch.looking import fleet_of, outlook_of
from jiying.dispatch.staff import Person
from jiying.dispatch.standby import limits
from jiying.dispatch.standby.actions import put
from jiying.dispatch.standby.seeking import seek
from jiying.dispatch.world import OutOfStep, World
from jiying.estates.duty import on_until
from jiying.estates.models import Worker
from jiying.estates.queries import zone_of

log = logging.getLogger("jiying.dispatch")

EVERY = timedelta(minutes=1)
LOOK_EVERY_S = 5.0


class Keeper:
    """The worlds in memory, by district, and when each was looked at last."""

    def __init__(self) -> None:
        self.worlds: dict[str, World] = {}
        self.looked: dict[str, datetime] = {}
        self.moved: dict[str, datetime] = {}

    def keep(self, now: datetime) -> int:
        """Bring to date and publish every district that was not looked at for a minute; returns how many.

        One whose look fails keeps none of the others waiting: its last outlook holds for some minutes yet.
        """
        done = 0
        staffed = set(Worker.objects.filter(active=True).values_list("company__district", flat=True))
        for district in surges.districts() - staffed:
            # Where the last worker has left there is nothing to look at, and no surge goes on by itself.
            surges.follow(district, None, now)
        for district in sorted(staffed):
            if district in self.looked and timedelta(0) <= now - self.looked[district] < EVERY:
                continue
            self.looked[district] = now
            try:
                seen = self._seen(district, now)
                if not seen[1]:
                    # Of nobody it is known where they are: as good as no people.
                    surges.follow(district, None, now)
                    continue
                known = outlook_of(*seen, zone_of(district), now)
                outlooks.publish(district, known)
                surges.follow(district, known, now)
            except Exception:
                # Nobody waits for a price: without it the nearest goes.
                log.exception("no outlook of %s; its world is made anew", district)
                self.worlds.pop(district, None)
                continue
            done += 1
            self._move(district, *seen, now)
        return done

    def _move(self, district: str, world: World, people: list[Person], plane: Plane, now: datetime) -> None:
        """Every two minutes: who would be missed elsewhere."""
        if district in self.moved and timedelta(0) <= now - self.moved[district] < limits.EVERY:
            return
        self.moved[district] = now
        zone = zone_of(district)
        try:
            fleet, minute = fleet_of(world, people, plane, zone, now)
            found = seek(district, fleet, minute, people, plane, zone, now)
            off = {one.id for one in people if on_until(one.hours, one.switches, now, zone) is None}
            put(district, found, off, now)
        except Exception:
            # A suggestion less; whoever is sent is sent all the same.
            log.exception("nobody is suggested to wait elsewhere in %s", district)

    def look(self, district: str, now: datetime) -> Outlook:
        """The outlook of a district at `now`."""
        return outlook_of(*self._seen(district, now), zone_of(district), now)

    def _seen(self, district: str, now: datetime) -> tuple[World, list[Person], Plane]:
        """The world in memory, brought to date, and the people; it is made where there is none yet."""
        world = self.worlds.get(district)
        try:
            if world is not None:
                world.follow()
        except OutOfStep:
            world = None
        if world is None:
            world = self.worlds[district] = World.of(district, now)
            world.follow()
        return world, *staff.read(district, now)


def run(stop: threading.Event) -> None:
    """Keep until `stop`."""
    keeper = Keeper()
    while not stop.wait(LOOK_EVERY_S):
        try:
            close_old_connections()
            keeper.keep(timezone.now())
        except Exception:
            # The database may be away for a moment.
            log.exception("the worlds could not be kept; trying again")
    connection.close()
