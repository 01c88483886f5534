"""The outbox: from events to what really left the house, once, together, and not against a switch."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from jiying.notices import actions, sending
from jiying.notices.channels import load
from jiying.notices.models import Message
from jiying.notices.queries import standing, told_about
from jiying.notices.setup import BadSetup, read, setup
from jiying.notices.tests.outside import gateway, set_up, sms
from jiying.notices.tests.sent import PHONE, after, sweep, unsigned, wants
from jiying.notices.wishes import wish_of
from jiying.orders import watcher
from jiying.orders.tests.build import report, walk
from jiying.people.models import Audit


def test_without_a_setup_nothing_leaves_the_house(d, told):
    wants(d, "manager", phone=PHONE, email="m@example.org")
    unsigned(report(d))
    assert told()
    assert not Message.objects.exists()


def test_twenty_alike_within_a_moment_are_one_message_and_all_are_told(d, told):
    wants(d, "manager", phone=PHONE)
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        orders = [report(d) for _ in range(20)]
        unsigned(orders[-1])
        watcher.sweep(after(orders[-1], 3.1))
        told()
        assert sweep("sms", after(orders[-1], 5)) == 1
    assert len(carrier.got) == 1
    assert "20" in carrier.bodies[0]["say"]
    assert sorted(set(Message.objects.values_list("state", flat=True))) == ["carried", "sent"]
    for order in orders:
        assert {line.state for line in told_about(order) if line.channel == "sms"} == {"sent"}


def test_what_was_answered_meanwhile_is_not_sent(d, told):
    wants(d, "manager", phone=PHONE)
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        order = report(d)
        unsigned(order)
        told()
        walk(d, order, "sign")
        told()
        sweep("sms", after(order, 5))
    assert carrier.got == []
    assert Message.objects.get().state == "spared"


def test_a_batch_read_twice_sends_once(d, told):
    wants(d, "manager", phone=PHONE)
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        order = report(d)
        unsigned(order)
        told()
        told()
        sweep("sms", after(order, 4))
        told()
        sweep("sms", after(order, 10))
    assert len(carrier.got) == 1


def test_a_stopped_channel_sends_nothing_and_keeps_everything_until_it_is_started(d, told):
    wants(d, "manager", phone=PHONE)
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        order = report(d)
        unsigned(order)
        told()
        actions.stop_channel("sms", by=d.users["supervisor"], reason="误发", origin="127.0.0.1")
        actions.stop_channel("sms", by=d.users["supervisor"], reason="误发", origin="127.0.0.1")
        assert sweep("sms", after(order, 30)) == 0
        assert carrier.got == []
        (how,) = [one for one in standing(after(order, 30)) if one.name == "sms"]
        assert (how.waiting, how.overdue, how.stopped.reason) == (1, 1, "误发")
        actions.start_channel("sms", by=d.users["supervisor"], reason="好了", origin="127.0.0.1")
        assert sweep("sms", after(order, 30)) == 1
    rows = Audit.objects.filter(action="channel").order_by("at")
    assert [(row.data["change"], row.reason, row.role) for row in rows] == [
        ("stop", "误发", "supervisor"), ("start", "好了", "supervisor"),
    ]  # fmt: skip


def test_a_demo_tells_nobody_outside_whatever_is_set_up(d, told):
    # Nested, not by the fixture: settings that are put back in another order than they were set stay behind.
    with gateway() as carrier, set_up(sms=sms(carrier.url)), override_settings(DEMO=True):
        report(d, phone="13900001111")
        told()
        assert sweep("sms") == 0
        assert not Message.objects.exists()


def test_addresses_and_numbers_are_sealed(d):
    wants(d, "manager", phone=PHONE, email="m@example.org")
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone, email FROM notices_wishes")
        phone, email = map(bytes, cursor.fetchone())
    assert b"138" not in phone and b"example" not in email
    assert wish_of(d.users["manager"]).phone == PHONE


def test_a_setup_with_a_slip_leaves_the_one_before_in_force(d, settings):
    with set_up(sms=sms("http://127.0.0.1:9/")):
        assert setup().ready() == ["sms"]
        path = settings.HOME / "notices.yaml"
        path.write_text("public_url: 7", "utf-8")
        assert setup().ready() == ["sms"]
        with pytest.raises(BadSetup, match=r"notices\.yaml"):
            read()


@pytest.mark.needs_postgres
@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_each_message_once(d, told):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    for role in ("manager", "company"):
        wants(d, role, phone=PHONE)
    with gateway() as carrier, set_up(sms=sms(carrier.url, timeout_s=10)):
        for _ in range(6):
            unsigned(report(d))
        told()
        Message.objects.update(due_at=timezone.now())
        both = threading.Barrier(2)

        def work() -> None:
            both.wait()
            try:
                while sending.sweep(load()["sms"], timezone.now() + timedelta(minutes=1)):
                    pass
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(carrier.keys) == len(set(carrier.keys)) == Message.objects.filter(state="sent").count()
    assert not Message.objects.filter(state__in=("waiting", "sending", "failed")).exists()
