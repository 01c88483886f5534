"""What can be asked to be different, and that whatever cannot is told in a sentence."""

from __future__ import annotations

import pytest

from jiying.core.errors import BadInput
from jiying.planning.changes import Change, Move, Staff, changed, check
from jiying.planning.model import checked
from jiying.planning.pools import alliances
from jiying.planning.tests.small import hand, made, model
from jiying.planning.words import demand_of, hours_of, move_of, staff_of

TWO = (hand("a", ("lift",), ((0, 480),)), hand("b", ("water",), ((480, 960),)), hand("c", ("water",), ((480, 960),)))


def keys(found, change: Change) -> list[str]:
    return [one.key for one in changed(found, change)]


def test_added_people_have_the_skill_and_the_shift_and_live_where_it_is_asked_for():
    found = model(TWO, x=3.0)
    new = changed(found, Change(staff=(Staff("water", 2, 1320, 1800),)))[3:]
    assert [(one.skills, one.shifts, one.x, one.company) for one in new] == [
        (("water",), ((1320.0, 1800.0, 127),), 3.0, "company 0")
    ] * 2


def test_three_more_contain_two_more_and_three_less_contain_two_less(tmp_path):
    found = made(tmp_path)
    for sign in (1, -1):
        some, more = (set(keys(found, Change(staff=(Staff("locks", sign * n),)))) for n in (2, 3))
        assert some < more if sign > 0 else some > more


def test_without_a_shift_people_are_added_as_those_with_the_skill_work_today():
    assert changed(model(TWO), Change(staff=(Staff("lift", 1),)))[3].shifts == TWO[0].shifts


def test_only_who_works_then_is_removed():
    assert keys(model(TWO), Change(staff=(Staff("water", -1, 480, 960),))) in (["a", "b"], ["a", "c"])
    with pytest.raises(BadInput, match="there are 0"):
        changed(model(TWO), Change(staff=(Staff("water", -1, 0, 480),)))


def test_thinning_out_keeps_skills_and_shifts_in_proportion(tmp_path):
    found = made(tmp_path, workers=400)
    half = changed(found, Change(keep=200))
    for skill in found.skills:
        before, after = (sum(skill in one.skills for one in staff) for staff in (found.staff, half))
        assert abs(after - before / 2) <= 3


def test_a_station_that_moved_starts_from_there():
    moved = changed(model((*TWO, hand("far", town=1, x=40.0))), Change(moves=(Move("company 1", "甲镇"),)))
    assert [(one.x, one.town) for one in moved][-1] == (0.0, 0)
    assert [one.x for one in moved][:3] == [0.0] * 3


def test_alliances_are_neighbours_of_about_the_same_size(tmp_path):
    found = made(tmp_path, towns=12, orders=3000, estates=300)
    groups = alliances(found, 4)
    sizes = [int((groups[found.past.town] == group).sum()) for group in range(4)]
    assert sorted(set(groups.tolist())) == [0, 1, 2, 3]
    assert max(sizes) < 2.5 * min(sizes)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Change(pool="moon"), "unknown_pool"),
        (Change(rule="luck"), "unknown_rule"),
        (Change(alliances=0), "out_of_range"),
        (Change(demand=(("*", -1.0),)), "out_of_range"),
        (Change(demand=(("*", 0.0),)), "out_of_range"),
        (Change(demand=(("*", float("nan")),)), "out_of_range"),
        (Change(demand=(("*", 10.5),)), "out_of_range"),
        (Change(demand=(("*", 1e-300), ("*", 1e-300))), "out_of_range"),
        (Change(demand=(("roof", 2.0),)), "unknown_skill"),
        (Change(staff=(Staff("roof", 1),)), "unknown_skill"),
        (Change(staff=(Staff("lift", -2),)), "too_few"),
        (Change(staff=(Staff("lift", 6000),)), "out_of_range"),
        (Change(staff=(Staff("lift", 1, town="t9"),)), "unknown_town"),
        (Change(staff=(Staff("lift", 1, town="t1"),)), "quiet_town"),
        (Change(keep=0), "out_of_range"),
        (Change(moves=(Move("nobody", "t0"),)), "unknown_team"),
        (Change(moves=(Move("team 0", "t9"),)), "unknown_town"),
        (Change(moves=(Move("team 0", "1,nan"),)), "bad_point"),
        (Change(moves=(Move("team 0", "1e308,1"),)), "bad_point"),
        (Change(moves=(Move("team 0", "1,east"),)), "bad_point"),
    ],
)
def test_what_cannot_be_asked_is_told(change, code):
    with pytest.raises(BadInput) as refused:
        check(change, model(TWO))
    assert refused.value.first_code == code


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (model(TWO, a_day=0), "no_orders"),
        (model(TWO, emergency=0), "no_emergencies"),
        (model(()), "no_staff"),
        (model((hand("a", shifts=()),)), "no_shifts"),
    ],
)
def test_what_nothing_can_be_learnt_from_is_told(found, code):
    with pytest.raises(BadInput) as refused:
        checked(found)
    assert refused.value.first_code == code


def test_a_change_comes_back_from_json_as_it_was():
    change = Change("town", "auto", 4, (("lift", 2.0),), (Staff("lift", 2, 0, 480, "t0"),), (Move("a", "1,2"),), 9)
    assert Change.of_data(change.as_data()) == change
    assert Change.of_data(change.as_data()).digest == change.digest != Change().digest


def test_words_are_read_as_people_write_them():
    assert staff_of("lift@22:00-06:00@t1=-2") == Staff("lift", -2, 1320, 1800, "t1")
    assert staff_of("lift=+2") == staff_of("lift=2") == Staff("lift", 2)
    assert demand_of("1.5") == ("*", 1.5) and demand_of("lift=2") == ("lift", 2.0)
    assert move_of("站=1,2") == Move("站", "1,2")


@pytest.mark.parametrize(
    "words", ["lift", "lift=0", "lift=many", "=2", "lift@=2", "lift@8-9@t0@t1=2", "lift@0:99-8=1", ""]
)
def test_words_that_say_nothing_about_staff_are_refused(words):
    with pytest.raises(BadInput):
        staff_of(words)


@pytest.mark.parametrize("words", ["8-8", "25-26", "24-8", "8", "8-9-10"])
def test_hours_that_are_none_are_refused(words):
    with pytest.raises(BadInput):
        hours_of(words)
