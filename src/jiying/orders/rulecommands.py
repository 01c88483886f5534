"""`jiying rules due`, `explain` and `move`, beside what `rules/commands.py` has."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from jiying.rules.commands import in_language, json_option, lang_option, moment, pack_at, pause, refuse, rules, warn

if TYPE_CHECKING:
    from jiying.orders.repacking import Tally

__all__ = ["rules"]


def zone_of(district: str | None) -> ZoneInfo:
    """The time zone of a district; leaves with 2 where there is no such district.  Without one, the usual zone."""
    from jiying.rules.calendars import USUAL_ZONE

    if district is None:
        return ZoneInfo(USUAL_ZONE)
    from jiying.estates import queries
    from jiying.estates.models import Division, Level

    if not Division.objects.filter(level=Level.DISTRICT, code=district).exists():
        refuse(f"there is no district {district!r} here")
    return queries.zone_of(district)


@rules.command()
@click.option("--pack", required=True, help="A file, a name (its newest version) or name@version.")
@click.option("--promise", required=True, help="A promise (reply) or one of its rules (reply.complaint).")
@click.option("--from", "begins", required=True, metavar="TIME", help="When it begins, with its offset.")
@click.option("--pause", "pauses", multiple=True, metavar="FROM/TO", help="A time in which the clock stood still.")
@click.option("--district", metavar="CODE", help="By whose clock; default: China's.")
@json_option
def due(pack: str, promise: str, begins: str, pauses: tuple[str, ...], district: str | None, as_json: bool) -> None:
    """When a promise is due that begins at TIME."""
    from jiying.rules import asking

    start, spans, zone = moment(begins, "--from"), [pause(text) for text in pauses], zone_of(district)
    found = pack_at(pack)
    try:
        answer = asking.due(found, promise, start, spans, zone)
    except asking.NoRule as error:
        refuse(str(error))
    except (OverflowError, ValueError):
        refuse(f"{begins} and the limit of {promise} lead out of the calendar")
    warn(answer.warnings)
    limit = answer.rule.limit
    told = {"due_at": answer.due_at.isoformat(), "limit": limit.amount, "unit": limit.unit, "rule": answer.rule.id}
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo(f"{told['due_at']}  {told['rule']}: {told['limit']} {told['unit']}")


@rules.command()
@click.argument("order_id")
@click.option("--pack", help="What another pack would say: a file, a name or name@version.")
@lang_option
@json_option
def explain(order_id: str, pack: str | None, lang: str, as_json: bool) -> None:
    """Say for each promise of ORDER_ID (an id or a number) which rule applied, what counted, and when it is due."""
    from django.utils import timezone

    from jiying.core.times import rfc3339
    from jiying.estates.queries import zone_of as zone_of_district
    from jiying.orders import explaining, store
    from jiying.orders.commands import order_at
    from jiying.orders.models import Event

    order = order_at(order_id)
    other = pack_at(pack) if pack else None
    own = other is None or other.stamp == order.pack
    moments = [store.moment_of(event) for event in Event.objects.filter(order=order).order_by("version")]
    zone = zone_of_district(order.district)

    def told(at: datetime | None) -> str | None:
        return None if at is None else rfc3339(at, zone)

    with in_language(lang):
        judged = store.began_with(moments[0]) if own or other is None else other
        found = explaining.explain(moments, judged, timezone.now(), zone, own=own)
    warn(found.warnings)
    items = [
        {
            "promise": one.promise,
            "round": one.round,
            "rule": one.rule,
            "from_at": told(one.from_at),
            "pauses": [
                {"from": told(p.from_at), "to": told(p.until), "reason": p.reason, "counted": p.counted}
                for p in one.pauses
            ],
            "due_at": told(one.due_at),
            "state": one.state,
            "sentence": one.sentence,
        }
        for one in found.promises
    ]
    if as_json:
        click.echo(json.dumps({"promises": items}, ensure_ascii=False))
        return
    click.echo(f"{order.number}, {order.pack if own else judged.stamp}")
    for one in found.promises:
        click.echo(one.sentence)


@rules.command()
@click.argument("pack")
@click.option("--district", default="", metavar="CODE", help="Only the orders of this district.")
@click.option("--preview", is_flag=True, help="Say what would change, and write nothing.")
@json_option
def move(pack: str, district: str, preview: bool, as_json: bool) -> None:
    """Let PACK, which is in force today, judge the open orders that an earlier pack judges.  Safe to repeat.

    What is done, closed, refused or cancelled keeps the pack it was judged by.  Leaves with 1 where orders could not
    be judged.
    """
    from jiying.core.errors import BadInput
    from jiying.orders import repacking
    from jiying.people import audit
    from jiying.rules import packs

    found = pack_at(pack)
    if packs.in_use().by_stamp.get(found.stamp) != found:
        refuse(f"{found.stamp} is not in use; load it first")
    if district:
        zone_of(district)
    try:
        where = repacking.districts_of(found, district)
    except BadInput as error:
        refuse(error.errors[0].message)

    def progress(done: int) -> None:
        click.echo(f"\r{done} orders ", nl=False, err=True)

    if preview:
        tally = repacking.preview(found, where, progress=progress)
    else:
        repacking.put_on_audit(found, where, by=None, origin=audit.COMMAND)
        tally = repacking.move(found, where, by="rule:repack", progress=progress)
    if tally.orders:
        click.echo(err=True)
    if as_json:
        click.echo(json.dumps({"pack": found.stamp, "districts": where, "preview": preview, **tally.as_json()}))
    else:
        for line in _told_of(tally, preview):
            click.echo(line)
    sys.exit(1 if tally.failed else 0)


def _told_of(tally: Tally, preview: bool) -> Iterator[str]:
    if not tally.orders and not tally.failed:
        yield "nothing to do: no open order is judged by another pack"
        return
    yield f"{tally.orders} orders {'would be' if preview else 'were'} moved, clocks of {tally.changed} change"
    for promise, counts in tally.as_json()["promises"].items():
        said = ", ".join(f"{n} {how}" for how, n in counts.items() if n and how != "overdue")
        overdue = f"; {counts['overdue']} of them past the new due time already" if counts["overdue"] else ""
        yield f"  {promise}: {said}{overdue}"
    for order, why in tally.failed.items():
        yield f"  {order}: {why}"
