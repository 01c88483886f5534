"""`jiying backup` and `jiying restore`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from jiying.config.backup.archive import BadArchive, Reader
from jiying.config.home import NOT_FINISHED, missing_keys


@click.command()
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def backup(dest: Path, as_json: bool) -> None:
    """Save database, photos and the home's other files, but no keys, into the new file DEST, or into the folder DEST.

    May run while the system serves.  Leaves with 1 when files of photos are missing.
    """
    from django.conf import settings

    from jiying.config.backup.copying import CannotCopy
    from jiying.config.backup.saving import Refused, save

    try:
        saved = save(dest)
    except (Refused, CannotCopy) as error:
        _leave(str(error))
    except OSError as error:
        _leave(f"the backup was not written: {error.strerror or error}")
    manifest = saved.manifest
    said = {
        "file": str(saved.path),
        "bytes": saved.size,
        "database": manifest["database"],
        "counts": manifest["counts"],
        "head": manifest["head"],
        "last_event": manifest["last_event"],
        "missing": saved.missing,
        "seconds": round(saved.seconds, 2),
    }
    _say(as_json, said)
    click.echo(
        "THE KEYS ARE NOT IN IT. Without them contacts, links and codes in this backup can never be read again.\n"
        f"Keep them apart, and keep them well: {settings.HOME / 'secrets'}, or where JIYING_SECRET_KEY and "
        "JIYING_DATA_KEY come from.",
        err=True,
    )
    if saved.missing:
        click.echo(f"{len(saved.missing)} files of photos are missing; `jiying verify-chain` names them", err=True)
        sys.exit(1)


@click.command()
@click.argument("src", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def restore(start_django: Callable[[], None], src: Path, as_json: bool) -> None:
    """Bring the backup SRC into an empty home and an empty database, then check every chain.

    Put the old keys into the new home's `secrets` before.  Leaves with 2 and writes nothing where the file is not
    whole or the place not empty, with 1 when what came back is not in order.
    """
    home = Path(os.environ.get("JIYING_HOME") or "var").absolute()
    try:
        archive = Reader(src)
    except BadArchive as error:
        _leave(f"{src}: {error}. Nothing was written")
    except OSError as error:
        _leave(f"{src}: {error.strerror}")
    without = missing_keys(home)
    _only_into_nothing(home)
    start_django()
    from jiying.config.backup.copying import CannotCopy
    from jiying.config.backup.restoring import restore as run
    from jiying.config.backup.saving import Refused

    try:
        restored = run(archive)
    except Refused as error:
        _leave(f"{error}. Nothing was written")
    except (CannotCopy, BadArchive, OSError) as error:
        _leave(f"broken off: {error}. The same command begins anew, where needed in a new database")
    manifest, report = archive.manifest, restored.report
    said = {
        "home": str(home),
        "database": manifest["database"],
        "counts": {**manifest["counts"], "orders": report.orders, "events": report.events},
        "head": report.head,
        "last_event": manifest["last_event"],
        "chains": {"verified": report.orders, "broken": len(report.broken)},
        "as_saved": report.head == manifest["head"],
        "keys": "missing" if without else restored.keys,
        "migrated": restored.migrated,
        "seconds": round(restored.seconds, 2),
    }
    _say(as_json, said)
    if said["keys"] != "same":
        click.echo(
            f"THE KEYS ARE {'NOT HERE' if without else 'OTHERS'}: contacts, links and codes stay sealed until the old "
            f"ones lie in {home / 'secrets'}. Stop, put them there, and run `jiying verify-chain`.",
            err=True,
        )
    for broken in report.broken[:20]:
        click.echo(f"broken: order {broken.order}, event {broken.version}: {broken.reason}", err=True)
    sys.exit(0 if said["keys"] == "same" and said["as_saved"] and not report.broken else 1)


def _only_into_nothing(home: Path) -> None:
    """Before settings are read, which would make a home and keys."""
    found = {path.name for path in home.iterdir()} - {"secrets", "lost+found"} if home.exists() else set()
    if found and NOT_FINISHED not in found:
        told = ", ".join(sorted(found)[:3])
        _leave(f"{home} is not empty ({told}): set JIYING_HOME to a new folder. Nothing was written")


def _say(as_json: bool, said: dict[str, Any]) -> None:
    if as_json:
        click.echo(json.dumps(said, ensure_ascii=False))
        return
    for name, value in said.items():
        told = "  ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else value
        click.echo(f"{name:<10} {told}")


def _leave(sentence: str) -> Any:
    click.echo(f"jiying: {sentence}", err=True)
    sys.exit(2)
