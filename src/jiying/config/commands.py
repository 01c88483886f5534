"""`jiying migrate`, `serve`, `web`, `live`, `work`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def migrate(as_json: bool) -> None:
    """Bring the database to the present form.  Safe to repeat."""
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        click.echo(f"jiying: the database cannot be migrated: {error}", err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps({}))


def _address(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--port", type=click.IntRange(0, 65535), default=None, help="Default: JIYING_PORT or 8030.")(
        command
    )
    return click.option("--host", default=None, help="Default: JIYING_HOST or 127.0.0.1.")(command)


def _serve(host: str | None, port: int | None, **parts: bool) -> None:
    from jiying.config.home import is_loopback
    from jiying.config.serve import serve as run

    host = host or settings.HOST
    if settings.DEMO and not is_loopback(host):
        click.echo(f"jiying: the demo signs anybody in with one click, so it is refused on {host}.", err=True)
        sys.exit(2)
    run(host, settings.PORT if port is None else port, **parts)


@click.command()
@_address
def serve(host: str | None, port: int | None) -> None:
    """Serve everything in one process on one port."""
    _serve(host, port, web=True, live=True, work=True)


@click.command()
@_address
def web(host: str | None, port: int | None) -> None:
    """Serve pages and REST alone; the stream and the watcher run elsewhere."""
    _serve(host, port, web=True, live=False, work=False)


@click.command()
@_address
def live(host: str | None, port: int | None) -> None:
    """Serve the live stream alone."""
    _serve(host, port, web=False, live=True, work=False)


@click.command()
def work() -> None:
    """Run the watcher and the followers alone."""
    from jiying.config.serve import work as run

    run()
