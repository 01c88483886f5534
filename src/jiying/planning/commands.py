"""`jiying plan`: what if there were other staff, other pools, more demand."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

# Typed here too, since help loads neither the engine nor its compiler; a test compares them.
POOLS = ("team", "company", "town", "alliance", "district")
RULES = ("auto", "nearest")


class _Tell:
    """Progress on stderr, at most once a second."""

    def __init__(self, bound: str) -> None:
        self._last, self._said, self._bound = time.monotonic(), 0, bound

    def __call__(self, done: int, of: int) -> None:
        now = time.monotonic()
        if now - self._last >= 1 and done != self._said:
            self._last, self._said = now, done
            click.echo(f"days {done} of {of}{self._bound}", err=True)


@click.command()
@click.argument(
    "folder", metavar="[DAY]", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--district", "code", help="From this district's history; without DAY the only one, or the first.")
@click.option("--history", default=28, show_default=True, metavar="DAYS", help="So many days of it.")
@click.option("--pool", type=click.Choice(POOLS), default="district", show_default=True, help="Who may be sent where.")
@click.option("--base-pool", type=click.Choice(POOLS), help="The pool of today, to compare with; default: the same.")
@click.option("--rule", type=click.Choice(RULES), help="How within the pool; default: nearest for team and company.")
@click.option("--alliances", default=6, show_default=True, help="So many alliances of neighbouring towns.")
@click.option("--demand", multiple=True, metavar="[SKILL=]FACTOR", help="So many times today's orders.")
@click.option(
    "--staff", multiple=True, metavar="SKILL[@FROM-TO][@TOWN]=±N", help="More or fewer people; lifts@00:00-08:00=+2."
)
@click.option("--move-station", "moves", multiple=True, metavar="TEAM=TOWN|X,Y", help="Its people start from there.")
@click.option("--days", default=20, show_default=True, help="So many days are drawn and run for each scenario.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same figures.")
@click.option("--processes", default=1, show_default=True, help="More change nothing but the time.")
@click.option("--pools", is_flag=True, help="Also compare all pools with today's staff.")
@click.option("--target", type=float, metavar="PERCENT", help="Also look for the smallest staffing that reaches it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def plan(
    folder: Path | None, code: str | None, history: int, pool: str, base_pool: str | None, rule: str | None,
    alliances: int, demand: tuple[str, ...], staff: tuple[str, ...], moves: tuple[str, ...], days: int, seed: int,
    processes: int, pools: bool, target: float | None, as_json: bool,
) -> None:  # fmt: skip
    """Draw days like the district's own, change something, run them, and say how many emergencies are in time.

    Days come from DAY (a folder with orders.csv[.gz] and workers.csv[.gz]), which needs no database, or from a
    district's history.  Today and the change live through the same orders, so that their difference is surer than
    either.  Added people live where their skill is asked for.

    \b
    jiying plan days/normal-0 --pools
    jiying plan days/normal-0 --staff lifts@00:00-08:00=+4 --demand 2
    jiying plan --district 310115 --base-pool company --pool alliance --target 98 --processes 2
    """
    from jiying.core.errors import BadInput
    from jiying.planning.changes import Change
    from jiying.planning.study import Question, answer, check_question
    from jiying.planning.sweep import MOST_PROCESSES, Sweep
    from jiying.planning.words import demand_of, move_of, staff_of

    if not 1 <= processes <= MOST_PROCESSES:
        raise BadInput.of("processes", "out_of_range", f"from 1 to {MOST_PROCESSES} processes, not {processes}")
    if not 0 <= seed < 2**63:
        raise BadInput.of("seed", "out_of_range", "a seed is a whole number from 0")
    if folder is not None and code is not None:
        raise BadInput.of("district", "both", "give either a folder with a day, or --district")
    change = Change(
        pool=pool, rule=rule or "", alliances=alliances, demand=tuple(map(demand_of, demand)),
        staff=tuple(map(staff_of, staff)), moves=tuple(map(move_of, moves)),
    )  # fmt: skip
    base = Change(pool=base_pool or pool, rule=(rule or "") if base_pool in (None, pool) else "", alliances=alliances)
    question = Question(change, base, days, target, pools)
    model = _model(folder, code, history)
    check_question(model, question)
    for remark in model.remarks[:20]:
        click.echo(remark, err=True)
    with Sweep(model, seed, processes) as sweep:
        found = answer(model, question, sweep, _Tell(" at most" if target else ""))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    from jiying.planning.printing import lines

    for line in lines(found):
        click.echo(line)


def _model(folder: Path | None, code: str | None, history: int) -> Any:
    from jiying.core.errors import BadInput
    from jiying.planning.folder import read_folder

    if folder is not None:
        return read_folder(folder)
    from jiying.estates.queries import the_district
    from jiying.planning.history import read_district

    if code is None:
        top = the_district()
        if top is None:
            raise BadInput.of("district", "unknown_district", "there is no district here; give a folder with a day")
        code = top.code
    return read_district(code, history)
