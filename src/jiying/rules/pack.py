"""The shapes of a rule pack, and the questions an order asks it.

Pure values: nothing here reads a file, a database or a clock.  `schema` builds them from YAML, `packs`
picks the one in force.  Words are those of the domain: a promise is a milestone that must be reached within
a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

UNITS = ("emergency_minutes", "working_minutes", "working_days", "calendar_days")
KINDS = ("repair", "complaint", "enquiry", "suggestion", "praise", "rectification")
URGENCIES = ("emergency", "ordinary")
PARTS = ("common", "private")
ESTATE_TYPES = ("residential", "commercial", "mixed", "public", "industrial")
PHOTOS = ("required", "asked")
SKILLS = ("water", "electric", "lift", "lock", "fire", "general")
MILESTONES = (
    "reported", "signed", "assigned", "contacted", "departed", "arrived",
    "made_safe", "done", "verified", "closed", "rated",
)  # fmt: skip
ANSWER = "answer"
"""A target that is no milestone: what a resident says in a follow-up.  Silence never reaches it."""

AUDIENCES = (
    "front_desk", "manager", "company", "centre", "supervisor", "town", "district", "worker", "next_tier",
)  # fmt: skip

_MINUTES = {"emergency_minutes": 1, "working_minutes": 1, "working_days": 1440, "calendar_days": 1440}


@dataclass(frozen=True, slots=True)
class Names:
    """What a person reads: Chinese and English, both always present."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of a unit of `UNITS`.

    `emergency_minutes` run through nights and holidays; whether a pause stops them is the rule's
    `pausable`, not the unit's.

    >>> Limit(3, "calendar_days").minutes
    4320
    """

    amount: int
    unit: str

    @property
    def minutes(self) -> int:
        """The limit by its number alone: a minute is a minute, a day of either kind 1,440.

        For comparing and for rings; when it is due is `calendars.due_at`.
        """
        return self.amount * _MINUTES[self.unit]


@dataclass(frozen=True, slots=True)
class Traits:
    """What conditions look at, of one order.

    `drawn`: it was drawn for a follow-up.  `approved`: somebody outside the company gave it its category.
    `estate_type` and `town` (a division's code) are "" where they are not known.
    """

    kind: str
    urgency: str
    category: str
    part: str
    drawn: bool = False
    approved: bool = False
    estate_type: str = ""
    town: str = ""


def under(code: str, categories: Iterable[str]) -> frozenset[str]:
    """A category and those beneath it, by the dots in their codes.

    >>> sorted(under("water", ["water", "water.leak", "water.leak.roof", "waterworks"]))
    ['water', 'water.leak', 'water.leak.roof']
    """
    return frozenset(one for one in categories if one == code or one.startswith(f"{code}."))


@dataclass(frozen=True, slots=True)
class Condition:
    """Which orders a line is about.  None means any; what is given must all hold.

    `categories` are single ones: the loader has put those beneath a code in its place.
    """

    kinds: frozenset[str] | None = None
    urgencies: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    parts: frozenset[str] | None = None
    drawn: bool | None = None
    approved: bool | None = None
    estate_types: frozenset[str] | None = None
    towns: frozenset[str] | None = None

    def matches(self, order: Traits) -> bool:
        """Whether an order of these traits is meant.

        >>> leaks = Condition(categories=frozenset({"leak"}))
        >>> leaks.matches(Traits(kind="repair", urgency="ordinary", category="leak", part="private"))
        True
        """
        return all(
            wanted is None or (has == wanted if isinstance(wanted, bool) else has in wanted)
            for wanted, has in (
                (self.kinds, order.kind),
                (self.urgencies, order.urgency),
                (self.categories, order.category),
                (self.parts, order.part),
                (self.drawn, order.drawn),
                (self.approved, order.approved),
                (self.estate_types, order.estate_type),
                (self.towns, order.town),
            )
        )

    def meets(self, other: Condition) -> bool:
        """Whether one order could match both conditions."""
        return (
            _share(self.kinds, other.kinds)
            and _share(self.urgencies, other.urgencies)
            and _share(self.categories, other.categories)
            and _share(self.parts, other.parts)
            and _share(self.estate_types, other.estate_types)
            and _share(self.towns, other.towns)
            and (self.drawn is None or other.drawn is None or self.drawn == other.drawn)
            and (self.approved is None or other.approved is None or self.approved == other.approved)
        )


def _share(ours: frozenset[str] | None, theirs: frozenset[str] | None) -> bool:
    if ours is None or theirs is None:
        return (ours is None or bool(ours)) and (theirs is None or bool(theirs))
    return not ours.isdisjoint(theirs)


@dataclass(frozen=True, slots=True)
class PromiseRule:
    """One clock, for orders that match `when`: from milestone `start` to `target` within `limit`.

    `target` is a milestone or `ANSWER`.
    `rounds`: reopening starts a new round.  `warn_before_min`: minutes before the due time; None, no warning.
    `source`: where the line comes from; `assumption`: nobody has confirmed it.
    """

    id: str
    promise: str
    when: Condition
    start: str
    target: str
    limit: Limit
    pausable: bool
    rounds: bool
    warn_before_min: int | None
    source: str
    assumption: bool


@dataclass(frozen=True, slots=True)
class LadderStep:
    """Who is told when a promise drags on.

    Due `after_min` minutes after its clock's `from_at`.  Not fired once the milestone `unless` is reached
    (None: the promise's own target), nor once the clock is settled: somebody who arrived without pressing
    "departed" has departed.
    `tells` are of `AUDIENCES`; `names` is the sentence they read.
    """

    step: str
    promise: str
    after_min: int
    unless: str | None
    tells: tuple[str, ...]
    names: Names
    source: str = ""
    assumption: bool = False


@dataclass(frozen=True, slots=True)
class SilenceRule:
    """What happens by rule where nobody objects.

    `verb` (verify or close) is said after `after_min` minutes in `from_state`.
    """

    id: str
    verb: str
    from_state: str
    after_min: int
    names: Names
    source: str
    assumption: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a resident gets whose `promise` was broken: why, and a new time (失约说明); minutes.

    `within_min` after the limit the system says so itself, unless a person has.  The time it then names is
    `on_the_way_min` ahead where somebody has set off, `new_time_min` where nobody has.
    """

    promise: str
    within_min: int
    new_time_min: int
    on_the_way_min: int
    source: str
    assumption: bool = False


@dataclass(frozen=True, slots=True)
class FollowUpDraw:
    """Which done orders get a follow-up call.

    All that match one of `always`, and `share_percent` (0 to 100) of the rest.
    """

    always: tuple[Condition, ...]
    share_percent: int
    source: str = ""
    assumption: bool = False


@dataclass(frozen=True, slots=True)
class PauseReason:
    """Why a clock may stand still.

    A pause longer than `max_min` minutes wants approval from outside the company.
    """

    code: str
    names: Names
    max_min: int
    source: str = ""
    assumption: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """What a matter is about.

    `sign`: the code of the sign it stands under on the report page (twelve have their own).  `kind`,
    `default_urgency`, `part` and `skill` are what an order of it starts with.  `between_neighbours`: one
    home's matter harms another.
    `safety`: what to do first for life and limb, told before anything else.
    `approval`: it counts only once somebody outside the company, who may reclassify, has given it.
    `photos`: whether a repair of it is done only with photos (`required`), is asked for them (`asked`), or not ("").
    """

    code: str
    names: Names
    sign: str
    kind: str
    default_urgency: str
    part: str
    skill: str
    between_neighbours: bool
    safety: Names | None
    photos: str = ""
    approval: bool = False
    source: str = ""
    assumption: bool = False


@dataclass(frozen=True, slots=True)
class YearTable:
    """What the national notice says of one year: days off, and days worked in their place at weekends (调休)."""

    year: int
    off: frozenset[date]
    work: frozenset[date]


@dataclass(frozen=True, slots=True)
class Calendar:
    """When is worked: the hours of a working day, in minutes after local midnight, and years with their own table."""

    hours: tuple[tuple[int, int], ...]
    tables: tuple[YearTable, ...] = ()
    source: str = ""
    assumption: bool = False

    def table(self, year: int) -> YearTable | None:
        """The pack's own table of a year, if it has one."""
        return next((table for table in self.tables if table.year == year), None)


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word in what people say, and what it speaks for: a category, an urgency or both ("": nothing said of it).

    `weight`: how strongly, 1 to 9.  It only suggests; no clock knows of it.
    """

    category: str
    urgency: str
    weight: int


@dataclass(frozen=True, slots=True)
class Pack:
    """One dated set of rules, in force from `valid_from` to `valid_to`, both included (None: without an end).

    `official` False means an example nobody has enacted; `label` says so to readers and belongs beside
    every figure.
    `claimed_after_min`: minutes between happening and receipt after which an event counts as
    claimed; `typing_mark_min`: an arrival this close to its typing is marked.
    `calendar`: when is worked; None: working time is counted as plain time.
    `explanations`: by promise.
    """

    name: str
    version: str
    official: bool
    label: Names
    district: str | None
    valid_from: date
    valid_to: date | None
    sources: tuple[str, ...]
    categories: Mapping[str, Category] = field(hash=False)
    promises: tuple[PromiseRule, ...]
    ladder: tuple[LadderStep, ...]
    silence: tuple[SilenceRule, ...]
    follow_up: FollowUpDraw
    pauses: Mapping[str, PauseReason] = field(hash=False)
    claimed_after_min: int = 5
    typing_mark_min: int = 2
    promise_names: Mapping[str, Names] = field(default_factory=dict, hash=False)
    keywords: Mapping[str, Keyword] = field(default_factory=dict, hash=False)
    calendar: Calendar | None = None
    explanations: Mapping[str, Explanation] = field(default_factory=dict, hash=False)
    _found: dict[Traits, tuple[PromiseRule, ...]] = field(default_factory=dict, init=False, compare=False, repr=False)
    """The rules of orders of the same traits, of which there are few: every fold asks."""

    @property
    def stamp(self) -> str:
        """What orders bear that are judged by it."""
        return f"{self.name}@{self.version}"

    def rules_for(self, order: Traits) -> tuple[PromiseRule, ...]:
        """What an order of these traits is promised: at most one rule per promise, in the pack's order."""
        found = self._found.get(order)
        if found is None:
            found = self._found[order] = tuple(rule for rule in self.promises if rule.when.matches(order))
        return found

    def nearest(self, category: str) -> str:
        """The category itself if the pack has it, else the nearest one above it, by dots; else as it was.

        An order that another pack categorised finer is judged by the coarser one.
        """
        code = category
        while code not in self.categories and "." in code:
            code = code.rpartition(".")[0]
        return code if code in self.categories else category

    def ladder_for(self, promise: str) -> tuple[LadderStep, ...]:
        """The steps of one promise, the earliest first; empty where it has none."""
        return tuple(step for step in self.ladder if step.promise == promise)

    def covers(self, day: date) -> bool:
        """Whether the pack is in force on `day`.

        Compares calendar days: the caller turns an instant into the district's local day.
        """
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
