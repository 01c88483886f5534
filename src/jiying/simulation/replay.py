"""A real day again: the rows of somebody else's table become the orders of a district of their own.

The mapping file says which column is the town, the building, the category, and who works there; nothing
here knows any city.  Everything that happens goes through the same door as in service, on a virtual clock.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import transaction
from django.db.models import Count

from jiying.core import mapping as maps
from jiying.core.errors import JiyingError
from jiying.core.mapping import Reject, Row
from jiying.core.times import rfc3339
from jiying.estates.models import Company, Worker
from jiying.orders import verify
from jiying.orders.actors import STRANGER, Actor
from jiying.orders.batch import Batch
from jiying.orders.drafts import Numbers
from jiying.orders.intake import NewOrder
from jiying.orders.models import Clock, Event, Order
from jiying.orders.places import Places
from jiying.people.models import User
from jiying.people.scopes import Scope
from jiying.rules import packs
from jiying.simulation.crew import Crew
from jiying.simulation.habits import Habits
from jiying.simulation.run import Arrival, Desks, Run
from jiying.simulation.site import SOMEWHERE, Site, build, place_of, point_of, row_time, text
from jiying.supervision.rebuilding import rebuild

PROMISE_STATES = ("met", "missed", "running", "void")
NEEDED = ("reported_at", "town", "category")
REJECTS = "rejects.csv"


@dataclass(frozen=True, slots=True)
class Pace:
    """How the run goes: its seed, how long after the last row (minutes; None: to the end), times real time."""

    seed: int = 1
    until_min: float | None = None
    speed: float | None = None


def replay(
    file: Path,
    map_: str,
    home: Path,
    *,
    only: dict[str, str] | None = None,
    pace: Pace = Pace(),
    progress: Callable[[str], None] = lambda _text: None,
) -> dict[str, Any]:
    """Run `file` again in the (empty) database of this process; returns the counts of the contract.

    Rows that cannot be taken are listed in `home`/rejects.csv.

    Raises:
        MappingError, TableError: the mapping or the table cannot be read; nothing was written.
    """
    mapping = maps.load(map_)
    table = maps.read_table(file, mapping.encoding)
    rows, rejects = _read(mapping, table, only or {})
    call_command("migrate", verbosity=0, interactive=False)
    counts: dict[str, Any] = {"rows": len(rows) + len(rejects)}
    if not rows:
        _tell_rejects(home, rejects, table, progress)
        return counts | _nothing(len(rejects))
    rng = random.Random(pace.seed)
    with transaction.atomic():
        site = build(rows, mapping, rng)
    progress(f"{len(rows)} orders, {len(site.companies)} towns, {len(site.estates)} buildings")
    began = time.monotonic()
    run, refused = _run(rows, site, mapping, rng, pace, progress)
    seconds = time.monotonic() - began
    rebuild()
    rejects = sorted(rejects + refused, key=lambda reject: reject.line)
    _tell_rejects(home, rejects, table, progress)
    return counts | _counts(run, len(rejects), seconds, mapping, row_time(rows[0]))


def _read(mapping: maps.Mapping, table: maps.Table, only: dict[str, str]) -> tuple[list[Row], list[Reject]]:
    """The rows in the order of their times, and those that cannot be placed in time, town or category."""
    rows: list[Row] = []
    rejects: list[Reject] = []
    for row in maps.rows(mapping, table, only=only):
        if isinstance(row, Reject):
            rejects.append(row)
        elif missing := next((name for name in NEEDED if not row.values.get(name)), None):
            rejects.append(Reject(row.line, missing, "", "required", f"no {missing}", row.source))
        else:
            rows.append(row)
    rows.sort(key=lambda row: (row_time(row), row.line))
    return rows, rejects


def _refusal(row: Row, error: JiyingError) -> Reject:
    """A row that intake refused, told like one that the mapping did."""
    fault = error.errors[0] if error.errors else None
    field, code, reason = (fault.field, fault.code, fault.message) if fault else ("", error.code, error.detail)
    return Reject(row.line, field, text(row, field), code, reason, row.source)


def _tell_rejects(home: Path, rejects: Sequence[Reject], table: maps.Table, progress: Callable[[str], None]) -> None:
    if rejects:
        maps.write_rejects(home / REJECTS, rejects, table.names)
        progress(f"{len(rejects)} rows were rejected: {home / REJECTS} says which and why")


# -- the run --------------------------------------------------------------------------------------------


def _arrivals(rows: Sequence[Row], site: Site, rng: random.Random, share: int, plain_time: bool) -> Iterator[Arrival]:
    for row in rows:
        estate, point = site.estates[place_of(row)], point_of(row)
        at = row_time(row)
        new = NewOrder(
            kind=text(row, "kind") or "repair",
            category=text(row, "category"),
            urgency=text(row, "urgency") or None,
            description=text(row, "description") or text(row, "category"),
            estate=estate.code,
            address=text(row, "address")[:200],
            point=point,
            channel=text(row, "channel")[:12] or "import",
            reported_at=at,
            external_id=text(row, "external_id")[:60],
            lot=rng.random() * 100 < share,
            plain_time=plain_time,
        )
        yield Arrival(at=at, new=new, place=point or site.point(estate), by=STRANGER)


def _run(
    rows: Sequence[Row],
    site: Site,
    mapping: maps.Mapping,
    rng: random.Random,
    pace: Pace,
    progress: Callable[[str], None],
) -> tuple[Run, list[Reject]]:
    rules, zone = mapping.staff, mapping.timezone
    workers = Worker.objects.select_related("company", "home_estate").prefetch_related("shifts")
    start = row_time(rows[0])
    crew = Crew.of(
        workers.order_by("user__username"),
        zone=zone,
        cap_km=rules.cap_km,
        start=start,
        middle=site.middle or SOMEWHERE,
    )
    habits = Habits(
        speed_kmh=rules.speed_kmh, access_min=rules.travel_overhead_min, service_median=rules.service_minutes
    )
    until = row_time(rows[-1]) + timedelta(minutes=pace.until_min) if pace.until_min is not None else None
    share = packs.in_force(start).follow_up.share_percent

    def tell(this: Run) -> None:
        progress(f"{this.now.astimezone(zone):%Y-%m-%d %H:%M}  {this.accepted} orders, {this.batch.written} events")

    with Batch(numbers=Numbers(pace.seed), places=Places.everything()) as batch:
        run = Run(batch=batch, crew=crew, desks=_desks(site), rng=rng, habits=habits, speed=pace.speed)
        run.on_progress = tell
        run.run(_arrivals(rows, site, rng, share, mapping.calendar == "none"), until=until)
    # Arrivals come in the order of the rows, so the refused ones are found by their place in it.
    return run, [_refusal(rows[index], error) for index, error in run.refused]


def _desks(site: Site) -> Desks:
    return Desks(
        companies={company.id: _company_desk(site.desks[town], company) for town, company in site.companies.items()},
        centre=Actor(
            Scope(site.centre.id, frozenset({"resident", "operator"}), districts=frozenset({site.district.code})),
            staff=True,
        ),
    )


def _company_desk(user: User, company: Company) -> Actor:
    scope = Scope(user.id, frozenset({"resident", "company"}), companies=frozenset({company.organisation_id}))
    return Actor(scope, staff=True)


# -- the counts -----------------------------------------------------------------------------------------


def _counts(run: Run, rejected: int, seconds: float, mapping: maps.Mapping, start: datetime) -> dict[str, Any]:
    report = verify.verify()
    events = Event.objects.count()
    orders = Order.objects.count()
    broken = len({item.order for item in report.broken})
    return {
        "rejected": rejected,
        "orders": orders,
        "events": events,
        "promises": promises(),
        "escalations": escalations(),
        "unserved": orders - Event.objects.filter(milestone="arrived").values("order").distinct().count(),
        "virtual_start": rfc3339(start, mapping.timezone),
        "virtual_end": rfc3339(run.now, mapping.timezone),
        "events_per_s": round(events / seconds, 1) if seconds else 0.0,
        "chains": {"verified": report.orders - broken, "broken": broken},
    }


def promises() -> dict[str, dict[str, int]]:
    """How many clocks of each promise are in which state (a paused clock still runs)."""
    counts: dict[str, dict[str, int]] = {}
    for promise, state, n in Clock.objects.values_list("promise", "state").annotate(n=Count("pk")).order_by("promise"):
        states = counts.setdefault(promise, dict.fromkeys(PROMISE_STATES, 0))
        states["running" if state == "paused" else state] += n
    return counts


def escalations() -> dict[str, int]:
    """How often each step of the ladder fired."""
    fired = Event.objects.filter(verb="escalate").iterator(chunk_size=2000)
    return dict(sorted(Counter(event.data["step"] for event in fired).items()))


def _nothing(rejected: int) -> dict[str, Any]:
    return {
        "rejected": rejected,
        "orders": 0,
        "events": 0,
        "promises": {},
        "escalations": {},
        "unserved": 0,
        "virtual_start": None,
        "virtual_end": None,
        "events_per_s": 0.0,
        "chains": {"verified": 0, "broken": 0},
    }
