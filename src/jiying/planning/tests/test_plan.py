"""`jiying plan` as people type it, from a folder and from a district's history."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from tests.served import jiying

from jiying.config.cli import main
from jiying.core.errors import BadInput
from jiying.dispatch.tests.made import Made, make
from jiying.estates import actions as estates
from jiying.estates.models import Estate, Shift, Worker
from jiying.orders.models import Order
from jiying.orders.tests.build import District, district, report, walk
from jiying.planning import commands, pools
from jiying.planning.history import read_district
from jiying.planning.printing import lines

SMALL = {"orders": 240, "workers": 40, "estates": 40, "towns": 4, "wide_km": 9.0, "high_km": 9.0}
TODAY = datetime(2026, 11, 20, tzinfo=UTC).date()


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return str(make(tmp_path_factory.mktemp("days") / "made", Made(**SMALL)))


def plan(*words: str):
    return CliRunner().invoke(main, ["plan", *words])


def test_a_day_of_two_tables_needs_no_database(tmp_path, day):
    done = jiying(tmp_path, "plan", day, "--days", "2", "--staff", "lifts@0-8=+2", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["then"]["staff"] == told["today"]["staff"] + 2
    assert told["difference"]["low"] <= told["difference"]["share"] <= told["difference"]["high"]


def test_people_read_the_figures_the_difference_and_what_to_do(day):
    done = plan(day, "--days", "2", "--demand", "2", "--pools", "--target", "90")
    assert done.exit_code == 0, done.output
    for words in ("today: pool district", "what if: pool district", "difference  ", "(entitled)", "target 90 %"):
        assert words in done.stdout
    assert " late ones were late since " in done.stdout


def test_days_without_an_emergency_are_told_as_such_and_want_nobody(day):
    done = plan(day, "--days", "1", "--demand", "1e-9", "--base-pool", "company", "--pools", "--target", "90", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["then"]["urgent"] == {"share": None, "low": None, "high": None, "n": 0, "late": 0}
    assert told["staffing"] is None
    assert "(entitled)" in "\n".join(lines(told))


def test_the_lists_of_the_help_are_those_of_the_code():
    assert (commands.POOLS, commands.RULES) == (pools.POOLS, pools.RULES)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--days", "0"), "from 1 to 365 days"),
        (("--days", "10000"), "from 1 to 365 days"),
        (("--target", "101"), "at most 100 percent"),
        (("--target", "nan"), "at most 100 percent"),
        (("--demand", "-1"), "factor above 0"),
        (("--demand", "much"), "no factor of demand"),
        (("--staff", "roof=+1"), "no skill 'roof'"),
        (("--staff", "lifts"), "is not SKILL"),
        (("--move-station", "99=1"), "nobody works for '99'"),
        (("--processes", "0"), "from 1 to 64 processes"),
        (("--seed", "-1"), "a seed"),
        (("--alliances", "0"), "alliances can be formed"),
        (("--district", "310115"), "either a folder"),
        (("--pool", "moon"), "moon"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_2(day, words, says):
    done = plan(day, *words, "--json")
    assert done.exit_code == 2
    assert done.stdout == "" and says in done.stderr and "Traceback" not in done.output


def test_an_empty_day_says_what_is_lacking(tmp_path):
    (tmp_path / "orders.csv").write_text("order,reported_min,x_km,y_km,skill,emergency,service_min,town,team\n")
    (tmp_path / "workers.csv").write_text("worker,x_km,y_km,skills,shifts,town,team\n")
    done = plan(str(tmp_path))
    assert done.exit_code == 2 and "no repairs with a place" in done.stderr


@pytest.fixture
def lived(db) -> District:
    """Three days of a district: every day three leaks, one of them no emergency, and one lift."""
    d = district()
    for back in (3, 2, 1):
        for hour, category, urgency in ((1, "lift", "emergency"), (9, "leak", "emergency"), (20, "leak", "ordinary")):
            at = datetime(2026, 11, 20, hour, tzinfo=UTC) - timedelta(days=back, hours=8)
            order = report(d, now=at, category=category, urgency=urgency)
            if hour == 9:
                walk(d, order, "sign", "assign", "depart", "arrive", now=at)
                walk(d, order, "done", now=at + timedelta(minutes=25))
    return d


def test_a_model_from_history_has_the_rates_the_places_and_the_staff(lived):
    found = read_district("310115", 30, TODAY)
    # The day on which records begin is no whole day.
    assert (found.days, found.first, found.last, len(found.past)) == (2, "2026-11-18", "2026-11-19", 6)
    assert sorted(found.past.minute.astype(int).tolist()) == [60, 60, 540, 540, 1200, 1200]
    assert [found.skills[skill] for skill in found.past.skill[:3]] == ["lift", "water", "water"]
    assert found.past.emergency.tolist() == [1, 1, 0] * 2
    assert {found.towns[town].name for town in found.past.town.tolist()} == {"潍坊新村街道"}
    assert [hand.company for hand in found.staff] == [lived.company.uscc, lived.company2.uscc, lived.company.uscc]
    assert {found.teams[team] for team in found.past.team.tolist()} == {"E1"} == {found.staff[0].team}
    near = [(hand.x - found.past.x[0]) ** 2 + (hand.y - found.past.y[0]) ** 2 for hand in found.staff]
    assert near[0] == 0 and 60 < near[1] < 100
    assert not any(str(pk) in repr(found.staff) for pk in Worker.objects.values_list("pk", flat=True))


def test_how_long_visits_take_is_read_from_arrival_to_completion(lived):
    service = read_district("310115", 30, TODAY).past.service
    known = service[service == service]
    assert known.tolist() == [25.0, 25.0]


def test_what_was_withdrawn_or_refused_is_no_demand(lived):
    Order.objects.filter(urgency="ordinary").update(state="cancelled")
    assert len(read_district("310115", 30, TODAY).past) == 4


def test_a_place_on_another_continent_counts_as_none_and_leaves_the_grid_as_it_is(lived):
    Worker.objects.filter(pk=lived.worker2.pk).update(home_estate=lived.orphan)
    Estate.objects.filter(pk=lived.orphan.pk).update(lon=0.0, lat=0.0)
    far = Order.objects.filter(urgency="ordinary").order_by("reported_at").last()
    Order.objects.filter(pk=far.pk).update(lon=31.2, lat=121.5)
    found = read_district("310115", 30, TODAY)
    places = [(hand.x, hand.y) for hand in found.staff] + list(zip(found.past.x, found.past.y, strict=True))
    assert len(found.past) == 6 and max(abs(n) for place in places for n in place) < 20
    assert any("no place" in remark for remark in found.remarks)


def test_an_estate_without_a_point_stands_in_the_middle_of_its_town(lived):
    Order.objects.update(lon=None, lat=None)
    Estate.objects.update(lon=None, lat=None)
    found = read_district("310115", 30, TODAY)
    town = found.towns[int(found.past.town[0])]
    assert (found.past.x[0], found.past.y[0]) == (town.x, town.y)
    assert any("middle of their company's orders" in remark for remark in found.remarks)


def test_a_town_without_any_point_is_told_and_stops_nothing(lived):
    Order.objects.filter(reported_at__day=19).update(lon=None, lat=None)
    Estate.objects.update(lon=None, lat=None)
    lived.town.lon = lived.town.lat = None
    lived.town.save()
    found = read_district("310115", 30, TODAY)
    assert "no place" in " ".join(found.remarks)
    assert all(town.x == town.x for town in found.towns)


def test_a_district_without_shifts_workers_or_orders_says_so(lived):
    Shift.objects.all().delete()
    with pytest.raises(BadInput, match="none of the 3 workers has a shift"):
        read_district("310115", 30, TODAY)
    Worker.objects.update(active=False)
    with pytest.raises(BadInput, match="no workers"):
        read_district("310115", 30, TODAY)
    with pytest.raises(BadInput, match="no repairs"):
        read_district("310115", 30, TODAY - timedelta(days=90))
    with pytest.raises(BadInput, match="no district"):
        read_district("999999", 30, TODAY)
    with pytest.raises(BadInput, match="days of history"):
        read_district("310115", 0, TODAY)


def test_shifts_count_on_their_weekdays(lived):
    Shift.objects.all().delete()
    Shift.objects.create(worker=lived.worker, start_min=1080, end_min=1620, weekdays=1)
    hand = next(hand for hand in read_district("310115", 30, TODAY).staff if hand.shifts)
    assert hand.spans(0) == ((1080.0, 1620.0),) and hand.spans(1) == ((0.0, 180.0),) and hand.spans(3) == ()


def test_a_worker_of_another_district_is_not_its_staff(lived):
    other = estates.register_company(district="310104", uscc="91310000132200821H", name="别区物业")
    estates.hire(other, name="外人", skills=["water"], shifts=[(0, 1440)], known_skills=["water"], home=lived.estate)
    assert len(read_district("310115", 30, TODAY).staff) == 3
