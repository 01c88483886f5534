"""An answer as lines of text, for the command line.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jiying.planning.finding import sentence

Data = Mapping[str, Any]
WIDEST_CAUSES, WORST_TOWNS = 12, 5


def lines(found: Data) -> Iterator[str]:
    """All that a person wants to read of an answer."""
    about, days = found["model"], found["question"]["days"]
    yield (
        f"{about['name']}: {about['orders_a_day']:g} repairs a day, {about['emergencies_a_day']:g} of them "
        f"emergencies, {about['staff']} people, {len(about['towns'])} towns; drawn from {about['days']} days; "
        f"{days} days run, seed {found['seed']}"
    )
    yield from _scenario("today", found["today"])
    if found["then"]:
        yield from _scenario("what if", found["then"])
        yield f"difference   {_points(found['difference'])}"
    if found["pools"]:
        yield ""
        yield "pools, with today's staff: emergencies within 30 min, ordinary within 240, p90, worst town, and the"
        yield "difference to the entitled"
        for row in found["pools"]:
            mark = "  (entitled)" if row["entitled"] else ""
            yield f"  {row['pool'] + ', ' + row['rule']:<18} {_one(row)}   {_points(row['difference'])}{mark}"
    if found["staffing"]:
        yield ""
        yield from _staffing(found["staffing"])


def _scenario(name: str, told: Data) -> Iterator[str]:
    yield ""
    yield f"{name}: pool {told['pool']}, {told['rule']}, {told['staff']} people"
    yield f"  within 30 min {_share(told['urgent'])}, p90 {_minutes(told)}; ordinary within 240 {_share(told['usual'])}"
    some = sorted((town for town in told["towns"] if town["n"]), key=lambda town: (town["share"], town["code"]))
    yield "  worst towns   " + ", ".join(_named(town["name"], town) for town in some[:WORST_TOWNS])
    bad = sorted((hour for hour in told["hours"] if hour["late"]), key=lambda hour: (hour["share"], hour["hour"]))
    if bad:
        yield "  worst hours   " + ", ".join(
            f"{hour['hour']:02} h {100 * hour['share']:.1f} %" for hour in bad[:WORST_TOWNS]
        )
    if told["finding"]:
        why = told["finding"]["by_cause"]
        yield (
            f"  why late      nobody's shift {why['roster']}, one person alone {why['alone']}, all busy {why['load']}, "
            f"nobody near {why['distance']}"
        )
    yield f"  {sentence(told['finding'])}"
    for row in sorted(told["causes"], key=lambda row: (-row["late"], row["skill"], row["hour"]))[:WIDEST_CAUSES]:
        yield (
            f"    {row['skill']:<14} {row['hour']:02} h   {row['late']:>4} of {row['n']:>5} late: "
            f"no shift {row['roster']}, alone {row['alone']}, busy {row['load']}, far {row['distance']}"
        )
    if told["failed"]:
        yield f"  the engine failed {told['failed']} times; the nearest was sent instead"


def _one(row: Data) -> str:
    worst = _named(row["worst"]["name"], row["worst"]) if row["worst"] else "–"
    return f"{_share(row['urgent'])}   {_share(row['usual'])}   {_minutes(row)}   {worst}"


def _named(name: str, told: Data) -> str:
    return f"{name} {100 * told['share']:.1f} %"


def _minutes(told: Data) -> str:
    return "more than 4 h" if told["p90_min"] is None else f"{told['p90_min']} min"


def _share(told: Data) -> str:
    if told["share"] is None:
        return "–"
    low, high = told["low"], told["high"]
    sure = "" if low is None else f" ({100 * low:.2f}–{100 * high:.2f})"
    return f"{100 * told['share']:.2f} %{sure}"


def _points(told: Data) -> str:
    if told["share"] is None:
        return "–"
    sure = "" if told["low"] is None else f" ({100 * told['low']:+.2f} to {100 * told['high']:+.2f})"
    return f"{100 * told['share']:+.2f} points{sure}"


def _staffing(told: Data) -> Iterator[str]:
    share, staff = f"{told['share']:.2f} %", told["staff"]
    aim = f"target {told['target']:g} %"
    if told["reached"] and told["added"] <= 0:
        yield f"{aim}: reached already; {staff} people would do, {-told['added']} fewer, thinned out evenly: {share}"
    elif told["reached"]:
        yield f"{aim}: reached with {told['added']} people more, {staff} in all: {share}"
    else:
        yield f"{aim}: not reached; with {told['added']} people more it is {share}"
    for row in sorted(told["rows"], key=lambda row: (-row["count"], row["skill"], row["from"], row["town"]))[:20]:
        yield f"  +{row['count']} {row['skill']} {row['from']}–{row['to']} in {row['town']}"
    yield f"  {told['looked']} staffings were tried on the same days; the smallest on the way of the search, which adds"
    yield "  people where emergencies are late (8-hour shifts, one skill), not of all rosters there could be"
