"""Clocks in working time, and the promises made_safe and reply, judged from events alone."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiying.orders.ledger import Ledger
from jiying.orders.promises import Clock, judge
from jiying.rules import calendars, packs
from jiying.rules.pack import Condition, Pack

SHANGHAI = ZoneInfo("Asia/Shanghai")
MILESTONE = {"sign": "signed", "contact": "contacted", "arrive": "arrived", "make_safe": "made_safe", "done": "done"}
PACK = packs.named("example", "2026.2")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


MONDAY = at("2026-11-02T10:00")


def order(category="drain", urgency="ordinary", kind="repair", when=MONDAY, pack: Pack = PACK, **more) -> Ledger:
    """An order reported at `when`."""
    new = Ledger.new(uuid.uuid4(), pack)
    data = {"kind": kind, "category": category, "urgency": urgency, "part": "common", "lot": False, **more}
    say(new, "report", when, milestone="reported", role="resident", **data)
    return new


def say(this: Ledger, verb: str, when: datetime, *, milestone=None, role="company", **data) -> None:
    milestone = milestone or MILESTONE.get(verb)
    this.append(verb, milestone=milestone, by="", role=role, at=when, received_at=when, data=data)


def pause(this: Ledger, start: str, until: str) -> None:
    say(this, "pause", at(start), reason="third_party", until=at(until).isoformat())


def clocks(this: Ledger, promise: str) -> list[Clock]:
    return [clock for clock in this.judge.clocks if clock.promise == promise]


def clock(this: Ledger, promise: str) -> Clock:
    return clocks(this, promise)[-1]


def test_an_ordinary_report_in_the_night_is_to_be_signed_and_answered_in_the_morning():
    night = order(when=at("2026-11-02T22:00"))
    assert clock(night, "sign").due_at == clock(night, "contact").due_at == at("2026-11-03T09:30")
    say(night, "contact", at("2026-11-03T09:30"))
    assert clock(night, "contact").state == "met"


def test_an_emergency_in_the_night_waits_for_no_morning():
    night = order("leak", "emergency", when=at("2026-11-02T22:00"))
    assert clock(night, "respond_30").due_at == clock(night, "contact").due_at == at("2026-11-02T22:30")
    assert clock(night, "made_safe").due_at == at("2026-11-03T00:00")


def test_an_enquiry_is_answered_within_a_working_day_and_a_complaint_within_five():
    friday = at("2026-11-06T16:00")
    assert clock(order("other", kind="enquiry", when=friday), "reply").due_at == at("2026-11-09T16:00")
    assert clock(order("complaint", kind="complaint", when=friday), "reply").due_at == at("2026-11-13T16:00")
    assert clocks(order(when=friday), "reply") == []


@pytest.mark.parametrize(("verb", "state"), [("make_safe", "met"), ("done", "met"), ("arrive", "running")])
def test_a_hazard_is_made_safe_by_word_or_by_the_work_being_done(verb, state):
    leak = order("leak", "emergency")
    say(leak, verb, MONDAY + timedelta(minutes=119))
    assert clock(leak, "made_safe").state == state


def test_what_was_made_safe_too_late_stays_missed_when_it_is_done():
    leak = order("leak", "emergency")
    say(leak, "done", MONDAY + timedelta(minutes=121))
    assert clock(leak, "made_safe").state == "missed"


# -- the fifteen days ---------------------------------------------------------------------------------------


def test_a_complex_complaint_has_its_fifteen_days_only_from_who_may_reclassify():
    said = order("complaint.complex", kind="complaint")
    assert clock(said, "reply").rule == "reply.complaint"
    say(said, "reclassify", MONDAY + timedelta(hours=1), role="operator", category="complaint.complex")
    old, new = clocks(said, "reply")
    assert (old.rule, old.state, old.reason) == ("reply.complaint", "void", "reclassified")
    assert (new.rule, new.from_at, new.due_at) == ("reply.complex_complaint", MONDAY, at("2026-11-23T10:00"))


def test_another_category_by_the_centre_is_no_approval():
    said = order("complaint", kind="complaint")
    say(said, "reclassify", MONDAY + timedelta(hours=1), role="operator", category="environment")
    assert [clock.rule for clock in clocks(said, "reply")] == ["reply.complaint"]


def test_taking_the_approval_back_gives_the_five_days_from_the_same_start():
    said = order("complaint", kind="complaint")
    for hour, category in ((1, "complaint.complex"), (2, "complaint")):
        say(said, "reclassify", MONDAY + timedelta(hours=hour), role="operator", category=category)
    assert (clock(said, "reply").rule, clock(said, "reply").due_at) == ("reply.complaint", at("2026-11-09T10:00"))


# -- pauses ---------------------------------------------------------------------------------------------------


def test_a_pause_gives_a_working_clock_its_working_time_alone():
    said = order("complaint", kind="complaint")
    pause(said, "2026-11-02T16:30", "2026-11-04T09:30")
    assert clock(said, "reply").state == "paused"
    # An hour on Monday, seven on Tuesday, half an hour on Wednesday.
    assert clock(said, "reply").due_at == at("2026-11-10T11:30")
    say(said, "resume", at("2026-11-03T08:00"))
    assert (clock(said, "reply").state, clock(said, "reply").due_at) == ("running", at("2026-11-09T11:00"))
    assert clock(said, "reply").paused_minutes == 15 * 60 + 30, "what statistics show is the whole of it"


def test_a_pause_over_night_gives_a_working_clock_nothing_and_another_clock_the_night():
    said, repair = order("complaint", kind="complaint"), order()
    for one in (said, repair):
        pause(one, "2026-11-02T18:00", "2026-11-03T08:00")
        say(one, "resume", at("2026-11-03T08:00"))
    assert clock(said, "reply").due_at == at("2026-11-09T10:00")
    assert clock(repair, "complete").due_at == at("2026-11-06T00:00")


def test_a_pause_before_the_window_of_an_appointment_gives_nothing():
    window = {"from": at("2026-11-04T14:00").isoformat(), "to": at("2026-11-04T16:00").isoformat()}
    repair = order(appointment=window)
    pause(repair, "2026-11-02T12:00", "2026-11-03T12:00")
    say(repair, "resume", at("2026-11-03T12:00"))
    assert clock(repair, "complete").due_at == at("2026-11-07T14:00")


def test_reclassifying_keeps_what_was_paused():
    said = order("complaint", kind="complaint")
    pause(said, "2026-11-03T09:00", "2026-11-03T10:00")
    say(said, "resume", at("2026-11-03T10:00"))
    say(said, "reclassify", at("2026-11-03T11:00"), role="operator", category="complaint.complex")
    assert clock(said, "reply").due_at == at("2026-11-23T11:00")


moves = st.lists(
    st.tuples(
        st.sampled_from(["pause", "resume", "approve_pause", "complex", "plain", "contact", "sign", "emergency"]),
        st.integers(1, 3000),
    ),
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(moves, st.integers(0, 14 * 1440), st.sampled_from(["complaint", "enquiry", "repair"]))
def test_whatever_happens_the_due_time_follows_from_start_limit_and_pauses(walk, begins, kind):
    this = order("complaint", kind=kind, when=MONDAY + timedelta(minutes=begins))
    when, standing = this.moments[0].at, False
    for verb, minutes in walk:
        when += timedelta(minutes=minutes)
        if verb == "pause" and not standing:
            say(this, "pause", when, reason="weather", until=(when + timedelta(minutes=2 * minutes)).isoformat())
        elif verb in ("resume", "approve_pause") and standing:
            say(this, verb, when)
        elif verb in ("complex", "plain"):
            category = "complaint.complex" if verb == "complex" else "complaint"
            say(this, "reclassify", when, role="operator", category=category)
        elif verb == "emergency":
            say(this, "reclassify", when, role="operator", urgency="emergency")
        elif verb in MILESTONE:
            say(this, verb, when)
        standing = (standing or verb == "pause") and verb != "resume"
    assert judge(this.moments, this.pack) == this.judge.clocks
    work = calendars.worktime_of(PACK.calendar, "Asia/Shanghai")
    for one in this.judge.clocks:
        assert one.limit is not None
        spans = [(pause.from_at, pause.until) for pause in one.pauses]
        assert one.due_at == calendars.due_at(one.limit, one.from_at, spans, work)
        assert one.pausable or not one.pauses


# -- other places, other packs -----------------------------------------------------------------------------------


def test_an_order_without_a_calendar_runs_in_plain_time():
    plain = order(when=at("2026-11-02T22:00"), calendar=calendars.PLAIN)
    assert clock(plain, "contact").due_at == at("2026-11-02T22:30")


def test_the_zone_of_the_report_counts():
    west = order(when=at("2026-11-02T22:00"), calendar="Asia/Urumqi")
    assert clock(west, "contact").due_at == at("2026-11-03T11:30")


def test_the_version_of_the_past_counts_the_night():
    old = order(when=at("2026-11-02T22:00"), pack=packs.named("example", "2026.1"))
    assert clock(old, "contact").due_at == at("2026-11-02T22:30")


def narrowed(**when: frozenset[str]) -> Pack:
    """The example with its completion promised only to some ordinary repairs."""
    only = Condition(kinds=frozenset({"repair"}), urgencies=frozenset({"ordinary"}), **when)
    rules = [replace(r, when=only) if r.id == "complete.ordinary" else r for r in PACK.promises]
    return replace(PACK, promises=tuple(rules))


def test_a_rule_may_be_for_some_towns_or_sorts_of_estate_alone():
    town, sort = narrowed(towns=frozenset({"310115004"})), narrowed(estate_types=frozenset({"public"}))
    assert clocks(order(pack=town, town="310115004"), "complete")
    assert not clocks(order(pack=town, town="310115005"), "complete")
    assert clocks(order(pack=sort, estate_type="public"), "complete")
    assert not clocks(order(pack=sort, estate_type=None), "complete")


def test_a_category_that_another_pack_does_not_have_is_judged_as_the_one_above_it():
    said = order("complaint.complex", kind="complaint", pack=packs.named("example", "2026.1"))
    assert said.judge.facts is not None
    assert said.judge.facts.traits(said.pack).category == "complaint"
    assert said.judge.facts.traits(PACK).category == "complaint.complex"


def test_a_rung_of_a_ladder_on_a_working_clock_waits_for_the_morning():
    [first, *_rest] = PACK.ladder
    rung = replace(first, promise="contact", unless=None, after_min=10)
    night = order(when=at("2026-11-02T22:00"), pack=replace(PACK, ladder=(rung,)))
    steps = night.fire(at("2026-11-03T09:09"))
    assert [step for step in steps if step.verb == "escalate"] == []
    assert [step.verb for step in night.fire(at("2026-11-03T09:10"))] == ["escalate"]
