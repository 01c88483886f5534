"""A question and its answer: today beside what if, by town and hour, why emergencies are late, who would be needed.

Pure; the answer is data, the same for the same model, question and seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jiying.core.errors import BadInput
from jiying.planning import estimates
from jiying.planning.causes import CAUSES
from jiying.planning.changes import Change, changed, check
from jiying.planning.drawing import HOURS
from jiying.planning.finding import cells_of, finding
from jiying.planning.model import Model
from jiying.planning.outcome import SLOT_MIN, Outcome
from jiying.planning.pools import BESIDE, ENTITLED, TEAM
from jiying.planning.staffing import check_target, most_looks, search
from jiying.planning.sweep import Progress, Sweep

MOST_DAYS = 365
FEW = 10
"""A town with fewer emergencies in all days together is not called the worst: its share says little."""


@dataclass(frozen=True, slots=True)
class Question:
    """`change` beside `base`, over so many days.  `target`: percent to be reached in time, None: no search.

    `pools`: whether every pool is run with today's staff and the change's demand.
    """

    change: Change
    base: Change
    days: int = 20
    target: float | None = None
    pools: bool = False

    def as_data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "change": self.change.as_data(), "base": self.base.as_data(), "days": self.days, "target": self.target,
            "pools": self.pools,
        }  # fmt: skip

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Question:
        """The question that `as_data` wrote."""
        return cls(
            Change.of_data(data["change"]), Change.of_data(data["base"]), data["days"], data["target"], data["pools"]
        )


def check_question(model: Model, question: Question) -> None:
    """Whether a question can be answered.

    Raises:
        BadInput: the first thing that is wrong.
    """
    if not 1 <= question.days <= MOST_DAYS:
        raise BadInput.of("days", "out_of_range", f"from 1 to {MOST_DAYS} days can be run, not {question.days}")
    if question.target is not None:
        check_target(question.target)
    for change in (question.base, question.change):
        check(change, model)


def answer(
    model: Model, question: Question, sweep: Sweep, progress: Progress = lambda _done, _of: None
) -> dict[str, Any]:
    """Run a question to its end.

    `progress` is told days; with a target, how many are left is known only as a bound until the search ends.
    """
    check_question(model, question)
    base, change, days = question.base, question.change, question.days
    every = [row for row in BESIDE if row[0] != TEAM or not model.teams_are_companies] if question.pools else []
    beside = [base.with_(pool=pool, rule=rule, demand=change.demand) for pool, rule in every]
    scenarios = list(dict.fromkeys([base, change, *beside]))
    bound = most_looks(model) * days if question.target is not None else 0
    own = len({one.digest for one in scenarios}) * days
    sweep.run(scenarios, days, lambda done, _of: progress(done, own + bound))
    before, after = sweep.of(base, days), sweep.of(change, days)
    out: dict[str, Any] = {
        "model": about(model), "question": question.as_data(), "seed": sweep.seed,
        "today": figures(model, base, before),
        "then": figures(model, change, after) if change != base else None,
        "difference": grown(after, before).as_data() if change != base else None,
        "pools": [
            {"entitled": one.pool == ENTITLED, **brief(model, one, sweep.of(one, days)),
             "difference": grown(sweep.of(one, days), sweep.of(_entitled(beside), days)).as_data()}
            for one in beside
        ],
        "staffing": None,
    }  # fmt: skip
    # Where nobody called in any of the days one person would do, and that says nothing.
    if question.target is not None and _by_day(after, 0).any():
        looked = 0

        def look(with_: Change) -> list[Outcome]:
            nonlocal looked
            sweep.run([with_], days, lambda done, _of: progress(own + looked * days + done, own + bound))
            looked += 1
            return sweep.of(with_, days)

        out["staffing"] = search(model, change, question.target, look).as_data()
    progress(1, 1)
    return out


def _entitled(beside: Sequence[Change]) -> Change:
    return next(one for one in beside if one.pool == ENTITLED)


def about(model: Model) -> dict[str, Any]:
    """What the days were drawn from."""
    return {
        "name": model.name, "first": model.first, "last": model.last, "days": model.days,
        "orders_a_day": round(len(model.past) / model.days, 1),
        "emergencies_a_day": round(int(model.past.emergency.sum()) / model.days, 1),
        "spread": round(model.spread, 6), "skills": list(model.skills), "remarks": list(model.remarks),
        "towns": [{"code": t.code, "name": t.name, "x": round(t.x, 4), "y": round(t.y, 4)} for t in model.towns],
        "staff": len(model.staff),
    }  # fmt: skip


def brief(model: Model, change: Change, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of a scenario in one row."""
    towns = _towns(model, outcomes)
    told = [town for town in towns if town["n"] >= FEW] or [town for town in towns if town["n"]]
    worst = min(told, key=lambda town: (town["share"], town["code"]), default=None)
    due, late = _by_day(outcomes, 0), _by_day(outcomes, 1)
    usual = np.array([one.usual for one in outcomes])
    return {
        "pool": change.pool, "rule": change.sends_by, "staff": len(changed(model, change)),
        "urgent": {**estimates.share_of(due - late, due).as_data(), "late": int(late.sum())},
        "usual": estimates.share_of(usual[:, 0] - usual[:, 1], usual[:, 0]).as_data(),
        "p90_min": estimates.ninth_tenth(np.sum([one.waits for one in outcomes], axis=0)),
        "worst": worst, "never": sum(one.never for one in outcomes), "failed": sum(one.failed for one in outcomes),
    }  # fmt: skip


