"""What the follower keeps is what the events say: whatever happens, in whatever order it is read."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from django.utils import timezone

from jiying.config.doctor_data import packs_gone
from jiying.orders import followers
from jiying.orders.actions import act
from jiying.orders.models import Cursor, Event, Order
from jiying.orders.tests import repacks
from jiying.orders.tests.build import district, report, walk
from jiying.orders.verify import verify
from jiying.people.scopes import scope_of
from jiying.supervision import rebuilding, sums
from jiying.supervision.actions import NAME, forget, prepare
from jiying.supervision.checking import check
from jiying.supervision.commands import figures
from jiying.supervision.days import midnight
from jiying.supervision.figures import Tally
from jiying.supervision.models import Counted, Edition, Rollup, Waiting
from jiying.supervision.places import reach_of
from jiying.supervision.queries import BY, daily, summary, table
from jiying.supervision.reading import count_orders
from jiying.supervision.rebuilding import rebuild
from jiying.supervision.tests.lives import followed, live

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")


def _rows():
    edition = Edition.objects.get(state="serving").pk
    rows = Rollup.objects.filter(edition=edition).values_list("cell_id", "span", "start", "counts")
    return {row[:3]: json.loads(row[3]) for row in rows if row[3] != "{}"}


@pytest.mark.parametrize("seed", range(2))
def test_following_in_pieces_making_anew_and_counting_again_agree(seed):
    d, rng = district(), random.Random(seed)
    now = timezone.now() - timedelta(days=20)
    for _piece in range(4):
        now = live(d, rng, now, 20)
        followed()
        assert check().different == 0
    kept = _rows()
    assert kept
    rebuild()
    assert _rows() == kept
    assert check().different == 0


def test_a_batch_that_is_read_twice_counts_once():
    d = district()
    live(d, random.Random(5), timezone.now() - timedelta(days=9), 60)
    followed()
    before, waiting = _rows(), Waiting.objects.count()
    prepare(list(Event.objects.select_related("order")))()
    assert _rows() == before
    assert Waiting.objects.count() == waiting


def test_a_batch_that_is_read_backwards_gives_the_same():
    d = district()
    live(d, random.Random(6), timezone.now() - timedelta(days=9), 60)
    for event in Event.objects.select_related("order").order_by("-seq"):
        prepare([event])()
    assert check().different == 0


@pytest.mark.parametrize("by", BY)
def test_blocks_of_days_add_up_to_the_same_as_orders_one_by_one(by):
    d = district()
    now = live(d, random.Random(8), timezone.now() - timedelta(days=30), 90)
    followed()
    first = (now - timedelta(days=25)).astimezone(SHANGHAI).date()
    for role in ("district", "town", "company-2", "manager", "committee"):
        reach = reach_of(scope_of(d.users[role]))
        assert reach is not None
        for days in (1, 5, 11, 25):
            from_, to = midnight(first, SHANGHAI), midnight(first + timedelta(days=days), SHANGHAI)
            period = sums.Period(from_, to, now, SHANGHAI)
            edition = Edition.objects.get(state="serving").pk
            one_by_one = sums.Counts(Counter)
            sums._exactly(one_by_one, edition, reach, period, by, [(from_, to)])
            sums._waiting(one_by_one, edition, reach, period, by)
            assert _told(sums.parts(reach, period, by)) == _told({key: [some] for key, some in one_by_one.items()})


def _told(parts):
    """Without noughts and without places that have nothing."""
    added = {key: Tally(*some).counts for key, some in parts.items()}
    known = {key: {name: n for name, n in some.items() if n} for key, some in added.items()}
    return {key: some for key, some in known.items() if some}


def test_an_arrival_told_days_later_moves_the_day_it_belongs_to():
    d, now = district(), timezone.now()
    start = now - timedelta(days=5)
    order = report(d, urgency="emergency", reported_at=start, now=start)
    walk(d, order, "sign", "assign", now=start)
    followed()
    span = (now - timedelta(days=7), now)
    kept = table(d.users["district"], *span, now=now)["total"]["promises"]["respond_30"]
    assert (kept["met"], kept["missed"]) == (0, 1)
    act(order.pk, "arrive", by=d.actor("worker"), at=start + timedelta(minutes=12), now=now)
    followed()
    total = table(d.users["district"], *span, now=now)["total"]
    kept = total["promises"]["respond_30"]
    assert (kept["met"], kept["missed"], kept["claimed"], total["median_min"]) == (1, 0, 1, 12)
    day = dict(daily(d.users["district"], (now - timedelta(days=7)).date(), now.date()))[
        (start + timedelta(minutes=30)).astimezone(SHANGHAI).date()
    ]
    assert day.counts["respond_30.met"] == 1


def test_a_reopening_and_another_rating_are_counted_where_they_belong():
    d, now = district(), timezone.now()
    start = now - timedelta(days=3)
    order = report(d, reported_at=start, now=start)
    walk(d, order, "sign", "assign", "contact", "arrive", "done", "rate", now=start + timedelta(minutes=20))
    followed()
    assert table(d.users["district"], start, now, now=now)["total"]["reopened"] == 0
    walk(d, order, "reopen", now=start + timedelta(days=2))
    followed()
    total = table(d.users["district"], start, now, now=now)["total"]
    assert (total["reopened"], total["done"], total["satisfaction"]["n"]) == (1, 1, 1)
    assert total["resolution"] == {"share": 0.0, "n": 1}


def test_an_order_that_another_company_takes_over_is_counted_there_whole():
    d, now = district(), timezone.now()
    order = walk(d, report(d), "sign")
    followed()
    Order.objects.filter(pk=order.pk).update(company=d.company2)
    walk(d, order, "cancel")
    followed()
    span = (now - timedelta(days=1), now + timedelta(days=1))
    rows = {row["key"]: row for row in table(d.users["district"], *span, "company")["rows"]}
    assert d.company.uscc not in rows or rows[d.company.uscc]["submitted"] == 0
    assert rows[d.company2.uscc]["submitted"] == 1
    assert check().different == 0


def test_the_age_of_an_order_that_ended_late_and_unreached_stands_still():
    d, now = district(), timezone.now()
    start = now - timedelta(days=3)
    order = report(d, urgency="emergency", reported_at=start, now=start)
    act(order.pk, "cancel", by=d.actor("track"), at=start + timedelta(minutes=50), now=start + timedelta(minutes=50))
    waiting = report(d, urgency="emergency", reported_at=start, now=start)
    followed()
    shown = [table(d.users["district"], start, now, now=now + timedelta(days=days))["total"] for days in (0, 1)]
    assert [one["median_min"] for one in shown] == [50, 50]
    assert [one["p90_min"] for one in shown] == [3 * 1440, 4 * 1440]
    assert waiting.state == "submitted"


def test_pauses_are_shares_of_all_minutes_by_reason():
    d, now = district(), timezone.now().replace(microsecond=0)
    start = now - timedelta(hours=10)
    order = report(d, urgency="ordinary", reported_at=start, now=start)
    walk(d, order, "sign", "assign", now=start)
    until = (start + timedelta(hours=9)).isoformat()
    act(order.pk, "pause", by=d.actor("worker"), data={"reason": "waiting_parts", "until": until},
        at=start + timedelta(hours=1), now=start + timedelta(hours=1))  # fmt: skip
    followed()
    paused = table(d.users["district"], start, now, now=start + timedelta(hours=5))["total"]["paused"]
    assert paused == {"share": 0.8, "minutes": 240, "of_minutes": 300, "reasons": {"waiting_parts": 0.8}}
    act(order.pk, "resume", by=d.actor("worker"), at=start + timedelta(hours=3), now=start + timedelta(hours=3))
    walk(d, order, "arrive", "done", now=start + timedelta(hours=8))
    followed()
    paused = table(d.users["district"], start, now, now=now)["total"]["paused"]
    assert (paused["minutes"], paused["of_minutes"], paused["share"]) == (120, 480, 0.25)


def test_solved_by_telephone_is_done_and_counted_apart():
    d, now = district(), timezone.now()
    order = walk(d, report(d), "sign", "assign")
    act(order.pk, "solve_remotely", by=d.actor("worker"), data={"note": "推上闸就好"})
    followed()
    total = table(d.users["district"], now - timedelta(days=1), now + timedelta(days=1))["total"]
    assert (total["done"], total["solved_remotely"], total["promises"]["respond_30"]["due"]) == (1, 1, 0)


def test_complaints_whose_reporter_had_to_come_back_are_told_apart():
    d, now = district(), timezone.now()
    report(d, kind="complaint", urgency="ordinary")
    act(report(d, kind="complaint", urgency="ordinary").pk, "urge", by=d.actor("track"))
    act(report(d).pk, "urge", by=d.actor("track"))
    followed()
    total = table(d.users["district"], now - timedelta(days=1), now + timedelta(days=1))["total"]
    assert (total["complaints"], total["complaints_repeated"]) == (2, 1)


def test_coverage_counts_the_households_where_a_contract_runs():
    d, now = district(), timezone.now()
    figures = table(d.users["district"], now - timedelta(days=1), now)
    assert {row["key"]: row["coverage"] for row in figures["rows"]} == {d.town.code: 0.5, d.town2.code: 1.0}
    assert figures["total"]["coverage"] == pytest.approx(1000 / 1500)
    assert table(d.users["company"], now - timedelta(days=1), now, "company")["total"]["coverage"] is None
    everywhere = table(d.users["district"], now - timedelta(days=1), now, "company")["total"]
    assert (everywhere["households"], everywhere["coverage"]) == (1500, pytest.approx(1000 / 1500))


def test_one_place_is_what_its_row_says():
    d = district()
    now = live(d, random.Random(3), timezone.now() - timedelta(days=10), 60)
    followed()
    from_, to = midnight((now - timedelta(days=9)).date(), SHANGHAI), midnight(now.date() + timedelta(days=1), SHANGHAI)
    for by in BY:
        for row in table(d.users["district"], from_, to, by, now=now)["rows"]:
            if row["key"]:
                one = summary(d.users["district"], from_, to, now=now, within=(by, row["key"]))
                shown = one.shown((to - from_) / timedelta(days=1))
                assert {k: shown[k] for k in ("promises", "satisfaction", "households", "paused", "coverage")} == {
                    k: row[k] for k in ("promises", "satisfaction", "households", "paused", "coverage")
                }


def test_nobody_sees_into_a_place_beyond_their_reach():
    d, now = district(), timezone.now()
    report(d, estate=d.estate2.code)
    followed()
    span = (now - timedelta(days=1), now + timedelta(days=1))
    assert summary(d.users["town"], *span, within=("town", d.town2.code)).counts == Counter()
    assert summary(d.users["company"], *span, within=("estate", d.estate2.code)).counts == Counter()
    assert summary(d.users["town-2"], *span, within=("town", d.town2.code)).counts["submitted"] == 1


@pytest.mark.django_db(transaction=True)
def test_check_finds_what_was_touched_and_making_anew_puts_it_right():
    d = district()
    live(d, random.Random(2), timezone.now() - timedelta(days=5), 40)
    followers.catch_up()
    runner = CliRunner()
    assert runner.invoke(figures, ["check", "--json"]).exit_code == 0
    row = Rollup.objects.filter(grain="town").order_by("pk")[0]
    counts = json.loads(row.counts)
    row.counts = json.dumps({**counts, "submitted": counts.get("submitted", 0) + 1})
    row.save()
    found = runner.invoke(figures, ["check", "--json"])
    assert found.exit_code == 1
    assert json.loads(found.stdout)["different"] == 1
    assert json.loads(found.stdout)["differences"][0]["names"] == ["submitted"]
    assert runner.invoke(figures, ["rebuild"]).exit_code == 0
    assert runner.invoke(figures, ["check"]).exit_code == 0


def test_check_finds_an_order_that_was_counted_wrongly():
    d = district()
    report(d)
    followed()
    Counted.objects.update(parts="{}")
    assert check().different
    Counted.objects.all().delete()
    assert check().different


@pytest.mark.django_db(transaction=True)
def test_what_happens_while_counts_are_made_anew_is_in_them(monkeypatch):
    d = district()
    orders = [report(d) for _n in range(5)]
    followers.catch_up()
    monkeypatch.setattr(rebuilding, "CHUNK", 2)
    taken = rebuilding._next

    def meanwhile(edition):
        n = taken(edition)
        if Event.objects.filter(verb="sign").count() < 3:
            walk(d, orders[0] if not Event.objects.filter(verb="sign") else report(d), "sign")
            followers.catch_up()
        return n

    monkeypatch.setattr(rebuilding, "_next", meanwhile)
    rebuild()
    assert check().different == 0
    assert Edition.objects.get().state == "serving"
    assert Rollup.objects.exclude(edition=Edition.objects.get().pk).count() == 0


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_making_goes_on_where_it_was(monkeypatch):
    d = district()
    for _n in range(6):
        report(d)
    followers.catch_up()
    monkeypatch.setattr(rebuilding, "CHUNK", 2)
    taken, calls = rebuilding._next, []

    def until_pulled(edition):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(edition.pk)
        return taken(edition)

    monkeypatch.setattr(rebuilding, "_next", until_pulled)
    with pytest.raises(KeyboardInterrupt):
        rebuild()
    serving = Edition.objects.get(state="serving").pk
    walk(d, Order.objects.order_by("pk")[0], "sign")
    monkeypatch.setattr(rebuilding, "_next", lambda edition: (calls.append(edition.pk), taken(edition))[1])
    rebuild()
    assert len(set(calls)) == 1
    assert len(calls) == 2 + 2
    assert Edition.objects.get().pk != serving
    assert check().different == 0


def test_orders_that_are_taken_back_take_their_counts_with_them():
    d = district()
    order = walk(d, report(d), "sign", "assign", "arrive")
    report(d, estate=d.estate2.code)
    followed()
    forget([order.pk])
    rows = table(d.users["district"], order.reported_at - timedelta(days=1), timezone.now() + timedelta(days=1))["rows"]
    assert [row["submitted"] for row in rows] == [0, 1]
    assert all(not row["promises"]["respond_30"]["due"] for row in rows)


def test_what_is_taken_back_while_the_follower_works_something_out_is_worked_out_again():
    d = district()
    order = walk(d, report(d), "sign")
    followed()
    walk(d, order, "assign")
    interrupted = []

    def interrupting(events):
        write = prepare(events)
        if not interrupted:
            interrupted.append(True)
            forget([order.pk])
        return write

    follower = followers.Follower(NAME, interrupting)
    while followers.advance(follower):
        pass
    assert interrupted
    assert check().different == 0


@pytest.mark.django_db(transaction=True)
def test_a_fresh_demos_past_is_in_the_figures_though_it_told_nobody():
    d = district()
    report(d)
    followers.skip_to_end()
    assert followers.lags()[NAME] == 1
    rebuild()
    assert followers.lags()[NAME] == 0
    assert Cursor.objects.get(follower=NAME).seq
    today = timezone.localdate()
    days = daily(d.users["district"], today - timedelta(days=2), today + timedelta(days=1))
    assert sum(tally.counts["submitted"] for _day, tally in days) == 1


def test_a_workers_own_figures_are_those_of_their_orders():
    d, now = district(), timezone.now()
    walk(d, report(d), "sign", "assign", "contact", "arrive", "done", "rate")
    report(d)
    followed()
    total = table(d.users["worker"], now - timedelta(days=1), now + timedelta(days=1))["total"]
    assert (total["submitted"], total["promises"]["respond_30"]["met"], total["satisfaction"]["n"]) == (1, 1, 1)


def test_what_is_kept_names_nobody():
    d = district()
    walk(d, report(d, name="张三", phone="13812340987"), "sign", "assign", "arrive")
    followed()
    said = " ".join(str(row) for model in (Rollup, Counted, Waiting) for row in model.objects.values_list())
    assert "张三" not in said
    assert "13812340987" not in said
    assert not any(str(user.pk) in said or user.pk.hex in said for user in d.users.values())


def test_a_rule_pack_that_is_gone_is_told_and_stops_no_other_order(tmp_path, monkeypatch):
    d = district()
    with repacks.installation(tmp_path, monkeypatch) as folder:
        repacks.load(folder)
        lost = report(d)
        for file in (folder / "home" / "packs").glob("*.yaml"):
            file.unlink()
        kept = report(d)
        assert [fresh.order for fresh in count_orders([lost, kept])] == [kept.pk]
        [broken] = verify().broken
        assert (broken.order, "cannot be judged" in broken.reason) == (str(lost.pk), True)
        [told] = packs_gone()
        assert (told.status, "1 orders" in told.hint) == ("fail", True)
