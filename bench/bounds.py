"""How many emergencies of a day can be in time at all: a bound by linear programming (HiGHS).

`bench/dispatch.py` prints it; nothing to run here by itself.

What is kept of the rules: each emergency is served at most once; its work occupies somebody who has the skill, in one
of their shifts, from `access` (and the least way, see below) before the arrival to the end of the work; the arrival
lies within its 30 minutes, and nobody departs for it before it is reported.

What is relaxed, each of which can only let more be in time:

- people of the same shift and trades are one pool, work may be split among them, and from one quarter of an hour to the
  next go on with somebody else: what is compared is the sum of occupied minutes in each quarter, by skill and shift,
  and the minutes of those on duty, shared out among the skills each has;
- an emergency may be served in part, the sum of the parts counting;
- ordinary orders take nothing; who works beyond the end of the shift is occupied until that end;
- the way to an emergency is the least from anywhere that somebody of the pool can stand by then: a home, if the shift
  has begun, or the place of any order that they can have finished, as if nobody else had gone there.  If people may
  wait elsewhere before the call, it is nothing, except that from home they must get there at first.

Where an emergency is reached in a window of time, the occupied minutes by quarter are piecewise linear in the minute of
arrival.  So it suffices to allow the ends of the window and the arrivals at which a line bends: any other is a mixture
of two of these.  The optimum of the relaxation is thus an upper bound on what any plan of the referee's kind reaches.
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import bmat, coo_matrix, csr_matrix
from scipy.spatial import cKDTree

from jiying.dispatch.days.reading import Day
from jiying.dispatch.engine.fleet.prices import Road
from jiying.dispatch.engine.fleet.world import EMERGENCY_MIN

SLOT_MIN = 15.0
MOST_SOLVED = 3000
"""Of so many emergencies the linear programme is made, evenly chosen; the bound is of all."""

SPARE_MIN = 0.02
"""The referee's tolerance, twice.  A plan that takes it at every trip, again and again, is not meant."""

Span = tuple[float, float]


def most_in_time(day: Day, ahead: bool) -> float:
    """The most emergencies of `day` that any plan has in time, in percent, rounded up to hundredths.

    `ahead`: whether people may go and wait elsewhere before the call.
    """
    rows = [row for row in np.flatnonzero(day.emergency == 1).tolist() if row not in day.why_never]
    many = int((day.emergency == 1).sum())
    if not rows:
        return 0.0 if many else 100.0
    windows = _windows(day, rows, ahead)
    solved = _solve(day, rows, windows) if any(windows) else 0.0
    return min(math.ceil(1e4 * solved / many) / 100, 100.0)


