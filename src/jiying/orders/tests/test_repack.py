"""Another pack judges an open order: what becomes of its clocks and of the ladder, judged from events alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiying.orders.ledger import Ledger
from jiying.orders.moving import changed_by
from jiying.orders.promises import judge
from jiying.orders.tests import repacks, test_promises
from jiying.orders.tests.repacks import RESPOND
from jiying.orders.tests.test_ladder import fired
from jiying.orders.tests.test_promises import T0, clock, minutes, pause, say
from jiying.rules import packs

DAYS = "limit: {amount: 3, unit: calendar_days}"
CONTACT = (
    "  - id: contact.emergency\n    promise: contact\n    when: {kinds: [repair, complaint], urgencies: [emergency]}\n"
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    with repacks.installation(tmp_path, monkeypatch) as folder:
        yield folder


def ledger(category="leak", urgency="emergency", **more) -> Ledger:
    """A reported order at T0, under the example of 2026."""
    pack = packs.named("example", "2026.2")
    said = {"kind": "repair", "category": category, "urgency": urgency, "part": "private", "lot": False, **more}
    new = Ledger.new(test_promises.uuid.uuid4(), pack)
    say(new, "report", 0, milestone="reported", role="resident", calendar="Asia/Shanghai", **said)
    return new


def move(this: Ledger, pack, minute: float):
    """The order comes under `pack`; what changed, as its event says."""
    moment = this.repack(pack, by="rule:test", now=T0 + timedelta(minutes=minute), told={})
    return [
        (
            one["promise"],
            one["round"],
            one["what"],
            *(one[due] and due_minute(one[due]) for due in ("from_due", "to_due")),
        )
        for one in moment.data["changed"]
    ]


def due_minute(text: str) -> float:
    return minutes(test_promises.datetime.fromisoformat(text))


def test_a_shorter_limit_moves_the_clock_from_the_same_start(home):
    order, new = ledger(), repacks.load(home, (RESPOND, "limit: {amount: 20, unit: emergency_minutes}"))
    assert move(order, new, 5) == [("respond_30", 1, "due", 30, 20)]
    respond = clock(order, "respond_30")
    assert (respond.state, minutes(respond.from_at), minutes(respond.due_at)) == ("running", 0, 20)
    assert order.pack.stamp == "district@1"


def test_a_longer_limit_leaves_the_old_clock_void_on_record(home):
    order, new = ledger(), repacks.load(home, (RESPOND, "limit: {amount: 45, unit: emergency_minutes}"))
    assert move(order, new, 5) == [("respond_30", 2, "due", 30, 45)]
    old, now = clock(order, "respond_30", 1), clock(order, "respond_30", 2)
    assert (old.state, old.reason, minutes(old.due_at)) == ("void", "repacked", 30)
    assert (now.state, minutes(now.from_at), minutes(now.due_at)) == ("running", 0, 45)


def test_a_promise_that_is_no_longer_made_is_void_and_a_new_one_runs_from_now(home):
    order, new = ledger("drain", "ordinary"), repacks.load(
        home,
        (CONTACT, CONTACT.replace("emergency]}", "ordinary]}")),
        ("kinds: [repair, complaint], urgencies: [ordinary]", "kinds: [complaint], urgencies: [emergency]"),
        ("when: {kinds: [repair], urgencies: [emergency]}\n    from: reported\n    to: arrived",
         "when: {kinds: [repair]}\n    from: reported\n    to: arrived"),
    )  # fmt: skip
    changed = {promise: rest for promise, *rest in move(order, new, 5)}
    assert changed["respond_30"] == [1, "new", None, 35]
    assert clock(order, "respond_30").from_at == T0 + timedelta(minutes=5)


def test_missed_stays_missed_and_met_stays_met_and_what_is_due_already_is_not_touched(home):
    order, new = ledger(), repacks.load(home, (RESPOND, "limit: {amount: 45, unit: emergency_minutes}"))
    say(order, "sign", 2)
    order.fire(T0 + timedelta(minutes=31))
    assert "respond_30" not in {promise for promise, *_rest in move(order, new, 32)}
    say(order, "arrive", 40)
    assert (clock(order, "respond_30").state, clock(order, "sign").state) == ("missed", "met")
    late = ledger()
    move(late, new, 31)
    assert clock(late, "respond_30").state_at(T0 + timedelta(minutes=31)) == "missed"


def test_a_clock_that_stands_still_goes_on_standing_still(home):
    order, new = ledger("drain", "ordinary"), repacks.load(home, (DAYS, "limit: {amount: 4, unit: calendar_days}"))
    say(order, "sign", 1)
    pause(order, 2, 62)
    assert move(order, new, 10) == [("complete", 2, "due", 4320 + 60, 5760 + 60)]
    say(order, "resume", 32, role="rule")
    old, now = clock(order, "complete", 1), clock(order, "complete", 2)
    assert (old.state, old.paused_minutes) == ("void", 8)
    assert (now.state, now.paused_minutes, minutes(now.due_at)) == ("running", 30, 5760 + 30)


def test_in_a_reopened_round_only_what_a_reopening_starts_runs_on(home):
    order = ledger()
    for verb, minute in (("sign", 1), ("assign", 2), ("contact", 3), ("arrive", 10), ("done", 20)):
        say(order, verb, minute)
    say(order, "reopen", 50, role="resident")
    new = repacks.load(home, (RESPOND, "limit: {amount: 20, unit: emergency_minutes}"))
    assert move(order, new, 55) == [("respond_30", 2, "due", 80, 70)]
    assert [c.round for c in order.judge.clocks if c.promise == "made_safe"] == [1]


def test_the_deadline_that_another_system_gave_stays(home):
    order = ledger("drain", "ordinary", external_due=(T0 + timedelta(days=9)).isoformat())
    new = repacks.load(home, (DAYS, "limit: {amount: 1, unit: calendar_days}"))
    move(order, new, 5)
    assert (clock(order, "complete").rule, clock(order, "complete").due_at) == ("external", T0 + timedelta(days=9))


def test_moving_twice_changes_nothing_more_and_moving_back_is_recorded_too(home):
    order, new = ledger(), repacks.load(home, (RESPOND, "limit: {amount: 45, unit: emergency_minutes}"))
    move(order, new, 5)
    assert move(order, new, 6) == []
    assert move(order, packs.named("example", "2026.2"), 7) == [("respond_30", 2, "due", 45, 30)]
    assert order.fire(T0 + timedelta(minutes=8)), "the watcher goes on"
    assert order.acted_version == 1


def test_a_move_makes_nobodys_version_stale_and_moves_no_state(home):
    order, new = ledger(), repacks.load(home)
    say(order, "sign", 1)
    before = order.acted_version, order.last_at, order.state
    move(order, new, 5)
    assert (order.acted_version, order.last_at, order.state) == before


# -- the ladder ------------------------------------------------------------------------------------------------------


def steps(order: Ledger, minute: float) -> list[tuple[str, int]]:
    return [(step, due) for verb, step, due in fired(order, minute) if verb == "escalate"]


def test_rungs_that_fired_do_not_fire_again_on_the_clock_that_took_the_place(home):
    order, new = ledger(), repacks.load(home, (RESPOND, "limit: {amount: 45, unit: emergency_minutes}"))
    assert steps(order, 12) == [("unsigned_3", 3), ("unsigned_5", 5), ("not_departed_10", 10)]
    move(order, new, 12)
    assert steps(order, 19) == []
    assert steps(order, 21) == [("company_20", 20)]


def test_rungs_whose_time_is_past_by_the_new_pack_fire_late_and_say_when_they_were_due(home):
    order, new = ledger(), repacks.load(home, ("after_min: 20\n", "after_min: 12\n"))
    steps(order, 15)
    move(order, new, 15)
    [late] = [moment for moment in order.fire(T0 + timedelta(minutes=16)) if moment.verb == "escalate"]
    assert (late.data["step"], due_minute(late.data["due_at"]), minutes(late.at)) == ("company_20", 12, 16)


def test_rungs_of_the_past_with_other_names_tell_only_who_was_not_told(home):
    renamed = [(f"step: {name}", f"step: other_{name}") for name in ("unsigned_3", "unsigned_5", "not_departed_10")]
    order, new = ledger(), repacks.load(home, *renamed, ("tells: [next_tier]", "tells: [next_tier, town]"))
    steps(order, 12)
    move(order, new, 12)
    assert steps(order, 13) == [("other_not_departed_10", 10)]


# -- the fold ----------------------------------------------------------------------------------------------------

moves = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "sign", "contact", "arrive", "pause", "resume", "reopen", "done", "ordinary",
                         "emergency", "watch"]),
        st.integers(1, 2000),
    ),
    max_size=12,
)  # fmt: skip


@pytest.fixture
def known(home):
    """The example, one that promises later and one that promises sooner and in another unit."""
    later = [
        (RESPOND, "limit: {amount: 45, unit: emergency_minutes}"),
        (DAYS, "limit: {amount: 4, unit: calendar_days}"),
    ]
    sooner = [
        (RESPOND, "limit: {amount: 12, unit: emergency_minutes}"),
        (DAYS, "limit: {amount: 2, unit: working_days}"),
    ]
    return {
        "a": packs.named("example", "2026.2"),
        "b": repacks.load(home, *later, ("valid_to: null", "valid_to: 2030-12-31"), version="b", since="2030-01-01"),
        "c": repacks.load(home, *sooner, version="c", since="2031-01-01"),
    }


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves, st.sampled_from(["emergency", "ordinary"]))
def test_a_moved_orders_clocks_are_those_of_judging_all_its_events_anew(known, walk, urgency):
    order, minute, standing = ledger(urgency=urgency), 0, False
    before = {}
    for verb, later in walk:
        minute += later
        if verb in known:
            move(order, known[verb], minute)
        elif verb == "watch":
            order.fire(T0 + timedelta(minutes=minute))
        elif verb == "pause" and not standing:
            pause(order, minute, minute + 2 * later)
            standing = True
        elif verb == "resume" and standing:
            say(order, "resume", minute)
            standing = False
        elif verb in ("ordinary", "emergency"):
            say(order, "reclassify", minute, role="operator", urgency=verb)
        elif verb in test_promises.MILESTONE:
            say(order, verb, minute)
        elif verb == "reopen" and "done" in order.judge.reached:
            say(order, "reopen", minute, role="resident")
        again = Ledger.of(order.order, packs.named("example", "2026.2"), order.moments)
        assert again.judge.clocks == order.judge.clocks
        assert (again.pack, again.next_at, again.fired) == (order.pack, order.next_at, order.fired)
        settled = {
            (c.promise, c.round): (c.state, c.due_at) for c in order.judge.clocks if c.state in ("met", "missed")
        }
        if verb in known:
            assert settled == before, "met stays met, missed stays missed"
        before = settled
        for key, of in _by_round(order).items():
            assert of == 1, f"{key} has {of} clocks"
    assert judge(order.moments, packs.named("example", "2026.2")) == order.judge.clocks


def _by_round(order: Ledger) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for one in order.judge.clocks:
        found[one.promise, one.round] = found.get((one.promise, one.round), 0) + 1
    return found


# -- a reclassification says as much --------------------------------------------------------------------------------


def test_what_a_reclassification_changed_follows_from_the_events():
    order = ledger("drain", "ordinary")
    say(order, "reclassify", 10, role="operator", urgency="emergency")
    [changed] = changed_by(order.moments, packs.named("example", "2026.2")).values()
    told = {one.promise: (one.what, one.from_due, one.to_due) for one in changed}
    assert told["respond_30"] == ("new", None, T0 + timedelta(minutes=40))
    assert told["complete"] == ("due", T0 + timedelta(days=3), T0 + timedelta(days=1))
