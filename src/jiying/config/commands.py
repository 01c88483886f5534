"""`jiying migrate`, `serve`, `web`, `live`, `work`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def migrate(as_json: bool) -> None:
    """Bring the database to the present form.  Safe to repeat."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    if as_json:
        click.echo(json.dumps({}))


def _address(command: Callable[..., Any]) -> Callable[..., Any]:
    port = click.option("--port", type=click.IntRange(0, 65535), help="Default: JIYING_PORT or 8030; 0: any free one.")
    host = click.option("--host", help="Default: JIYING_HOST or 127.0.0.1.")
    return host(port(click.pass_obj(command)))


def _serve(start_django: Callable[[], None], host: str | None, port: int | None, **parts: bool) -> None:
    # Allowed hosts, secure cookies and the demo depend on the address: settings must know it.
    if host is not None:
        os.environ["JIYING_HOST"] = host
    if port is not None:
        os.environ["JIYING_PORT"] = str(port)
    start_django()
    from jiying.config.serve import serve as run

    run(**parts)


@click.command()
@_address
def serve(start_django: Callable[[], None], host: str | None, port: int | None) -> None:
    """Serve everything in one process on one port."""
    _serve(start_django, host, port, web=True, live=True, work=True)


@click.command()
@_address
def web(start_django: Callable[[], None], host: str | None, port: int | None) -> None:
    """Serve pages and REST alone; the stream and the watcher run elsewhere."""
    _serve(start_django, host, port, web=True, live=False, work=False)


@click.command()
@_address
def live(start_django: Callable[[], None], host: str | None, port: int | None) -> None:
    """Serve the live stream alone."""
    _serve(start_django, host, port, web=False, live=True, work=False)


@click.command()
def work() -> None:
    """Run the watcher, the followers and the jobs alone."""
    from jiying.config.serve import work as run

    run()
