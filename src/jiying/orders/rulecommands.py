"""`jiying rules due` and `jiying rules explain`, beside what `rules/commands.py` has."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from jiying.rules.commands import in_language, json_option, lang_option, moment, pack_at, pause, refuse, rules, warn

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
    judged = pack_at(pack) if pack else store.pack_of(order.pack)
    moments = [store.moment_of(event) for event in Event.objects.filter(order=order).order_by("version")]
    zone = zone_of_district(order.district)

    def told(at: datetime | None) -> str | None:
        return None if at is None else rfc3339(at, zone)

    with in_language(lang):
        found = explaining.explain(moments, judged, timezone.now(), zone, stamped=order.pack)
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
    click.echo(f"{order.number}, {judged.stamp}")
    for one in found.promises:
        click.echo(one.sentence)
