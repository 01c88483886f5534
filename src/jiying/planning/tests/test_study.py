"""Whole questions: figures that can be told by hand, the same with any number of processes, causes, the search."""

from __future__ import annotations

import json

import numpy as np
import pytest

from jiying.core.errors import BadInput
from jiying.planning.changes import Change, Staff
from jiying.planning.finding import sentence
from jiying.planning.outcome import Outcome, Runner
from jiying.planning.pools import BESIDE
from jiying.planning.staffing import search
from jiying.planning.study import Question, answer
from jiying.planning.sweep import Sweep
from jiying.planning.tests.small import hand, made, model


def asked(found, question: Question, **more) -> dict:
    with Sweep(found, 1, **more) as sweep:
        return answer(found, question, sweep)


def test_any_number_of_processes_gives_the_same_answer_to_the_last_digit(tmp_path):
    found = made(tmp_path)
    question = Question(Change(demand=(("*", 1.5),), staff=(Staff("locks", 2),)), Change(), days=3)
    one, apart, two = (
        json.dumps(asked(found, question, processes=n, apart=apart)) for n, apart in ((1, False), (1, True), (2, False))
    )
    assert one == apart == two


def test_the_same_seed_gives_the_same_figures_and_another_others(tmp_path):
    found = made(tmp_path)
    runs = [json.dumps(Runner(found, seed).run(Change(), 0).as_data()) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_an_outcome_comes_back_from_json_as_it_was(tmp_path):
    outcome = Runner(made(tmp_path, workers=20), 1).run(Change(), 0)
    again = Outcome.of_data(json.loads(json.dumps(outcome.as_data())))
    assert again.as_data() == outcome.as_data() and outcome.late


def test_towns_hours_and_causes_add_up_to_the_whole(tmp_path):
    told = asked(made(tmp_path, workers=16), Question(Change(), Change(), days=2))["today"]
    whole = (told["urgent"]["n"], told["urgent"]["late"])
    assert whole[1] > 0
    for rows in (told["towns"], told["hours"]):
        assert (sum(row["n"] for row in rows), sum(row["late"] for row in rows)) == whole
    assert sum(row["late"] for row in told["causes"]) == whole[1] == sum(told["finding"]["by_cause"].values())
    for row in told["causes"]:
        assert row["late"] == sum(row[cause] for cause in ("roster", "alone", "load", "distance"))


@pytest.mark.parametrize(
    ("staff", "cause"),
    [
        ((hand("a", ("lift",)), hand("b", ("water",), ((600, 601),))), "roster"),
        ((hand("a", ("lift",)), hand("far", ("water",), x=40.0)), "distance"),
        ((hand("a", ("water",)),), "alone"),
        ((hand("a", ("water",)), hand("b", ("water",))), "load"),
    ],
)
def test_why_an_emergency_is_late(staff, cause):
    found = model(staff, a_day=400, service=60.0)
    told = asked(found, Question(Change(rule="nearest"), Change(rule="nearest"), days=2))["today"]
    by_cause = told["finding"]["by_cause"]
    assert by_cause[cause] > 0.9 * sum(by_cause.values()) > 0


def test_the_sentence_names_the_skill_the_hours_and_what_is_lacking():
    staff = (*(hand(f"w{n}", ("water",)) for n in range(9)), hand("l", ("lift",), ((450, 1440),)))
    told = asked(model(staff, a_day=60, skill=0, hours=(0, 24), service=2.0), Question(Change(), Change(), days=3))
    found = told["today"]["finding"]
    assert (found["cause"], found["skills"]) == ("shifts", ["lift"])
    assert found["begin"] < 120 and 360 <= found["end"] <= 450
    assert " of them lift, " in sentence(found) and "nobody with the skill" in sentence(found)
    assert sentence(None) == "No emergency was late."


def test_nobody_goes_beyond_their_pool():
    staff = (hand("a", town=1, x=0.5), *(hand(f"{n}", ("lift",)) for n in range(3)))
    found = model(staff, a_day=40)
    for pool, served in (("company", False), ("town", False), ("district", True)):
        for rule in ("auto", "nearest"):
            told = asked(found, Question(Change(pool, rule), Change(pool, rule), days=1))["today"]
            assert (told["never"] < told["urgent"]["n"]) is served, (pool, rule)


def test_all_pools_stand_beside_each_other_and_the_entitled_is_marked(tmp_path):
    told = asked(made(tmp_path), Question(Change(), Change(), days=2, pools=True))["pools"]
    # In a folder a team is a company.
    assert [(row["pool"], row["rule"]) for row in told] == list(BESIDE[1:])
    assert [row["pool"] for row in told if row["entitled"]] == ["company"]
    assert told[0]["difference"]["share"] == 0 < told[-1]["difference"]["share"]


def test_more_people_are_found_where_emergencies_are_late():
    found = model((hand("a", ("lift",)), hand("day", ("water",), ((480, 1440),))), a_day=24, service=5.0)
    told = asked(found, Question(Change(), Change(), days=3, target=95.0))["staffing"]
    assert told["reached"] and told["share"] >= 95.0 and told["added"] >= 1
    assert {(row["skill"], row["town"]) for row in told["rows"]} == {("water", "t0")}
    assert "00:00" in {row["from"] for row in told["rows"]}
    assert sum(row["count"] for row in told["rows"]) == told["added"]


def test_one_less_than_the_smallest_does_not_reach_the_target():
    found = model((hand("a", ("lift",)), hand("day", ("water",), ((480, 1440),))), a_day=100, service=30.0)
    with Sweep(found, 1) as sweep:

        def look(change):
            sweep.run([change], 2)
            return sweep.of(change, 2)

        told = search(found, Change(), 95.0, look)
        assert told.reached and told.added > 1
        last = told.rows[-1]
        less = (*told.rows[:-1], Staff(last.skill, last.count - 1, last.begin, last.end, last.town))
        outcomes = look(Change(staff=tuple(row for row in less if row.count)))
    due, late = (np.sum([one.town_hour[:, :, k].sum() for one in outcomes]) for k in (0, 1))
    assert 100 * (due - late) / due < 95.0


def test_where_today_is_enough_it_is_told_how_many_would_do():
    found = model(tuple(hand(f"{n}") for n in range(40)), a_day=24, service=5.0)
    told = asked(found, Question(Change(), Change(), days=2, target=90.0))["staffing"]
    assert told["reached"] and told["added"] < -30 and told["rows"] == []


def test_a_target_out_of_reach_is_told_and_the_search_ends():
    found = model((hand("a"),), a_day=400, x=0.0, service=600.0)
    told = asked(found, Question(Change(), Change(), days=1, target=100.0))["staffing"]
    assert not told["reached"] and told["added"] == 32 and told["share"] < 100


@pytest.mark.parametrize(
    ("days", "target"), [(0, None), (10_000, None), (-1, None), (5, 101.0), (5, 0.0), (5, float("nan"))]
)
def test_days_and_targets_that_are_none_are_refused(days, target):
    found = model((hand("a"),))
    with pytest.raises(BadInput) as refused:
        asked(found, Question(Change(), Change(), days=days, target=target))
    assert refused.value.first_code == "out_of_range"


def test_who_says_stop_stops_a_sweep_and_what_was_run_is_not_run_again(tmp_path):
    found, memo = made(tmp_path), {}

    class Stop(Exception):
        pass

    def until_two(done, _of):
        if done == 2:
            raise Stop

    with Sweep(found, 1, memo=memo) as sweep, pytest.raises(Stop):
        sweep.run([Change()], 4, until_two)
    assert len(memo) == 2
    told: list[int] = []
    with Sweep(found, 1, memo=memo) as sweep:
        sweep.run([Change()], 4, lambda done, _of: told.append(done))
    assert told == [2, 3, 4]
