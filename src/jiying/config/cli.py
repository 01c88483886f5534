"""The command line: `jiying COMMAND`.

Commands live in their rooms and are imported only when asked for.  Exit codes: 0 done; 1 done, but
something is wrong with the data; 2 wrong use or unreadable input, nothing written.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

COMMANDS = {
    "migrate": ("jiying.config.commands", "Bring the database to the present form."),
    "seed": ("jiying.simulation.commands", "Make the demo district with its history."),
    "serve": ("jiying.config.commands", "Serve everything in one process on one port."),
    "web": ("jiying.config.commands", "Serve pages and REST alone."),
    "live": ("jiying.config.commands", "Serve the live stream alone."),
    "work": ("jiying.config.commands", "Run watcher and followers alone."),
    "replay": ("jiying.simulation.commands", "Run a real day again on a virtual clock."),
    "verify-chain": ("jiying.orders.commands", "Check the event log."),
    "events": ("jiying.orders.commands", "List the events of an order."),
    "token": ("jiying.people.commands", "Issue a bearer token."),
}
OWN_HOME = {"replay"}
"""Commands that choose their home themselves, before Django starts."""


class Lazy(click.Group):
    """Imports a command's module only when it is called; help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        if name not in OWN_HOME:
            start_django()
        module = importlib.import_module(COMMANDS[name][0])
        command: click.Command = getattr(module, name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_module, words) in COMMANDS.items()])


def start_django() -> None:
    """Set Django up once; wrong settings are a sentence and exit 2."""
    import django
    from django.core.exceptions import ImproperlyConfigured

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiying.config.settings")
    try:
        django.setup()
    except (ImproperlyConfigured, ValueError) as error:
        click.echo(f"jiying: {error}", err=True)
        sys.exit(2)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Jiying 即应: a district's property-management system that answers at once."""
