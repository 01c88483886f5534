"""What is asked to be different from today, and the staff that comes of it.  Pure.

Everything is nested: who is added by +2 is among those added by +3, who is removed by −2 among those by −3, so that a
search goes up and down one ladder.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from jiying.core.errors import BadInput
from jiying.dispatch.days.reading import MOST_KM
from jiying.planning.model import DAY_MIN, Hand, Model
from jiying.planning.pools import ALLIANCES, DISTRICT, MOST_ALLIANCES, POOLS, RULES, usual_rule

MOST_DEMAND = 10.0
MOST_ADDED = 5000
ANY = "*"


@dataclass(frozen=True, slots=True)
class Staff:
    """`count` people more (or fewer, below 0) with `skill`.

    `begin`, `end`: their shift in minutes (`end` past 1,440 runs into the next day); None: shifts as those with the
    skill have them today.  `town`: a code; "": where the skill is asked for.
    """

    skill: str
    count: int
    begin: int | None = None
    end: int | None = None
    town: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """All people of a team or company go out from one point: a town (code or name), or `x,y` in km."""

    team: str
    to: str


@dataclass(frozen=True, slots=True)
class Change:
    """A scenario.

    `rule`: `auto` or `nearest`; "": what is usual in the pool.  `demand`: (skill or `*`, factor).  `keep`: so many of
    today's people stay, thinned out evenly; None: all.
    """

    pool: str = DISTRICT
    rule: str = ""
    alliances: int = ALLIANCES
    demand: tuple[tuple[str, float], ...] = ()
    staff: tuple[Staff, ...] = ()
    moves: tuple[Move, ...] = ()
    keep: int | None = None

    @property
    def sends_by(self) -> str:
        return self.rule or usual_rule(self.pool)

    def factor(self, skill: str) -> float:
        """How many times today's demand for a skill comes."""
        return math.prod(times for word, times in self.demand if word in (ANY, skill))

    def with_(self, **fields_: Any) -> Change:
        return replace(self, **fields_)

    def as_data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Change:
        """The change that `as_data` wrote."""
        known = {one.name for one in fields(cls)}
        told = {name: value for name, value in data.items() if name in known}
        told["demand"] = tuple((str(word), float(times)) for word, times in told.get("demand", ()))
        told["staff"] = tuple(Staff(**one) for one in told.get("staff", ()))
        told["moves"] = tuple(Move(**one) for one in told.get("moves", ()))
        return cls(**told)

    @property
    def digest(self) -> str:
        """The same for the same change: what is kept of a run is found by it."""
        said = json.dumps({**self.as_data(), "rule": self.sends_by}, sort_keys=True)
        return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()


def check(change: Change, model: Model) -> None:
    """Whether a change can be asked of a model.

    Raises:
        BadInput: the first thing that is wrong, with its field.
    """
    if change.pool not in POOLS:
        raise BadInput.of("pool", "unknown_pool", f"there is no pool {change.pool!r}; there are {', '.join(POOLS)}")
    if change.rule and change.rule not in RULES:
        raise BadInput.of("rule", "unknown_rule", f"there is no rule {change.rule!r}; there are {', '.join(RULES)}")
    if not 1 <= change.alliances <= MOST_ALLIANCES:
        raise BadInput.of("alliances", "out_of_range", f"from 1 to {MOST_ALLIANCES} alliances can be formed")
    for word, times in change.demand:
        if word != ANY:
            model.skill_named(word)
        if not (math.isfinite(times) and times > 0):
            raise BadInput.of("demand", "out_of_range", f"demand is a factor above 0, not {times:g}")
    for skill in model.skills:
        if not 0 < change.factor(skill) <= MOST_DEMAND:
            raise BadInput.of("demand", "out_of_range", f"demand can be at most {MOST_DEMAND:g} times today's")
    changed(model, change)


def changed(model: Model, change: Change) -> tuple[Hand, ...]:
    """The staff under a change.

    Raises:
        BadInput: somebody is to be removed, moved or kept who is not there; a town or skill is unknown.
    """
    staff = _kept(model.staff, change.keep)
    for move in change.moves:
        staff = _moved(model, staff, move)
    added: list[Hand] = []
    for (skill, begin, end, town), count in _together(change.staff).items():
        model.skill_named(skill)
        if count < 0:
            staff = _without(model, staff, Staff(skill, count, begin, end, town))
        elif count > MOST_ADDED:
            raise BadInput.of("staff", "out_of_range", f"at most {MOST_ADDED} people can be added, not {count}")
        else:
            added += _added(model, Staff(skill, count, begin, end, town))
    if not staff and not added:
        raise BadInput.of("staff", "no_staff", "nobody is left")
    return (*staff, *added)


def evenly(number: int) -> float:
    """The `number`-th of a sequence in [0, 1) whose every beginning is spread evenly (van der Corput, base 2).

    >>> [evenly(n) for n in range(4)]
    [0.5, 0.25, 0.75, 0.125]
    """
    number, value, step = number + 1, 0.0, 0.5
    while number:
        value += step * (number & 1)
        number, step = number >> 1, step / 2
    return value


def _together(rows: tuple[Staff, ...]) -> dict[tuple[str, int | None, int | None, str], int]:
    sums: dict[tuple[str, int | None, int | None, str], int] = {}
    for row in rows:
        key = (row.skill, row.begin, row.end, row.town)
        sums[key] = sums.get(key, 0) + row.count
    return sums


