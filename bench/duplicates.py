"""How often the rule for duplicates is right, on Chicago's sanitation complaints of 2011 and 2012.

    python bench/duplicates.py [--file FILE] [--tune]

The city marked later complaints of one matter as duplicates ("… - Dup").  Each complaint is compared, as if it came
in at this moment, with the earlier ones that had not ended by then; the rule (`orders/alike.py`) flags it or not.
2011 was there to choose by; **2012 is measured**.  Beside it stands the plain rule "same address within 14 days".
With --tune the years change places in the print, and other limits of time are shown on 2011, where they were chosen.

An address stands for a building, the type of request for the category, the nature of the violation for the words.
Days have no hours in the file: what ended on the day of the next complaint had ended before it came.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jiying.orders import alike
from jiying.orders.alike import Matter, likeness, words_in

FILE = "chicago-sanitation-2011-2012.csv.gz"
PLAIN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One row; `ended` None: still open at the end of the file.  `duplicate` is the city's word."""

    matter: Matter
    ended: datetime | None
    duplicate: bool

    def open_at(self, at: datetime) -> bool:
        return self.ended is None or self.ended > at


@dataclass(frozen=True, slots=True)
class Score:
    """What a rule flagged of `rows` complaints, of which `marked` are duplicates."""

    rows: int
    marked: int
    flagged: int
    right: int

    @property
    def precision(self) -> float | None:
        return self.right / self.flagged if self.flagged else None

    @property
    def recall(self) -> float | None:
        return self.right / self.marked if self.marked else None


def read(path: Path) -> list[Complaint]:
    """The complaints, the oldest first."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: (row["Creation_Date"], row["Service_Request_Number"]))
    return [_complaint(row) for row in rows]


def _complaint(row: dict[str, str]) -> Complaint:
    return Complaint(
        Matter(
            estate="Chicago",
            at=_day(row["Creation_Date"]),
            building=row["Street_Address"],
            category=row["Type_of_Service_Request"],
            words=words_in(row["What_is_the_Nature_of_this_Code_Violation"]),
        ),
        ended=_day(row["Completion_Date"]) if row["Completion_Date"] else None,
        duplicate="Dup" in row["Status"],
    )


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text[:10]).replace(tzinfo=UTC)


Rule = Callable[[Complaint, Complaint], bool]


def same_address(new: Complaint, earlier: Complaint) -> bool:
    """The plain rule: an earlier complaint of the same address (the only ones compared) within 14 days."""
    return new.matter.at - earlier.matter.at <= PLAIN


def ours(new: Complaint, earlier: Complaint) -> bool:
    """The rule of the call-taker's form."""
    found = likeness(new.matter, earlier.matter) if earlier.open_at(new.matter.at) else None
    return found is not None and found.likely


def _with_earlier(complaints: Iterable[Complaint]) -> Iterator[tuple[Complaint, list[Complaint]]]:
    """Each complaint with the earlier ones of its address; of other addresses the rule never flags one."""
    known: dict[str, list[Complaint]] = defaultdict(list)
    for complaint in complaints:
        place = known[complaint.matter.building]
        yield complaint, place
        place.append(complaint)


def score(complaints: Iterable[Complaint], rule: Rule, year: int) -> Score:
    """What `rule` flags among the complaints of `year`; those before it are known, too."""
    rows = marked = flagged = right = 0
    for complaint, earlier in _with_earlier(complaints):
        if complaint.matter.at.year != year:
            continue
        said = any(rule(complaint, other) for other in earlier)
        rows, marked = rows + 1, marked + complaint.duplicate
        flagged, right = flagged + said, right + (said and complaint.duplicate)
    return Score(rows, marked, flagged, right)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _told(name: str, year: int, found: Score) -> None:
    precision, recall = (f"{share:.3f}" if share is not None else "–" for share in (found.precision, found.recall))
    _say(f"{name:44}{year:6}{found.rows:8}{found.marked:8}{found.flagged:9}{found.right:7}{precision:>11}{recall:>9}")


def tune(complaints: list[Complaint]) -> None:
    """Other limits of time than the rule's, on 2011 only."""
    kept = alike.WITHIN
    for hours in (24, 48, 72, 120, 168, 336):
        alike.WITHIN = (*kept[:2], (timedelta(hours=hours), "days", 0))
        _told(f"ours, still open, within {hours} h", 2011, score(complaints, ours, 2011))
    alike.WITHIN = kept


def main() -> None:
    """Print precision and recall of both rules."""
    shared = Path(os.environ.get("JIYING_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=shared / "data" / FILE)
    parser.add_argument("--tune", action="store_true")
    asked = parser.parse_args()
    complaints = read(asked.file)
    _say(f"{'rule':44}{'year':>6}{'rows':>8}{'marked':>8}{'flagged':>9}{'right':>7}{'precision':>11}{'recall':>9}")
    if asked.tune:
        tune(complaints)
    for name, rule in (("same address within 14 days", same_address), ("ours: likely the same, still open", ours)):
        for year in (2011, 2012):
            _told(name, year, score(complaints, rule, year))


if __name__ == "__main__":
    main()
