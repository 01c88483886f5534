"""Six hours of New York run again, and what the run says of itself is counted anew from its events."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jiying.simulation.tests import recount
from jiying.simulation.tests.running import ON_POSTGRES, Done, jiying

pytestmark = [
    pytest.mark.needs_shared,
    pytest.mark.xdist_group("replay-real"),
    pytest.mark.skipif(ON_POSTGRES, reason="a replay makes a SQLite home of its own, whatever the tests run on"),
]

FILE = "nyc311-2023-02-28-before-1730.csv"
KEYS = {
    "rows", "rejected", "orders", "events", "promises", "escalations", "unserved",
    "virtual_start", "virtual_end", "events_per_s", "chains", "home",
}  # fmt: skip
NEW_YORK = ZoneInfo("America/New_York")
COUNTED = ("promises", "escalations", "unserved")
Replay = Callable[..., Done]


@pytest.fixture(scope="module")
def replay(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """Run the real file, with these words more; the same words run once."""
    done: dict[tuple[str, ...], Done] = {}

    def run(*words: str, again: bool = False) -> Done:
        if again or words not in done:
            folder = tmp_path_factory.mktemp("replay")
            source = shared / "data" / FILE
            done[words] = jiying(
                "replay", source, "--map", "nyc311", *words, "--keep", folder / "run", "--json", home=folder / "home"
            )
            assert not (folder / "home").exists(), "a replay never touches JIYING_HOME"
        return done[words]

    return run


def recounted(said: dict[str, Any]) -> dict[str, Any]:
    """The same figures from the events alone, as of the end that the run names."""
    orders = recount.read(Path(said["home"]) / "jiying.sqlite3")
    assert len(orders) == said["orders"]
    assert sum(map(len, orders.values())) == said["events"]
    return recount.count(orders.values(), datetime.fromisoformat(said["virtual_end"]))


def rows_of(shared: Path, **wanted: str) -> list[dict[str, str]]:
    with (shared / "data" / FILE).open(newline="", encoding="utf-8-sig") as file:
        return [row for row in csv.DictReader(file) if all(row[name] == value for name, value in wanted.items())]


def test_every_apartment_repair_becomes_an_order(replay: Replay, shared: Path) -> None:
    done = replay("--only", "Agency=HPD")
    assert done.code == 0, done.err
    assert done.json.keys() == KEYS
    assert done.json["orders"] == done.json["rows"] == len(rows_of(shared, Agency="HPD")) == 1088
    assert done.json["rejected"] == 0
    assert done.json["chains"] == {"verified": 1088, "broken": 0}


def test_orders_enter_at_their_real_times(replay: Replay, shared: Path) -> None:
    said = replay("--only", "Agency=HPD").json
    orders = recount.read(Path(said["home"]) / "jiying.sqlite3")
    entered = Counter(recount.when(events[0]).timestamp() for events in orders.values())
    reported = Counter(
        datetime.strptime(row["Created Date"], "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=NEW_YORK).timestamp()
        for row in rows_of(shared, Agency="HPD")
    )
    assert entered == reported
    assert datetime.fromisoformat(said["virtual_start"]).timestamp() == min(reported)


def test_the_figures_equal_an_independent_recount(replay: Replay) -> None:
    said = replay("--only", "Agency=HPD").json
    assert {name: said[name] for name in COUNTED} == recounted(said)
    # Figures of a district in which nothing happens would be equal, too.
    assert said["promises"].keys() == {"sign", "contact", "respond_30", "complete", "follow_up"}
    assert min(said["promises"]["respond_30"][state] for state in ("met", "missed")) > 50
    assert said["escalations"].keys() == recount.LADDER.keys()


def test_a_run_ends_when_every_order_is_closed_or_void(replay: Replay) -> None:
    said = replay("--only", "Agency=HPD").json
    orders = recount.read(Path(said["home"]) / "jiying.sqlite3").values()
    ended = [events for events in orders if {"close", "cancel", "refuse"} & {event["verb"] for event in events}]
    assert len(ended) == said["orders"]
    assert all(states["running"] == 0 for states in said["promises"].values())


def test_every_missed_promise_was_written_down_when_it_fell_due(replay: Replay) -> None:
    said = replay("--only", "Agency=HPD").json
    orders = recount.read(Path(said["home"]) / "jiying.sqlite3").values()
    breaches = [event for events in orders for event in events if event["verb"] == "breach"]
    missed = {promise: states["missed"] for promise, states in said["promises"].items() if states["missed"]}
    assert Counter(event["data"]["promise"] for event in breaches) == missed
    assert all(recount.when(event) == datetime.fromisoformat(event["data"]["due_at"]) for event in breaches)


def test_what_runs_an_hour_after_the_last_row_is_running_in_both_counts(replay: Replay) -> None:
    done = replay("--only", "Agency=HPD", "--until", "+60")
    said = done.json
    assert done.code == 0
    assert {name: said[name] for name in COUNTED} == recounted(said)
    assert said["orders"] == 1088
    assert said["promises"]["complete"]["running"] > 100
    end = datetime.fromisoformat(said["virtual_end"])
    orders = recount.read(Path(said["home"]) / "jiying.sqlite3").values()
    last_row = max(recount.when(events[0]) for events in orders)
    assert (end - last_row).total_seconds() == 3600
    assert max(recount.when(events[-1]) for events in orders) <= end


def test_the_same_seed_gives_the_same_figures_and_another_seed_others(replay: Replay) -> None:
    words = ("--only", "Agency=HPD", "--until", "+60")
    first = replay(*words).json
    again = replay(*words, again=True).json
    other = replay(*words, "--seed", "2").json
    not_figures = {"home", "events_per_s"}
    assert {k: v for k, v in first.items() if k not in not_figures} == {
        k: v for k, v in again.items() if k not in not_figures
    }
    assert first["promises"] != other["promises"]


def test_the_whole_file_runs_and_says_which_rows_it_could_not_take(replay: Replay, shared: Path) -> None:
    done = replay()
    said = done.json
    assert done.code == 1, "done, but rows were rejected"
    assert said["orders"] + said["rejected"] == said["rows"] == len(rows_of(shared)) == 2810
    assert {name: said[name] for name in COUNTED} == recounted(said)
    assert said["chains"] == {"verified": said["orders"], "broken": 0}
    nowhere = [row for row in rows_of(shared) if not row["Community Board"] or "Unspecified" in row["Community Board"]]
    assert said["rejected"] == len(nowhere) == 20
    rejects = Path(said["home"]) / "rejects.csv"
    assert str(rejects) in done.err
    with rejects.open(newline="", encoding="utf-8-sig") as file:
        told = list(csv.DictReader(file))
    assert [row["Unique Key"] for row in told] == [row["Unique Key"] for row in nowhere]
    assert {row["field"] for row in told} == {"town"}
