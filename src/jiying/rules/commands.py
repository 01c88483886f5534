"""`jiying rules check`, `load` and `diff`; `due` and `explain` know districts and orders: `orders/rulecommands.py`."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from jiying.rules.faults import Fault, NoPack, PackError
from jiying.rules.pack import Pack

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
lang_option = click.option(
    "--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="The language of the words."
)


def refuse(sentence: str) -> NoReturn:
    """Leave with 2: wrong use, or what cannot be read."""
    click.echo(f"jiying: {sentence}", err=True)
    sys.exit(2)


def warn(sentences: Iterable[str]) -> None:
    """Tell what is no fault, on stderr."""
    for sentence in sentences:
        click.echo(f"warning: {sentence}", err=True)


def pack_at(given: str) -> Pack:
    """A pack by file, `name@version` or name; leaves with 2 where there is none that can be used."""
    from jiying.rules import loading

    try:
        return loading.find(given)
    except (NoPack, PackError, OSError) as error:
        refuse(_of_os(error) if isinstance(error, OSError) else str(error))


def _of_os(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}"


def in_language(lang: str) -> Any:
    """The context in which words are of that language."""
    from django.utils import translation

    return translation.override("en" if lang == "en" else "zh-hans")


@click.group()
def rules() -> None:
    """Check, load, compare and ask rule packs."""


@rules.command()
@click.argument("pack")
@json_option
def check(pack: str, as_json: bool) -> None:
    """Check PACK (a file; or one in use, by name or name@version), also against the packs in use.

    Leaves with 1 when something is wrong.
    """
    from jiying.rules import loading, packs

    errors: list[Fault] = []
    try:
        path = _path_of(pack)
        file = packs.read(path)
        errors = loading.faults_beside(file)
        warn(loading.warnings_about(file.pack, date.today()))
        mine = next((other for other in packs.in_use().files if other.pack.stamp == file.pack.stamp), None)
        if mine is not None and not packs.same_rules(mine, file):
            warn([f"{file.pack.stamp} is in use with other content; `rules load` will want another version"])
    except PackError as error:
        errors = error.errors
    except (NoPack, OSError) as error:
        refuse(_of_os(error) if isinstance(error, OSError) else str(error))
    _tell(pack, errors, as_json, lambda: f"{pack}: nothing is wrong")


def _path_of(given: str) -> Path:
    from jiying.rules import packs

    if Path(given).suffix in (".yaml", ".yml") or Path(given).exists():
        return Path(given)
    found = pack_at(given)
    return next(file.path for file in packs.in_use().files if file.pack.stamp == found.stamp)


def _tell(file: str, errors: list[Fault], as_json: bool, good: Callable[[], str], **more: Any) -> None:
    if as_json:
        click.echo(json.dumps({**more, "errors": errors}, ensure_ascii=False))
    else:
        for fault in errors:
            click.echo(f"{file}:{fault['line']}: {fault['code']}: {fault['message']}")
        if not errors:
            click.echo(good())
    sys.exit(1 if errors else 0)


@rules.command()
@click.argument("pack", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--by", default="", help="Who loads it, for its history; default: the user of this machine.")
@json_option
def load(pack: Path, by: str, as_json: bool) -> None:
    """Check the file PACK and put it in use: it is in force from its valid_from.  Safe to repeat.

    Leaves with 1, and loads nothing, when something is wrong.
    """
    from jiying.rules import loading

    told: dict[str, Any] = {"pack": None, "valid_from": None, "valid_to": None, "loaded": False}
    errors: list[Fault] = []
    try:
        found, fresh = loading.load(pack, by or getpass.getuser())
        end = found.valid_to.isoformat() if found.valid_to else None
        told = {"pack": found.stamp, "valid_from": found.valid_from.isoformat(), "valid_to": end, "loaded": fresh}
        warn(loading.warnings_about(found, date.today()))
    except PackError as error:
        errors = error.errors
    except OSError as error:
        refuse(_of_os(error))
    _tell(
        str(pack),
        errors,
        as_json,
        lambda: (
            f"{told['pack']} {'is loaded' if told['loaded'] else 'was in use already'}: "
            f"in force {told['valid_from']} – {told['valid_to'] or '…'}"
        ),
        **told,
    )


@rules.command()
@click.argument("old")
@click.argument("new")
@lang_option
@json_option
def diff(old: str, new: str, lang: str, as_json: bool) -> None:
    """Say in words what changes from pack OLD to pack NEW (files, names, or name@version)."""
    from jiying.rules.differing import changes

    with in_language(lang):
        found = changes(pack_at(old), pack_at(new))
    if as_json:
        click.echo(json.dumps({"changes": [change.as_json() for change in found]}, ensure_ascii=False))
        return
    for change in found:
        click.echo(f"{change.promise or '–'}: {change.what}: {change.before or '–'} → {change.after or '–'}")
    if not found:
        click.echo("both rule alike")


def moment(text: str, what: str) -> datetime:
    """A time with its offset; leaves with 2 where it is none."""
    from jiying.core.errors import BadInput
    from jiying.core.times import parse_rfc3339

    try:
        return parse_rfc3339(text, what)
    except BadInput:
        refuse(f"{what}: {text!r} is no time with its offset; write it as 2026-11-24T14:05:00+08:00")


def pause(text: str) -> tuple[datetime, datetime]:
    start, slash, end = text.partition("/")
    if not slash:
        refuse(f"--pause: write FROM/TO, not {text!r}")
    span = moment(start, "--pause"), moment(end, "--pause")
    if span[1] < span[0]:
        refuse(f"--pause: {text!r} ends before it begins")
    return span
