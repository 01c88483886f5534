"""`jiying figures check` and `jiying figures rebuild`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click


@click.group()
def figures() -> None:
    """The figures that are kept: compare them with the events, or count them anew."""


@figures.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(as_json: bool) -> None:
    """Count every order again from its events and compare.

    Leaves with 1 when something differs; `jiying figures rebuild` puts it right.
    """
    from jiying.supervision.checking import check as run

    report = run()
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        for difference in report.differences:
            click.echo(f"different: {json.dumps(difference)}", err=True)
        click.echo(
            f"{report.orders} orders, {report.rows} rows, {report.different} different, "
            f"{report.behind} events behind, {report.seconds} s"
        )
    sys.exit(1 if report.different else 0)


@figures.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rebuild(as_json: bool) -> None:
    """Count every order anew from the log, beside what is read, and change over.

    May run while the system serves; interrupted, it goes on where it was.
    """
    from jiying.supervision.rebuilding import rebuild as run

    result = run(lambda text: click.echo(text, err=True))
    click.echo(json.dumps(result) if as_json else "  ".join(f"{name} {value}" for name, value in result.items()))
