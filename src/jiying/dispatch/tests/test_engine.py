"""The engine: what it never does, and what it prefers."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as said
from hypothesis import strategies as st

from jiying.dispatch import engine
from jiying.dispatch.engine import ranking
from jiying.dispatch.engine.ranking import WHY, nearest, rank
from jiying.dispatch.engine.travel import Crow, Trip, straight_m
from jiying.dispatch.engine.world import DEFAULTS, Candidate, Job, Settings, Spot, Tier

SKILLS = ("water", "electric", "lift")
HERE = Spot(121.52, 31.22)


def km_east(km: float) -> Spot:
    """So many kilometres east of the order."""
    return Spot(HERE.lon + km / 95.1, HERE.lat)


def person(worker: str, **more: object) -> Candidate:
    """Somebody of the team, at the order, idle, who can do everything."""
    plain: dict[str, object] = {
        "tier": Tier.TEAM, "at": HERE, "skills": frozenset(SKILLS), "on_duty": True, **more,
    }  # fmt: skip
    return Candidate(worker, **plain)  # type: ignore[arg-type]


JOB = Job("order", HERE, "water", "emergency", Tier.CENTRE)

spots = st.one_of(
    st.none(),
    st.builds(Spot, st.floats(121.3, 121.9), st.floats(30.9, 31.4)),
    st.builds(Spot, st.floats(allow_nan=True), st.floats(allow_nan=True)),
)
#: How long it takes is no matter here, also on a machine that is busy with other things.
patient = said(deadline=None, suppress_health_check=[HealthCheck.too_slow])

people = st.lists(
    st.builds(
        Candidate,
        worker=st.uuids().map(str),
        tier=st.sampled_from(Tier),
        at=spots,
        skills=st.frozensets(st.sampled_from(SKILLS)),
        on_duty=st.booleans(),
        load=st.integers(0, 9),
        home=st.booleans(),
        barred=st.sampled_from(["", "", "", "declined"]),
    ),
    max_size=25,
    unique_by=lambda one: one.worker,
)
jobs = st.builds(
    Job,
    order=st.just("order"),
    at=spots,
    skill=st.sampled_from(["", *SKILLS]),
    urgency=st.sampled_from(["emergency", "ordinary", "unheard of"]),
    asked=st.sampled_from(Tier),
)
limits = st.builds(
    Settings,
    cap_m=st.fixed_dictionaries({"emergency": st.floats(0, 20_000), "ordinary": st.floats(0, 20_000)}),
    load_cap=st.integers(1, 9),
    busy_from=st.integers(0, 5),
)


@patient
@given(jobs, people, limits)
def test_nobody_goes_without_the_skill_off_duty_beyond_the_cap_or_with_full_hands(job, hands, settings):
    found = rank(job, hands, settings)
    for choice in found.ranked:
        one = choice.candidate
        assert not job.skill or job.skill in one.skills
        assert one.on_duty
        assert one.load < settings.load_cap
        assert not one.barred
        assert one.tier <= found.asked
        assert choice.metres is None or choice.metres <= settings.cap(job.urgency)
        if one.at is not None and job.at is not None and one.at.is_somewhere and job.at.is_somewhere:
            assert straight_m(one.at, job.at) <= settings.cap(job.urgency)


@patient
@given(jobs, people, limits)
def test_everybody_is_either_ranked_or_left_out_for_one_known_reason(job, hands, settings):
    found = rank(job, hands, settings)
    told = [choice.worker for choice in found.ranked] + [left.candidate.worker for left in found.left_out]
    assert sorted(told) == sorted(one.worker for one in hands)
    assert {left.why for left in found.left_out} <= set(WHY)
    assert [choice.rank for choice in found.ranked] == list(range(1, len(found.ranked) + 1))
    assert sum(found.why_not.values()) == len(found.left_out)


@patient
@given(jobs, people, limits, st.randoms())
def test_the_same_people_in_any_order_are_ranked_the_same(job, hands, settings, random):
    first = rank(job, hands, settings)
    shuffled = list(hands)
    random.shuffle(shuffled)
    assert rank(job, shuffled, settings) == first


@patient
@given(jobs, people, limits)
def test_entitlement_goes_before_nearness(job, hands, settings):
    found = rank(job, hands, settings)
    tiers = [choice.tier for choice in found.ranked]
    assert tiers == sorted(tiers)
    assert found.asked >= job.asked


@patient
@given(jobs, people)
def test_the_stand_in_keeps_to_skill_duty_and_cap_too(job, hands):
    for choice in nearest(job, hands).ranked:
        assert choice.candidate.on_duty
        assert not choice.candidate.barred
        assert not job.skill or job.skill in choice.candidate.skills
        assert choice.metres is None or choice.metres <= DEFAULTS.cap(job.urgency)


def test_people_of_the_house_go_first_unless_they_have_their_hands_full():
    near = person("near", at=km_east(0.3))
    house = person("house", at=km_east(2), home=True)
    assert [choice.worker for choice in rank(JOB, [near, house]).ranked] == ["house", "near"]
    full = replace(house, load=DEFAULTS.busy_from)
    assert [choice.worker for choice in rank(JOB, [near, full]).ranked] == ["near", "house"]


def test_an_order_in_hand_counts_as_some_minutes_of_the_way():
    idle, busy = person("idle", at=km_east(1.4)), person("busy", at=km_east(0.2), load=1)
    assert [choice.worker for choice in rank(JOB, [idle, busy]).ranked] == ["idle", "busy"]
    assert rank(JOB, [replace(idle, at=km_east(3)), busy]).ranked[0].worker == "busy"


def test_a_higher_tier_is_asked_at_once_when_those_below_have_nobody():
    team, station = person("a", on_duty=False), person("b", tier=Tier.STATION)
    centre = person("c", tier=Tier.CENTRE)
    found = rank(replace(JOB, asked=Tier.TEAM), [team, station, centre])
    assert ([choice.worker for choice in found.ranked], found.asked) == (["b"], Tier.STATION)
    assert {left.candidate.worker: left.why for left in found.left_out} == {"a": "off_duty", "c": "not_asked"}


def test_while_the_team_has_somebody_no_other_tier_is_asked():
    found = rank(replace(JOB, asked=Tier.TEAM), [person("a", at=km_east(4)), person("b", tier=Tier.STATION)])
    assert [choice.worker for choice in found.ranked] == ["a"]
    assert found.why_not == {"not_asked": 1}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"skills": frozenset({"lift"})}, "no_skill"),
        ({"on_duty": False}, "off_duty"),
        ({"at": km_east(5.2)}, "too_far"),
        ({"load": 5}, "too_busy"),
        ({"barred": "declined"}, "declined"),
        ({"tier": Tier.STATION, "at": None}, "nowhere"),
    ],
)
def test_it_is_told_why_somebody_was_left_out(changed, why):
    assert rank(JOB, [person("a", **changed)]).why_not == {why: 1}


def test_of_the_house_s_own_people_it_need_not_be_known_where_they_are():
    lost, known = person("lost", at=None), person("known", at=km_east(3))
    found = rank(JOB, [lost, known])
    assert [(choice.worker, choice.minutes is None) for choice in found.ranked] == [("known", False), ("lost", True)]


def test_an_order_without_a_place_still_finds_somebody():
    found = rank(replace(JOB, at=None), [person("b", load=1), person("a", tier=Tier.STATION), person("c")])
    assert [(choice.worker, choice.metres) for choice in found.ranked] == [("c", None), ("b", None), ("a", None)]


def test_nobody_at_all_is_an_answer():
    found = rank(JOB, [])
    assert (found.best, found.ranked, found.left_out) == (None, (), ())


def test_a_kilometre_by_electric_bicycle_takes_about_seven_minutes():
    trip = Crow.of(DEFAULTS).trip(km_east(1), HERE)
    assert trip.metres == pytest.approx(1000, rel=0.01)
    assert trip.minutes == pytest.approx(2 + 1.3 / 15 * 60, rel=0.01)


def test_another_way_of_measuring_can_stand_in():
    class River:
        """Whoever comes from the east has to go round."""

        def trip(self, start: Spot, end: Spot) -> Trip:
            return Trip(100, 40 if start.lon > end.lon else 5)

    east, west = person("east", at=km_east(0.1)), person("west", at=km_east(-3))
    assert [choice.worker for choice in rank(JOB, [east, west], travel=River()).ranked] == ["west", "east"]


def test_the_others_who_could_be_there_soon_are_counted():
    found = rank(JOB, [person("a"), person("b", at=km_east(1)), person("c", at=km_east(4))])
    assert found.best is not None
    assert found.others_within(found.best, 10) == 1


def test_the_engine_knows_no_database_and_no_framework():
    allowed = {"__future__", "math", "collections", "dataclasses", "enum", "typing", "datetime", "io", "json", "numpy"}
    for path in Path(engine.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in allowed or name.startswith(engine.__name__), (path.name, name)
    assert ranking.VERSION
