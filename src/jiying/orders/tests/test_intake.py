"""How an order begins: what is accepted, what is refused, and everything wrong at once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from jiying.core.errors import BadInput
from jiying.core.geo import Point, to_gcj02
from jiying.estates.actions import sign_contract
from jiying.estates.models import Building
from jiying.orders.actors import STRANGER
from jiying.orders.intake import NewOrder, accept, accept_one
from jiying.orders.models import Clock, Event, Order, OrderText
from jiying.orders.proof import track_token
from jiying.orders.queries import by_track
from jiying.orders.tests.build import report

T0 = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def refused(d, *, by=STRANGER, now=T0, **fields):
    """The (field, code) pairs of the refusal; nothing may have been written."""
    fields = {"category": "leak", "description": "漏水", "estate": d.estate.code, **fields}
    before = Order.objects.count()
    with pytest.raises(BadInput) as refusal:
        accept_one(NewOrder(**fields), by=by, caller="test", now=now)
    assert Order.objects.count() == before
    assert all(error.message for error in refusal.value.errors)
    return [(error.field, error.code) for error in refusal.value.errors]


WRONG = [
    ({"estate": "E9"}, "estate", "unknown_estate"),
    ({"estate": "E1\x00"}, "estate", "unknown_estate"),
    ({"estate": "\ud800"}, "estate", "unknown_estate"),
    ({"estate": ["E1"]}, "estate", "unknown_estate"),
    ({"estate": {"code": "E1"}}, "estate", "unknown_estate"),
    ({"estate": 7}, "estate", "unknown_estate"),
    ({"building": "9号楼"}, "building", "unknown_building"),
    ({"building": "\x00"}, "building", "unknown_building"),
    ({"category": ""}, "category", "unknown_category"),
    ({"category": None}, "category", "unknown_category"),
    ({"category": ["leak"]}, "category", "unknown_category"),
    ({"category": "LEAK"}, "category", "unknown_category"),
    ({"kind": "war"}, "kind", "unknown_kind"),
    ({"kind": None}, "kind", "unknown_kind"),
    ({"kind": {}}, "kind", "unknown_kind"),
    ({"urgency": "now"}, "urgency", "unknown_urgency"),
    ({"urgency": ["emergency"]}, "urgency", "unknown_urgency"),
    ({"phone": "12345"}, "reporter.phone", "bad_phone"),
    ({"phone": 13812345678}, "reporter.phone", "bad_phone"),
    ({"phone": "1381234567八"}, "reporter.phone", "bad_phone"),
    ({"description": ""}, "description", "required"),
    ({"description": None}, "description", "required"),
    ({"description": " \n\u3000\u200b"}, "description", "required"),
    ({"description": "\x00\x00"}, "description", "required"),
    ({"description": 5}, "description", "invalid"),
    ({"description": "水" * 4001}, "description", "too_long"),
    ({"description": "水" * 100_000}, "description", "too_long"),
    ({"name": "王" * 61}, "reporter.name", "too_long"),
    ({"name": ["王"]}, "reporter.name", "invalid"),
    ({"unit": "x" * 61}, "unit", "too_long"),
    ({"address": "x" * 201}, "address", "too_long"),
    ({"point": "here"}, "point", "bad_point"),
    ({"point": {}}, "point", "bad_point"),
    ({"point": {"lon": "a", "lat": 31}}, "point", "bad_point"),
    ({"point": {"lon": float("nan"), "lat": 31}}, "point", "bad_point"),
    ({"point": {"lon": True, "lat": False}}, "point", "bad_point"),
    ({"point": {"lon": 0, "lat": 0}}, "point", "bad_point"),
    ({"point": {"lon": 31.22, "lat": 121.52}}, "point", "bad_point"),
    ({"point": {"lon": 125.0, "lat": 30.0}}, "point", "bad_point"),
    ({"point": {"lon": 121.52, "lat": 31.22, "crs": "BD-09"}}, "point", "bad_point"),
    ({"point": {"lon": 121.52, "lat": 31.22, "crs": ["WGS-84"]}}, "point", "bad_point"),
    ({"called_at": "2026-11-24T05:00:00Z"}, "called_at", "bad_time"),
]


@pytest.mark.parametrize(("fields", "field", "code"), WRONG)
def test_wrong_input_is_refused_by_field(d, fields, field, code):
    assert refused(d, **fields) == [(field, code)]


def test_everything_wrong_is_said_at_once(d):
    wrong = refused(
        d, kind="war", category="ufo", estate="E9", description="", phone="1", urgency="now", point={"lon": 1},
        appointment={"from": "x"},
    )  # fmt: skip
    assert {field for field, _ in wrong} == {
        "kind", "category", "estate", "description", "reporter.phone", "urgency", "point", "appointment.from"
    }  # fmt: skip


def test_an_order_needs_a_place_and_an_address_is_one(d):
    assert refused(d, estate=None) == [("estate", "required")]
    assert refused(d, estate="", address="  ") == [("estate", "required")]
    order = report(d, estate=None, address="浦东大道 1 号门口")
    assert (order.estate, order.town, order.company, order.district) == (None, None, None, "310115")


def test_a_building_without_its_estate_is_part_of_the_address_rather_than_lost(d):
    order = report(d, estate=None, address="浦东大道 1 号", building="甲楼")
    assert (order.building, order.text.address) == (None, "浦东大道 1 号 甲楼")


def test_a_missing_place_is_said_together_with_what_else_is_wrong(d):
    assert refused(d, estate=None, description="") == [("description", "required"), ("estate", "required")]


def test_a_building_is_found_by_name_or_id_and_only_in_its_estate(d):
    assert report(d, building="1号楼").building == d.building
    assert report(d, building=str(d.building.pk)).building == d.building
    other = Building.objects.create(estate=d.estate2, name="2号楼")
    assert refused(d, building=str(other.pk)) == [("building", "unknown_building")]


def test_an_estate_is_found_by_its_code_or_its_id(d):
    assert report(d, estate=str(d.estate.pk)).estate == d.estate
    order = report(d, estate=d.orphan.code)
    assert (order.estate, order.company, order.town) == (d.orphan, None, d.town)


def test_a_point_is_read_in_its_own_system_and_finds_the_town(d):
    lon, lat = to_gcj02(Point(121.519, 31.225))
    order = report(d, estate=None, point={"lon": lon, "lat": lat, "crs": "GCJ-02"})
    assert (order.town, order.committee, order.company) == (d.town, None, None)
    assert (order.lon, order.lat) == pytest.approx((121.519, 31.225), abs=1e-6)


def test_a_point_outside_the_district_is_refused(d):
    assert refused(d, estate=None, point={"lon": 116.4, "lat": 39.9}) == [("point", "bad_point")]


def test_text_is_kept_as_it_was_typed_without_control_characters(d):
    typed = "<script>alert(1)</script> 🚿👨‍👩‍👧 =1+1\r\n第二行\x00\x07\u202e\ud83d"
    order = report(d, description=typed)
    assert OrderText.objects.get(order=order).description == "<script>alert(1)</script> 🚿👨‍👩‍👧 =1+1\n第二行"


def test_the_call_starts_the_clock_when_a_call_taker_says_so(d):
    called = T0 - timedelta(minutes=7)
    order = report(d, by=d.actor("operator"), called_at=called.isoformat(), now=T0)
    event = Event.objects.get(order=order)
    assert (order.reported_at, event.at, event.received_at, event.role) == (called, called, T0, "operator")
    assert event.claimed
    assert Clock.objects.get(order=order, promise="respond_30").due_at == called + timedelta(minutes=30)


@pytest.mark.parametrize("called", [T0 + timedelta(seconds=1), T0 - 24 * HOUR - timedelta(seconds=1), "gestern", 5])
def test_a_call_in_the_future_or_long_ago_is_refused(d, called):
    called = called.isoformat() if isinstance(called, datetime) else called
    assert refused(d, by=d.actor("operator"), called_at=called) == [("called_at", "bad_time")]


def test_a_call_24_hours_ago_is_just_accepted(d):
    assert report(d, by=d.actor("operator"), called_at=(T0 - 24 * HOUR).isoformat(), now=T0)


def test_a_resident_with_an_account_cannot_backdate_either(d):
    assert refused(d, by=d.actor("resident"), called_at=T0.isoformat()) == [("called_at", "bad_time")]


def slot(start, end):
    return {"from": (T0 + start).isoformat(), "to": (T0 + end).isoformat()}


def test_an_appointment_starts_the_clock_at_the_start_of_its_window(d):
    order = report(d, category="drain", appointment=slot(5 * HOUR, 7 * HOUR), now=T0)
    assert Clock.objects.get(order=order, promise="complete").from_at == T0 + 5 * HOUR


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (slot(2 * HOUR, HOUR), "appointment"),
        (slot(-2 * HOUR, -HOUR), "appointment"),
        (slot(61 * 24 * HOUR, 62 * 24 * HOUR), "appointment"),
        ({"from": (T0 + HOUR).isoformat()}, "appointment.to"),
        ({"from": "2026-11-24T15:00:00", "to": "2026-11-24T16:00:00"}, "appointment.from"),
        ("tomorrow", "appointment"),
    ],
)
def test_an_appointment_is_a_window_in_the_next_60_days(d, window, field):
    assert refused(d, category="drain", appointment=window) == [(field, "bad_time")]


def test_an_emergency_is_not_put_off_to_an_appointment(d):
    assert refused(d, category="leak", appointment=slot(HOUR, 2 * HOUR)) == [("appointment", "invalid")]


def test_who_is_signed_in_owns_the_report_and_staff_does_not(d):
    assert report(d, by=d.actor("resident")).reporter == d.users["resident"]
    assert report(d, by=d.actor("operator")).reporter is None


def test_urgency_follows_the_category_for_repairs_only(d):
    assert report(d, category="leak").urgency == "emergency"
    assert report(d, category="leak", urgency="ordinary").urgency == "ordinary"
    assert report(d, category="leak", kind="enquiry").urgency == "ordinary"


def test_the_day_of_an_order_is_the_districts_own_day(d):
    """At 00:30 in Shanghai it is still yesterday in UTC; the new company serves from midnight on the spot."""
    sign_contract(d.company2, d.estate, since=date(2026, 11, 25))
    after = report(d, now=datetime(2026, 11, 24, 16, 30, tzinfo=UTC))
    before = report(d, now=datetime(2026, 11, 24, 15, 59, tzinfo=UTC))
    assert (after.company, after.number[:6]) == (d.company2, "261125")
    assert (before.company, before.number[:6]) == (d.company, "261124")


def test_many_at_once_are_each_accepted_or_refused_in_their_order(d):
    news = [
        NewOrder(category="leak", description="一", estate="E1"),
        NewOrder(category="ufo", description="二", estate="E1"),
        NewOrder(category="drain", description="三", estate="E2"),
    ]
    one, two, three = accept(news, by=STRANGER, now=T0)
    assert one.order is not None
    assert one.error is None
    assert two.error is not None
    assert two.order is None
    assert three.order is not None
    assert three.order.company == d.company2
    assert Order.objects.count() == 2


def test_the_tracking_token_finds_the_order_and_is_not_in_the_database(d):
    order = report(d)
    token = track_token(order.pk)
    assert by_track(token) == order
    assert by_track(token[:-1] + "x") is None
    assert token not in Order.objects.get(pk=order.pk).track
