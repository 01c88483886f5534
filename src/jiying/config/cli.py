"""The command line: `jiying COMMAND`.

Commands live in their rooms and are imported only when asked for.  Exit codes: 0 done; 1 done, but
something is wrong with the data; 2 wrong use or unreadable input, nothing written.
"""

from __future__ import annotations

import importlib
import keyword
import os
import sys
from typing import Any

import click

COMMANDS = {
    "migrate": ("jiying.config.commands", "Bring the database to the present form."),
    "seed": ("jiying.simulation.commands", "Make the demo district with its history."),
    "serve": ("jiying.config.commands", "Serve everything in one process on one port."),
    "web": ("jiying.config.commands", "Serve pages and REST alone."),
    "live": ("jiying.config.commands", "Serve the live stream alone."),
    "work": ("jiying.config.commands", "Run watcher, followers, dispatcher and jobs alone."),
    "replay": ("jiying.simulation.commands", "Run a real day again on a virtual clock."),
    "import": ("jiying.exchange.commands", "Bring a table in: divisions, companies, estates, workers, orders."),
    "import-resume": ("jiying.exchange.commands", "Go on with an import that was interrupted."),
    "import-revert": ("jiying.exchange.commands", "Take an import back."),
    "imports": ("jiying.exchange.commands", "List imports."),
    "backup": ("jiying.config.backup.commands", "Save everything but the keys into one file."),
    "restore": ("jiying.config.backup.commands", "Bring a backup back into an empty place."),
    "doctor": ("jiying.config.doctor", "Examine this installation and say what to do."),
    "verify-chain": ("jiying.orders.commands", "Check the event log."),
    "privacy": ("jiying.orders.commands", "Erase what is kept about people."),
    "events": ("jiying.orders.commands", "List the events of an order."),
    "search": ("jiying.orders.commands", "Keep the search index."),
    "rules": ("jiying.orders.rulecommands", "Check, load, compare and ask rule packs."),
    "dispatch": ("jiying.dispatch.commands", "Run a day of orders under a policy of who goes."),
    "plan": ("jiying.planning.commands", "Ask what if: other staff, other pools, more demand."),
    "notices": ("jiying.notices.commands", "List the channels of notices, stop or start one."),
    "figures": ("jiying.supervision.commands", "Check the figures that are kept, or count them anew."),
    "token": ("jiying.people.commands", "Issue a bearer token."),
}
SET_UP_THEMSELVES = {"doctor", "serve", "web", "live", "replay", "restore"}
"""Commands whose options decide settings: they call `ctx.obj()` when they know them."""


class Lazy(click.Group):
    """Imports a command's module only when it is called; help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        ctx.obj = start_django
        if name not in SET_UP_THEMSELVES:
            start_django()
        module = importlib.import_module(COMMANDS[name][0])
        attribute = name.replace("-", "_")
        # A word of the language itself takes a line behind it: `import_`.
        command: click.Command = getattr(module, f"{attribute}_" if keyword.iskeyword(attribute) else attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_module, words) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a person can put right is a sentence on stderr and exit 2."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            sentence = _sentence(error)
            if sentence is None:
                raise
            click.echo(f"jiying: {sentence}", err=True)
            sys.exit(2)


def _sentence(error: Exception) -> str | None:
    """What to tell the person at the command line, or None for a fault of the program."""
    from django.db import OperationalError, ProgrammingError

    from jiying.core.errors import JiyingError

    if isinstance(error, JiyingError):
        return "; ".join([error.detail, *(f"{fault.field}: {fault.message}" for fault in error.errors)]).strip("; ")
    if isinstance(error, (OperationalError, ProgrammingError)):
        return f"the database refuses: {str(error).strip()}. Is it running, and was `jiying migrate` run?"
    return None


def start_django() -> None:
    """Set Django up once; wrong settings are a sentence and exit 2."""
    import django
    from django.core.exceptions import ImproperlyConfigured

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiying.config.settings")
    try:
        django.setup()
    except (ImproperlyConfigured, OSError) as error:
        click.echo(f"jiying: {error}", err=True)
        sys.exit(2)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Jiying 即应: a district's property-management system that answers at once."""
