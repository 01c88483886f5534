"""`jiying token`: a bearer token for the REST interface."""

from __future__ import annotations

import json
import sys

import click


@click.command()
@click.argument("username")
@click.option("--days", default=30, show_default=True, help="How many days the token lives.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def token(username: str, days: int, as_json: bool) -> None:
    """Issue a bearer token for USERNAME.  It is shown once; only its hash is kept."""
    from jiying.core.errors import JiyingError
    from jiying.core.times import rfc3339
    from jiying.people.actions import issue_token
    from jiying.people.models import User

    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        click.echo(f"jiying: no active user named {username!r}", err=True)
        sys.exit(2)
    try:
        secret, expires_at = issue_token(user, days=days)
    except JiyingError as error:
        click.echo(f"jiying: {error.detail}", err=True)
        sys.exit(2)
    click.echo(json.dumps({"token": secret, "expires_at": rfc3339(expires_at)}) if as_json else secret)
