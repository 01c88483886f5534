"""`jiying notices`: how the channels stand; stopping and starting one."""

from __future__ import annotations

import json

import click
from django.utils import timezone


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def notices() -> None:
    """List the channels of notices, stop or start one."""


@notices.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(as_json: bool) -> None:
    """List the channels: set up, stopped, what waits and what failed today."""
    from jiying.notices.queries import standing

    found = standing(timezone.now())
    if as_json:
        rows = [
            {
                "channel": one.name,
                "ready": one.ready,
                "stopped": one.stopped.reason if one.stopped else None,
                "waiting": one.waiting,
                "overdue": one.overdue,
                "failed": one.failed,
            }
            for one in found
        ]
        click.echo(json.dumps({"channels": rows}, ensure_ascii=False))
        return
    for one in found:
        state = f"stopped: {one.stopped.reason}" if one.stopped else "ready" if one.ready else "not set up"
        click.echo(f"{one.name:8}  {state}; {one.waiting} wait, {one.overdue} overdue, {one.failed} failed today")


@notices.command()
@click.argument("channel")
@click.option("--reason", required=True, help="Why; goes on the audit.")
def stop(channel: str, reason: str) -> None:
    """Stop CHANNEL: what is due waits until it is started."""
    from jiying.notices.actions import stop_channel
    from jiying.people import audit

    stop_channel(channel, by=None, reason=reason, origin=audit.COMMAND)


@notices.command()
@click.argument("channel")
@click.option("--reason", required=True, help="Why; goes on the audit.")
def start(channel: str, reason: str) -> None:
    """Start CHANNEL again: what waited goes out."""
    from jiying.notices.actions import start_channel
    from jiying.people import audit

    start_channel(channel, by=None, reason=reason, origin=audit.COMMAND)
