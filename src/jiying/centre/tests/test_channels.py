"""`/centre/channels`: a switch for those who watch over the district."""

from __future__ import annotations

import pytest

from jiying.notices.models import Stopped
from jiying.notices.tests.outside import set_up, sms
from jiying.orders.tests.build import district
from jiying.people.models import Audit


@pytest.fixture
def d(db):
    return district()


def test_a_channel_is_stopped_and_started_for_a_reason_that_stays(d, client):
    client.force_login(d.users["supervisor"])
    with set_up(sms=sms("http://127.0.0.1:9/")):
        assert client.post("/centre/channels/sms/stop", {"reason": "短信误发"}).status_code == 302
        page = client.get("/centre/channels").text
        assert "已停用" in page and "短信误发" in page
        assert client.post("/centre/channels/sms/start", {"reason": "已修复"}).status_code == 302
        assert not Stopped.objects.exists()
    assert list(Audit.objects.filter(action="channel").order_by("at").values_list("reason", flat=True)) == [
        "短信误发", "已修复",
    ]  # fmt: skip


def test_without_a_reason_nothing_is_stopped(d, client):
    client.force_login(d.users["operator"])
    with set_up(sms=sms("http://127.0.0.1:9/")):
        answer = client.post("/centre/channels/sms/stop", {"reason": " "})
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert not Stopped.objects.exists()


def test_the_district_looks_on_and_what_is_no_channel_is_not_found(d, client):
    client.force_login(d.users["district"])
    assert "channel-switch" not in client.get("/centre/channels").text
    assert client.post("/centre/channels/sms/stop", {"reason": "x"}).status_code == 403
    client.force_login(d.users["operator"])
    assert client.post("/centre/channels/pigeon/stop", {"reason": "x"}).status_code == 404
    assert client.post("/centre/channels/sms/paint", {"reason": "x"}).status_code == 404
