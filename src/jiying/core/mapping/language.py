"""What a mapping file may say, and loading it.

    version: 1
    kind: orders                    # what it is for: divisions, companies, estates, workers or orders
    source: baltimore311            # whose numbers `external_id` holds; one source never names two things alike
    timezone: America/New_York      # of times without an offset
    crs: WGS-84                     # of lon and lat
    within: {box: [WEST, SOUTH, EAST, NORTH], outside: reject}   # degrees WGS-84; `drop` keeps the row without a point
    calendar: none                  # or CN
    encoding: auto                  # utf-8, gb18030
    columns:                        # ours: theirs
      NAME: {from: COLUMN, …}
    defaults: {NAME: VALUE}         # where the columns leave a value open
    district: {code: CODE, name: NAME}   # made by an import where there is no district yet
    create: [towns]                 # an import makes towns that are not there
    nearest_town_km: 8              # a row with a point and no town belongs to the nearest town, if so near
    tables: {TABLE: {PATTERN: VALUE | {NAME: VALUE, …}}}
    staff: {…}                      # see `staff.Staff`

A column's options, in the order in which they work:

    from      their column, or several, joined with `join` (default "|" for a table, else a space)
    trim_end  an ending that is cut off (".0", where a spreadsheet has made numbers of codes)
    empty     patterns of values that mean "nothing given"
    else      what to take when nothing is given: a column, or several tried in order (a list within the list
              is joined with " & ")
    required  a row without a value is rejected
    reject    patterns of values whose rows are rejected ("" is the empty value)
    split     characters between several values in one cell; each is looked up, the results are joined with ","
    table     the value is looked up: the first pattern that matches wins, by exact case; none rejects the row
    digest    as many characters of the value's SM3: a code for things that have none
    format    how a time is written, or several forms tried in order (`moments`); names that end in `_at` are
              times anyway, ISO 8601 or year, month, day

In a pattern `*` stands for any characters, also none; everything else for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from operator import itemgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from jsonschema import Draft202012Validator

from jiying.core import yamllines
from jiying.core.mapping.moments import PLAIN
from jiying.core.mapping.schema import MAPPING
from jiying.core.mapping.staff import Staff, parse_shift, staff_from
from jiying.core.yamllines import Lined, YamlError

_MAPS = resources.files("jiying.core") / "maps"
_ALTERNATIVE = " & "


class MappingError(Exception):
    """A mapping that cannot be used, or that does not fit the table: a command ends with 2.

    Attributes:
        errors: (line of the mapping file, sentence) for each fault; line 0 where there is no file.  Sentences may
            be lazy: they are read in the language that is active then.
        file: the mapping's name.
    """

    def __init__(self, file: str, errors: Sequence[tuple[int, str | Promise]]) -> None:
        super().__init__(file, errors)
        self.file = file
        self.errors = sorted(errors, key=itemgetter(0))

    def __str__(self) -> str:
        return "\n".join(f"{self.file}:{line}: {said}" if line else str(said) for line, said in self.errors)


@dataclass(frozen=True, slots=True)
class Source:
    """One place to take a value from: their columns and what stands between them."""

    columns: tuple[str, ...]
    join: str


@dataclass(frozen=True, slots=True)
class Column:
    """How one of our values is made; `sources` are tried in order."""

    name: str
    sources: tuple[Source, ...]
    required: bool
    formats: tuple[str, ...]
    trim_end: str
    split: str
    digest: int
    empty: Callable[[str], bool]
    reject: tuple[tuple[str, Callable[[str], bool]], ...]
    table: str | None
    line: int

    @property
    def is_time(self) -> bool:
        return bool(self.formats)

    @property
    def wanted(self) -> frozenset[str]:
        """Their columns that are read."""
        return frozenset(name for source in self.sources for name in source.columns)


@dataclass(frozen=True, slots=True)
class Within:
    """Where points may lie: degrees WGS-84; `drop`: a point outside is left out instead of refusing its row."""

    west: float
    south: float
    east: float
    north: float
    drop: bool = False

    def holds(self, lon: float, lat: float) -> bool:
        return self.west <= lon <= self.east and self.south <= lat <= self.north


@dataclass(frozen=True, slots=True)
class Mapping:
    """A checked mapping file.

    Attributes:
        raw: the file as it was read.
        look_up: by table, the values for a text, or None where no pattern matches.
        told: our names that entries of its tables may give.
        district: code, name and perhaps name_en of the district that an import may make.
    """

    name: str
    raw: bytes
    kind: str
    source: str
    timezone: ZoneInfo
    crs: str
    calendar: str
    encoding: str
    columns: tuple[Column, ...]
    defaults: Dict[str, str]
    look_up: Dict[str, Callable[[str], Dict[str, str] | None]]
    staff: Staff
    within: Within | None = None
    district: Dict[str, str] | None = None
    create: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    nearest_town_km: float | None = None

    @property
    def wanted(self) -> frozenset[str]:
        """All of their columns that are read."""
        return frozenset().union(*(column.wanted for column in self.columns))

    def has(self, name: str) -> bool:
        """Whether a column or a default gives our value `name`."""
        return name in self.defaults or any(column.name == name for column in self.columns)


def shipped() -> list[str]:
    """The names of the mappings that ship."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _MAPS.iterdir() if entry.name.endswith(".yaml"))


def load(name_or_path: str | Path) -> Mapping:
    """The mapping in a file, or the one that ships under a name.

    A name without a folder and without a dot is looked for among those that ship, first.

    Raises:
        MappingError: no such file or name, or every fault of the file with its line.
    """
    name = str(name_or_path)
    try:
        raw = (_MAPS / f"{name}.yaml" if name in shipped() else Path(name_or_path)).read_bytes()
    except OSError as error:
        names = ", ".join(shipped())
        said = f"There is no mapping “{name}” that can be read: give a path, or one of {names}."
        raise MappingError(name, [(0, said)]) from error
    return parse(raw, name)


