"""How far the dispatcher looks: a setting per town and skill, within what entitles, and what a wider one would have."""

from __future__ import annotations

from datetime import date

import pytest

from jiying.core.errors import BadInput
from jiying.dispatch import queries, saying
from jiying.dispatch.keeping import Keeper
from jiying.dispatch.models import Pool
from jiying.dispatch.pools import overlapping
from jiying.dispatch.service import advise
from jiying.dispatch.tests.town import T0, after, assigned, automatic, hire, let_it_work, station
from jiying.dispatch.wire import suggestions_json
from jiying.estates import actions as estates
from jiying.estates.models import AllianceMember, Worker
from jiying.orders.actions import act
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.build import report

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def d(transactional_db: None) -> build.District:
    """Around one estate somebody of every pool: two of the house, one of the company's elsewhere, a station, an ally,
    a centre.
    """
    d = build.district()
    hire(d, d.company, "别处", home=d.orphan)
    station(d)
    station(d, tier="centre")
    Worker.objects.filter(pk=d.worker2.pk).update(home_estate=d.estate)
    estates.ally("东片联盟", [d.company, d.company2], since=date(2020, 1, 1))
    return d


def pool(d: build.District, reach: str, **more: object) -> Pool:
    return Pool.objects.create(district=d.division.code, reach=reach, **more)


def sent(d: build.District, **fields: object) -> list[str]:
    """The pools of those who may be sent, in their order."""
    order = Order.objects.select_related("estate", "town", "company").get(pk=report(d, now=T0, **fields).pk)
    return [choice.candidate.pool for choice in advise(order, now=T0).ranking.ranked]


def test_without_a_line_it_is_the_company_the_stations_and_the_centres(d):
    assert sent(d) == ["team", "team", "company", "town", "district"]


@pytest.mark.parametrize(
    ("reach", "who"),
    [
        ("team", ["team", "team"]),
        ("company", ["team", "team", "company"]),
        ("town", ["team", "team", "company", "town"]),
        ("alliance", ["team", "team", "alliance", "company", "town"]),
        ("district", ["team", "team", "alliance", "company", "town", "district"]),
    ],
)
def test_each_reach_takes_in_those_before_it(d, reach, who):
    pool(d, reach)
    assert sent(d) == who


def test_a_town_says_more_than_a_skill_and_a_line_not_in_force_says_nothing(d):
    pool(d, "team", skill="water")
    pool(d, "town", town=d.town)
    assert sent(d) == ["team", "team", "company", "town"]
    pool(d, "company", town=d.town, skill="lift")
    assert sent(d, category="lift") == ["team", "team", "company"]
    for line in Pool.objects.all():
        line.valid_to = T0.date()
        line.save()
    assert sent(d) == ["team", "team", "company", "town", "district"]


def test_a_pool_entitles_nobody(d):
    """However wide: without agreement, contract or mandate nobody is sent."""
    pool(d, "district")
    AllianceMember.objects.filter(company=d.company2).update(valid_to=T0.date())
    assert "alliance" not in sent(d)
    assert sent(d, estate=d.orphan.code) == ["town", "district"]


def test_an_ally_goes_before_the_station_and_also_where_the_company_gave_back(d):
    automatic(d)
    pool(d, "alliance")
    order = report(d, now=T0)
    act(order.pk, "return", by=d.actor("company"), data={"reason": "人手不够"}, now=after(0.5))
    let_it_work(after(2))
    assert assigned(order) == [(str(d.worker2.pk), "rule")]
    event = Event.objects.get(order=order, verb="assign")
    assert event.data["advice"]["pool"] == "alliance"
    assert "区域联盟" in saying.why(event.data["advice"])


def test_what_a_wider_pool_would_have_stands_beside_and_is_never_sent(d):
    automatic(d)
    pool(d, "team")
    Worker.objects.filter(pk__in=(d.worker.pk, d.mate.pk)).update(skills=["water"])
    Worker.objects.filter(pk=d.mate.pk).update(active=False)
    Keeper().keep(T0)
    lift = report(d, now=T0, category="lift")
    assert let_it_work(after(1.1)) == 0, "nobody of the team can, and nobody else is sent"
    asked = Event.objects.get(order=lift, verb="ask_centre").data
    assert asked["step"] == "nobody" and asked["left_out"]["outside"] == 1
    assert asked["outside"] == {"n": 4, "minutes": 2}
    joined = Order.objects.select_related("estate", "town", "company").get(pk=lift.pk)
    (shown,) = queries.suggestions([joined], d.actor("operator").scope, now=after(2))
    told = suggestions_json(shown)
    assert (told["items"], told["outside"]) == ([], {"n": 4, "minutes": 2})
    # Where the best of the pool is there already, nobody outside is sooner.
    leak = report(d, now=after(2))
    assert let_it_work(after(3.2)) == 1
    assert Event.objects.get(order=leak, verb="assign").data["advice"]["outside"] == {"n": 0, "minutes": None}


def test_a_person_sees_by_which_pool_somebody_may_be_sent(d):
    pool(d, "district")
    joined = Order.objects.select_related("estate", "town", "company").get(pk=report(d, now=T0).pk)
    (shown,) = queries.suggestions([joined], d.actor("operator").scope, limit=10, now=T0)
    items = suggestions_json(shown)["items"]
    assert [item["pool"] for item in items] == ["team", "team", "alliance", "company", "town", "district"]
    assert [item["tier"] for item in items] == ["team", "team", "team", "team", "station", "centre"]


def test_lines_that_overlap_are_found(d):
    pool(d, "team", valid_to=date(2026, 1, 1))
    pool(d, "town", valid_from=date(2026, 1, 1))
    pool(d, "town", skill="lift")
    assert list(overlapping()) == []
    late = pool(d, "company", valid_from=date(2026, 6, 1))
    assert [other.pk for _one, other in overlapping()] == [late.pk]


def test_an_alliance_has_two_companies_of_one_district_and_an_end_after_its_beginning(d):
    for companies, until in (([d.company, d.company], None), ([d.company, d.company2], date(2020, 1, 1))):
        with pytest.raises(BadInput):
            estates.ally("不成", companies, since=date(2020, 1, 1), until=until)
