"""What somebody asks the planner by the form of `/district/planning`, as a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from jiying.planning.changes import ANY, Change, Move, Staff
from jiying.planning.pools import DISTRICT, ENTITLED, POOLS
from jiying.planning.queries import Choices
from jiying.planning.study import Question

SHIFTS = ((0, 480), (480, 960), (960, 1440))
DEMANDS = ("0.8", "1", "1.2", "1.5", "2", "3", "5")
DAYS = ("5", "10", "20", "40")
MOST = 200
"""As many people can be added or taken away in one field."""


@dataclass(slots=True)
class Asked:
    """The fields as they were filled in, what is wrong with them, and the question where nothing is."""

    values: dict[str, str]
    problems: list[str] = field(default_factory=list)
    question: Question | None = None


def usual() -> dict[str, str]:
    """What the form says before anybody touches it."""
    return {"base": ENTITLED, "pool": DISTRICT, "demand": "1", "days": "10", "target": "", "compare": "1"}


def asked(sent: Mapping[str, str], known: Choices) -> Asked:
    """The question of a form that was sent; what cannot be meant is told in sentences."""
    values = {name: value.strip()[:40] for name, value in sent.items()}
    out = Asked(values)
    for name, those in (("base", POOLS), ("pool", POOLS), ("demand", DEMANDS), ("days", DAYS)):
        if values.get(name) not in those:
            out.problems.append(_("请重新选择每一项。"))
            return out
    staff = _staff(values, known, out.problems)
    moves = _moves(values, known, out.problems)
    target = _target(values.get("target", ""), out.problems)
    if not out.problems:
        factor = float(values["demand"])
        change = Change(
            pool=values["pool"], demand=((ANY, factor),) if factor != 1 else (), staff=staff, moves=moves
        )  # fmt: skip
        out.question = Question(
            change, Change(pool=values["base"]), int(values["days"]), target, bool(values.get("compare"))
        )
    return out


def name_of(skill: str, shift: tuple[int, int]) -> str:
    """The name of a field of the table of staff."""
    return f"staff-{skill}-{shift[0]}"


def _staff(values: dict[str, str], known: Choices, problems: list[str]) -> tuple[Staff, ...]:
    rows = []
    for skill in known.skills:
        for begin, end in SHIFTS:
            text = values.get(name_of(skill, (begin, end)), "") or "0"
            sign, digits = text[:1], text.removeprefix("+").removeprefix("-").removeprefix("−")
            if not digits.isascii() or not digits.isdigit() or int(digits) > MOST:
                problems.append(_("增减的人数应是不超过 %(most)d 的整数：%(what)s。") % {"most": MOST, "what": text})
                return ()
            if count := int(digits) * (-1 if sign in ("-", "−") else 1):
                rows.append(Staff(skill, count, begin, end))
    return tuple(rows)


def _moves(values: dict[str, str], known: Choices, problems: list[str]) -> tuple[Move, ...]:
    company, town = values.get("company", ""), values.get("town", "")
    if not company and not town:
        return ()
    if company not in dict(known.companies) or town not in dict(known.towns):
        problems.append(_("驻点移动要同时选企业和街镇。"))
        return ()
    return (Move(company, town),)


def _target(text: str, problems: list[str]) -> float | None:
    if not text:
        return None
    try:
        target = float(text.replace("，", ".").removesuffix("%"))
    except ValueError:
        target = -1.0
    if not 0 < target <= 100:
        problems.append(_("目标是大于 0、不超过 100 的百分数。"))
        return None
    return target


def shown(question: dict[str, Any]) -> dict[str, str]:
    """A question that was asked as the form would be filled in, to ask it again with a change."""
    change, values = question["change"], usual()
    values |= {"base": question["base"]["pool"], "pool": change["pool"], "days": str(question["days"])}
    values["compare"] = "1" if question["pools"] else ""
    if change["demand"]:
        values["demand"] = f"{change['demand'][0][1]:g}"
    if question["target"] is not None:
        values["target"] = f"{question['target']:g}"
    for row in change["staff"]:
        values[f"staff-{row['skill']}-{row['begin']}"] = f"{row['count']:+d}"
    for move in change["moves"]:
        values |= {"company": move["team"], "town": move["to"]}
    return values
