"""Whose 30 minutes were broken is told why, with a new time: by a person, or by the system ten minutes later."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from jiying.core.errors import BadInput
from jiying.orders import watcher
from jiying.orders.actions import act
from jiying.orders.ledger import Ledger
from jiying.orders.models import Event, Order
from jiying.orders.tests import build
from jiying.orders.tests.test_promises import T0, minutes, pause, say
from jiying.orders.tests.test_promises import ledger as reported
from jiying.rules import packs


def ledger() -> Ledger:
    """An emergency reported at T0, by the pack of the day."""
    return Ledger.of((old := reported()).order, packs.named("example", "2026.2"), old.moments)


def explained(order: Ledger) -> list[tuple[float, str, float]]:
    """What the system said by itself: (minute, why, the new time in minutes)."""
    return [
        (minutes(m.at), m.data["why"], minutes(datetime.fromisoformat(m.data["new_time"])))
        for m in order.moments
        if m.verb == "explain"
    ]


def until(order: Ledger, minute: float) -> Ledger:
    order.fire(T0 + timedelta(minutes=minute), punctual=True)
    return order


def test_ten_minutes_after_the_breach_the_system_says_why_and_gives_a_new_time():
    order = until(ledger(), 39.9)
    assert explained(order) == []
    assert explained(until(order, 40)) == [(40, "submitted", 70)]


def test_it_says_so_once():
    order = until(until(ledger(), 40), 600)
    assert len(explained(order)) == 1
    again = Ledger.of(order.order, order.pack, order.moments)
    assert explained(until(again, 700)) == explained(order)


def test_the_new_time_is_nearer_where_somebody_has_set_off():
    order = ledger()
    say(order, "assign", 5)
    say(order, "depart", 20)
    assert explained(until(order, 40)) == [(40, "en_route", 55)]


def test_a_late_watcher_counts_the_new_time_from_when_it_says_so():
    order = ledger()
    order.fire(T0 + timedelta(minutes=150))
    assert explained(order) == [(150, "submitted", 180)]


@pytest.mark.parametrize(("verb", "minute"), [("arrive", 38), ("cancel", 20), ("arrive", 25)])
def test_who_has_somebody_at_the_door_or_withdrew_is_told_nothing(verb, minute):
    order = ledger()
    say(order, "assign", 5)
    say(order, verb, minute)
    assert explained(until(order, 300)) == []


def test_whom_a_person_told_the_system_does_not_tell():
    order = ledger()
    say(order, "note", 35, new_time=(T0 + timedelta(minutes=60)).isoformat())
    assert explained(until(order, 300)) == []


def test_a_time_that_was_over_before_the_limit_explains_nothing():
    order = ledger()
    say(order, "note", 1, new_time=(T0 + timedelta(minutes=2)).isoformat())
    assert explained(until(order, 300)) == [(40, "submitted", 70)]


def test_while_the_order_is_paused_no_time_is_named_and_then_it_is():
    order = ledger()
    say(order, "assign", 5)
    pause(order, 20, 120)
    assert explained(until(order, 119)) == []
    assert explained(until(order, 300)) == [(120, "assigned", 150)]


def test_a_word_without_a_new_time_is_no_explanation():
    order = ledger()
    say(order, "note", 35)
    assert len(explained(until(order, 300))) == 1


def test_a_new_round_wants_a_new_explanation():
    order = ledger()
    say(order, "note", 5, new_time=(T0 + timedelta(minutes=60)).isoformat())
    for minute, verb in ((6, "assign"), (50, "arrive"), (60, "done"), (70, "reopen")):
        say(order, verb, minute, role="resident" if verb == "reopen" else "company")
    assert explained(until(order, 300)) == [(110, "assigned", 140)]


def test_a_pack_without_explanations_gives_none():
    assert explained(until(reported(), 300)) == []


def test_the_watcher_writes_it_and_makes_nobodys_page_stale(d):
    now = timezone.now()
    order = build.report(d, reported_at=now - timedelta(minutes=41))
    before = Order.objects.get(pk=order.pk).version
    watcher.sweep(now)
    told = Event.objects.get(order=order, verb="explain")
    assert datetime.fromisoformat(told.data["new_time"]) == now + timedelta(minutes=30)
    act(order.pk, "sign", by=d.actor("company"), expected_version=before, now=now)


@pytest.mark.parametrize(
    ("role", "ahead", "code"),
    [
        ("town", 30, "not_yours"),
        ("committee", 30, "not_yours"),
        ("track", 30, "not_yours"),
        ("company", -1, "bad_time"),
        ("company", 60 * 24 * 31, "bad_time"),
    ],
)
def test_a_new_time_is_given_by_those_who_can_keep_it_and_lies_ahead(d, role, ahead, code):
    order = build.report(d)
    new_time = (timezone.now() + timedelta(minutes=ahead)).isoformat()
    with pytest.raises(BadInput) as caught:
        act(order.pk, "note", by=d.actor(role), data={"text": "路上堵车", "new_time": new_time})
    assert [error.code for error in caught.value.errors] == [code]
    assert not Event.objects.filter(order=order, verb="note").exists()


def test_after_the_work_is_done_no_new_time_is_given(d):
    order = build.walk(d, build.report(d), "sign", "assign", "depart", "arrive", "done")
    new_time = (timezone.now() + timedelta(minutes=30)).isoformat()
    with pytest.raises(BadInput, match="完工之前"):
        act(order.pk, "note", by=d.actor("company"), data={"text": "路上堵车", "new_time": new_time})


def test_words_with_a_new_time_stay_out_of_the_chain(d):
    order = build.report(d)
    new_time = (timezone.now() + timedelta(minutes=30)).isoformat()
    act(order.pk, "note", by=d.actor("manager"), data={"text": "师傅堵在高架上", "new_time": new_time})
    note = Event.objects.get(order=order, verb="note")
    assert "高架" not in note.canonical
    assert note.data["new_time"] == new_time
