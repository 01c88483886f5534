"""What the database and the log hold of people: contacts sealed, events without personal text."""

from pathlib import Path

import pytest
from django.db import connection

from jiying.core.crypto import CannotUnseal
from jiying.orders import contacts, erasure
from jiying.orders.actions import act
from jiying.orders.models import Event, EventText, Order, OrderText
from jiying.orders.queries import one
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk
from jiying.orders.verify import verify
from jiying.orders.wire import order_json

PHONE, NAME = "13812345678", "欧阳致远"
SECRETS = (PHONE, "+86" + PHONE, NAME, "阳台种着三角梅", "在三楼东户", "121.519999")


def a_life(d: build.District) -> Order:
    """An order in whose life people say personal things wherever they can."""
    order = report(d, phone=PHONE, name=NAME, description="阳台种着三角梅的那家漏水", unit="在三楼东户")
    order = walk(d, order, "sign", "take")
    place = {"lon": 121.519999, "lat": 31.222222}
    said = {"note": f"{NAME} {PHONE}", "text": f"{NAME} {PHONE}", "reason": f"{NAME} {PHONE}"}
    act(order.pk, "note", by=d.actor("company"), data=said)
    act(order.pk, "urge", by=d.actor("track"), data=said)
    act(order.pk, "arrive", by=d.actor("worker"), data={"point": place, "accuracy_m": 12.7})
    act(order.pk, "make_safe", by=d.actor("worker"), data=said)
    act(order.pk, "done", by=d.actor("worker"), data=said)
    act(order.pk, "rate", by=d.actor("track"), data={"satisfaction": "fairly", "comment": f"{NAME} {PHONE}"})
    act(order.pk, "reopen", by=d.actor("track"), data=said)
    return act(order.pk, "solve_remotely", by=d.actor("worker"), data=said)


def test_events_hold_no_personal_text(d):
    order = a_life(d)
    log = "\n".join(Event.objects.filter(order=order).values_list("canonical", flat=True))
    assert [secret for secret in SECRETS if secret in log] == []
    assert EventText.objects.filter(order=order).count() == 8


def test_the_rule_that_a_refusal_names_is_told_and_stays_outside_the_log(d):
    order = report(d)
    act(order.pk, "refuse", by=d.actor("company"), data={"rule": f"{NAME} 家自用部位"})
    event = Event.objects.get(order=order, verb="refuse")
    assert NAME not in event.canonical
    told = order_json(one(order.pk, d.users["company"]), events=True)["events"][-1]
    assert told["data"]["rule"] == f"{NAME} 家自用部位"
    assert not verify().broken


def test_personal_texts_can_be_erased_and_every_chain_still_holds(d):
    order = a_life(d)
    erasure.erase([order.pk], why="order", reason="本人要求")
    assert not verify().broken
    row = one(order.pk, d.users["district"])
    assert NAME not in str(order_json(row, events=True))


def test_contacts_are_sealed_found_by_telephone_and_shown_masked(d):
    order = Order.objects.get(pk=report(d, phone="138 1234-5678", name=NAME).pk)
    assert (contacts.phone_of(order), contacts.name_of(order)) == ("+8613812345678", NAME)
    assert contacts.masked(order) == {"name": "欧***", "phone": "138****5678"}
    assert [text.order_id for text in contacts.orders_of_phone("+8613812345678")] == [order.pk]
    assert contacts.orders_of_phone("+8613812345679") == []
    shown = str(order_json(one(order.pk, d.users["company"]), events=True))
    assert PHONE not in shown
    assert NAME not in shown


def test_the_same_telephone_looks_different_every_time_it_is_sealed(d):
    one_, two = (bytes(OrderText.objects.get(order=report(d, phone=PHONE)).phone) for _ in range(2))
    assert one_ != two


def test_a_sealed_contact_opens_only_for_its_order_and_field(d):
    order, other = report(d, phone=PHONE, name=NAME), report(d)
    OrderText.objects.filter(order=other).update(phone=bytes(OrderText.objects.get(order=order).phone))
    with pytest.raises(CannotUnseal):
        contacts.phone_of(Order.objects.get(pk=other.pk))


@pytest.mark.django_db(transaction=True)
def test_the_raw_files_hold_neither_telephone_nor_name():
    if connection.vendor != "sqlite":
        pytest.skip("the server's files are not ours to read; the columns are the same")
    d = build.district()
    report(d, phone=PHONE, name=NAME, description="找得到的描述")
    path = Path(str(connection.settings_dict["NAME"]))
    connection.close()
    raw = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
    assert "找得到的描述".encode() in raw, "the file is the right one"
    for secret in (PHONE, NAME):
        assert secret.encode() not in raw
    key = contacts.phone_key("+86" + PHONE)
    assert key.encode() in raw
