"""What happens by itself: warnings, breaches, the ladder, dated rules."""

from datetime import timedelta

from jiying.orders.tests.test_promises import T0, ledger, minutes, pause, say


def fired(order, minute):
    """What fires by `minute`: (verb, step, due minute)."""
    return [
        (m.verb, m.data.get("step") or m.data.get("promise") or m.data.get("rule"), round(minutes_of(m.data["due_at"])))
        for m in order.fire(T0 + timedelta(minutes=minute))
    ]


def minutes_of(text):
    from datetime import datetime

    return minutes(datetime.fromisoformat(text))


def test_an_emergency_nobody_touches_climbs_the_whole_ladder():
    order = ledger()
    steps = [(step, due) for verb, step, due in fired(order, 120) if verb == "escalate"]
    assert steps == [
        ("unsigned_3", 3),
        ("unsigned_5", 5),
        ("not_departed_10", 10),
        ("company_20", 20),
        ("town_centre_30", 30),
        ("supervisor_45", 45),
        ("district_90", 90),
    ]


def test_a_step_fires_once_however_often_the_watcher_looks():
    order = ledger()
    assert fired(order, 4)
    assert fired(order, 4) == []
    again = type(order).of(order.order, order.pack, order.moments)
    assert again.fire(T0 + timedelta(minutes=4)) == []


def test_a_late_watcher_fires_what_came_due_and_says_when_it_was_due():
    order = ledger()
    events = order.fire(T0 + timedelta(minutes=121))
    assert {event.at for event in events} == {T0 + timedelta(minutes=121)}
    assert [minutes_of(event.data["due_at"]) for event in events] == sorted(
        minutes_of(event.data["due_at"]) for event in events
    )


def test_a_step_is_moot_once_its_milestone_is_reached():
    order = ledger()
    say(order, "sign", 2)
    say(order, "assign", 4)
    say(order, "depart", 9)
    assert not [step for verb, step, _due in fired(order, 15) if verb == "escalate"]


def test_an_arrival_without_departure_ends_the_ladder():
    order = ledger()
    say(order, "assign", 1)
    say(order, "arrive", 8)
    assert not [step for verb, step, _due in fired(order, 200) if verb == "escalate" and step != "unsigned_3"]


def test_a_warning_comes_before_the_breach_and_both_once():
    order = ledger()
    events = [(verb, due) for verb, step, due in fired(order, 31) if step == "respond_30"]
    assert events == [("warn", 20), ("breach", 30)]


def test_a_late_problem_solved_by_telephone_tells_nobody_any_more():
    order = ledger()
    fired(order, 34)
    say(order, "solve_remotely", 35, role="worker", remote=True)
    assert not [step for verb, step, _due in fired(order, 120) if verb == "escalate"]


def test_a_watcher_late_to_end_a_pause_does_not_lengthen_it():
    order = ledger("door_lock", "ordinary")
    say(order, "assign", 2)
    pause(order, 100, 1000)
    order.fire(T0 + timedelta(minutes=1600))
    complete = next(clock for clock in order.judge.clocks if clock.promise == "complete")
    assert complete.paused_minutes == 900
    assert minutes(complete.due_at) == 4320 + 900


def test_nothing_is_due_on_a_cancelled_order():
    order = ledger()
    say(order, "cancel", 1, role="resident")
    assert order.next_at is None


def test_a_second_round_has_a_ladder_of_its_own():
    order = ledger()
    fired(order, 6)
    for verb, minute in (("sign", 6), ("assign", 7), ("arrive", 9), ("done", 20)):
        say(order, verb, minute)
    say(order, "reopen", 100, role="resident")
    steps = [(step, due) for verb, step, due in fired(order, 131) if verb == "escalate"]
    assert steps == [("not_departed_10", 110), ("company_20", 120), ("town_centre_30", 130)]


def test_a_pause_ends_by_itself_at_its_announced_end():
    order = ledger("door_lock", "ordinary")
    say(order, "assign", 2)
    pause(order, 100, 1000)
    assert ("resume", "pause_ended", 1000) in fired(order, 1001)
    assert order.state == "assigned"


def test_silence_verifies_after_seven_days_and_closes_a_day_later():
    order = ledger()
    for verb, minute in (("sign", 1), ("assign", 2), ("contact", 3), ("arrive", 9), ("done", 20)):
        say(order, verb, minute)
    order.fire(T0 + timedelta(days=9), punctual=True)
    rules = [(m.verb, m.by) for m in order.moments if m.role == "rule" and m.verb in ("verify", "close")]
    assert [verb for verb, _by in rules] == ["verify", "close"]
    assert all(by.startswith("rule:") for _verb, by in rules)
    assert order.state == "closed"
    assert order.next_at is None