def figures(model: Model, change: Change, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of a scenario: in all, by town, by hour, by cause."""
    found = finding(model, outcomes)
    return {
        **brief(model, change, outcomes), "towns": _towns(model, outcomes), "hours": _hours(outcomes),
        "causes": _causes(model, outcomes), "finding": found.as_data() if found else None,
    }  # fmt: skip


def grown(after: Sequence[Outcome], before: Sequence[Outcome]) -> estimates.Estimate:
    """How much the share of emergencies in time grew, day by day."""
    due, due_before = _by_day(after, 0), _by_day(before, 0)
    return estimates.difference(due - _by_day(after, 1), due, due_before - _by_day(before, 1), due_before)


def _by_day(outcomes: Sequence[Outcome], which: int) -> np.ndarray:
    return np.array([int(one.town_hour[:, :, which].sum()) for one in outcomes])


def _towns(model: Model, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    by_day = np.array([one.town_hour.sum(axis=1) for one in outcomes])
    rows = []
    for place, town in enumerate(model.towns):
        due, late = by_day[:, place, 0], by_day[:, place, 1]
        rows.append(
            {
                "code": town.code,
                "name": town.name,
                "late": int(late.sum()),
                **estimates.share_of(due - late, due).as_data(),
            }
        )
    return rows


def _hours(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    by_day = np.array([one.town_hour.sum(axis=0) for one in outcomes])
    return [
        {"hour": hour, "late": int(by_day[:, hour, 1].sum()),
         **estimates.share_of(by_day[:, hour, 0] - by_day[:, hour, 1], by_day[:, hour, 0]).as_data()}
        for hour in range(HOURS)
    ]  # fmt: skip


def _causes(model: Model, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Rows of skill × hour where anything was late."""
    cells, due = cells_of(model, outcomes), np.sum([one.skill_slot for one in outcomes], axis=0)
    slots = 60 // SLOT_MIN
    rows = []
    for place, skill in enumerate(model.skills):
        for hour in range(HOURS):
            those = slice(hour * slots, (hour + 1) * slots)
            late = cells[place, those].sum(axis=0)
            if late.sum():
                rows.append({
                    "skill": skill, "hour": hour, "n": int(due[place, those].sum()), "late": int(late.sum()),
                    **{name: int(n) for name, n in zip(CAUSES, late, strict=True)},
                })  # fmt: skip
    return rows
