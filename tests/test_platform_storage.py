"""Photos in a store that speaks S3: a real server process on loopback, and the settings that lead there."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage
from django.utils import timezone
from moto.server import ThreadedMotoServer

from jiying.config.storage import storages_of
from jiying.core.errors import StoreDown
from jiying.core.tests import snaps
from jiying.orders import attachments, photofiles
from jiying.orders.models import Attachment
from jiying.orders.tests.build import district, report, walk
from jiying.orders.verify import verify


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIYING_STORAGE_KEY_ID", "someone")
    monkeypatch.setenv("JIYING_STORAGE_SECRET", "something")


@pytest.fixture
def bucket(keys: None, settings: Any) -> Iterator[Any]:
    """A bucket on a server of its own; the settings point there."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    name = f"jiying-{uuid.uuid4().hex[:12]}"
    endpoint = f"http://{host}:{port}"
    there = boto3.resource(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=os.environ["JIYING_STORAGE_KEY_ID"],
        aws_secret_access_key=os.environ["JIYING_STORAGE_SECRET"],
    ).create_bucket(Bucket=name)
    settings.STORAGES = storages_of(f"s3://{name}/pudong?endpoint={endpoint}&region=us-east-1", Path())
    yield there
    server.stop()


def names(bucket: Any) -> set[str]:
    return {one.key for one in bucket.objects.all()}


def test_a_photo_lies_in_the_bucket_and_comes_back(bucket: Any, db: None) -> None:
    d = district()
    order = walk(d, report(d), "sign", "assign", "arrive")
    photo, _new = attachments.add(order.pk, snaps.jpeg(), purpose="after", by=d.actor("worker"))
    assert names(bucket) == {f"pudong/{photofiles.name_of(photo.pk, size)}" for size in photofiles.SIZES}
    assert snaps.opened(photofiles.read(photo.pk, "full") or b"").size == (640, 480)
    assert verify().broken == []
    bucket.Object(f"pudong/{photofiles.name_of(photo.pk, 'full')}").delete()
    assert photofiles.read(photo.pk, "full") is None
    assert [found.reason for found in verify().broken] == [f"the file of photo {photo.pk} is missing"]


@pytest.mark.django_db(transaction=True)
def test_erasing_and_sweeping_work_in_the_bucket_too(bucket: Any) -> None:
    d = district()
    order = walk(d, report(d), "sign", "assign", "arrive")
    attachments.add(order.pk, snaps.jpeg(), purpose="after", by=d.actor("worker"))
    attachments.erase(order)
    assert names(bucket) == set()
    assert attachments.sweep(timezone.now()) == 0
    attachments.add(order.pk, snaps.jpeg(), purpose="after", by=d.actor("worker"))
    Attachment.objects.filter(erased_at=None).delete()
    assert attachments.sweep(timezone.now() + 2 * attachments.ORPHAN_AFTER) == 1
    assert names(bucket) == set()


def test_a_store_that_is_away_keeps_no_row(bucket: Any, db: None, settings: Any) -> None:
    d = district()
    order = walk(d, report(d), "sign", "assign", "arrive")
    settings.STORAGES = storages_of("s3://bucket?endpoint=http://127.0.0.1:1&region=us-east-1", Path())
    with pytest.raises(StoreDown):
        attachments.add(order.pk, snaps.jpeg(), purpose="after", by=d.actor("worker"))
    assert not Attachment.objects.exists()


def test_the_default_is_a_folder_of_the_home_that_only_we_may_read(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = storages_of("", tmp_path)
    from django.core.files.base import ContentFile

    default_storage.save("photos/20261125/x.jpg", ContentFile(b"x"))
    path = tmp_path / "uploads" / "photos" / "20261125" / "x.jpg"
    assert path.read_bytes() == b"x"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    "url", ["https://bucket", "s3://", "s3://name:secret@bucket", "s3://bucket?endpoint=x&acl=public-read", "/folder"]
)
def test_an_address_that_leads_nowhere_is_a_sentence_at_the_start(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="JIYING_STORAGE_URL"):
        storages_of(url, Path())


def test_keys_come_from_the_environment_alone(keys: None) -> None:
    options = storages_of("s3://bucket/a/b?endpoint=https://s3.example.org", Path())["default"]["OPTIONS"]
    assert (options["access_key"], options["secret_key"]) == ("someone", "something")
    assert (options["bucket_name"], options["location"]) == ("bucket", "a/b")
