"""A district's own packs: found by name or file, checked against those in use, and copied into the home.

A pack that is loaded is in force from its `valid_from`; nothing has to be started anew.  What was loaded when and by
whom is written beside the packs, in `loaded.jsonl`, one JSON object a line, and only ever added to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from jiying.core.crypto import sm3_hex
from jiying.rules import calendars, packs
from jiying.rules.faults import Fault, PackError
from jiying.rules.pack import Pack
from jiying.rules.packs import File

JOURNAL = "loaded.jsonl"


@dataclass(frozen=True, slots=True)
class Loading:
    """One line of the journal: what was loaded (stamp and SM3 of the file), when (RFC 3339), by whom."""

    at: str
    by: str
    pack: str
    valid_from: str
    valid_to: str | None
    sm3: str


def find(given: str) -> Pack:
    """A pack by its file, by `name@version`, or by its name alone, which means the newest version.

    Raises:
        NoPack: no pack in use is called so, and no such file exists.  PackError: the file has faults.
        OSError: the file cannot be opened.
    """
    if Path(given).suffix in (".yaml", ".yml") or os.sep in given or Path(given).is_file():
        return packs.load(given)
    name, at, version = given.partition("@")
    return packs.named(name, version) if at else packs.newest(name)


def faults_beside(file: File) -> list[Fault]:
    """Why a pack cannot be in force beside those in use; one of its own name and version is no rival here."""
    others = (other for other in packs.in_use().files if other.pack.stamp != file.pack.stamp)
    return [fault for other in others if (fault := packs.quarrel(other, file)) is not None]


def warnings_about(pack: Pack, today: date) -> Iterator[str]:
    """What is no fault, but will be felt: no calendar, or years of which holidays are not known."""
    working = sorted({rule.limit.unit for rule in pack.promises} & calendars.WORKING)
    if working and pack.calendar is None:
        yield f"{pack.stamp} has no calendar: {', '.join(working)} are counted as plain time"
    elif working and pack.calendar is not None:
        soon = (today.year, today.year + 1)
        years = [year for year in soon if not calendars.knows(pack.calendar, year) and _lives_in(pack, year)]
        if years:
            yield calendars.guess_words(years)


def _lives_in(pack: Pack, year: int) -> bool:
    return pack.valid_from.year <= year and (pack.valid_to is None or year <= pack.valid_to.year)


def load(path: Path, by: str) -> tuple[Pack, bool]:
    """Put a pack in use; returns it, and whether anything was written (not where it is in use already).

    The same version again may differ in `valid_to` alone: so a pack without an end is given one, for its successor.

    Raises:
        PackError: it has faults, shares a day with another (`overlapping_packs`), or says under a name and version
            that are in use something else (`changed_version`).
        OSError: it cannot be read or written.
    """
    file = packs.read(path)
    pack = file.pack
    mine = next((other for other in packs.in_use().files if other.pack.stamp == pack.stamp), None)
    if mine is not None and not packs.same_rules(mine, file):
        message = (
            f"{pack.stamp} is in use with other content, and orders are judged by it; give this one a version of its "
            "own. Only valid_to may be changed."
        )
        raise PackError([Fault(line=file.marked.line("version"), code="changed_version", message=message)], path.name)
    if faults := faults_beside(file):
        raise PackError(faults, file=path.name)
    if mine is not None and mine.pack.valid_to == pack.valid_to:
        return pack, False
    _write(path.read_bytes(), pack, by)
    return pack, True


def _write(raw: bytes, pack: Pack, by: str) -> None:
    """Whole or not at all: the journal first, since a line without its pack is harmless, then the file by renaming."""
    folder = packs.loaded_folder()
    folder.mkdir(parents=True, exist_ok=True)
    line = Loading(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        by=by[:60],
        pack=pack.stamp,
        valid_from=pack.valid_from.isoformat(),
        valid_to=pack.valid_to.isoformat() if pack.valid_to else None,
        sm3=sm3_hex(raw),
    )
    _append(folder / JOURNAL, json.dumps(asdict(line), ensure_ascii=False) + "\n")
    fresh = folder / f".{pack.stamp}.{os.getpid()}"
    with fresh.open("wb") as out:
        out.write(raw)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(folder / f"{pack.stamp}.yaml")


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def journal() -> list[Loading]:
    """Everything that was loaded in this home, the earliest first."""
    path = packs.loaded_folder() / JOURNAL
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [Loading(**json.loads(line)) for line in lines]
