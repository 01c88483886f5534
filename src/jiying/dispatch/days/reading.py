"""The two tables of a day, checked: what cannot be read is an error, what cannot be served is a remark."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jiying.core.errors import BadInput

ORDERS = ("order", "reported_min", "x_km", "y_km", "skill", "emergency", "service_min", "town", "team")
WORKERS = ("worker", "x_km", "y_km", "skills", "shifts", "town", "team")
MOST_KM, MOST_MIN, MOST_SKILLS = 1e5, 2880.0, 62
APART_MIN = 0.02
"""Shifts of one worker that touch or overlap are kept so far apart."""

NO_PLACE, NO_SKILL, NO_DUTY = "no_place", "no_skill", "no_duty"
WHY = {
    NO_PLACE: "it is not known where it is",
    NO_SKILL: "nobody has the skill",
    NO_DUTY: "nobody with the skill is on duty any more",
}


@dataclass(frozen=True)
class Day:
    """One day.  Arrays by row of the tables; times in minutes since 00:00, places in km, NaN where unknown.

    `order_skill`: place in `skills`, -1 for one that no worker has.  `why_never`: by row of an order that nobody can
    serve.  `remarks`: sentences about rows that were left out.
    """

    orders: tuple[str, ...]
    reported: np.ndarray
    order_places: np.ndarray
    order_skill: np.ndarray
    emergency: np.ndarray
    service: np.ndarray
    order_town: tuple[str, ...]
    order_team: tuple[str, ...]
    workers: tuple[str, ...]
    worker_places: np.ndarray
    worker_skills: np.ndarray
    shifts: tuple[tuple[tuple[float, float], ...], ...]
    worker_town: tuple[str, ...]
    worker_team: tuple[str, ...]
    skills: tuple[str, ...]
    why_never: dict[int, str]
    remarks: tuple[str, ...] = ()


@dataclass
class _Row:
    """One line of a table, and where it stands."""

    path: Path
    line: int
    fields: dict[str, str]
    remarks: list[str] = field(default_factory=list)

    def wrong(self, name: str, why: str) -> BadInput:
        return BadInput.of(name, "invalid", f"{self.path.name}, line {self.line}, {name}: {why}")

    def number(self, name: str, *, or_none: bool = False) -> float:
        """A finite number; NaN for none, where that is allowed."""
        text = self.fields[name].strip()
        try:
            value = float(text) if text else math.nan
        except ValueError:
            raise self.wrong(name, f"{text!r} is no number") from None
        if math.isinf(value) or (math.isnan(value) and not or_none):
            raise self.wrong(name, f"{text!r} is no finite number")
        return value

    def place(self) -> tuple[float, float]:
        x, y = (self.number(name, or_none=True) for name in ("x_km", "y_km"))
        if max(abs(x), abs(y)) > MOST_KM:
            raise self.wrong("x_km", f"farther than {MOST_KM:.0f} km")
        return (math.nan, math.nan) if math.isnan(x) or math.isnan(y) else (x, y)


def read_day(folder: Path) -> Day:
    """Read `orders.csv[.gz]` and `workers.csv[.gz]` of `folder`.

    Raises:
        BadInput: a file or column is missing, an id stands twice, a number is none; it names file, line and column.
    """
    return _day(list(_rows(folder, "orders", ORDERS)), list(_rows(folder, "workers", WORKERS)))


def _rows(folder: Path, name: str, columns: tuple[str, ...]) -> Iterator[_Row]:
    path = next((folder / f"{name}{end}" for end in (".csv.gz", ".csv") if (folder / f"{name}{end}").is_file()), None)
    if path is None:
        raise BadInput.of(name, "missing", f"{folder} has no {name}.csv.gz and no {name}.csv")
    try:
        held = path.read_bytes()
        text = (gzip.decompress(held) if held[:2] == b"\x1f\x8b" else held).decode("utf-8-sig")
        table = csv.reader(io.StringIO(text, newline=""))
        head = [column.strip() for column in next(table, [])]
        if lacking := [column for column in columns if column not in head]:
            raise BadInput.of(lacking[0], "missing", f"{path.name} has no column {', '.join(lacking)}")
        if twice := [column for column, times in Counter(head).items() if times > 1 and column in columns]:
            raise BadInput.of(twice[0], "invalid", f"{path.name} has the column {twice[0]} twice")
        seen: set[str] = set()
        for values in table:
            if not values:
                continue
            if len(values) < len(head):
                raise BadInput.of(
                    name, "invalid", f"{path.name}, line {table.line_num}: {len(values)} fields, not {len(head)}"
                )
            row = _Row(path, table.line_num, dict(zip(head, values, strict=False)))
            own = row.fields[columns[0]] = row.fields[columns[0]].strip()
            if not own or own in seen:
                raise row.wrong(columns[0], f"{own!r} stands twice" if own else "is empty")
            seen.add(own)
            yield row
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise BadInput.of(name, "invalid", f"{path} cannot be read: {error}") from error


def _day(orders: list[_Row], workers: list[_Row]) -> Day:
    remarks: list[str] = []
    shifts = tuple(_shifts(row, remarks) for row in workers)
    owned = [_skills(row) for row in workers]
    skills = tuple(sorted({skill for own in owned for skill in own}))
    if len(skills) > MOST_SKILLS:
        raise BadInput.of("skills", "invalid", f"more than {MOST_SKILLS} skills")
    number = {skill: place for place, skill in enumerate(skills)}
    places = np.array([row.place() for row in workers], float).reshape(-1, 2)
    known = np.isfinite(places).all(axis=1)
    for one, row in enumerate(workers):
        for lacking, what in ((not known[one], "place"), (not owned[one], "skill"), (not shifts[one], "shift")):
            if lacking:
                remarks.append(f"worker {row.fields['worker']} is not sent: no {what}")
    useful = [bool(known[one] and owned[one]) for one in range(len(workers))]
    shifts = tuple(own if use else () for own, use in zip(shifts, useful, strict=True))
    last = dict.fromkeys(skills, -math.inf)
    for own, spans in zip(owned, shifts, strict=True):
        for skill in own:
            last[skill] = max([last[skill], *(end for _, end in spans)])
    order_places = np.array([row.place() for row in orders], float).reshape(-1, 2)
    reported = np.array([round(row.number("reported_min"), 4) for row in orders])
    service = np.array([row.number("service_min") for row in orders])
    why_never: dict[int, str] = {}
    emergency = np.zeros(len(orders), np.int64)
    for one, row in enumerate(orders):
        if service[one] < 0:
            raise row.wrong("service_min", "is negative")
        if row.fields["emergency"].strip() not in ("0", "1"):
            raise row.wrong("emergency", f"{row.fields['emergency']!r} is neither 0 nor 1")
        emergency[one] = int(row.fields["emergency"])
        skill = row.fields["skill"].strip()
        if skill not in number:
            why_never[one] = NO_SKILL
        elif not np.isfinite(order_places[one]).all():
            why_never[one] = NO_PLACE
        elif reported[one] >= last[skill]:
            why_never[one] = NO_DUTY
    return Day(
        orders=tuple(row.fields["order"] for row in orders),
        reported=reported,
        order_places=order_places,
        order_skill=np.array([number.get(row.fields["skill"].strip(), -1) for row in orders], np.int64),
        emergency=emergency,
        service=service,
        order_town=tuple(row.fields["town"] for row in orders),
        order_team=tuple(row.fields["team"] for row in orders),
        workers=tuple(row.fields["worker"] for row in workers),
        worker_places=places,
        worker_skills=np.array([sum(1 << number[skill] for skill in own) for own in owned], np.int64),
        shifts=shifts,
        worker_town=tuple(row.fields["town"] for row in workers),
        worker_team=tuple(row.fields["team"] for row in workers),
        skills=skills,
        why_never=why_never,
        remarks=tuple(remarks),
    )


def _skills(row: _Row) -> list[str]:
    return sorted({skill.strip() for skill in row.fields["skills"].split("|")} - {""})


def _shifts(row: _Row, remarks: list[str]) -> tuple[tuple[float, float], ...]:
    """The shifts in order and apart; those that end before they begin are left out with a remark."""
    found: list[tuple[float, float]] = []
    for text in filter(None, (part.strip() for part in row.fields["shifts"].split(";"))):
        begin_text, dash, end_text = text.rpartition("-")
        try:
            begin, end = float(begin_text), float(end_text)
        except ValueError:
            raise row.wrong("shifts", f"{text!r} is no span of minutes") from None
        if not dash or not all(map(math.isfinite, (begin, end))) or max(abs(begin), abs(end)) > MOST_MIN:
            raise row.wrong("shifts", f"{text!r} is no span of minutes within two days")
        if end <= begin:
            remarks.append(f"worker {row.fields['worker']}: the shift {text} ends before it begins and is left out")
            continue
        found.append((begin, end))
    apart: list[tuple[float, float]] = []
    for begin, end in sorted(found):
        if apart and begin < apart[-1][1] + APART_MIN:
            begin = apart[-1][1] + APART_MIN
        if begin < end:
            apart.append((begin, end))
    return tuple(apart)
