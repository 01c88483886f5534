"""`jiying import`, `import-resume`, `import-revert`, `imports`."""

from __future__ import annotations

import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any, NoReturn

import click

from jiying.core import garbage

COUNTS = ("read", "created", "updated", "unchanged", "rejected")
KINDS = ("divisions", "companies", "estates", "workers", "orders")


class _Tell:
    """Progress on stderr, at most twice a second."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if now - self._last >= 0.5 or (of and done == of):
            self._last = now
            click.echo(f"{what} {done}{f' of {of}' if of else ''}", err=True)


def _import_id(_ctx: Any, _param: Any, value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError as error:
        raise click.BadParameter("the id of an import, as `jiying imports` lists it") from error


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "map_", required=True, help="A mapping file, or the name of one that ships.")
@click.option("--sheet", help="Of a workbook; default: the first.")
@click.option("--preview", is_flag=True, help="Only judge the rows; nothing is written.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where to list the rows not taken.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_(
    kind: str, file: Path, map_: str, sheet: str | None, preview: bool, rejects: Path | None, as_json: bool
) -> None:
    """Bring FILE (CSV or Excel) in as KIND.

    Every row is judged first, then what can be taken is written in batches.  The same file again changes nothing.
    Rows that cannot be taken are listed with their reasons (default: a file in the home) and the command leaves
    with 1.  The import's id is told on stderr, for import-resume and import-revert.
    """
    from jiying.core.mapping import MappingError, TableError, in_english, load
    from jiying.exchange import actions, queries

    garbage.settle(bulk=True)
    tell = _Tell()
    try:
        imported = actions.stage(kind, file, load(map_), sheet=sheet, progress=tell)
    except (MappingError, TableError) as error:
        click.echo(f"jiying: {in_english(error, file)}", err=True)
        sys.exit(2)
    if preview:
        for shown in queries.preview(imported, first=10):
            click.echo(f"row {shown.line}: {shown.verdict} {shown.key} {shown.reason}".rstrip(), err=True)
        file_ = _list_rejects(imported, rejects)
        actions.discard(imported.pk)
        _end(imported, file_, as_json)
    click.echo(f"import {imported.pk}", err=True)
    imported = actions.apply(imported.pk, progress=tell)
    _end(imported, _list_rejects(imported, rejects), as_json)


@click.command("import-resume")
@click.argument("import_id", callback=_import_id)
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where to list the rows not taken.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_resume(import_id: uuid.UUID, rejects: Path | None, as_json: bool) -> None:
    """Go on with import IMPORT_ID where it was interrupted; one that is complete stays as it is."""
    from jiying.exchange import actions

    garbage.settle(bulk=True)
    imported = actions.apply(import_id, progress=_Tell())
    _end(imported, _list_rejects(imported, rejects), as_json)


@click.command("import-revert")
@click.argument("import_id", callback=_import_id)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_revert(import_id: uuid.UUID, as_json: bool) -> None:
    """Take back what import IMPORT_ID wrote, where nothing has been built on it.

    Leaves with 1 when something had to stay; says what and why.
    """
    from jiying.exchange import actions, queries
    from jiying.exchange.models import Outcome

    imported = actions.revert(import_id, progress=_Tell())
    reverted = imported.rows.filter(outcome=Outcome.REVERTED).count()
    kept = queries.kept(imported)
    if as_json:
        click.echo(json.dumps({"reverted": reverted, "kept": sum(kept.values()), "reasons": kept}, ensure_ascii=False))
    else:
        click.echo(f"reverted {reverted}  kept {sum(kept.values())}")
        for reason, count in kept.items():
            click.echo(f"  {count} × {reason}")
    sys.exit(1 if kept else 0)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def imports(as_json: bool) -> None:
    """List imports, newest first."""
    from jiying.core.times import rfc3339
    from jiying.exchange.models import Import

    names = ("kind", "file", "stage", "read", "created", "updated", "unchanged", "rejected")
    rows = [
        {"id": str(row.pk), "began_at": rfc3339(row.began_at), **{name: getattr(row, name) for name in names}}
        for row in Import.objects.order_by("-began_at")
    ]
    if as_json:
        click.echo(json.dumps({"imports": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo("  ".join(str(value) for value in row.values()))


def _list_rejects(imported: Any, wanted: Path | None) -> Path | None:
    """Write the rejects file where there is anything to list, or where one was asked for."""
    from django.conf import settings

    from jiying.exchange import queries

    if not imported.rejected and wanted is None:
        return None
    path = wanted
    if path is None:
        path = Path(settings.HOME) / "rejects" / f"{Path(imported.file).stem}-{imported.pk}.csv"
        path.parent.mkdir(mode=0o700, exist_ok=True)
    queries.write_rejects(imported, path)
    return path.absolute()


def _end(imported: Any, rejects: Path | None, as_json: bool) -> NoReturn:
    """Print the counts and leave with the contract's code."""
    counts: dict[str, Any] = {name: getattr(imported, name) for name in COUNTS}
    if imported.dropped:
        click.echo(f"{imported.dropped} rows were taken without their point, which cannot be right", err=True)
    if as_json:
        click.echo(json.dumps({**counts, "rejects_file": str(rejects) if rejects else None}, ensure_ascii=False))
    else:
        click.echo("  ".join(f"{name} {value}" for name, value in counts.items()))
        if rejects is not None and imported.rejected:
            click.echo(f"rows not taken, with reasons: {rejects}")
    sys.exit(1 if imported.rejected else 0)
