"""`jiying verify-chain`, `jiying events`, `jiying privacy erase` and `jiying search`."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jiying.orders.models import Order


def order_at(text: str) -> Order:
    """An order, by its id or its number; leaves with 2 when there is none."""
    from jiying.orders.models import Order

    try:
        found = Order.objects.filter(pk=uuid.UUID(text)).first()
    except ValueError:
        found = Order.objects.filter(number=text).first()
    if found is None:
        click.echo(f"jiying: no order {text!r}", err=True)
        sys.exit(2)
    return found


def _order_id(text: str) -> uuid.UUID:
    return order_at(text).pk


@click.command("verify-chain")
@click.argument("order_id", required=False)
@click.option("--no-files", is_flag=True, help="Do not read the files of photos, only what is said of them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify_chain(order_id: str | None, no_files: bool, as_json: bool) -> None:
    """Check the event log of ORDER_ID (an id or a number), or of all orders.

    Leaves with 1 when a chain is broken.
    """
    from jiying.orders.verify import verify

    report = verify(_order_id(order_id) if order_id else None, files=not no_files)
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        for broken in report.broken:
            where = f"order {broken.order}, event {broken.version}" if broken.order else "the log"
            click.echo(f"broken: {where}: {broken.reason}", err=True)
        click.echo(f"{report.orders} orders, {report.events} events, {len(report.broken)} broken, head {report.head}")
    sys.exit(1 if report.broken else 0)


@click.command()
@click.argument("order_id")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def events(order_id: str, as_json: bool) -> None:
    """List the events of ORDER_ID (an id or a number), as the REST interface shows them."""
    from jiying.orders.queries import lines_of
    from jiying.orders.wire import event_json

    key = _order_id(order_id)
    items = [event_json(line) for line in lines_of([key])[key]]
    if as_json:
        click.echo(json.dumps({"events": items}, ensure_ascii=False))
        return
    for item in items:
        click.echo(f"{item['version']:>4}  {item['at']}  {item['verb']:<14} {item['role']:<10} {item['data']}")


@click.group()
def search() -> None:
    """Keep the search index."""


@search.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rebuild(as_json: bool) -> None:
    """Make the search index anew, beside the running system: after renaming estates, or in doubt."""
    from jiying.orders import search as index
    from jiying.orders.models import Order

    orders = Order.objects.count()

    def tell(done: int) -> None:
        click.echo(f"\r{done} / {orders}", nl=False, err=True)

    changed = index.rebuild(tell)
    click.echo("", err=True)
    click.echo(json.dumps({"orders": orders, "changed": changed}) if as_json else f"{orders} orders, {changed} changed")


@click.group()
def privacy() -> None:
    """What is kept about people."""


@privacy.command()
@click.option("--phone", help="Erase what was reported from this telephone.")
@click.option("--order", "order_id", help="Erase one order, by its id or number.")
@click.option("--older-than", type=click.IntRange(1), metavar="DAYS", help="Erase orders that ended so long ago.")
@click.option("--reason", default="", help="Goes on the audit; at most 200 characters, no personal data.")
@click.option("--dry-run", is_flag=True, help="Count, and erase nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def erase(
    phone: str | None, order_id: str | None, older_than: int | None, reason: str, dry_run: bool, as_json: bool
) -> None:
    """Erase the personal data of orders: texts, contacts, positions.  What happened and when stays, and so do figures.

    One of --phone, --order and --older-than says whose.  Safe to repeat, also after it was interrupted.
    """
    from jiying.core.phones import parse_phone
    from jiying.orders import erasure

    orders: Iterable[uuid.UUID]
    if sum(given is not None for given in (phone, order_id, older_than)) != 1:
        click.echo("jiying: say whose data: one of --phone, --order or --older-than", err=True)
        sys.exit(2)
    if phone is not None:
        why, orders, usual = "phone", erasure.of_phone(parse_phone(phone)), "asked for by the person"
    elif order_id is not None:
        why, orders, usual = "order", [_order_id(order_id)], "asked for, one order"
    else:
        assert older_than is not None
        why, orders, usual = "age", erasure.older_than(older_than), f"kept for {older_than} days"
    tally = erasure.erase(orders, why=why, reason=(reason or usual)[:200], dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(tally.as_json()))
    else:
        done = "would erase" if dry_run else "erased"
        click.echo(f"{done} {tally.texts} texts of {tally.orders} orders; {tally.already} had nothing left")
    if tally.open:
        click.echo(f"{tally.open} of these orders are still being worked on, without a telephone from now on", err=True)
