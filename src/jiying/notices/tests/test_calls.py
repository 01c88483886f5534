"""Calls that want a keypress."""

from __future__ import annotations

from jiying.notices import actions, sending
from jiying.notices.channels import load
from jiying.notices.models import Message, Notice
from jiying.notices.packing import sign
from jiying.notices.tests.outside import gateway, set_up, sms
from jiying.notices.tests.sent import PHONE, after, sweep, unsigned, wants
from jiying.orders.tests.build import report


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
