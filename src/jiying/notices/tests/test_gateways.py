"""Text messages and other systems, through real servers that hang, fail and fall silent."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from jiying.notices import outgoing, sending
from jiying.notices.channels import load
from jiying.notices.models import Message
from jiying.notices.tests.outside import gateway, mail_server, set_up, sms
from jiying.notices.tests.sent import PHONE, after, sweep, unsigned, wants
from jiying.orders.actions import act
from jiying.orders.models import Event
from jiying.orders.tests.build import report, walk


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


def test_a_resident_without_a_screen_hears_the_new_time_itself(d, told):
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        order = report(d, phone="13900001111")
        unsigned(order, 41)
        told()
        sweep("sms", after(order, 42))
    explained = Event.objects.get(order=order, verb="explain")
    new_time = timezone.localtime(datetime.fromisoformat(explained.data["new_time"]))
    assert any(f"新的时间：最晚 {new_time:%H:%M}" in body["say"] for body in carrier.bodies)


def test_a_resident_is_texted_three_new_times_a_day_and_finds_the_others_on_their_page(d, told):
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        order = report(d, phone="13900001111", reported_at=timezone.now() - timedelta(minutes=20))
        for n in range(5):
            new_time = (timezone.now() + timedelta(minutes=20 + n)).isoformat()
            act(order.pk, "note", by=d.actor("company"), data={"new_time": new_time, "text": "路上堵"})
            if n % 2:
                told()
        told()
        told()
    assert Event.objects.filter(order=order, verb="note").count() == 5
    assert Message.objects.filter(order=order, recipient="resident", kind="note").count() == 3


def test_who_has_somebody_at_the_door_by_now_is_not_told_that_nobody_is_there(d, told):
    with gateway() as carrier, set_up(sms=sms(carrier.url)):
        order = report(d, phone="13900001111")
        unsigned(order, 41)
        walk(d, order, "sign", "assign", "depart", "arrive", now=after(order, 42))
        told()
        sweep("sms", after(order, 43))
    assert any("已到场" in body["say"] for body in carrier.bodies)
    assert not any("还没有到场" in body["say"] or "没能按时" in body["say"] for body in carrier.bodies)
    assert Message.objects.get(recipient="resident", kind="explain").state == "spared"
