"""A made-up town, read by a mapping written by hand: who waits for the morning, what is refused, what is paced."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from jiying.simulation.tests import recount
from jiying.simulation.tests.running import ON_POSTGRES, Done, jiying

pytestmark = [
    pytest.mark.xdist_group("replay"),
    pytest.mark.skipif(ON_POSTGRES, reason="a replay makes a SQLite home of its own, whatever the tests run on"),
]

ZONE = ZoneInfo("Europe/Lisbon")
MAPPING = """
version: 1
timezone: Europe/Lisbon
crs: WGS-84
calendar: none
encoding: auto
columns:
  external_id: {from: Ref, required: true}
  reported_at: {from: When, format: "%Y-%m-%d %H:%M"}
  town:        {from: Parish, reject: ["", "Unknown*"]}
  building:    {from: House, else: Street}
  category:    {from: [Matter, Detail], table: categories}
defaults: {kind: repair}
tables:
  categories:
    "HEAT|*": {category: heating, urgency: emergency}
    "WATER|BURST": {category: water_pipe, urgency: emergency}
    "WATER|*": {category: water_pipe, urgency: ordinary}
    "LIFT|*": {category: lift, urgency: emergency}
    "MYSTERY|*": {category: no_such_category}
staff: {workers_per_100_orders: 12, shifts: ["07:30-16:00"], skills_from: category}
"""
HEADER = ("Ref", "When", "Parish", "House", "Street", "Matter", "Detail")
Row = tuple[str, ...]


def rows(day: str = "2026-03-02") -> list[Row]:
    """Twelve in the shift and twelve after it, in two parishes."""
    matters = (("HEAT", "NONE"), ("WATER", "BURST"), ("WATER", "DRIP"), ("LIFT", "STUCK"))
    return [
        (f"{n:03}", f"{day} {hour:02}:{n % 60:02}", f"Parish {n % 2}", f"H{n % 7}", "Main Street", *matters[n % 4])
        for n, hour in enumerate([*[9] * 12, *[19] * 12], start=1)
    ]


Replay = Callable[..., Done]


def run_in(folder: Path, table: list[Row], *words: str, mapping: str = MAPPING) -> Done:
    """Write the mapping and these rows into `folder`, and run them there."""
    with (folder / "matters.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *table])
    (folder / "lisbon.yaml").write_text(mapping, encoding="utf-8")
    words = ("--map", str(folder / "lisbon.yaml"), "--keep", str(folder / "run"), "--json", *words)
    return jiying("replay", folder / "matters.csv", *words, home=folder / "home")


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    """Run these rows in a folder of the test's own."""
    return partial(run_in, tmp_path)


