"""Clocks, judged from events alone."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from jiying.orders.ledger import Ledger
from jiying.orders.promises import headline, judge
from jiying.rules import packs

T0 = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def ledger(category="leak", urgency="emergency", kind="repair", lot=False, **more) -> Ledger:
    """A reported order at T0."""
    pack = packs.named("example", "2026.1")
    new = Ledger.new(uuid.uuid4(), pack)
    data = {"kind": kind, "category": category, "urgency": urgency, "part": pack.categories[category].part, "lot": lot}
    say(new, "report", 0, milestone="reported", role="resident", **data, **more)
    return new


MILESTONE = {
    "sign": "signed", "assign": "assigned", "contact": "contacted", "depart": "departed", "arrive": "arrived",
    "done": "done", "confirm": "verified", "verify": "verified", "close": "closed", "rate": "rated",
    "solve_remotely": "done",
}  # fmt: skip


def say(
    this: Ledger, verb: str, minute: float, *, milestone=None, role="company", received: float | None = None, **data
):
    at = T0 + timedelta(minutes=minute)
    if verb == "assign":
        data = {"worker": str(uuid.UUID(int=7)), **data}
    return this.append(
        verb,
        milestone=milestone or MILESTONE.get(verb),
        by="",
        role=role,
        at=at,
        received_at=T0 + timedelta(minutes=received) if received is not None else at,
        data=data,
    )


def clock(this: Ledger, promise: str, round_no: int = 1):
    return next(c for c in this.judge.clocks if (c.promise, c.round) == (promise, round_no))


def minutes(at: datetime) -> float:
    return (at - T0) / timedelta(minutes=1)


@pytest.mark.parametrize(("arrives", "state"), [(29, "met"), (30, "met"), (30.01, "missed"), (31, "missed")])
def test_thirty_minutes_are_thirty_minutes(arrives, state):
    order = ledger()
    say(order, "arrive", arrives)
    assert clock(order, "respond_30").state == state
    assert minutes(clock(order, "respond_30").reached_at) == pytest.approx(arrives)


def test_an_ordinary_repair_has_no_thirty_minute_promise():
    assert not [c for c in ledger(urgency="ordinary").judge.clocks if c.promise == "respond_30"]


@pytest.mark.parametrize(("urgency", "limit"), [("emergency", 5), ("ordinary", 30)])
def test_signing_is_due_by_urgency(urgency, limit):
    assert clock(ledger(urgency=urgency), "sign").limit_minutes == limit


@pytest.mark.parametrize(("urgency", "limit"), [("emergency", 1440), ("ordinary", 4320)])
def test_completion_is_due_by_urgency(urgency, limit):
    assert clock(ledger(urgency=urgency), "complete").limit_minutes == limit


def test_a_running_clock_is_missed_once_its_time_has_passed_even_if_nobody_wrote_it_down():
    respond = clock(ledger(), "respond_30")
    assert respond.state_at(T0 + timedelta(minutes=30)) == "running"
    assert respond.state_at(T0 + timedelta(minutes=30, seconds=1)) == "missed"


def test_cancelling_in_time_voids_what_runs_and_cancelling_late_leaves_it_missed():
    early, late = ledger(), ledger()
    say(early, "cancel", 29, role="resident")
    say(late, "cancel", 31, role="resident")
    assert (clock(early, "respond_30").state, clock(early, "respond_30").reason) == ("void", "cancelled")
    assert clock(late, "respond_30").state == "missed"
    assert clock(late, "complete").state == "void"


def test_solved_by_telephone_is_no_visit():
    order = ledger()
    say(order, "solve_remotely", 10, role="worker", remote=True)
    assert (clock(order, "respond_30").state, clock(order, "respond_30").reason) == ("void", "solved_remotely")
    assert clock(order, "follow_up").state == "running"


def test_reopening_starts_a_new_round_and_the_old_one_stands():
    order = ledger()
    for verb, minute in (("assign", 2), ("arrive", 40), ("done", 60)):
        say(order, verb, minute)
    say(order, "reopen", 100, role="resident")
    assert clock(order, "respond_30", 1).state == "missed"
    assert minutes(clock(order, "respond_30", 2).due_at) == 130
    assert minutes(clock(order, "complete", 2).from_at) == 100
    say(order, "arrive", 120)
    assert clock(order, "respond_30", 2).state == "met"
    assert minutes(clock(order, "respond_30", 1).reached_at) == 40


def test_reopening_does_not_excuse_a_contact_that_never_came():
    order = ledger()
    for verb, minute in (("assign", 2), ("arrive", 5), ("done", 9)):
        say(order, verb, minute)
    say(order, "reopen", 12, role="resident")
    assert clock(order, "contact").state_at(T0 + timedelta(minutes=31)) == "missed"


def test_silence_and_verification_by_rule_never_satisfy_the_follow_up():
    order = ledger()
    for verb, minute in (("assign", 2), ("arrive", 5), ("done", 9)):
        say(order, verb, minute)
    say(order, "verify", 9 + 7 * 1440, role="rule", rule="x")
    assert clock(order, "follow_up").reached_at is None
    assert clock(order, "follow_up").state_at(T0 + timedelta(days=8)) == "missed"


@pytest.mark.parametrize(
    ("verb", "role"), [("confirm", "resident"), ("rate", "resident"), ("verify", "operator"), ("reopen", "committee")]
)
def test_a_residents_answer_by_any_door_satisfies_the_follow_up(verb, role):
    order = ledger()
    for each, minute in (("assign", 2), ("arrive", 5), ("done", 9)):
        say(order, each, minute)
    say(order, verb, 60, role=role)
    assert clock(order, "follow_up").state == "met"


def test_an_ordinary_order_not_drawn_owes_no_follow_up():
    order = ledger("door_lock", "ordinary")
    for verb, minute in (("assign", 2), ("arrive", 5), ("done", 9)):
        say(order, verb, minute)
    assert not [c for c in order.judge.clocks if c.promise == "follow_up"]
    drawn = ledger("door_lock", "ordinary", lot=True)
    for verb, minute in (("assign", 2), ("arrive", 5), ("done", 9)):
        say(drawn, verb, minute)
    assert clock(drawn, "follow_up").limit_minutes == 7 * 1440


def pause(order: Ledger, minute: float, until: float):
    say(order, "pause", minute, reason="waiting_parts", until=(T0 + timedelta(minutes=until)).isoformat())


def test_a_pause_moves_the_due_time_by_what_was_really_paused():
    order = ledger("door_lock", "ordinary")
    say(order, "assign", 2)
    pause(order, 100, 1000)
    assert clock(order, "complete").state == "paused"
    assert minutes(clock(order, "complete").due_at) == 4320 + 900
    say(order, "resume", 400)
    assert clock(order, "complete").state == "running"
    assert minutes(clock(order, "complete").due_at) == 4320 + 300
    assert clock(order, "complete").paused_minutes == 300


def test_a_pause_longer_than_its_reason_allows_lasts_only_with_approval():
    order = ledger("door_lock", "ordinary")
    most = order.pack.pauses["waiting_parts"].max_min
    say(order, "assign", 2)
    pause(order, 100, 100 + most + 5000)
    assert minutes(order.judge.paused_until) == 100 + most
    assert minutes(clock(order, "complete").due_at) == 4320 + most
    say(order, "approve_pause", 200, role="town")
    assert minutes(order.judge.paused_until) == 100 + most + 5000
    say(order, "resume", 100 + most + 1000)
    assert clock(order, "complete").paused_minutes == most + 1000


def test_the_thirty_minutes_cannot_be_paused():
    order = ledger()
    say(order, "assign", 2)
    pause(order, 5, 500)
    assert clock(order, "respond_30").state == "running"
    assert minutes(clock(order, "respond_30").due_at) == 30


def test_loosening_an_urgency_voids_the_running_promise_but_not_a_missed_one():
    early, late = ledger(), ledger()
    say(early, "reclassify", 10, role="operator", urgency="ordinary")
    say(late, "reclassify", 31, role="operator", urgency="ordinary")
    assert (clock(early, "respond_30").state, clock(early, "respond_30").reason) == ("void", "reclassified")
    assert clock(late, "respond_30").state_at(T0 + timedelta(minutes=31)) == "missed"


def test_a_loosened_clock_stays_on_record_and_another_goes_on_from_the_same_start():
    order = ledger()
    say(order, "reclassify", 10, role="operator", urgency="ordinary")
    completes = [clock for clock in order.judge.clocks if clock.promise == "complete"]
    assert [(c.round, c.state, c.reason, c.limit_minutes, minutes(c.due_at)) for c in completes] == [
        (1, "void", "reclassified", 1440, 1440),
        (2, "running", "", 4320, 4320),
    ]
    assert {c.from_at for c in completes} == {T0}


def test_a_clock_that_is_loosened_while_it_stands_still_goes_on_standing_still():
    order = ledger()
    say(order, "sign", 1)
    until = (T0 + timedelta(minutes=62)).isoformat()
    say(order, "pause", 2, reason="weather", until=until)
    say(order, "reclassify", 10, role="operator", urgency="ordinary")
    say(order, "resume", 62, role="rule")
    old, new = [clock for clock in order.judge.clocks if clock.promise == "complete"]
    assert (old.state, old.paused_minutes, new.state, new.paused_minutes) == ("void", 8, "running", 60)
    assert minutes(new.due_at) == 4320 + 60


def test_what_becomes_an_emergency_before_its_appointment_does_not_wait_for_the_window():
    window = {"from": (T0 + timedelta(days=2)).isoformat(), "to": (T0 + timedelta(days=2, hours=2)).isoformat()}
    order = ledger("door_lock", "ordinary", appointment=window)
    say(order, "reclassify", 50, role="operator", urgency="emergency")
    complete = clock(order, "complete")
    assert (minutes(complete.from_at), minutes(complete.due_at)) == (50, 50 + 1440)


def test_tightening_an_urgency_starts_the_thirty_minutes_then():
    order = ledger("door_lock", "ordinary")
    say(order, "reclassify", 50, role="operator", urgency="emergency")
    assert minutes(clock(order, "respond_30").due_at) == 80


def test_loosened_and_tightened_again_leaves_both_clocks_on_record():
    order = ledger()
    say(order, "reclassify", 5, role="operator", urgency="ordinary")
    say(order, "reclassify", 9, role="operator", urgency="emergency")
    assert [c.state for c in order.judge.clocks if c.promise == "respond_30"] == ["void", "running"]


def test_an_appointment_starts_the_completion_clock_at_its_window():
    window = {"from": (T0 + timedelta(days=2)).isoformat(), "to": (T0 + timedelta(days=2, hours=2)).isoformat()}
    order = ledger("door_lock", "ordinary", appointment=window)
    assert clock(order, "complete").from_at == T0 + timedelta(days=2)
    assert clock(order, "sign").from_at == T0


def test_an_arrival_claimed_later_is_judged_on_when_it_happened_and_marked():
    order = ledger()
    say(order, "assign", 2)
    order.fire(T0 + timedelta(minutes=31))
    assert clock(order, "respond_30").state == "missed"
    say(order, "arrive", 25, received=50)
    respond = clock(order, "respond_30")
    assert (respond.state, respond.claimed) == ("met", True)


def test_five_minutes_late_in_telling_is_not_yet_a_claim():
    order = ledger()
    assert not say(order, "arrive", 10, received=15).claimed
    assert say(ledger(), "arrive", 10, received=15.1).claimed


def test_feeding_one_event_more_is_judging_all_again():
    order = ledger()
    for verb, minute in (("sign", 1), ("assign", 2), ("arrive", 31), ("done", 60), ("reopen", 90), ("arrive", 100)):
        say(order, verb, minute, role="resident" if verb == "reopen" else "company")
        order.fire(T0 + timedelta(minutes=minute))
        assert judge(order.moments, order.pack) == order.judge.clocks


def test_the_headline_is_the_thirty_minutes_until_somebody_is_there():
    order = ledger()
    assert headline(order.judge.clocks).promise == "respond_30"
    order.fire(T0 + timedelta(minutes=40))
    assert headline(order.judge.clocks).promise == "respond_30"
    say(order, "arrive", 41)
    assert headline(order.judge.clocks).promise in ("complete", "sign", "contact")
