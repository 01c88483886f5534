"""A change by words, as they are typed at the command line or in a form.  Pure.

lifts@00:00-08:00=+3        three people more for lifts, from midnight to eight, where they are asked for
lifts@0-8@310115004=+1      one of them in that town
lifts=-2                    two people less
"""

from __future__ import annotations

import re

from jiying.core.errors import BadInput
from jiying.planning.changes import ANY, Move, Staff
from jiying.planning.model import DAY_MIN

_STAFF = re.compile(r"(?P<skill>[^@=]+)(?:@(?P<hours>[\d:]+-[\d:]+))?(?:@(?P<town>[^@=]+))?=(?P<count>[+-]?\d{1,6})")
_CLOCK = re.compile(r"(\d{1,2})(?::([0-5]\d))?")


def staff_of(words: str) -> Staff:
    """`SKILL[@FROM-TO][@TOWN]=±N`.

    >>> staff_of("lift@22:00-6=+2")
    Staff(skill='lift', count=2, begin=1320, end=1800, town='')

    Raises:
        BadInput: `bad_staff`.
    """
    found = _STAFF.fullmatch(words.strip())
    if found is None or not int(found["count"]):
        raise BadInput.of(
            "staff", "bad_staff", f"{words!r} is not SKILL[@FROM-TO][@TOWN]=±N, for example lift@00:00-08:00=+2"
        )
    begin, end = hours_of(found["hours"]) if found["hours"] else (None, None)
    return Staff(found["skill"].strip(), int(found["count"]), begin, end, (found["town"] or "").strip())


def hours_of(words: str) -> tuple[int, int]:
    """`FROM-TO` on the clock in minutes; past midnight the end is larger than 1,440.

    >>> hours_of("0-8"), hours_of("22:00-06:30")
    ((0, 480), (1320, 1830))

    Raises:
        BadInput: `bad_hours`.
    """
    clocks = [_CLOCK.fullmatch(part) for part in words.split("-")]
    minutes = [60 * int(clock[1]) + int(clock[2] or 0) for clock in clocks if clock]
    if (
        len(minutes) != 2
        or len(clocks) != 2
        or max(minutes) > DAY_MIN
        or minutes[0] == minutes[1]
        or minutes[0] == DAY_MIN
    ):
        raise BadInput.of("staff", "bad_hours", f"{words!r} are no hours of a shift, for example 22:00-06:00")
    begin, end = minutes
    return begin, end if end > begin else end + DAY_MIN


def demand_of(words: str) -> tuple[str, float]:
    """`FACTOR` or `SKILL=FACTOR`.

    >>> demand_of("2"), demand_of("lift=1.5")
    (('*', 2.0), ('lift', 1.5))

    Raises:
        BadInput: `bad_demand`.
    """
    skill, _is, factor = words.rpartition("=")
    try:
        return skill.strip() or ANY, float(factor)
    except ValueError:
        raise BadInput.of(
            "demand", "bad_demand", f"{words!r} is no factor of demand, for example 2 or lift=1.5"
        ) from None


def move_of(words: str) -> Move:
    """`TEAM=TOWN` or `TEAM=X,Y`.

    Raises:
        BadInput: `bad_move`.
    """
    team, _is, to = words.rpartition("=")
    if not team.strip() or not to.strip():
        raise BadInput.of("move-station", "bad_move", f"{words!r} is not TEAM=TOWN or TEAM=X,Y (km)")
    return Move(team.strip(), to.strip())


def clock(minute: int) -> str:
    """A minute of the day on the clock; midnight at its end is 24:00.

    >>> clock(450), clock(1440), clock(1830)
    ('07:30', '24:00', '06:30')
    """
    within = minute if minute <= DAY_MIN else minute - DAY_MIN
    return f"{within // 60:02}:{within % 60:02}"