def _pools(day: Day) -> dict[Span, dict[int, list[int]]]:
    """By shift and trades (bits), the workers."""
    found: dict[Span, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for one, own in enumerate(day.shifts):
        for span in own:
            found[span][int(day.worker_skills[one])].append(one)
    return found


def _windows(day: Day, rows: list[int], ahead: bool) -> list[list[tuple[Span, float, float, float]]]:
    """By emergency: shift, the earliest and the latest arrival, and the least way there in minutes."""
    road = Road()
    reach_km = EMERGENCY_MIN / road.min_per_km
    found: list[list[tuple[Span, float, float, float]]] = [[] for _ in rows]
    known = np.isfinite(day.order_places).all(axis=1)
    for span, trades in _pools(day).items():
        for skill in range(len(day.skills)):
            able = {bits: who for bits, who in trades.items() if bits >> skill & 1}
            if not able:
                continue
            homes = day.worker_places[[one for who in able.values() for one in who]]
            shared = np.bitwise_or.reduce(np.array(list(able), np.int64))
            # Where somebody of the pool may come from, and from when on: home, or an order that they finished.
            before = known & (day.order_skill >= 0) & ((shared >> np.maximum(day.order_skill, 0)) & 1 == 1)
            done = np.maximum(day.reported, span[0]) + road.access_min + day.service
            starts = np.flatnonzero(before & (done < span[1] + EMERGENCY_MIN))
            places = np.concatenate([homes, day.order_places[starts]])
            ready = np.concatenate([np.full(len(homes), span[0]), done[starts]])
            who = np.concatenate([np.full(len(homes), -1), starts])
            own = [at for at, row in enumerate(rows) if day.order_skill[row] == skill]
            tree = cKDTree(places)
            home_tree = cKDTree(homes)
            for at in own:
                row, place = rows[at], day.order_places[rows[at]]
                call, latest = float(day.reported[row]), float(day.reported[row]) + EMERGENCY_MIN + SPARE_MIN
                if call >= span[1] + SPARE_MIN or latest < span[0]:
                    continue
                if ahead:
                    way = farthest = 0.0
                    first = float(home_tree.query(place)[0]) * road.min_per_km
                    earliest = max(call, span[0] + first) + road.access_min
                else:
                    near = np.array(tree.query_ball_point(place, reach_km), np.int64)
                    near = near[who[near] != row]
                    ways = np.hypot(*(places[near] - place).T) * road.min_per_km
                    leave = np.maximum(ready[near], call)
                    can = (leave + ways + road.access_min <= latest) & (leave < span[1] + SPARE_MIN)
                    if not can.any():
                        continue
                    way, farthest = float(ways[can].min()), float(ways[can].max())
                    earliest = float((leave + ways)[can].min()) + road.access_min
                # Who set off at the end of a shift arrives after it; it may be shorter than the way from home.
                last = min(latest, max(span[1] + road.access_min + farthest + SPARE_MIN, earliest))
                if earliest <= last:
                    found[at].append((span, earliest - SPARE_MIN, last, way))
    return found


def _solve(day: Day, rows: list[int], windows: list[list[tuple[Span, float, float, float]]]) -> float:
    """The greatest number in time, by the relaxation above; see `_proved`."""
    access = Road().access_min
    line: dict[tuple[int, Span, int], int] = {}  # skill, shift, quarter
    owner: list[int] = []  # by way to serve an emergency: which
    entries: list[tuple[int, int, float]] = []  # line, way to serve, minutes
    for at, row in enumerate(rows):
        skill, work = int(day.order_skill[row]), float(day.service[row])
        for span, earliest, latest, way in windows[at]:
            for arrive in _bends(earliest, latest, way + access, work, span):
                begin, end = max(arrive - way - access, span[0]), min(arrive + work, span[1])
                for slot in range(int(begin // SLOT_MIN), math.ceil(end / SLOT_MIN)):
                    minutes = min(end, (slot + 1) * SLOT_MIN) - max(begin, slot * SLOT_MIN)
                    if minutes > 0.0:
                        entries.append((line.setdefault((skill, span, slot), len(line)), len(owner), minutes))
                owner.append(at)
    if not entries:
        return float(len(set(owner)))
    where, which, minutes_of = zip(*entries, strict=True)
    work_table = csr_matrix((minutes_of, (which, where)), shape=(len(owner), len(line)))
    duty = _duty(day, line)
    part = np.unique(np.array(owner))
    part = part[:: max(round(len(part) / MOST_SOLVED), 1)]
    chosen = np.isin(owner, part)
    prices = _prices(work_table[chosen], np.array(owner)[chosen], duty, len(part) / len(set(owner)))
    return _proved(work_table, np.array(owner), duty, prices)


def _duty(day: Day, line: dict[tuple[int, Span, int], int]) -> list[tuple[list[int], float]]:
    """By shift, trades and quarter: the lines that those may be counted to, and their minutes on duty."""
    found = []
    for span, trades in _pools(day).items():
        slots = sorted({slot for _skill, of, slot in line if of == span})
        for bits, who in trades.items():
            for slot in slots:
                own = [line[s, span, slot] for s in range(len(day.skills)) if bits >> s & 1 and (s, span, slot) in line]
                minutes = min(span[1], (slot + 1) * SLOT_MIN) - max(span[0], slot * SLOT_MIN)
                if own and minutes > 0.0:
                    found.append((own, minutes * len(who)))
    return found


def _prices(work: csr_matrix, owner: np.ndarray, duty: list[tuple[list[int], float]], share: float) -> np.ndarray:
    """By line, what a minute is worth, in emergencies: the dual prices of the linear programme.

    `share`: of the emergencies, those that `work` has; as much of the duty is theirs.
    """
    ways, lines = work.shape
    each = np.unique(owner, return_inverse=True)[1]
    emergencies = int(each.max()) + 1
    pairs = [(one, place, which) for which, (own, _minutes) in enumerate(duty) for place, one in enumerate(own)]
    number = len(pairs)
    shared = coo_matrix((np.full(number, -1.0), ([one for one, _, _ in pairs], np.arange(number))), (lines, number))
    given = coo_matrix((np.ones(number), ([which for _, _, which in pairs], np.arange(number))), (len(duty), number))
    once = coo_matrix((np.ones(ways), (each, np.arange(ways))), (emergencies, ways))
    table = bmat([[once, None], [work.T, shared], [None, given]], format="csr")
    limits = np.concatenate([np.ones(emergencies), np.zeros(lines), [minutes * share for _own, minutes in duty]])
    gain = np.concatenate([np.ones(ways), np.zeros(number)])
    solved = linprog(-gain, A_ub=table, b_ub=limits, bounds=(0, None), method="highs-ipm")
    if solved.status != 0:
        raise RuntimeError(f"HiGHS found no bound: {solved.message}")
    return np.maximum(-solved.ineqlin.marginals[emergencies : emergencies + lines], 0.0)


def _proved(work: csr_matrix, owner: np.ndarray, duty: list[tuple[list[int], float]], prices: np.ndarray) -> float:
    """The bound that follows from `prices` alone, whatever they are (weak duality).

    Each emergency gains at most one less the price of the minutes it takes, in the way that takes least, or nothing;
    each minute on duty is worth at most the price of the dearest skill its people have.  So it holds though the prices
    come from a solver with tolerances, or from a part of the emergencies: they decide only how near it is.
    """
    least = work @ prices
    begins = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    gained = np.maximum(1.0 - np.minimum.reduceat(least, begins), 0.0)
    return float(gained.sum()) + sum(minutes * float(prices[own].max()) for own, minutes in duty)


def _bends(earliest: float, latest: float, lead: float, work: float, span: Span) -> list[float]:
    """The minutes of arrival between which the occupied minutes by quarter are linear."""
    found = {earliest, latest}
    for shift in (-lead, work):
        slot = math.ceil((earliest + shift) / SLOT_MIN)
        while slot * SLOT_MIN - shift < latest:
            found.add(slot * SLOT_MIN - shift)
            slot += 1
        found.update(edge - shift for edge in span if earliest < edge - shift < latest)
    return sorted(found)
