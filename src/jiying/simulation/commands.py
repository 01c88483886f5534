"""`jiying seed` and `jiying replay`."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.command()
@click.option("--estates", default=300, show_default=True, type=click.IntRange(36, 20_000))
@click.option("--workers", default=600, show_default=True, type=click.IntRange(60, 100_000))
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3650), help="Days of history.")
@click.option("--orders", default=3000, show_default=True, type=click.IntRange(0, 10_000_000), help="Orders in them.")
@click.option("--seed", "seed_", default=1, show_default=True, help="The same seed makes the same district.")
@click.option("--if-empty", is_flag=True, help="Do nothing when there is a district already.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def seed(estates: int, workers: int, days: int, orders: int, seed_: int, if_empty: bool, as_json: bool) -> None:
    """Make the demo district: Pudong's 36 towns, made-up estates, people and history."""
    from jiying.estates.models import Division
    from jiying.simulation import demo

    if Division.objects.exists():
        if if_empty:
            return
        click.echo("jiying: there is a district in this home already; choose an empty JIYING_HOME.", err=True)
        sys.exit(2)
    size = demo.Size(estates=estates, workers=workers, days=days, orders=orders, seed=seed_)
    counts = demo.seed(size, _say)
    click.echo(json.dumps(counts) if as_json else "  ".join(f"{name} {value}" for name, value in counts.items()))


def _speed(_ctx: Any, _param: Any, value: str) -> float | None:
    if value == "max":
        return None
    try:
        speed = float(value)
    except ValueError as error:
        raise click.BadParameter("a number, or max") from error
    if not 0 < speed <= 1e9:
        raise click.BadParameter("must be more than 0")
    return speed


def _minutes(_ctx: Any, _param: Any, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        minutes = float(value.removeprefix("+"))
    except ValueError as error:
        raise click.BadParameter("minutes after the last row, for example +120") from error
    if not 0 <= minutes < 1e7:
        raise click.BadParameter("must not be negative")
    return minutes


def _only(_ctx: Any, _param: Any, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if any(not column or not equals for column, equals, _value in pairs):
        raise click.BadParameter("COLUMN=VALUE")
    return {column: value for column, _equals, value in pairs}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "map_", required=True, help="A mapping file, or the name of one that ships (nyc311).")
@click.option("--only", multiple=True, callback=_only, help="COLUMN=VALUE: only rows that say so; may be repeated.")
@click.option("--until", callback=_minutes, help="+MINUTES after the last row; else until all orders are closed.")
@click.option("--seed", "seed_", default=1, show_default=True, help="The same seed gives the same figures.")
@click.option("--speed", default="max", show_default=True, callback=_speed, help="Times real time, or max.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="The home to make and keep.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def replay(
    start_django: Callable[[], None],
    file: Path,
    map_: str,
    only: dict[str, str],
    until: float | None,
    seed_: int,
    speed: float | None,
    keep: Path | None,
    as_json: bool,
) -> None:
    """Run the rows of FILE again on a virtual clock, in a home of its own.

    Orders enter at their real times; simulated workers and residents act through the same door as people.
    Rows that cannot be taken are listed in the home's rejects.csv.  Leaves with 1 when there are any, or a chain is
    broken.
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        click.echo(f"jiying: {keep} is not empty; choose an empty or a new folder.", err=True)
        sys.exit(2)
    new = keep is None or not keep.exists()
    home = keep.absolute() if keep else Path(tempfile.mkdtemp(prefix="jiying-replay-"))
    os.environ["JIYING_HOME"] = str(home)
    os.environ.pop("JIYING_DATABASE_URL", None)
    start_django()
    from jiying.core.mapping import MappingError, TableError, in_english
    from jiying.simulation.replay import Pace
    from jiying.simulation.replay import replay as run

    pace = Pace(seed=seed_, until_min=until, speed=speed)
    try:
        result = run(file, map_, home, only=only, pace=pace, progress=_say)
    except (MappingError, TableError) as error:
        _clear(home, new)
        click.echo(f"jiying: {in_english(error, file)}", err=True)
        sys.exit(2)
    result["home"] = str(home)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        _print(result)
    sys.exit(1 if result["rejected"] or result["chains"]["broken"] else 0)


def _clear(home: Path, new: bool) -> None:
    """Leave a home that came to nothing as it was found: empty, or not there at all (`new`)."""
    for entry in home.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    if new:
        home.rmdir()


def _print(result: dict[str, Any]) -> None:
    for name, value in result.items():
        if name == "promises":
            for promise, counts in value.items():
                click.echo(f"  {promise:<12}" + "  ".join(f"{state} {n}" for state, n in counts.items()))
        elif isinstance(value, dict):
            click.echo(f"{name}: " + "  ".join(f"{key} {n}" for key, n in value.items()))
        else:
            click.echo(f"{name}: {value}")
