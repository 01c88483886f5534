"""`verify-chain` finds whatever was done to the log behind its back, and says where and what."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from django.db import connection

from jiying.core.errors import BadCode
from jiying.orders import erasure, watcher
from jiying.orders.actions import act
from jiying.orders.chain import digest
from jiying.orders.commands import events as events_command
from jiying.orders.commands import verify_chain
from jiying.orders.models import Clock, Event, EventText, Order, OrderText
from jiying.orders.tests.build import report, walk
from jiying.orders.verify import verify

EVENT_MEMBERS = "seq id order version verb milestone by role at received_at claimed data prev_hash hash"
T0 = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@pytest.fixture
def order(d):
    """An order with a history; another one beside it that nobody touches."""
    untouched = walk(d, report(d, phone="13812345678"), "sign")
    assert untouched.version == 2
    order = walk(d, report(d, phone="13912345678", name="张三"), "sign", "take", "depart", "arrive")
    act(order.pk, "done", by=d.actor("worker"), data={"note": "换了阀门，找王阿姨拿的钥匙"})
    return Order.objects.get(pk=order.pk)


def found(order):
    """What is broken, as (version, reason); nothing may be found at other orders."""
    report_ = verify()
    assert report_.orders == 2
    assert {b.order for b in report_.broken} <= {str(order.pk)}
    assert verify(order.pk).broken == report_.broken
    return [(b.version, b.reason) for b in report_.broken]


def test_what_nobody_touched_holds(order):
    assert found(order) == []


def tamper(order, number, **columns):
    assert Event.objects.filter(order=order, version=number).update(**columns) == 1


def event(order, version):
    return Event.objects.get(order=order, version=version)


def test_changed_content_is_found(order):
    tamper(order, 5, canonical=event(order, 5).canonical.replace('"arrived"', '"signed"'))
    assert found(order) == [(5, "its content was changed")]


def test_content_that_is_no_json_any_more_is_found(order):
    tamper(order, 6, canonical="broken")
    assert (6, "its content was changed") in found(order)


@pytest.mark.parametrize(
    "columns",
    [
        {"at": T0 - timedelta(days=1)},
        {"received_at": T0 - timedelta(days=1)},
        {"verb": "note"},
        {"milestone": None},
        {"role": "operator"},
        {"by": "somebody"},
        {"claimed": True},
    ],
)
def test_a_changed_column_is_found(order, columns):
    tamper(order, 5, **columns)
    assert found(order) == [(5, "its columns differ from what was hashed")]


def test_a_deleted_event_in_the_middle_is_found(order):
    event(order, 3).delete()
    assert found(order) == [(4, "version 3 is missing")]


def test_a_deleted_tail_is_found(order):
    EventText.objects.filter(order=order).delete()
    event(order, 6).delete()
    assert found(order) == [(6, "the last events are missing")]


def test_an_order_without_its_events_is_found(order):
    EventText.objects.filter(order=order).delete()
    Event.objects.filter(order=order).delete()
    assert found(order) == [(0, "the order has no events")]


def test_swapped_events_are_found(order):
    tamper(order, 4, version=99)
    tamper(order, 3, version=4)
    tamper(order, 99, version=3)
    assert [version for version, _ in found(order)] == [3]


def test_an_event_moved_to_another_order_is_found(d, order):
    other = Order.objects.exclude(pk=order.pk).get()
    Event.objects.filter(order=order, version=6).update(order=other, version=3)
    EventText.objects.filter(order=order).delete()
    assert {b.order for b in verify().broken} == {str(order.pk), str(other.pk)}


def test_content_changed_with_a_fresh_hash_breaks_the_link_behind_it(order):
    third = event(order, 3)
    forged = third.canonical.replace(third.by, "0" * 36)
    tamper(order, 3, canonical=forged, hash=digest(third.prev_hash, forged), by="0" * 36)
    assert found(order) == [(4, "does not follow the event before")]


def test_the_last_event_forged_with_a_fresh_hash_is_found_by_the_orders_head(order):
    last = event(order, 6)
    forged = last.canonical.replace(last.by, "0" * 36)
    tamper(order, 6, canonical=forged, hash=digest(last.prev_hash, forged), by="0" * 36)
    assert found(order) == [(6, "the last events are missing")]


def test_a_changed_text_is_found_and_an_erased_one_is_fine(order):
    text = EventText.objects.get(order=order).text
    EventText.objects.filter(order=order).update(text="什么也没换")
    assert found(order) == [(6, "the text of note was changed")]
    EventText.objects.filter(order=order).update(text=text)
    erasure.erase([order.pk], why="order", reason="")
    assert found(order) == []


def test_a_changed_description_is_found_and_an_erased_one_is_fine(order):
    said = OrderText.objects.get(order=order).description
    OrderText.objects.filter(order=order).update(description="没有说过的话")
    assert found(order) == [(1, "the text of the report was changed")]
    OrderText.objects.filter(order=order).update(description=said)
    erasure.erase([order.pk], why="order", reason="")
    assert found(order) == []


def test_a_contact_that_was_swapped_is_found(order):
    other = OrderText.objects.exclude(order=order).get()
    OrderText.objects.filter(order=order).update(phone=bytes(other.phone))
    assert found(order) == [(1, "the contact cannot be opened")]


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"state": "closed"}, "state"),
        ({"reopened": 3}, "reopened"),
        ({"urgency": "ordinary"}, "urgency"),
        ({"worker": None}, "worker"),
        ({"state_since": T0}, "state_since"),
    ],
)
def test_a_changed_column_of_the_order_is_found(order, columns, what):
    Order.objects.filter(pk=order.pk).update(**columns)
    [(version, reason)] = found(order)
    assert version == 6
    assert reason.startswith(f"{what} is ")


def test_a_promise_that_was_made_good_afterwards_is_found(order):
    Clock.objects.filter(order=order, promise="respond_30").update(state="missed")
    assert found(order) == [(6, "the clock of respond_30 (1) does not follow from the events")]
    Clock.objects.filter(order=order, promise="respond_30").delete()
    assert found(order) == [(6, "the clock of respond_30 (1) does not follow from the events")]


def test_an_order_that_was_moved_to_another_estate_or_another_hour_is_found(order, d):
    Order.objects.filter(pk=order.pk).update(estate=d.estate2, reported_at=T0 + timedelta(hours=1))
    reasons = [reason for _version, reason in found(order)]
    assert [reason.partition(" is ")[0] for reason in reasons] == ["reported_at", "estate"]


def test_an_order_stamped_with_another_pack_is_found(order):
    Order.objects.filter(pk=order.pk).update(pack="kind@1")
    assert found(order) == [(6, "pack is kind@1, the events say example@2026.2")]


def test_what_the_watcher_and_wrong_codes_wrote_holds(d):
    order = walk(d, report(d, now=T0), "sign", "take", now=T0)
    with pytest.raises(BadCode):
        act(order.pk, "arrive", by=d.actor("worker"), data={"code": "99999"}, now=T0)
    watcher.sweep(T0 + timedelta(days=30))
    walk(d, order, "arrive", "done", "confirm", "reopen", now=T0 + timedelta(days=31))
    watcher.sweep(T0 + timedelta(days=60))
    assert not verify().broken


def test_an_order_that_is_gone_as_a_whole_changes_the_head(order, settings, tmp_path):
    settings.HOME = tmp_path
    before = verify().head
    EventText.objects.filter(order=order).delete()
    Event.objects.filter(order=order).delete()
    order.delete()
    after = verify()
    assert [broken.order for broken in after.broken] in ([], [""]), "nobody can say which one it was"
    assert after.head != before


def test_events_of_an_order_that_is_gone_are_found_and_confuse_no_other(order):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps the reference")
    other = Order.objects.exclude(pk=order.pk).get()
    kept = list(Event.objects.filter(order=other))
    with connection.cursor() as cursor:
        for table in ("orders_ordertext", "orders_clock"):
            cursor.execute(f"DELETE FROM {table} WHERE order_id = %s", [other.pk.hex])
        cursor.execute("DELETE FROM orders_order WHERE id = %s", [other.pk.hex])
    try:
        assert [(b.order, b.reason) for b in verify().broken] == [(str(other.pk), "events without their order")]
    finally:
        # The reference is checked when the test's transaction ends.
        Event.objects.filter(pk__in=[event.pk for event in kept]).delete()


# -- the commands --------------------------------------------------------------------------------------


def test_the_command_leaves_with_0_when_all_holds_and_with_1_when_not(order):
    done = CliRunner().invoke(verify_chain, ["--json"])
    said = json.loads(done.stdout)
    assert done.exit_code == 0
    assert sorted(said) == ["broken", "events", "head", "orders"]
    assert (said["orders"], said["events"], said["broken"]) == (2, 8, [])
    tamper(order, 5, verb="note")
    done = CliRunner().invoke(verify_chain, [str(order.pk), "--json"])
    said = json.loads(done.stdout)
    assert done.exit_code == 1
    assert said["broken"] == [
        {"order": str(order.pk), "version": 5, "reason": "its columns differ from what was hashed"}
    ]


def test_without_json_what_is_broken_goes_to_stderr(order):
    tamper(order, 5, verb="note")
    done = CliRunner().invoke(verify_chain, [order.number])
    assert done.exit_code == 1
    assert f"order {order.pk}, event 5" in done.stderr
    assert "1 orders, 6 events, 1 broken" in done.stdout


def test_an_order_that_does_not_exist_is_wrong_use(db):
    for command in (verify_chain, events_command):
        done = CliRunner().invoke(command, ["261124-000000", "--json"])
        assert (done.exit_code, done.stdout) == (2, "")


def test_the_events_of_an_order_are_listed_as_the_interface_shows_them(order):
    done = CliRunner().invoke(events_command, [order.number, "--json"])
    items = json.loads(done.stdout)["events"]
    assert [item["version"] for item in items] == [1, 2, 3, 4, 5, 6]
    assert set(items[0]) == set(EVENT_MEMBERS.split())
    assert items[1]["prev_hash"] == items[0]["hash"]
    assert items[5]["data"]["note"].startswith("换了阀门")
    assert items[0]["at"].endswith("+08:00")
    assert "sign" in CliRunner().invoke(events_command, [str(order.pk)]).stdout
