"""The outbox: from events to what really left the house, with real servers that fail in real ways."""

from __future__ import annotations

import socket
import threading
from datetime import datetime, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from jiying.notices import actions, outgoing, sending
from jiying.notices.channels import load
from jiying.notices.models import Message, Notice
from jiying.notices.outgoing import Wish
from jiying.notices.packing import sign
from jiying.notices.queries import standing, told_about
from jiying.notices.setup import BadSetup, read, setup
from jiying.notices.tests.outside import gateway, mail_server, set_up, sms
from jiying.notices.wishes import keep, wish_of
from jiying.orders import watcher
from jiying.orders.actions import act
from jiying.orders.tests.build import report, walk
from jiying.people.models import Audit, User

PHONE = "+8613812345678"


def wants(d, role: str, **wish) -> User:
    user = d.users[role]
    keep(user, Wish(**wish))
    return user


def sweep(channel: str, now: datetime | None = None) -> int:
    """Send all that is due; how many parcels."""
    count, now = 0, now or timezone.now() + timedelta(minutes=1)
    while sending.sweep(load()[channel], now):
        count += 1
    return count


def unsigned(order, minutes: float = 3) -> None:
    watcher.sweep(order.reported_at + timedelta(minutes=minutes, seconds=1))


def after(order, minutes: float) -> datetime:
    return order.reported_at + timedelta(minutes=minutes)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_without_a_setup_nothing_leaves_the_house(d, told):
    wants(d, "manager", phone=PHONE, email="m@example.org")
    unsigned(report(d))
    assert told()
    assert not Message.objects.exists()


def test_a_mail_says_what_is_asked_where_and_which_order(d, told, port):
    wants(d, "manager", email="m@example.org")
    with mail_server(port) as box, set_up(email={"host": "127.0.0.1", "port": port, "from": "jiying@example.org"}):
        order = report(d)
        unsigned(order)
        told()
        sweep("email", after(order, 4))
    ((to, mail),) = box.got
    read_back = message_from_bytes(mail.encode())
    body = read_back.get_payload(decode=True).decode()
    assert to == ["m@example.org"]
    assert "3分钟未签收" in str(make_header(decode_header(read_back["Subject"])))
    assert order.number in body and "潍坊花园" in body and "https://jiying.example/inbox" in body
    message = Message.objects.get()
    assert read_back["Message-ID"] == f"<{message.pk}@jiying>"
    assert (message.state, message.attempts) == ("sent", 1)


def test_a_mail_server_that_is_down_and_comes_back_loses_nothing(d, told, port):
    for role in ("manager", "company"):
        wants(d, role, email=f"{role}@example.org")
    with set_up(email={"host": "127.0.0.1", "port": port, "from": "jiying@example.org", "timeout_s": 1}):
        order = report(d)
        unsigned(order)
        told()
        sweep("email", after(order, 4))
        assert set(Message.objects.values_list("state", "reason")) == {("waiting", "ConnectionRefusedError")}
        with mail_server(port) as box:
            assert sweep("email", after(order, 4)) == 0
            sweep("email", after(order, 5))
    assert sorted(to for to, _mail in box.got) == [["company@example.org"], ["manager@example.org"]]
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 2)}


def test_a_mailbox_that_does_not_exist_is_not_tried_again_and_the_centre_hears_of_it(d, told, port):
    wants(d, "manager", email="m@example.org")
    with mail_server(port) as box, set_up(email={"host": "127.0.0.1", "port": port, "from": "jiying@example.org"}):
        box.refuse = "550 no such user m@example.org"
        order = report(d)
        unsigned(order)
        told()
        for minute in (4, 5, 6, 8, 12, 20, 40):
            sweep("email", after(order, minute))
    message = Message.objects.get()
    assert (message.state, message.reason) == ("failed", "SMTP 550")
    assert told()["operator"] == {"unsigned_3"}
    assert Notice.objects.get(kind="unreached").user == d.users["operator"]


def test_a_text_message_has_at_most_seventy_characters_and_nothing_of_the_resident(d, told):
    wants(d, "manager", phone=PHONE)
    with gateway() as carrier, set_up(sms=sms(carrier.url, secret="a secret of sixteen")):
        order = report(d, name="王小明", phone="13900001111", unit="1203室")
        unsigned(order)
        told()
        sweep("sms", after(order, 4))
    (said,) = [body for body in carrier.bodies if body["to"] == PHONE]
    assert len(said["say"]) <= 70
    assert order.number in said["say"] and "潍坊花园" in said["say"]
    assert "王" not in said["say"] and "1203" not in said["say"]
    assert carrier.got[0][0]["X-Jiying-Signature"].startswith("t=")


