"""The inbox: what waits, why, until when; reading is not doing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.notices.follower import tell
from jiying.notices.models import Notice
from jiying.notices.queries import inbox, open_count
from jiying.orders import watcher
from jiying.orders.actions import act
from jiying.orders.models import Event
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.actions import leave
from jiying.people.models import Membership, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def d(db) -> District:
    return district()


def _follow() -> None:
    tell(list(Event.objects.select_related("order").order_by("seq")))


def _late(d: District, minutes: float = 31) -> None:
    order = report(d)
    watcher.sweep(order.reported_at + timedelta(minutes=minutes))
    _follow()


def _page(client, user, **asked) -> str:
    client.force_login(user)
    return client.get("/inbox", asked).content.decode()


def test_a_stranger_is_asked_to_sign_in(client):
    assert client.get("/inbox")["Location"] == "/sign-in?next=/inbox"
    assert client.post("/inbox/read")["Location"].startswith("/sign-in")


def test_it_says_what_is_asked_why_and_leads_to_the_order(client, d):
    _late(d)
    page = _page(client, d.users["operator"])
    order = Notice.objects.first().order
    assert "急修5分钟未签收，请指挥中心直接派工" in page
    assert "因为您是指挥中心" in page
    assert f'href="/desk/orders/{order.pk}"' in page
    assert "潍坊花园" in page
    assert "超时" in page


def test_a_worker_is_led_to_the_workers_page(client, d):
    order = walk(d, report(d), "sign", "assign")
    _follow()
    page = _page(client, d.users["worker"])
    assert f'href="/worker/orders/{order.pk}"' in page
    assert "派给您的工单" in page


def test_in_english_the_rule_pack_speaks_english(client, d):
    _late(d)
    page = _page(client, d.users["operator"], lang="en")
    assert "Emergency not signed for after 5 minutes" in page


def test_the_most_pressing_stands_first_and_what_has_no_deadline_last(d):
    now = timezone.now()
    order = report(d)
    for version, until in enumerate((None, now + timedelta(hours=2), now - timedelta(hours=1)), start=100):
        Notice.objects.create(
            district="310115", user=d.users["operator"], order=order, version=version, event=order.pk, kind="urge",
            why="centre", until=until, created_at=now,
        )  # fmt: skip
    waiting, _answered = inbox(User.objects.get(pk=d.users["operator"].pk))
    assert [notice.version for notice in waiting] == [102, 101, 100]


def test_reading_lowers_nothing_and_doing_does(client, d):
    _late(d, 4)
    user = d.users["company"]
    assert open_count(user) == 1
    client.force_login(user)
    assert "未读" in client.get("/inbox").content.decode()
    client.post("/inbox/read")
    assert "未读" not in client.get("/inbox").content.decode()
    assert open_count(user) == 1
    order = Notice.objects.first().order
    walk(d, order, "sign")
    _follow()
    assert open_count(user) == 0
    assert "最近一周办了的" in client.get("/inbox").content.decode()


def test_one_can_be_read_and_others_stay_unread(client, d):
    _late(d, 4)
    _late(d, 4)
    user = d.users["company"]
    client.force_login(user)
    first = Notice.objects.filter(user=user).first()
    client.post("/inbox/read", {"id": [str(first.pk), "nonsense"]})
    assert list(Notice.objects.filter(user=user, read_at__isnull=False)) == [first]


def test_nobody_marks_anothers_notices(client, d):
    _late(d, 4)
    theirs = Notice.objects.filter(user=d.users["manager"]).get()
    client.force_login(d.users["company"])
    client.post("/inbox/read", {"id": str(theirs.pk)})
    theirs.refresh_from_db()
    assert theirs.read_at is None


def test_who_left_the_company_takes_nothing_along(client, d):
    _late(d, 4)
    leave(Membership.objects.get(user=d.users["company"]), on=date(2024, 1, 1))
    user = User.objects.get(pk=d.users["company"].pk)
    assert open_count(user) == 0
    assert "潍坊花园" not in _page(client, user)


def test_the_badge_counts_what_waits(client, d):
    _late(d, 31)
    page = _page(client, d.users["operator"])
    assert f'data-test="inbox-count">{open_count(d.users["operator"])}<' in page
    assert open_count(d.users["operator"]) >= 2


def test_an_empty_inbox_says_what_would_stand_there(client, d):
    assert "没有事情等您答复" in _page(client, d.users["district"])


def test_the_number_of_queries_is_constant(client, d):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/inbox").status_code == 200
        return len(seen)

    _late(d, 50)
    client.force_login(d.users["operator"])
    queries()
    few = queries()
    for _ in range(6):
        _late(d, 50)
    order = walk(d, report(d), "sign", "assign")
    act(order.pk, "return", by=d.actor("company"), data={"reason": "x"})
    _follow()
    assert queries() == few <= 10
