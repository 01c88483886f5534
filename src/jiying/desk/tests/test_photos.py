"""Photos on the desk: before beside after, what the camera noted for who checks, a word where there is none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from jiying.core.tests import snaps
from jiying.orders import attachments
from jiying.orders.actions import act
from jiying.orders.models import Attachment, Event
from jiying.orders.tests import build


@pytest.fixture
def d(db):
    return build.district()


@pytest.fixture
def on_site(d):
    return build.walk(d, build.report(d), "sign", "assign", "arrive")


def page(d, order, who: str) -> str:
    client = Client()
    client.force_login(d.users[who])
    return client.get(f"/desk/orders/{order.pk}").text


@pytest.mark.parametrize(
    ("who", "reads"), [("committee", True), ("operator", True), ("town", True), ("company", False)]
)
def test_who_checks_reads_when_and_how_near_a_photo_was_taken(d, on_site, who, reads):
    data = snaps.jpeg(taken="2026:11:25 14:03:00", lon=121.5205, lat=31.222)
    attachments.add(on_site.pk, data, purpose="after", by=d.actor("worker"))
    told = page(d, on_site, who)
    assert 'data-test="photo"' in told and "没有修前照片" in told
    assert ("离报修地点约 48 米" in told) is reads
    assert ("14:03 拍摄" in told) is reads
    assert "121.5205" not in told


def test_a_photo_from_far_away_is_marked(d, on_site):
    attachments.add(on_site.pk, snaps.jpeg(lon=121.6, lat=31.3), purpose="after", by=d.actor("worker"))
    assert "photo-far" in page(d, on_site, "committee")


def test_work_done_without_a_photo_is_shown_as_such(d, on_site):
    assert 'data-test="no-photo"' not in page(d, on_site, "committee")
    act(on_site.pk, "done", by=d.actor("worker"))
    assert 'data-test="no-photo"' in page(d, on_site, "committee")


def test_a_category_that_asks_for_none_lacks_none(d):
    order = build.walk(d, build.report(d, category="other"), "sign", "assign", "arrive", "done")
    assert 'data-test="no-photo"' not in page(d, order, "committee")


def test_the_desk_adds_photos_for_what_its_role_may(d, on_site):
    client = Client()
    client.force_login(d.users["committee"])
    path = f"/desk/orders/{on_site.pk}/photos"
    told = page(d, on_site, "committee")
    assert '<option value="evidence">' in told and '<option value="after">' not in told
    file = SimpleUploadedFile("a.jpg", snaps.jpeg(), content_type="image/jpeg")
    assert client.post(path, {"photos": file, "purpose": "evidence"}).status_code == 302
    assert Attachment.objects.get().role == "committee"


def test_a_managers_pause_names_the_evidence(d, on_site):
    photo, _new = attachments.add(on_site.pk, snaps.jpeg(), purpose="evidence", by=d.actor("manager"))
    client = Client()
    client.force_login(d.users["manager"])
    on_site.refresh_from_db()
    sent = {"version": on_site.version, "reason": "waiting_parts", "until": "2099-01-01T10:00"}
    assert client.post(f"/desk/orders/{on_site.pk}/pause", sent).status_code == 422
    soon = (timezone.localtime() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    client.post(f"/desk/orders/{on_site.pk}/pause", {**sent, "until": soon})
    assert Event.objects.get(order=on_site, verb="pause").data["attachments"] == [str(photo.pk)]
