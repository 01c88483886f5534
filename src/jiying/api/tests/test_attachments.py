"""Photos over the interface: who may send and see them, what is refused, and what comes back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from jiying.api.tests.calls import Api
from jiying.core import pictures
from jiying.core.tests import snaps
from jiying.orders.models import Attachment, Event, Order
from jiying.orders.tests.build import District, district, report, walk
from jiying.people.actions import issue_token


@pytest.fixture
def d(db: None) -> District:
    return district()


@pytest.fixture
def order(d: District) -> Order:
    return walk(d, report(d), "sign", "assign", "arrive")


def send(d: District, order: Any, data: bytes, *, who: str = "worker", purpose: str = "after", **headers: str) -> Any:
    token = issue_token(d.users[who])[0]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    return client.post(
        f"/api/v1/orders/{order.pk}/attachments", {"file": upload(data), "purpose": purpose}, headers=headers
    )


def upload(data: bytes, name: str = "IMG_0001.jpg", kind: str = "image/jpeg") -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, data, content_type=kind)


def test_a_photo_is_sent_and_seen_again(d, order):
    answer = send(d, order, snaps.jpeg(3000, 2000))
    assert answer.status_code == 201
    sent = answer.json()
    assert (sent["width"], sent["height"], sent["purpose"], sent["role"]) == (2560, 1707, "after", "worker")
    seen = Api(d.users["committee"]).get(sent["url"].removeprefix("/api/v1"))
    assert (seen.status_code, seen["Content-Type"]) == (200, "image/jpeg")
    assert snaps.opened(seen.content).size == (2560, 1707)
    small = Api(d.users["committee"]).get(sent["url"].removeprefix("/api/v1"), size="small")
    assert max(snaps.opened(small.content).size) == 320
    listed = Api(d.users["committee"]).get(f"/orders/{order.pk}/attachments").json()
    assert listed == {"items": [sent], "next": None}


def test_a_picture_is_answered_as_nothing_but_a_picture(d, order):
    sent = send(d, order, snaps.jpeg()).json()
    headers = Api(d.users["worker"]).get(sent["url"].removeprefix("/api/v1")).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == f'inline; filename="{sent["id"]}.jpg"'
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Cache-Control"].startswith("private")


def test_the_same_request_with_its_key_makes_one_photo(d, order):
    data, key = snaps.jpeg(), {"Idempotency-Key": "k1"}
    first, second = send(d, order, data, **key), send(d, order, data, **key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    other = send(d, order, snaps.jpeg(80, 80), **key)
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "name", "kind", "status", "code"),
    [
        (b"MZ\x90\x00" + b"\0" * 2000, "photo.jpg", "image/jpeg", 415, "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "a.svg", "image/svg+xml", 415, "not_a_picture"),
        (snaps.encoded("GIF"), "a.gif", "image/gif", 415, "not_a_picture"),
        (snaps.claiming(50_000, 50_000), "a.png", "image/png", 422, "too_many_pixels"),
        (snaps.jpeg(1600, 1200)[:9000], "a.jpg", "image/jpeg", 422, "broken_picture"),
        (b"", "a.jpg", "image/jpeg", 415, "not_a_picture"),
        (b"\xff\xd8" + b"\0" * pictures.MAX_BYTES, "a.jpg", "image/jpeg", 413, "too_large"),
    ],
    ids=["exe", "svg", "gif", "bomb", "half", "empty", "large"],
)
def test_what_is_no_good_photo_is_a_problem_with_a_sentence(d, order, data, name, kind, status, code):
    token = issue_token(d.users["worker"])[0]
    answer = Client(headers={"Authorization": f"Bearer {token}"}).post(
        f"/api/v1/orders/{order.pk}/attachments", {"file": upload(data, name, kind), "purpose": "after"}
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert "没有收下" in answer.json()["detail"]
    assert not Attachment.objects.exists()


def test_a_good_photo_under_a_wrong_name_is_a_photo(d, order):
    token = issue_token(d.users["worker"])[0]
    answer = Client(headers={"Authorization": f"Bearer {token}"}).post(
        f"/api/v1/orders/{order.pk}/attachments", {"file": upload(snaps.encoded("PNG"), "../../x.exe", "text/html")}
    )
    assert (answer.status_code, answer.json()["purpose"]) == (201, "other")


def test_a_refusal_speaks_the_askers_language(d, order):
    answer = send(d, order, b"MZ", **{"Accept-Language": "en"})
    assert "JPEG, PNG or WebP" in answer.json()["detail"]


def test_without_a_file_nothing_is_kept(d, order):
    api = Api(d.users["worker"])
    for answer in (
        api.post(f"/orders/{order.pk}/attachments", {"file": "x"}),
        api.post(f"/orders/{order.pk}/attachments"),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "file")


def test_an_unknown_purpose_is_refused(d, order):
    answer = send(d, order, snaps.jpeg(), purpose="selfie")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_purpose")


def test_photos_out_of_reach_do_not_exist(d, order):
    sent = send(d, order, snaps.jpeg()).json()
    assert send(d, order, snaps.jpeg(), who="worker-2").status_code == 404
    path = sent["url"].removeprefix("/api/v1")
    for who in ("worker-2", "committee-2", "company-2", "resident"):
        assert Api(d.users[who]).get(path).status_code == 404
        assert Api(d.users[who]).get(f"/orders/{order.pk}/attachments").status_code == 404
    assert Api().get(path).status_code == 401
    elsewhere = walk(d, report(d), "sign", "assign")
    assert Api(d.users["worker"]).get(f"/orders/{elsewhere.pk}/attachments/{sent['id']}").status_code == 404
    assert Api(d.users["worker"]).get(f"/orders/{order.pk}/attachments/{uuid.uuid4()}").status_code == 404
    assert Api(d.users["worker"]).get(path, size="raw").status_code == 404


def test_a_session_sends_photos_larger_than_a_form_with_its_csrf_token(d, order):
    client = Client(enforce_csrf_checks=True)
    client.force_login(d.users["worker"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/worker/orders/{order.pk}")
    token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    data = snaps.encoded("PNG", 1500, 1200, compress_level=0)
    assert len(data) > 5_000_000
    path = f"/api/v1/orders/{order.pk}/attachments"
    refused = client.post(path, {"file": upload(data), "purpose": "after"})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    sent = client.post(path, {"file": upload(data), "purpose": "after"}, headers={"X-CSRFToken": token})
    assert sent.status_code == 201


def test_done_takes_the_ids_that_came_back(d, order):
    sent = send(d, order, snaps.jpeg()).json()
    worker = Api(d.users["worker"])
    answer = worker.act(order, "done", {"attachments": [sent["id"]]})
    assert (answer.status_code, answer.json()["state"]) == (200, "done")
    assert Event.objects.get(order=order, verb="done").data["attachments"] == [sent["id"]]


def test_done_with_a_photo_of_nobody_says_so(d, order):
    answer = Api(d.users["worker"]).act(order, "done", {"attachments": [str(uuid.uuid4())]})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_attachment")
    assert answer.json()["errors"][0]["field"] == "data.attachments"
