"""Which packs there are, and which one is in force.

Packs ship as YAML files in `packs/`; each is read and checked once a process.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache, lru_cache
from itertools import combinations
from pathlib import Path

from jiying.rules import loader
from jiying.rules.faults import Fault, NoPack, PackError
from jiying.rules.pack import Pack

SHIPPED = Path(__file__).parent / "packs"


def load(path: Path | str) -> Pack:
    """Read and check one file.

    Raises:
        PackError: with every fault and its line.
        OSError: the file cannot be opened.
    """
    return _read(Path(path))[0]


def _read(path: Path) -> tuple[Pack, int]:
    """The pack, and the line its validity stands on."""
    try:
        pack, marked = loader.parse(path.read_bytes())
    except PackError as error:
        raise PackError(error.errors, file=path.name) from error
    return pack, marked.line("valid_from")


def load_all(paths: Iterable[Path]) -> tuple[Pack, ...]:
    """Read several files that are to be in use together, the earliest in force first.

    Raises:
        PackError: a file has faults; or two packs of one name and district are in force on one day
            (`overlapping_packs`) or bear the same version (`duplicate_code`).
    """
    found = [(path, *_read(path)) for path in sorted(paths)]
    for (first, one, _), (second, two, line) in combinations(found, 2):
        if (one.name, one.district) != (two.name, two.district):
            continue
        if one.version == two.version:
            message = f"{first.name} is already version {one.version} of {one.name}."
            raise PackError([Fault(line=line, code="duplicate_code", message=message)], file=second.name)
        if one.covers(two.valid_from) or two.covers(one.valid_from):
            message = f"{two.name} {two.version} and {one.version} ({first.name}) are in force on the same days."
            raise PackError([Fault(line=line, code="overlapping_packs", message=message)], file=second.name)
    return tuple(sorted((pack for _, pack, _ in found), key=lambda pack: (pack.valid_from, pack.name)))


@cache
def all_packs() -> tuple[Pack, ...]:
    """Every pack in use, the earliest in force first."""
    return load_all(SHIPPED.glob("*.yaml"))


def in_force(at: datetime | date) -> Pack:
    """The pack by which what is reported at `at` is judged.

    Official packs go before examples, later before earlier ones.  The day is taken as `at` has it: turn an
    instant into the district's local time first.

    Raises:
        NoPack: none covers the day.
    """
    return _on_day(at.date() if isinstance(at, datetime) else at)


@lru_cache(maxsize=4096)
def _on_day(day: date) -> Pack:
    packs = [pack for pack in all_packs() if pack.district is None and pack.covers(day)]
    if not packs:
        raise NoPack(f"No rule pack is in force on {day}. There are: {_listed(all_packs())}.")
    return max(packs, key=lambda pack: (pack.official, pack.valid_from, pack.name))


@cache
def named(name: str, version: str) -> Pack:
    """The pack of that name and version, in force or not.

    Raises:
        NoPack: there is none.
    """
    for pack in all_packs():
        if (pack.name, pack.version) == (name, version):
            return pack
    raise NoPack(f"There is no rule pack {name} {version}. There are: {_listed(all_packs())}.")


def _listed(packs: Iterable[Pack]) -> str:
    return ", ".join(f"{p.name} {p.version} ({p.valid_from} – {p.valid_to or '…'})" for p in packs) or "none"
