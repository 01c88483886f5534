"""Photos of a resident: with the report or later, seen by its reporter, and not by who was passed the link."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jiying.core.tests import snaps
from jiying.orders import attachments
from jiying.orders.models import Attachment, Order
from jiying.orders.proof import track_token
from jiying.orders.tests import build

FORM = {"estate": "E1", "category": "leak", "description": "厨房水管爆了", "phone": "13812345678"}


def file(data: bytes | None = None, name: str = "IMG_1.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, snaps.jpeg() if data is None else data, content_type="image/jpeg")


def send(client, *photos, **fields):
    return client.post("/report", {"idempotency_key": "k" * 32, **FORM, **fields, "photos": list(photos)})


def url(order: Order, rest: str = "") -> str:
    return f"/t/{track_token(order.pk)}{rest}"


@pytest.fixture
def reported(client, d) -> Order:
    """An order that this browser reported."""
    send(client)
    return Order.objects.get()


def test_a_plain_form_reports_with_its_photos(client, d):
    answer = send(client, file(), file(snaps.jpeg(90, 90)))
    order = Order.objects.get()
    assert answer.headers["Location"] == url(order, "?new=1")
    assert [(p.purpose, p.role) for p in Attachment.objects.filter(order=order)] == [("report", "resident")] * 2
    page = client.get(url(order)).text
    assert page.count('data-test="photo"') == 2
    assert "2 张照片已收到" in page


def test_a_photo_that_is_none_costs_no_report(client, d):
    send(client, file(b"MZ\x90\x00", "virus.jpg"), file())
    order = Order.objects.get()
    assert Attachment.objects.filter(order=order).count() == 1
    page = client.get(url(order, "?new=1")).text
    assert order.number in page and "不是 JPEG、PNG 或 WebP 照片，没有收下" in page


def test_the_same_form_twice_is_one_order_with_one_photo(client, d):
    data = snaps.jpeg()
    send(client, file(data))
    send(client, file(data))
    assert (Order.objects.count(), Attachment.objects.count()) == (1, 1)


def test_a_photo_added_later_is_answered_to_a_script_and_to_a_form(client, reported):
    path = url(reported, "/photos")
    headers = {"Accept": "application/json", "Idempotency-Key": "once"}
    data = snaps.jpeg()
    answers = [client.post(path, {"photos": file(data)}, headers=headers) for _n in range(2)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({json.loads(answer.content)["id"] for answer in answers}) == 1
    form = client.post(path, {"photos": file(snaps.jpeg(70, 70))})
    assert (form.status_code, form.headers["Location"]) == (302, url(reported))
    assert Attachment.objects.count() == 2


def test_a_refusal_says_why_in_words(client, reported):
    answer = client.post(url(reported, "/photos"), {"photos": file(b"MZ")}, headers={"Accept": "application/json"})
    assert answer.status_code == 415
    assert json.loads(answer.content)["code"] == "not_a_picture"
    nothing = client.post(url(reported, "/photos"), {}, headers={"Accept": "application/json"})
    assert (nothing.status_code, json.loads(nothing.content)["detail"]) == (422, "还没有选照片。")


def test_a_link_that_was_passed_on_neither_shows_nor_takes_photos(client, reported):
    client.post(url(reported, "/photos"), {"photos": file()})
    photo = Attachment.objects.get()
    stranger = Client()
    page = stranger.get(url(reported)).text
    assert "有 1 张照片，只给报修人看" in page and str(photo.pk) not in page
    assert stranger.get(url(reported, f"/photos/{photo.pk}")).status_code == 404
    answer = stranger.post(
        url(reported, "/photos"), {"photos": file(snaps.jpeg(60, 60))}, headers={"Accept": "application/json"}
    )
    assert (answer.status_code, json.loads(answer.content)["code"]) == (422, "bad_code")
    assert Attachment.objects.count() == 1
    stranger.post(url(reported, "/show-code"), {"last4": "5678"})
    seen = stranger.get(url(reported, f"/photos/{photo.pk}"), {"size": "small"})
    assert (seen.status_code, seen["Content-Type"], seen["X-Content-Type-Options"]) == (200, "image/jpeg", "nosniff")


def test_the_reporter_sees_before_and_after_but_not_what_offices_keep_among_themselves(client, d, reported):
    order = build.walk(d, reported, "sign", "assign", "arrive")
    kept = {
        purpose: attachments.add(order.pk, snaps.jpeg(50, 50), purpose=purpose, by=d.actor("worker"))[0]
        for purpose in ("before", "after", "evidence", "other")
    }
    page = client.get(url(order)).text
    for purpose, photo in kept.items():
        shown = purpose in ("before", "after")
        assert (str(photo.pk) in page) is shown
        assert client.get(url(order, f"/photos/{photo.pk}")).status_code == (200 if shown else 404)


def test_another_orders_photo_is_not_behind_this_link(client, d, reported):
    other = build.report(d)
    photo = attachments.add(other.pk, snaps.jpeg(), purpose="report", by=d.actor("track"))[0]
    assert client.get(url(reported, f"/photos/{photo.pk}")).status_code == 404


def test_what_the_camera_noted_is_told_to_no_resident(client, d, reported):
    noted = snaps.jpeg(taken="2026:11:25 14:03:00", lon=121.5205, lat=31.222)
    client.post(url(reported, "/photos"), {"photos": file(noted)})
    page = client.get(url(reported)).text
    assert 'data-test="photo"' in page
    assert "拍摄" not in page and "离报修地点" not in page


def test_photos_are_counted_with_the_public_writes(client, d, reported, settings):
    settings.PUBLIC_RATE = "1/min"
    first = client.post(url(reported, "/photos"), {"photos": file()}, headers={"Accept": "application/json"})
    second = client.post(url(reported, "/photos"), {"photos": file()}, headers={"Accept": "application/json"})
    assert (first.status_code, second.status_code) == (201, 429)