@pytest.fixture(scope="module")
def a_day(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The twenty-four rows, run to their end."""
    return run_in(tmp_path_factory.mktemp("day"), rows())


def events_of(done: Done) -> list[recount.Events]:
    return list(recount.read(Path(done.json["home"]) / "jiying.sqlite3").values())


def test_orders_after_the_only_shift_wait_until_morning(a_day: Done) -> None:
    done = a_day
    assert (done.code, done.json["orders"]) == (0, 24), done.err
    for events in events_of(done):
        reported = recount.when(events[0]).astimezone(ZONE)
        sent = [recount.when(event).astimezone(ZONE) for event in events if event["verb"] == "assign"]
        assert all(time(7, 30) <= at.time() < time(16) for at in sent)
        if reported.hour == 19:
            assert all(at.date() > reported.date() for at in sent)
    assert done.json["promises"]["respond_30"]["missed"] >= 8, "those of the evening cannot be there within 30 minutes"


def test_the_figures_of_a_made_up_town_equal_the_recount(a_day: Done) -> None:
    said = a_day.json
    counted = recount.count(
        recount.read(Path(said["home"]) / "jiying.sqlite3").values(), datetime.fromisoformat(said["virtual_end"])
    )
    assert {name: said[name] for name in counted} == counted


def test_times_are_the_town_s_own(replay: Replay) -> None:
    said = replay(rows("2026-07-01"), "--until", "+0").json
    assert said["virtual_start"] == "2026-07-01T09:01:00+01:00"
    assert said["virtual_end"] == "2026-07-01T19:24:00+01:00"


def test_rows_that_cannot_be_taken_are_listed_with_what_is_wrong(replay: Replay) -> None:
    bad: list[Row] = [
        ("A", "2026-03-02 25:00", "Parish 1", "H1", "", "HEAT", ""),
        ("B", "2026-03-02 10:00", "Unknown parish", "H1", "", "HEAT", ""),
        ("C", "2026-03-02 10:00", "Parish 1", "H1", "", "DRAGONS", ""),
        ("D", "2026-03-02 10:00", "Parish 1", "H1", "=1+1", "MYSTERY", ""),
        ("", "2026-03-02 10:00", "Parish 1", "H1", "", "HEAT", ""),
    ]
    done = replay([*rows(), *bad])
    assert done.code == 1
    assert (done.json["rows"], done.json["orders"], done.json["rejected"]) == (29, 24, 5)
    rejects = Path(done.json["home"]) / "rejects.csv"
    assert str(rejects) in done.err
    with rejects.open(newline="", encoding="utf-8-sig") as file:
        told = list(csv.DictReader(file))
    assert [(row["row"], row["field"], row["code"]) for row in told] == [
        ("26", "reported_at", "bad_time"),
        ("27", "town", "rejected"),
        ("28", "category", "unknown_category"),
        ("29", "category", "unknown_category"),
        ("30", "external_id", "required"),
    ]
    assert told[3]["Street"] == "'=1+1", "no cell is a formula"
    assert all(row["reason"] for row in told)


def test_a_file_of_rejects_alone_still_says_its_counts(replay: Replay) -> None:
    done = replay([("A", "yesterday", "Parish 1", "H1", "", "HEAT", "")])
    assert done.code == 1
    assert (done.json["rows"], done.json["orders"], done.json["rejected"]) == (1, 0, 1)


def test_at_a_speed_the_virtual_clock_does_not_outrun_the_real_one(replay: Replay) -> None:
    table = [
        ("1", "2026-03-02 09:00", "P", "H1", "", "HEAT", ""),
        ("2", "2026-03-02 09:30", "P", "H1", "", "HEAT", ""),
    ]
    paced = replay(table, "--until", "+0", "--speed", "1000").json
    # Half an hour at a thousand times is 1.8 seconds.
    assert paced["events"] / paced["events_per_s"] >= 1.75


def _written(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("{csv}", "--map", "nowhere"), "There is no mapping “nowhere”"),
        (("{tmp}/absent.csv", "--map", "{map}"), "does not exist"),
        (("{tmp}/sheet.xlsx", "--map", "{map}"), "cannot be read as a workbook"),
        (("{tmp}/other.csv", "--map", "{map}"), "has no column “When”"),
        (("{csv}", "--map", "{map}", "--only", "Agency=HPD"), "has no column “Agency”"),
        (("{csv}", "--map", "{map}", "--only", "Agency"), "COLUMN=VALUE"),
        (("{csv}", "--map", "{map}", "--speed", "fast"), "a number, or max"),
        (("{csv}", "--map", "{map}", "--until", "-5"), "must not be negative"),
        (("{csv}", "--map", "{tmp}/broken.yaml"), "broken.yaml"),
    ],
)
def test_wrong_use_ends_with_2_and_writes_nothing(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    (tmp_path / "matters.csv").write_text(",".join(HEADER) + "\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "sheet.xlsx").write_bytes(b"PK\x03\x04 and so on")
    (tmp_path / "lisbon.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("version: 1\n", encoding="utf-8")
    names = {"csv": tmp_path / "matters.csv", "map": tmp_path / "lisbon.yaml", "tmp": tmp_path}
    done = jiying(
        "replay",
        *(word.format(**names) for word in words),
        "--keep",
        tmp_path / "run",
        "--json",
        home=tmp_path / "home",
    )
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert _written(tmp_path / "run") == _written(tmp_path / "home") == []


def test_a_folder_that_holds_something_is_left_alone(replay: Replay, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "letter.txt").write_text("dear")
    done = replay(rows())
    assert (done.code, done.out) == (2, "")
    assert "is not empty" in done.err
    assert _written(tmp_path / "run") == ["letter.txt"]
    assert not (tmp_path / "home").exists()


def test_the_evening_s_emergencies_are_escalated_to_the_district(a_day: Done) -> None:
    said = a_day.json
    assert said["escalations"]["district_90"] >= 6
    assert datetime.fromisoformat(said["virtual_end"]) - datetime.fromisoformat(said["virtual_start"]) > timedelta(
        days=1
    )
