"""Arrival codes, last four digits, idempotency keys: what is typed to prove something."""

from datetime import UTC, datetime, timedelta

import pytest

from jiying.core.errors import BadCode, BadInput, KeyReused, NotFound
from jiying.core.geo import Point
from jiying.orders.actions import LAST4_TRIES, act, check_last4
from jiying.orders.actors import STRANGER
from jiying.orders.batch import Command, act_many
from jiying.orders.intake import NewOrder, accept_one
from jiying.orders.models import Event, IdempotencyKey, Order
from jiying.orders.proof import arrival_code, place_code
from jiying.orders.tests.build import report, walk
from jiying.orders.verify import verify
from jiying.people.actions import join
from jiying.people.models import Organisation

T0 = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PHONE = "13812345678"


def wrong(order: Order) -> str:
    return f"{(int(arrival_code(order.pk, 1 + order.reopened)) + 1) % 10_000:04}"


def proof_of(order: Order) -> dict[str, object]:
    return Event.objects.filter(order=order, verb="arrive").latest("version").data


@pytest.fixture
def sent(d):
    """An order a worker is on the way to."""
    return walk(d, report(d), "sign", "take", "depart")


# -- the arrival code ----------------------------------------------------------------------------------


def test_the_code_on_the_residents_page_proves_the_arrival(d, sent):
    act(sent.pk, "arrive", by=d.actor("worker"), data={"code": arrival_code(sent.pk, 1)})
    assert proof_of(sent)["proof"] == "A"


def test_the_code_may_be_typed_in_full_width(d, sent):
    wide = arrival_code(sent.pk, 1).translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    act(sent.pk, "arrive", by=d.actor("worker"), data={"code": f" {wide} "})
    assert proof_of(sent)["proof"] == "A"


def test_a_wrong_code_is_refused_and_yet_on_record(d, sent):
    with pytest.raises(BadCode) as refusal:
        act(sent.pk, "arrive", by=d.actor("worker"), data={"code": wrong(sent)})
    assert "4" in refusal.value.detail
    assert Order.objects.get(pk=sent.pk).state == "en_route"
    event = Event.objects.get(order=sent, verb="wrong_code")
    assert (event.role, event.by, event.data) == ("worker", str(d.users["worker"].pk), {"try": 1})
    assert not verify().broken


def test_a_wrong_code_typed_by_the_centre_is_not_put_down_to_the_worker(d, sent):
    with pytest.raises(BadCode):
        act(sent.pk, "arrive", by=d.actor("operator"), data={"code": wrong(sent)})
    assert Event.objects.get(order=sent, verb="wrong_code").role == "operator"


def test_five_wrong_codes_close_the_door_even_to_the_right_one(d, sent):
    for _ in range(5):
        with pytest.raises(BadCode):
            act(sent.pk, "arrive", by=d.actor("worker"), data={"code": wrong(sent)})
    with pytest.raises(BadCode):
        act(sent.pk, "arrive", by=d.actor("worker"), data={"code": arrival_code(sent.pk, 1)})
    assert Event.objects.filter(order=sent, verb="wrong_code").count() == 5
    act(sent.pk, "arrive", by=d.actor("worker"))
    assert proof_of(sent)["proof"] == "C"


def test_a_reopened_order_has_a_new_code_and_five_tries_again(d, sent):
    for _ in range(5):
        with pytest.raises(BadCode):
            act(sent.pk, "arrive", by=d.actor("worker"), data={"code": wrong(sent)})
    order = walk(d, sent, "arrive", "done", "reopen")
    assert arrival_code(order.pk, 2) != arrival_code(order.pk, 1)
    with pytest.raises(BadCode):
        act(order.pk, "arrive", by=d.actor("worker"), data={"code": arrival_code(order.pk, 1)})
    act(order.pk, "arrive", by=d.actor("worker"), data={"code": arrival_code(order.pk, 2)})
    assert proof_of(order)["proof"] == "A"


