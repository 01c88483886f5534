"""That a surge runs is told once to those who can do something about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jiying.core.errors import NotFound
from jiying.dispatch import surges
from jiying.dispatch.models import Surge
from jiying.estates.models import Worker
from jiying.notices.queries import open_count
from jiying.notices.surging import calls, mark_known
from jiying.people.models import User


def begin(d, minutes: float = 0) -> Surge:
    surges.switch(d.division.code, True, by=d.users["operator"], reason="台风", now=at(minutes))
    return surges.running(d.division.code)


def at(minutes: float):
    return timezone.now() + timedelta(minutes=minutes)


def told(d) -> dict[str, str]:
    return {name: call.why for name, user in d.users.items() for call in calls(User.objects.get(pk=user.pk))}


def test_the_centre_and_the_companies_of_the_district_are_told_and_nobody_else(d):
    assert told(d) == {}
    begin(d)
    assert told(d) == {
        **dict.fromkeys(("operator", "supervisor"), "centre"),
        **dict.fromkeys(("company", "manager", "company-2", "manager-2"), "company"),
    }
    Worker.objects.filter(company=d.company2).update(active=False)
    assert "company-2" not in told(d), "they have nobody to recall"


def test_once_a_surge_until_they_know_however_often_somebody_looks(d):
    first, operator = begin(d), d.users["operator"]
    for minutes in range(3):
        surges.follow(d.division.code, None, at(minutes))
        assert open_count(operator) == 1
    for _twice in range(2):
        mark_known(operator, first.pk)
    assert open_count(operator) == 0
    assert open_count(d.users["company"]) == 1, "what one knows the others may not"
    surges.switch(d.division.code, False, by=operator, reason="结束", now=at(10))
    assert open_count(d.users["company"]) == 0, "what is over asks nothing"
    begin(d, 20)
    assert open_count(operator) == 1, "another one is told anew"


def test_who_is_not_told_cannot_say_that_they_know(d):
    one = begin(d)
    with pytest.raises(NotFound):
        mark_known(d.users["operator-2"], one.pk)


def test_while_none_runs_the_inbox_asks_nothing_more(d):
    surges.running(d.division.code)
    with CaptureQueriesContext(connection) as queries:
        assert calls(d.users["operator"]) == []
    assert len(queries) == 0


def test_the_inbox_shows_it_and_a_press_takes_it_away(d, client):
    one = begin(d)
    client.force_login(d.users["company"])
    page = client.get("/inbox").text
    assert 'data-test="inbox-surge"' in page and 'href="/desk/workers"' in page
    assert client.get("/inbox/count").json() == {"count": 1}
    for _twice in range(2):
        assert client.post(f"/inbox/surges/{one.pk}").status_code == 302
    page = client.get("/inbox").text
    assert 'data-test="inbox-surge"' not in page and "没有事情等您答复" in page
    client.force_login(d.users["operator"])
    assert 'href="/centre/surge"' in client.get("/inbox").text
    client.force_login(d.users["worker"])
    assert client.post(f"/inbox/surges/{one.pk}").status_code == 302
    assert 'data-test="inbox-surge"' not in client.get("/inbox").text
