"""E-mail, through a real mail server that refuses, goes down and comes back."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.header import decode_header, make_header

from django.utils import timezone

from jiying.notices.models import Message, Notice
from jiying.notices.tests.outside import mail_server, set_up
from jiying.notices.tests.sent import after, sweep, unsigned, wants
from jiying.orders.actions import act
from jiying.orders.tests.build import report


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