def parse(raw: bytes, name: str = "mapping") -> Mapping:
    """The mapping in these bytes.

    Raises:
        MappingError: every fault of the first stage that finds any: reading, shape, contradictions.
    """
    try:
        lined = yamllines.read(raw)
    except YamlError as error:
        raise MappingError(name, [(error.line, error.message)]) from error
    faults = _shape_faults(lined) or _contradictions(lined)
    if faults:
        raise MappingError(name, faults)
    return _build(lined, name, raw)


def _shape_faults(lined: Lined) -> list[tuple[int, str]]:
    faults = []
    for error in Draft202012Validator(MAPPING).iter_errors(lined.document):
        where = ".".join(str(part) for part in error.absolute_path) or "the file"
        said = "is neither of the forms allowed" if error.validator == "anyOf" else error.message
        faults.append((lined.line(*error.absolute_path), f"{where}: {said}"))
    return faults


def _contradictions(lined: Lined) -> list[tuple[int, str]]:
    document = lined.document
    faults = []
    try:
        ZoneInfo(document["timezone"])
    except (KeyError, OSError, ValueError):
        faults.append((lined.line("timezone"), f"timezone: {document['timezone']!r} is no time zone we know."))
    tables = document.get("tables", {})
    for name, spec in document["columns"].items():
        if (table := spec.get("table")) and table not in tables:
            faults.append((lined.line("columns", name, "table"), f"There is no table “{table}”."))
    if len({"lon", "lat"} & document["columns"].keys()) == 1:
        faults.append((lined.line("columns"), "lon and lat go together: map both or none."))
    box = document.get("within", {}).get("box")
    if box and not (box[0] < box[2] and box[1] < box[3]):
        faults.append((lined.line("within", "box"), "box: write west, south, east, north, in degrees."))
    for at, shift in enumerate(document.get("staff", {}).get("shifts", [])):
        try:
            parse_shift(shift)
        except ValueError as error:
            faults.append((lined.line("staff", "shifts", at), f"{shift!r}: {error}."))
    skills = document.get("staff", {}).get("skills_from")
    if skills and skills not in document["columns"]:
        faults.append((lined.line("staff", "skills_from"), f"There is no column “{skills}” to take skills from."))
    return faults


def _build(lined: Lined, name: str, raw: bytes) -> Mapping:
    document = lined.document
    users = {spec["table"]: ours for ours, spec in document["columns"].items() if "table" in spec}
    return Mapping(
        name=name,
        raw=raw,
        kind=document.get("kind", ""),
        source=document.get("source", ""),
        timezone=ZoneInfo(document["timezone"]),
        crs=document.get("crs", "WGS-84"),
        calendar=document.get("calendar", "none"),
        encoding=document.get("encoding", "auto"),
        columns=tuple(_column(ours, spec, lined) for ours, spec in document["columns"].items()),
        defaults=document.get("defaults", {}),
        look_up={table: _table(document["tables"][table], ours) for table, ours in users.items()},
        staff=staff_from(document.get("staff", {})),
        within=_within(document.get("within")),
        district=document.get("district"),
        create=frozenset(document.get("create", [])),
        told=frozenset(
            name
            for table in users
            for entry in document["tables"][table].values()
            if isinstance(entry, dict)
            for name in entry
        ),
        nearest_town_km=document.get("nearest_town_km"),
    )


def _within(section: dict[str, Any] | None) -> Within | None:
    if section is None:
        return None
    west, south, east, north = map(float, section["box"])
    return Within(west, south, east, north, drop=section.get("outside") == "drop")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _column(name: str, spec: dict[str, Any], lined: Lined) -> Column:
    join = spec.get("join", "|" if "table" in spec else " ")
    first = Source(tuple(_as_list(spec["from"])), join)
    others = [Source(tuple(_as_list(other)), _ALTERNATIVE) for other in _as_list(spec.get("else", []))]
    return Column(
        name=name,
        sources=(first, *others),
        required=spec.get("required", False),
        formats=tuple(_as_list(spec["format"])) if "format" in spec else PLAIN if name.endswith("_at") else (),
        trim_end=spec.get("trim_end", ""),
        split=spec.get("split", ""),
        digest=spec.get("digest", 0),
        empty=_any_of(spec.get("empty", [])),
        reject=tuple((pattern, pattern_test(pattern)) for pattern in spec.get("reject", [])),
        table=spec.get("table"),
        line=lined.line("columns", name),
    )


def pattern_test(pattern: str) -> Callable[[str], bool]:
    """A test of whole values against a pattern with `*`.

    >>> matches = pattern_test("Unspecified*")
    >>> matches("Unspecified QUEENS"), matches("05 QUEENS")
    (True, False)
    """
    compiled = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
    return lambda value: compiled.fullmatch(value) is not None


def _any_of(patterns: list[str]) -> Callable[[str], bool]:
    tests = [pattern_test(pattern) for pattern in patterns]
    return lambda value: any(test(value) for test in tests)


def _table(entries: dict[str, Any], ours: str) -> Callable[[str], Dict[str, str] | None]:
    """The look-up of a table used by our value `ours`; an entry that is plain text stands for that value."""
    lines = [
        (pattern_test(pattern), entry if isinstance(entry, dict) else {ours: entry})
        for pattern, entry in entries.items()
    ]

    @lru_cache(maxsize=4096)
    def look_up(text: str) -> Dict[str, str] | None:
        return next((entry for matches, entry in lines if matches(text)), None)

    return look_up
