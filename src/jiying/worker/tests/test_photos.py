"""Photos in a worker's hand: before, after, and done with them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from jiying.core.tests import snaps
from jiying.orders.models import Attachment, Event, Order
from jiying.orders.tests import build


def file(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("IMG_1.jpg", snaps.jpeg() if data is None else data, content_type="image/jpeg")


@pytest.fixture
def on_site(d) -> Order:
    return build.walk(d, build.report(d), "sign", "assign", "arrive")


@pytest.fixture
def worker(client, d):
    client.force_login(d.users["worker"])
    return client


def form(order: Order, **more):
    version = Order.objects.values_list("version", flat=True).get(pk=order.pk)
    return {"version": version, "idempotency_key": "k" * 32, "note": "换了角阀", **more}


def said(order: Order) -> dict:
    return Event.objects.get(order=order, verb="done").data


def test_a_photo_from_before_stands_beside_the_one_from_after(worker, on_site):
    path = f"/worker/orders/{on_site.pk}/photos"
    for purpose, size in (("before", 60), ("after", 70)):
        answer = worker.post(
            path, {"photos": file(snaps.jpeg(size, size)), "purpose": purpose}, headers={"Accept": "application/json"}
        )
        assert answer.status_code == 201
    page = worker.get(f"/worker/orders/{on_site.pk}").text
    assert page.index('aria-label="修前"') < page.index('aria-label="修后"')
    assert page.count('data-test="photo"') == 2


def test_done_names_the_photos_sent_before_it(worker, on_site):
    path = f"/worker/orders/{on_site.pk}"
    worker.post(f"{path}/photos", {"photos": file(), "purpose": "after"})
    assert worker.post(f"{path}/done", form(on_site)).status_code == 302
    assert said(on_site)["attachments"] == [str(Attachment.objects.get().pk)]


def test_a_plain_form_is_done_with_the_photos_in_it(worker, on_site):
    sent = form(on_site, photos=[file(), file(snaps.jpeg(80, 80))])
    assert worker.post(f"/worker/orders/{on_site.pk}/done", sent).status_code == 302
    assert len(said(on_site)["attachments"]) == 2
    assert {photo.purpose for photo in Attachment.objects.all()} == {"after"}


def test_a_second_press_of_done_is_the_first_one(worker, on_site):
    data = snaps.jpeg()
    first = form(on_site, photos=file(data))
    worker.post(f"/worker/orders/{on_site.pk}/done", first)
    again = worker.post(f"/worker/orders/{on_site.pk}/done", {**first, "photos": file(data)})
    assert again.status_code == 302
    assert Event.objects.filter(order=on_site, verb="done").count() == 1
    assert Attachment.objects.count() == 1


def test_a_broken_photo_keeps_what_was_typed_and_is_not_done(worker, on_site):
    answer = worker.post(f"/worker/orders/{on_site.pk}/done", form(on_site, photos=file(b"MZ")))
    assert answer.status_code == 415
    assert "没有收下" in answer.text and "换了角阀" in answer.text
    on_site.refresh_from_db()
    assert on_site.state == "on_site"


def test_a_category_that_requires_a_photo_says_so_before_and_after(worker, d):
    order = build.walk(d, build.report(d, category="facade"), "sign", "assign", "arrive")
    path = f"/worker/orders/{order.pk}"
    assert "要附修后照片才能报完工" in worker.get(path).text
    refused = worker.post(f"{path}/done", form(order))
    assert refused.status_code == 422
    assert "请先拍一张" in refused.text and "换了角阀" in refused.text
    assert worker.post(f"{path}/done", form(order, photos=file())).status_code == 302


def test_a_pause_takes_its_evidence_along(worker, on_site):
    path = f"/worker/orders/{on_site.pk}"
    sent = form(on_site, reason="waiting_parts", until="2099-01-01T10:00", photos=file())
    refused = worker.post(f"{path}/pause", sent)
    assert refused.status_code == 422
    photo = Attachment.objects.get()
    assert photo.purpose == "evidence", "a photo that came is kept, whatever becomes of the verb"
    soon = (timezone.localtime() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    assert worker.post(f"{path}/pause", form(on_site, reason="waiting_parts", until=soon)).status_code == 302
    assert Event.objects.get(order=on_site, verb="pause").data["attachments"] == [str(photo.pk)]


def test_another_workers_order_takes_no_photo(client, d, on_site):
    client.force_login(d.users["worker-2"])
    answer = client.post(f"/worker/orders/{on_site.pk}/photos", {"photos": file(), "purpose": "after"})
    assert answer.status_code == 404
    assert not Attachment.objects.exists()


def test_a_purpose_that_is_not_the_workers_is_refused(worker, on_site):
    answer = worker.post(
        f"/worker/orders/{on_site.pk}/photos",
        {"photos": file(), "purpose": "report"},
        headers={"Accept": "application/json"},
    )
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "not_yours")