def test_many_wrong_codes_in_one_batch_count_like_one_by_one(d, sent):
    by = d.actor("worker")
    at = Order.objects.get(pk=sent.pk).state_since
    results = act_many([Command(sent.pk, "arrive", by, at, {"code": wrong(sent)}) for _ in range(6)])
    assert all(isinstance(result, BadCode) for result in results)
    assert Event.objects.filter(order=sent, verb="wrong_code").count() == 5


def test_the_buildings_sign_proves_with_a_position_near_it_and_not_without(d, sent):
    sign = place_code(d.estate.pk).lower()
    near = {"lon": d.estate.lon + 0.001, "lat": d.estate.lat}
    far = {"lon": d.estate.lon + 0.01, "lat": d.estate.lat}
    for data, grade in (({}, "C"), ({"point": far}, "C"), ({"point": near}, "B")):
        order = walk(d, report(d), "sign", "take")
        act(order.pk, "arrive", by=d.actor("worker"), data={"code": sign, **data})
        assert proof_of(order)["proof"] == grade
    assert "point" not in proof_of(order), "a worker's position is personal: only its commitment stays"


def test_the_sign_of_another_estate_is_a_wrong_code(d, sent):
    with pytest.raises(BadCode):
        act(sent.pk, "arrive", by=d.actor("worker"), data={"code": place_code(d.estate2.pk)})


def test_only_the_centre_vouches_by_calling_back_and_never_for_its_own_company(d, sent):
    order = walk(d, report(d), "sign", "take")
    act(order.pk, "arrive", by=d.actor("operator"), data={"callback": True})
    assert (proof_of(order)["proof"], proof_of(order)["on_behalf"]) == ("A", True)
    act(sent.pk, "arrive", by=d.actor("worker"), data={"callback": True})
    assert proof_of(sent)["proof"] == "C"
    join(d.users["company"], Organisation.objects.get(kind="centre", code="310115"), "operator")
    order = walk(d, report(d), "sign", "take")
    with pytest.raises(Exception, match="不由您"):
        act(order.pk, "arrive", by=d.actor("company"), data={"callback": True})


def test_an_arrival_right_after_typing_the_order_in_is_marked(d):
    order = walk(d, report(d, now=T0), "sign", "take", "arrive", now=T0 + timedelta(seconds=119))
    assert proof_of(order)["soon_after_typing"] is True
    order = walk(d, report(d, now=T0), "sign", "take", "arrive", now=T0 + timedelta(seconds=121))
    assert "soon_after_typing" not in proof_of(order)


def test_a_point_is_kept_in_wgs_84_whatever_system_it_came_in(d, sent):
    at = Point(d.estate.lon, d.estate.lat)
    from jiying.core.geo import to_gcj02

    lon, lat = to_gcj02(at)
    act(sent.pk, "arrive", by=d.actor("worker"), data={"point": {"lon": lon, "lat": lat, "crs": "GCJ-02"}})
    assert proof_of(sent)["distance_m"] <= 1


# -- the last four digits ------------------------------------------------------------------------------


def test_the_holder_of_a_link_proves_to_be_the_reporter_by_the_last_four_digits(d):
    order = report(d, phone=PHONE)
    check_last4(order, "5678")
    for missing in (None, "", "1234"):
        with pytest.raises(BadCode):
            check_last4(order, missing)


def test_without_a_telephone_nothing_is_asked(d):
    check_last4(report(d), None)


def test_five_wrong_tries_close_the_link_for_an_hour(d):
    order = report(d, phone=PHONE, now=T0)
    for _ in range(LAST4_TRIES):
        with pytest.raises(BadCode):
            check_last4(order, "0000", now=T0)
    with pytest.raises(BadCode, match="一小时"):
        check_last4(order, "5678", now=T0 + HOUR - timedelta(seconds=1))
    check_last4(order, "5678", now=T0 + HOUR)


def test_the_right_digits_forgive_the_wrong_ones_and_asking_without_any_is_no_try(d):
    order = report(d, phone=PHONE)
    for _ in range(2):
        for _ in range(LAST4_TRIES - 1):
            with pytest.raises(BadCode):
                check_last4(order, "0000")
            with pytest.raises(BadCode):
                check_last4(order, None)
        check_last4(order, "5678")


