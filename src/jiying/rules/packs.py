"""Which packs there are, and which one is in force.

Packs ship as YAML files in `packs/`; a district's own are loaded into `packs/` of its home (`loading`).  Files are
read and checked when they are first asked for, and again when a pack was loaded meanwhile.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import combinations
from pathlib import Path

from jiying.rules import loader
from jiying.rules.faults import Fault, NoPack, PackError
from jiying.rules.marks import Marked
from jiying.rules.pack import Pack

log = logging.getLogger("jiying.rules")

SHIPPED = Path(__file__).parent / "packs"
MOST_DAYS = 4096


@dataclass(frozen=True, slots=True)
class File:
    """A pack as it lies on disk, with the lines of its parts."""

    path: Path
    pack: Pack
    marked: Marked


def load(path: Path | str) -> Pack:
    """Read and check one file.

    Raises:
        PackError: with every fault and its line.
        OSError: the file cannot be opened.
    """
    return read(Path(path)).pack


def read(path: Path) -> File:
    """Read and check one file, keeping its lines; raises what `load` raises."""
    try:
        pack, marked = loader.parse(path.read_bytes())
    except PackError as error:
        raise PackError(error.errors, file=path.name) from error
    return File(path, pack, marked)


def same_rules(one: File, two: File) -> bool:
    """Whether two files say the same but for the day on which they end: a pack may be given an end later."""
    first, second = ({**file.marked.document, "valid_to": None} for file in (one, two))
    return first == second


def quarrel(one: File, two: File) -> Fault | None:
    """Why `two` cannot be in use beside `one`, with its line in `two`; None where it can.

    Two packs of one name and district, or two official ones of a district, are never in force on one day.
    """
    ours, theirs = two.pack, one.pack
    if ours.district != theirs.district:
        return None
    line = two.marked.line("valid_from")
    same = ours.name == theirs.name
    if same and ours.version == theirs.version:
        message = f"{one.path.name} is already version {theirs.version} of {theirs.name}."
        return Fault(line=line, code="duplicate_code", message=message)
    rivals = same or (ours.official and theirs.official)
    if rivals and (theirs.covers(ours.valid_from) or ours.covers(theirs.valid_from)):
        days = f"{theirs.valid_from} – {theirs.valid_to or '…'}"
        message = (
            f"{ours.name} {ours.version} and {theirs.name} {theirs.version} ({one.path.name}, {days}) are in force on "
            "the same days."
        )
        return Fault(line=line, code="overlapping_packs", message=message)
    return None


def load_all(paths: Iterable[Path]) -> tuple[Pack, ...]:
    """Read several files that are to be in use together, the earliest in force first.

    Raises:
        PackError: a file has faults; or two quarrel over a day (`overlapping_packs`) or a version (`duplicate_code`).
    """
    files = [read(path) for path in sorted(paths)]
    for one, two in combinations(files, 2):
        if fault := quarrel(one, two):
            raise PackError([fault], file=two.path.name)
    return _in_order(files)


def _in_order(files: Iterable[File]) -> tuple[Pack, ...]:
    return tuple(sorted((file.pack for file in files), key=lambda pack: (pack.valid_from, pack.name)))


def loaded_folder() -> Path:
    """Where this installation keeps the packs that were loaded; it may not exist."""
    return Path(_folder_of(os.environ.get("JIYING_HOME") or "var"))


@lru_cache(maxsize=8)
def _folder_of(home: str) -> str:
    return str(Path(home).absolute() / "packs")


@dataclass(slots=True)
class InUse:
    """Every pack in use, as the files stood at one time: `packs` the earliest in force first."""

    files: tuple[File, ...]
    packs: tuple[Pack, ...]
    by_stamp: dict[str, Pack]
    by_day: dict[tuple[date, str], Pack] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Iterable[File]) -> InUse:
        """From files that were read."""
        files = tuple(files)
        packs = _in_order(files)
        return cls(files, packs, {pack.stamp: pack for pack in packs})


def in_use() -> InUse:
    """Every pack in use: those that ship, and those loaded, which take the place of a shipped one of the same name
    and version.  Cheap while nothing was loaded.

    Raises:
        PackError: a pack that ships has faults.  A loaded one that has is left out, and told in the log and by
            `jiying doctor`.
    """
    # Asked for every order, several times: names of files as texts, since paths are slow to make and to compare.
    folder = _folder_of(os.environ.get("JIYING_HOME") or "var")
    try:
        touched = os.stat(folder).st_mtime_ns
    except OSError:
        touched = 0
    with _reading:
        return _in_use(str(SHIPPED), folder, touched)


_reading = threading.Lock()
"""Files are read once, not by every thread that has a request in the moment in which they are new."""


@lru_cache(maxsize=8)
def _in_use(shipped: str, folder: str, _touched: int) -> InUse:
    loaded, _faulty = _loaded(Path(folder))
    replaced = {file.pack.stamp for file in loaded}
    ours = [file for path in sorted(Path(shipped).glob("*.yaml")) if (file := read(path)).pack.stamp not in replaced]
    for one, two in combinations(ours, 2):
        if fault := quarrel(one, two):
            raise PackError([fault], file=two.path.name)
    return InUse.of((*ours, *loaded))


def _loaded(folder: Path) -> tuple[list[File], list[PackError]]:
    good: list[File] = []
    faulty: list[PackError] = []
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        try:
            good.append(read(path))
        except PackError as error:
            log.error("a loaded rule pack is left out: %s", error)
            faulty.append(error)
        except OSError as error:
            log.error("a loaded rule pack is left out: %s", error)
            fault = Fault(line=1, code="unreadable", message=f"It cannot be read: {error.strerror}.")
            faulty.append(PackError([fault], file=path.name))
    return good, faulty


def faulty_files() -> list[PackError]:
    """What is wrong with loaded packs; empty where all can be used."""
    return _loaded(loaded_folder())[1]


def all_packs() -> tuple[Pack, ...]:
    """Every pack in use, the earliest in force first."""
    return in_use().packs


def in_force(at: datetime | date, district: str = "") -> Pack:
    """The pack by which what is reported at `at` in a district is judged.

    A district's own packs go before those for all, official ones before examples, later before earlier ones.  The day
    is taken as `at` has it: turn an instant into the district's local time first.

    Raises:
        NoPack: none covers the day.
    """
    day, using = at.date() if isinstance(at, datetime) else at, in_use()
    pack = using.by_day.get((day, district))
    if pack is None:
        found = [pack for pack in using.packs if pack.district in (None, district) and pack.covers(day)]
        if not found:
            raise NoPack(f"No rule pack is in force on {day}. There are: {_listed(using.packs)}.")
        pack = max(found, key=lambda pack: (pack.district is not None, pack.official, pack.valid_from, pack.name))
        if len(using.by_day) > MOST_DAYS:
            using.by_day.clear()
        using.by_day[day, district] = pack
    return pack


def named(name: str, version: str) -> Pack:
    """The pack of that name and version, in force or not.

    Raises:
        NoPack: there is none.
    """
    using = in_use()
    pack = using.by_stamp.get(f"{name}@{version}")
    if pack is None:
        raise NoPack(f"There is no rule pack {name} {version}. There are: {_listed(using.packs)}.")
    return pack


def stamped(stamp: str) -> Pack:
    """The pack an order is judged by, from its stamp `name@version`; raises what `named` raises."""
    name, _at, version = stamp.partition("@")
    return named(name, version)


def newest(name: str) -> Pack:
    """The latest version of a name (NoPack: there is none)."""
    packs = all_packs()
    versions = [pack for pack in packs if pack.name == name]
    if not versions:
        raise NoPack(f"There is no rule pack {name}. There are: {_listed(packs)}.")
    return versions[-1]


def _listed(packs: Sequence[Pack]) -> str:
    return ", ".join(f"{p.name} {p.version} ({p.valid_from} – {p.valid_to or '…'})" for p in packs) or "none"