def test_a_gateway_that_answers_500_is_asked_again_later_each_time_with_the_same_id(d, told):
    wants(d, "manager", phone=PHONE)
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        carrier.status = 500
        order = report(d)
        unsigned(order)
        told()
        now, seen = after(order, 4), []
        while (message := Message.objects.get()).state != "failed":
            seen.append(message.due_at - now)
            now = message.due_at
            assert sweep("sms", now - timedelta(seconds=1)) == 0
            sweep("sms", now)
    assert [rest.seconds for rest in seen[1:]] == [15, 30, 60, 120, 240]
    assert len(carrier.got) == outgoing.ATTEMPTS
    assert set(carrier.keys) == {str(message.pk)}
    assert message.reason == "HTTP 500"
    assert "operator" in told()


@pytest.mark.django_db(transaction=True)
def test_a_gateway_that_hangs_delays_no_other_channel(d, told, port):
    wants(d, "manager", phone=PHONE, email="m@example.org")
    with gateway() as carrier, mail_server(port) as box:
        carrier.hang = True
        mail = {"host": "127.0.0.1", "port": port, "from": "jiying@example.org"}
        with set_up(sms=sms(carrier.url, timeout_s=20), email=mail):
            order = report(d)
            unsigned(order)
            told()
            Message.objects.update(due_at=timezone.now())
            reached = threading.Event()
            carrier.on_post = reached.set
            blocked = threading.Thread(target=_in_thread, args=("sms",))
            blocked.start()
            assert reached.wait(10)
            sweep("email")
            assert len(box.got) == 1
            carrier.over.set()
            blocked.join()


def _in_thread(channel: str) -> None:
    try:
        sending.sweep(load()[channel], timezone.now() + timedelta(minutes=1))
    finally:
        connection.close()


@pytest.mark.parametrize(("idempotent", "state"), [(True, "waiting"), (False, "failed")])
def test_after_silence_only_a_gateway_that_drops_repeats_is_asked_again(d, told, idempotent, state):
    wants(d, "manager", phone=PHONE)
    with gateway() as carrier, set_up(sms=sms(carrier.url, timeout_s=0.3, idempotent=idempotent)):
        carrier.hang = True
        order = report(d)
        unsigned(order)
        told()
        sweep("sms", after(order, 4))
    message = Message.objects.get()
    assert message.state == state
    assert message.reason.startswith("no answer")


class Killed(BaseException):
    """What nothing catches: the process is gone."""


@pytest.mark.parametrize(("idempotent", "ids", "state"), [(True, 2, "sent"), (False, 1, "failed")])
def test_a_crash_between_sending_and_recording(d, told, monkeypatch, idempotent, ids, state):
    wants(d, "manager", phone=PHONE)
    with gateway() as carrier, set_up(sms=sms(carrier.url, idempotent=idempotent)):
        order = report(d)
        unsigned(order)
        told()
        now = after(order, 4)
        with monkeypatch.context() as patch:

            def killed(_message: Message) -> None:
                raise Killed

            patch.setattr(sending, "_ours", killed)
            with pytest.raises(Killed):
                sweep("sms", now)
        assert Message.objects.get().state == "sending"
        # Nobody touches it while its lease runs.
        assert sweep("sms", now + timedelta(minutes=1)) == 0
        sweep("sms", now + sending.LEASE + timedelta(seconds=1))
    assert len(carrier.got) == ids
    assert len(set(carrier.keys)) == 1
    assert Message.objects.get().state == state


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


def test_a_digest_carries_what_is_ordinary_in_one_mail(d, told, port):
    wants(d, "manager", email="m@example.org", digest="hour", quiet_from=0, quiet_to=0)
    with mail_server(port) as box, set_up(email={"host": "127.0.0.1", "port": port, "from": "jiying@example.org"}):
        for _ in range(3):
            order = report(d, category="environment", urgency="ordinary")
            act(order.pk, "urge", by=d.actor("company"), data={})
        told()
        assert sweep("email", timezone.now()) == 0
        assert sweep("email", timezone.now() + timedelta(hours=1)) == 1
    assert len(box.got) == 1
    assert Message.objects.filter(state="carried").count() == 2


def test_quiet_hours_chosen_after_the_event_hold_too(d, told, port):
    mail = {"email": "m@example.org", "digest": "now"}
    wants(d, "manager", **mail, quiet_from=0, quiet_to=0)
    with mail_server(port) as box, set_up(email={"host": "127.0.0.1", "port": port, "from": "jiying@example.org"}):
        order = report(d, category="environment", urgency="ordinary")
        act(order.pk, "urge", by=d.actor("company"), data={})
        told()
        now = timezone.localtime() + timedelta(minutes=10)
        minute = now.hour * 60 + now.minute
        wants(d, "manager", **mail, quiet_from=(minute - 30) % 1440, quiet_to=(minute + 30) % 1440)
        sweep("email", now)
        assert box.got == []
        sweep("email", now + timedelta(minutes=31))
        assert len(box.got) == 1


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