# -- idempotency keys ----------------------------------------------------------------------------------


def new(d, **fields):
    return NewOrder(**{"category": "leak", "description": "漏水", "estate": d.estate.code, **fields})


def test_the_same_request_again_gets_the_same_order(d):
    one, fresh = accept_one(new(d), by=STRANGER, caller="a", key="k", now=T0)
    two, again = accept_one(new(d), by=STRANGER, caller="a", key="k", now=T0 + HOUR)
    assert (one.pk, fresh, again) == (two.pk, True, False)
    assert Order.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(d):
    accept_one(new(d), by=STRANGER, caller="a", key="k")
    with pytest.raises(KeyReused):
        accept_one(new(d, description="漏电"), by=STRANGER, caller="a", key="k")
    assert Order.objects.count() == 1


def test_a_key_belongs_to_its_caller_and_lives_for_a_day(d):
    accept_one(new(d), by=STRANGER, caller="a", key="k", now=T0)
    assert accept_one(new(d), by=STRANGER, caller="b", key="k", now=T0)[1]
    assert not accept_one(new(d), by=STRANGER, caller="a", key="k", now=T0 + 24 * HOUR)[1]
    assert accept_one(new(d), by=STRANGER, caller="a", key="k", now=T0 + 24 * HOUR + timedelta(seconds=1))[1]


def test_a_repeated_request_whose_times_have_run_out_meanwhile_still_gets_its_order(d):
    slot = {"from": (T0 + HOUR).isoformat(), "to": (T0 + 2 * HOUR).isoformat()}
    wanted = new(d, category="drain", appointment=slot)
    one, _ = accept_one(wanted, by=STRANGER, caller="a", key="k", now=T0)
    two, fresh = accept_one(wanted, by=STRANGER, caller="a", key="k", now=T0 + 3 * HOUR)
    assert (two.pk, fresh) == (one.pk, False)


@pytest.mark.parametrize("key", ["x" * 201, "a\x00b", "a\nb"])
def test_a_key_nobody_can_repeat_is_refused(d, key):
    with pytest.raises(BadInput) as refusal:
        accept_one(new(d), by=STRANGER, caller="a", key=key)
    assert refusal.value.first_code == "bad_key"


def test_half_an_emoji_in_a_repeatable_request_is_dropped_like_everywhere(d):
    order, _ = accept_one(new(d, description="漏水\ud83d"), by=STRANGER, caller="a", key="k")
    assert order.text.description == "漏水"


def test_an_action_repeated_with_its_key_happens_once(d):
    order = report(d)
    for _ in range(2):
        done = act(order.pk, "urge", by=d.actor("track"), key="k")
        assert done.version == 2
    with pytest.raises(KeyReused):
        act(order.pk, "urge", by=d.actor("track"), data={"text": "快"}, key="k")


def test_a_repeated_take_is_answered_with_the_order_and_not_with_ones_own_name(d):
    order = walk(d, report(d), "sign")
    act(order.pk, "take", by=d.actor("worker"), key="k")
    again = act(order.pk, "take", by=d.actor("worker"), key="k")
    assert (again.state, again.worker) == ("assigned", d.worker)


def test_a_refused_action_binds_no_key(d, sent):
    with pytest.raises(BadCode):
        act(sent.pk, "arrive", by=d.actor("worker"), data={"code": wrong(sent)}, key="k")
    act(sent.pk, "arrive", by=d.actor("worker"), data={"code": arrival_code(sent.pk, 1)}, key="k")
    assert IdempotencyKey.objects.filter(key="k").count() == 1


def test_a_key_gives_no_access(d):
    order = report(d)
    act(order.pk, "note", by=d.actor("company"), data={"text": "已知"}, key="k")
    with pytest.raises(NotFound):
        act(order.pk, "note", by=d.actor("company-2"), data={"text": "已知"}, key="k")
