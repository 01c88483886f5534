"""`jiying dispatch`: a whole day without a district, and what was decided beside what nearest would have done."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import click

POLICY_NAMES = ("team", "town", "nearest", "batch", "auto")


@click.group()
def dispatch() -> None:
    """Run a day of orders under a policy; compare what was decided with the nearest."""


@dispatch.command()
@click.argument("folder", metavar="DAY", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--policy", type=click.Choice(POLICY_NAMES), default="auto", show_default=True, help="Who is sent.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where the plan goes.")
@click.option("--until", type=float, metavar="MINUTE", help="Only the trips that depart before.")
@click.option(
    "--history",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another day, to know what to expect.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def day(folder: Path, policy: str, out: Path, until: float | None, history: Path | None, as_json: bool) -> None:
    """Run the day in DAY (orders.csv[.gz] and workers.csv[.gz]) and write its plan."""
    # Compiled code and its libraries are loaded by this command alone.
    from jiying.dispatch.days.reading import WHY, read_day
    from jiying.dispatch.days.running import play
    from jiying.dispatch.days.writing import rows_of, write_plan

    if until is not None and not 0 <= until < math.inf:
        raise click.BadParameter("a minute of the day is wanted, from 0 on", param_hint="--until")
    given = read_day(folder)
    past = read_day(history) if history else None
    for remark in given.remarks[:20]:
        click.echo(remark, err=True)
    if len(given.remarks) > 20:
        click.echo(f"… and {len(given.remarks) - 20} more remarks", err=True)
    for why, times in sorted(Counter(given.why_never.values()).items()):
        first = next(row for row in given.why_never if given.why_never[row] == why)
        click.echo(f"{times} orders cannot be served: {WHY[why]} (the first: {given.orders[first]})", err=True)
    played = play(given, policy, until, past)
    write_plan(out, rows_of(given, played.feed_rows, played.trips, until))
    if played.run.failed:
        click.echo(f"the engine failed {played.run.failed} times; the nearest was sent instead", err=True)
    if as_json:
        click.echo(json.dumps(played.figures, ensure_ascii=False))
        return
    for name, value in played.figures.items():
        click.echo(f"{name}: {value}")


@dispatch.command()
@click.option("--district", metavar="CODE", default="", help="Which one; without it the only one, or the first.")
@click.option("--days", type=click.IntRange(1, 3660), default=7, show_default=True, help="How far back.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def shadow(district: str, days: int, as_json: bool) -> None:
    """Compare the decisions of the last days with what the nearest would have been."""
    from datetime import timedelta

    from django.utils import timezone

    from jiying.dispatch.shadow import compare
    from jiying.estates.queries import the_district

    code = district or getattr(the_district(), "code", "")
    now = timezone.now()
    found = compare(code, now - timedelta(days=days), now).as_json()
    if as_json:
        click.echo(json.dumps({"district": code, "days": days, **found}, ensure_ascii=False))
        return
    minutes, kept = found["minutes"], found["kept"]
    click.echo(f"{code}, {days} days: {found['decisions']} decisions, {found['by_rule']} by rule")
    click.echo(f"nearest would have sent somebody else: {_percent(found['differs'])}")
    click.echo(f"minutes on the way: {_mean(minutes['chosen'])}, nearest {_mean(minutes['nearest'])}")
    for name, one in kept.items():
        click.echo(f"{name}: {one['decisions']} decisions, in time {_percent(one['share'])} of {one['judged']}")
    outside = found["outside_the_pool"]
    if outside["decisions"]:
        click.echo(f"outside the pool: sooner in {outside['sooner']} of {outside['decisions']} decisions")


@dispatch.command()
@click.option("--district", metavar="CODE", default="", help="Which one; without it the only one, or the first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def surge(district: str, as_json: bool) -> None:
    """Show whether a surge runs, the load, and how many people to recall."""
    from django.utils import timezone

    from jiying.dispatch.recalling import standing
    from jiying.estates.queries import the_district

    found = standing(district or getattr(the_district(), "code", ""), timezone.now()).as_json()
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, value in found.items():
        click.echo(f"{name}: {'-' if value is None or value == {} else value}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _mean(minutes: float | None) -> str:
    return "-" if minutes is None else f"{minutes:.1f}"
