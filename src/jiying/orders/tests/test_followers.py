"""Followers that do not want everything: what is skipped holds up nothing, and nothing that is wanted is lost."""

from __future__ import annotations

import pytest

from jiying.orders import followers
from jiying.orders.actions import act
from jiying.orders.actors import TRACKER
from jiying.orders.followers import Follower, OvertakenError
from jiying.orders.models import Cursor, Event
from jiying.orders.tests.build import report

pytestmark = pytest.mark.django_db(transaction=True)

URGE = frozenset({"urge"})


def following(seen: list[Event], **wants: frozenset[str]) -> Follower:
    return Follower("some", lambda events: lambda: seen.extend(events), **wants)


def urged(d, times: int):
    order = report(d)
    for _ in range(times):
        act(order.pk, "urge", by=TRACKER)
    return order


def read_to_the_end(follower: Follower) -> None:
    while followers.advance(follower):
        pass


def test_two_followers_share_the_log_between_them_and_read_each_event_once(d):
    rest: list[Event] = []
    urges: list[Event] = []
    for _round in range(3):
        urged(d, 2)
        read_to_the_end(following(rest, skips=URGE))
        read_to_the_end(Follower("other", lambda events: lambda: urges.extend(events), only=URGE))
    assert {e.verb for e in rest} == {"report"}
    assert [e.seq for e in urges] == list(
        Event.objects.filter(verb="urge").order_by("seq").values_list("seq", flat=True)
    )
    assert len(rest) == 3


def test_the_cursor_passes_what_is_not_wanted_only_when_it_is_much(d, monkeypatch):
    seen: list[Event] = []
    follower = following(seen, skips=URGE)
    report(d)
    read_to_the_end(follower)
    at = Cursor.objects.get(follower="some")
    order = urged(d, 3)
    read_to_the_end(follower)
    monkeypatch.setattr(followers, "WORTH_SKIPPING", 3)
    for _ in range(3):
        act(order.pk, "urge", by=TRACKER)
    before = Cursor.objects.get(follower="some")
    assert followers.advance(follower) == 0
    after = Cursor.objects.get(follower="some")
    assert at.seq < before.seq < after.seq == Event.objects.latest("seq").seq
    assert [e.verb for e in seen] == ["report", "report"]


def test_a_whole_batch_moves_the_cursor_no_farther_than_it_reaches(d, monkeypatch):
    """What is wanted and lies behind the batch comes next, though the end of the log was known before."""
    monkeypatch.setattr(followers, "BATCH", 2)
    seen: list[Event] = []
    for _ in range(5):
        urged(d, 1)
    read_to_the_end(following(seen, skips=URGE))
    assert [e.verb for e in seen] == ["report"] * 5


def test_what_is_overtaken_is_not_written_and_comes_again(d):
    report(d)
    tries: list[int] = []

    def write() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OvertakenError

    follower = Follower("some", lambda _events: write)
    assert followers.advance(follower) == 1
    assert Cursor.objects.get(follower="some").seq == 0
    read_to_the_end(follower)
    assert len(tries) == 2
    assert Cursor.objects.get(follower="some").seq


def test_who_is_at_leisure_rests_and_holds_up_nobody(d, monkeypatch):
    import threading

    monkeypatch.setattr(followers, "BATCH", 1)
    monkeypatch.setattr(followers, "FEW", 1)
    monkeypatch.setattr(followers, "LEISURE", 1e6)
    taken: list[str] = []
    slow = Follower("slow", lambda events: lambda: taken.append("slow"), leisure=True)
    quick = Follower("quick", lambda events: lambda: taken.append("quick"))
    monkeypatch.setattr(followers, "_registry", {"slow": slow, "quick": quick})
    urged(d, 2)
    resting: dict[str, float] = {}
    stop = threading.Event()
    while followers._round(followers.Reader(), resting, stop):
        pass
    assert taken == ["slow", "quick", "quick", "quick"]