def test_a_call_that_nobody_acknowledges_is_made_again_and_then_the_next_is_told(d, told):
    wants(d, "manager", phone=PHONE, urgent=("voice",))
    with gateway() as exchange, set_up(voice=sms(exchange.url, answer_within_min=2)):
        order = report(d)
        unsigned(order)
        told()
        for minute in (4, 5, 6.1, 8.2, 10.3, 12.4):
            sweep("voice", after(order, minute))
    assert len(exchange.got) == sending.CALLS
    # Each call has an id of its own: a gateway that drops repeats must not drop the second ring.
    assert len(set(exchange.keys)) == sending.CALLS
    message = Message.objects.get()
    assert (message.state, message.reason) == ("failed", "not acknowledged")
    assert Notice.objects.get(kind="unreached").user == d.users["operator"]


def test_a_keypress_ends_the_calling(d, told, client):
    wants(d, "manager", phone=PHONE, urgent=("voice",))
    with gateway() as exchange, set_up(voice=sms(exchange.url)):
        order = report(d)
        unsigned(order)
        told()
        sweep("voice", after(order, 4))
        path = exchange.bodies[0]["callback"].removeprefix("https://jiying.example")
        assert client.post(path, {"key": ""}).status_code == 204
        assert Message.objects.get().state == "sent"
        assert client.post(path[:-1] + "x", {"key": "1"}).status_code == 404
        assert client.get(path).status_code == 405
        assert Message.objects.get().acknowledged_at is None
        assert client.post(path, {"key": "1"}, content_type="application/json").status_code == 204
        sweep("voice", after(order, 30))
    assert len(exchange.got) == 1
    message = Message.objects.get()
    assert message.state == "acknowledged"
    assert Notice.objects.get(user=d.users["manager"]).read_at is not None
    assert sign(message.pk) != sign(order.pk)


def test_a_keypress_before_the_gateways_answer_is_not_overwritten(d, told):
    wants(d, "manager", phone=PHONE, urgent=("voice",))
    with gateway() as exchange, set_up(voice=sms(exchange.url)):
        order = report(d)
        unsigned(order)
        told()
        real = load()["voice"].send

        def pressed_at_once(parcel, settings, *, private):
            real(parcel, settings, private=private)
            assert sending.acknowledge(Message.objects.get().pk)

        object.__setattr__(load()["voice"], "send", pressed_at_once)
        try:
            sweep("voice", after(order, 4))
        finally:
            object.__setattr__(load()["voice"], "send", real)
    assert Message.objects.get().state == "acknowledged"


def test_who_has_read_it_in_the_inbox_is_not_called_any_more(d, told):
    manager = wants(d, "manager", phone=PHONE, urgent=("voice",))
    with gateway() as exchange, set_up(voice=sms(exchange.url)):
        order = report(d)
        unsigned(order)
        told()
        actions.mark_read(manager)
        sweep("voice", after(order, 4))
    assert exchange.got == []
    assert Message.objects.get().state == "acknowledged"


def test_a_resident_who_left_a_number_hears_how_it_goes_and_follows_by_the_link(d, told):
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        order = report(d, phone="13900001111")
        walk(d, order, "sign", "assign", "depart", "arrive")
        quiet = report(d)
        told()
        sweep("sms")
    said = [body["say"] for body in carrier.bodies]
    assert ["报修已收到" in said[0], "已出发" in said[1], "已到场" in said[2]] == [True] * 3
    assert {body["to"] for body in carrier.bodies} == {"+8613900001111"}
    assert all("https://jiying.example/t/" in text for text in said)
    assert not Message.objects.filter(order=quiet, recipient="resident").exists()


def test_a_resident_hears_of_a_breach_in_plain_words_and_nothing_that_is_long_past(d, told):
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        order = report(d, phone="13900001111")
        unsigned(order, 31)
        told()
        sweep("sms", after(order, 140))
        late = Message.objects.get(recipient="resident", kind="report")
        assert (late.state, late.reason) == ("spared", "too late")
        assert any("没能按时到场" in body["say"] for body in carrier.bodies)


def test_another_system_is_told_by_a_signed_post_and_not_inside_the_house(d, told):
    with gateway() as other:
        hook = {"name": "acme", "url": other.url, "secret": "a secret of sixteen", "audiences": ["manager"]}
        with set_up(webhooks=[hook], webhooks_may_be_private=True):
            order = report(d)
            unsigned(order)
            told()
            sweep("webhook", after(order, 4))
        (said,) = other.bodies
        assert (said["kind"], said["step"], said["order"]["number"]) == ("escalate", "unsigned_3", order.number)
        assert "X-Jiying-Signature" in other.got[0][0]
        with set_up(webhooks=[hook]):
            unsigned(report(d))
            told()
            sweep("webhook", after(order, 60))
        assert len(other.got) == 1
    refused = Message.objects.filter(state="failed")
    assert {message.reason for message in refused} == {"the address is private"}


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