def _ranked(hands: list[Hand]) -> list[Hand]:
    """In an order whose every beginning is spread evenly over skills, shifts and places."""
    line = sorted(hands, key=lambda hand: (hand.skills, hand.shifts, hand.town, hand.x, hand.y, hand.key))
    return [line[place] for place in sorted(range(len(line)), key=evenly)]


def _kept(staff: tuple[Hand, ...], keep: int | None) -> tuple[Hand, ...]:
    if keep is None:
        return staff
    if not 1 <= keep <= len(staff):
        raise BadInput.of("keep", "out_of_range", f"from 1 to {len(staff)} people can be kept, not {keep}")
    those = {hand.key for hand in _ranked(list(staff))[:keep]}
    return tuple(hand for hand in staff if hand.key in those)


def _without(model: Model, staff: tuple[Hand, ...], row: Staff) -> tuple[Hand, ...]:
    place = model.town_named(row.town) if row.town else None
    able = [
        hand
        for hand in staff
        if row.skill in hand.skills and (place is None or hand.town == place) and _works(hand, row.begin, row.end)
    ]
    if len(able) < -row.count:
        raise BadInput.of("staff", "too_few", f"{-row.count} people with {row.skill} cannot go: there are {len(able)}")
    gone = {hand.key for hand in _ranked(able)[: -row.count]}
    return tuple(hand for hand in staff if hand.key not in gone)


def _works(hand: Hand, begin: int | None, end: int | None) -> bool:
    """Whether at least half of the hours asked about lie in a shift of theirs."""
    if begin is None or end is None:
        return True
    both = 0.0
    for a, b, _days in hand.shifts:
        for shift in (-DAY_MIN, 0, DAY_MIN):
            both += max(0.0, min(b + shift, end) - max(a + shift, begin))
    return both >= (end - begin) / 2


def _moved(model: Model, staff: tuple[Hand, ...], move: Move) -> tuple[Hand, ...]:
    known = {code for code, name in model.names.items() if name == move.team} | {move.team}
    if not any(hand.team in known or hand.company in known for hand in staff):
        raise BadInput.of("move-station", "unknown_team", f"nobody works for {move.team!r}")
    x, y, town = _point(model, move.to)
    return tuple(
        replace(hand, x=x, y=y, town=town) if hand.team in known or hand.company in known else hand for hand in staff
    )


def _point(model: Model, words: str) -> tuple[float, float, int]:
    parts = words.split(",")
    if len(parts) == 2:
        try:
            x, y = float(parts[0]), float(parts[1])
        except ValueError:
            raise BadInput.of("move-station", "bad_point", f"{words!r} is neither a town nor x,y in km") from None
        if not (abs(x) <= MOST_KM and abs(y) <= MOST_KM):
            raise BadInput.of("move-station", "bad_point", f"{words!r} is no point")
        near = min(range(len(model.towns)), key=lambda t: math.hypot(model.towns[t].x - x, model.towns[t].y - y))
        return x, y, near
    place = model.town_named(words)
    return model.towns[place].x, model.towns[place].y, place


def _added(model: Model, row: Staff) -> list[Hand]:
    """People who live where the skill is asked for, of the team that serves there."""
    rows = _where(model, row)
    patterns = _patterns(model, row)
    past, hands = model.past, []
    for number in range(row.count):
        at = rows[int(evenly(number) * len(rows))]
        shifts = patterns[int(evenly(number) * len(patterns))]
        hours = "" if row.begin is None else f"@{row.begin}-{row.end}"
        key = f"+{row.skill}{hours}{'@' + row.town if row.town else ''}#{number}"
        x, y, town = float(past.x[at]), float(past.y[at]), int(past.town[at])
        team, company = model.teams[int(past.team[at])], model.companies[int(past.company[at])]
        hands.append(Hand(key, x, y, (row.skill,), shifts, town, team, company))
    return hands


def _where(model: Model, row: Staff) -> np.ndarray:
    """Past orders, ordered along the towns, at whose places people are added: of the skill, the hours, the town."""
    past = model.past
    fits = [past.skill == model.skills.index(row.skill), past.emergency == 1, np.ones(len(past), bool)]
    if row.begin is not None and row.end is not None:
        fits[2] = (past.minute - row.begin) % DAY_MIN < row.end - row.begin
    here = past.town == model.town_named(row.town) if row.town else np.ones(len(past), bool)
    # The narrowest that leaves any: those hours, then emergencies, then the skill, then whatever happens there.
    for some in (fits, fits[:2], fits[:1], []):
        rows = np.flatnonzero(np.logical_and.reduce([here, *some]))
        if len(rows):
            return rows[np.lexsort((past.y[rows], past.x[rows], past.town[rows]))]
    raise BadInput.of("staff", "quiet_town", f"nothing was ever reported in {row.town}: nobody can be placed there")


def _patterns(model: Model, row: Staff) -> list[tuple[tuple[float, float, int], ...]]:
    if row.begin is not None and row.end is not None:
        return [((float(row.begin), float(row.end), 127),)]
    of_skill = [hand.shifts for hand in model.staff if row.skill in hand.skills and hand.shifts]
    return sorted(of_skill or [hand.shifts for hand in model.staff if hand.shifts])
