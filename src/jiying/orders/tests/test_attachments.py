"""Photos of orders: kept once, named by the log, erased without breaking it, and nothing left after a crash."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from jiying.core.crypto import sm3_hex
from jiying.core.errors import BadInput, KeyReused, NotFound, NotYours, StoreDown
from jiying.core.tests import snaps
from jiying.orders import attachments, photofiles
from jiying.orders.actions import act
from jiying.orders.actors import TRACKER, Actor
from jiying.orders.models import Attachment, Event, IdempotencyKey, Order
from jiying.orders.tests.build import District, district, report, walk
from jiying.orders.verify import verify


@pytest.fixture
def d(db: None) -> District:
    return district()


@pytest.fixture
def on_site(d: District) -> Order:
    return walk(d, report(d), "sign", "assign", "arrive")


def add(d: District, order: Order, who: str = "worker", purpose: str = "after", **more: Any) -> Attachment:
    data = more.pop("data", None) or snaps.jpeg()
    return attachments.add(order.pk, data, purpose=purpose, by=d.actor(who), **more)[0]


def files() -> set[str]:
    """The names of all files in the store."""
    if not default_storage.exists("photos"):
        return set()
    days, _loose = default_storage.listdir("photos")
    return {f"photos/{day}/{name}" for day in days for name in default_storage.listdir(f"photos/{day}")[1]}


@pytest.fixture(autouse=True)
def _own_store(settings: Any, tmp_path: Any) -> None:
    store = {**settings.STORAGES["default"]}
    store["OPTIONS"] = {**store["OPTIONS"], "location": tmp_path / "uploads"}
    settings.STORAGES = {**settings.STORAGES, "default": store}


def test_a_photo_is_kept_with_its_order_and_stands_in_the_log(d, on_site):
    photo = add(d, on_site)
    event = Event.objects.filter(order=on_site).latest("version")
    assert (event.verb, event.role, event.by) == ("attach", "worker", str(d.users["worker"].pk))
    assert event.data == {"attachment": str(photo.pk), "purpose": "after", "sm3": photo.sm3}
    assert sm3_hex(photofiles.read(photo.pk, "full") or b"") == photo.sm3
    assert files() == {photofiles.name_of(photo.pk, size) for size in ("full", "small")}
    assert verify().broken == []


def test_a_photo_makes_nobody_stale_and_moves_no_state(d, on_site):
    seen = on_site.version
    add(d, on_site)
    done = act(on_site.pk, "done", by=d.actor("worker"), expected_version=seen)
    assert (done.state, done.version) == ("done", seen + 2)


def test_the_same_photo_sent_again_is_the_same_photo_with_and_without_a_key(d, on_site):
    data = snaps.jpeg()
    first = add(d, on_site, data=data, key="k")
    for key in ("k", "", "other"):
        photo, is_new = attachments.add(on_site.pk, data, purpose="after", by=d.actor("worker"), key=key)
        assert (photo.pk, is_new) == (first.pk, False)
    assert len(files()) == 2
    assert Event.objects.filter(verb="attach").count() == 1


def test_a_key_that_came_with_another_photo_is_refused(d, on_site):
    add(d, on_site, key="k")
    with pytest.raises(KeyReused):
        add(d, on_site, data=snaps.jpeg(100, 100), key="k")
    assert Attachment.objects.count() == 1 and IdempotencyKey.objects.filter(key="k").count() == 1


def test_another_purpose_and_another_person_have_a_photo_of_their_own(d, on_site):
    data = snaps.jpeg()
    ids = {add(d, on_site, data=data, purpose=p).pk for p in ("before", "after")}
    assert len(ids | {add(d, on_site, "company", data=data).pk}) == 3


@pytest.mark.parametrize(
    ("who", "purpose", "error"),
    [
        ("worker-2", "after", NotFound),
        ("stranger", "other", NotFound),
        ("resident", "report", NotFound),
        ("track", "after", NotYours),
        ("track", "evidence", NotYours),
        ("committee", "before", NotYours),
        ("worker", "report", NotYours),
        ("worker", "selfie", BadInput),
    ],
)
def test_who_may_not_add_a_photo_is_told_so_and_nothing_is_written(d, on_site, who, purpose, error):
    with pytest.raises(error):
        add(d, on_site, who, purpose)
    assert not files() and not Attachment.objects.exists()


@pytest.mark.parametrize("who", ["track", "company", "manager", "committee", "town", "operator", "district"])
def test_everybody_who_sees_the_order_may_add_something(d, on_site, who):
    photo = add(d, on_site, who, "other")
    assert photo.role == ("resident" if who == "track" else who)


def test_what_the_camera_noted_is_kept_for_those_who_check(d, on_site):
    data = snaps.jpeg(taken="2026:11:25 14:03:00", lon=121.5205, lat=31.222)
    photo = add(d, on_site, data=data)
    photo.refresh_from_db()
    assert photo.taken_at is not None and photo.taken_at.isoformat() == "2026-11-25T06:03:00+00:00"
    assert photo.distance_m == 48
    assert b"121.52" not in bytes(photo.point)
    point = attachments.point_of(photo)
    assert point is not None and (point.lon, point.lat) == (121.5205, 31.222)
    assert "121.5" not in Event.objects.filter(verb="attach").get().canonical


def test_a_photo_refused_writes_nothing(d, on_site):
    whole = snaps.jpeg(1600, 1200)
    for data in (b"MZ", whole[: len(whole) // 2], snaps.claiming(30_000, 30_000)):
        with pytest.raises(Exception, match="没有收下"):
            add(d, on_site, data=data)
    assert not files() and Event.objects.filter(verb="attach").count() == 0


def test_an_order_has_room_for_so_many_photos(d, on_site, monkeypatch):
    monkeypatch.setattr(attachments, "MOST", 3)
    monkeypatch.setattr(attachments, "MOST_OF_REPORTER", 1)
    add(d, on_site, "track", "report", data=snaps.jpeg(10, 10))
    with pytest.raises(BadInput) as caught:
        add(d, on_site, "track", "report", data=snaps.jpeg(10, 11))
    assert caught.value.first_code == "too_many_photos"
    add(d, on_site, data=snaps.jpeg(10, 12))
    add(d, on_site, data=snaps.jpeg(10, 13))
    with pytest.raises(BadInput):
        add(d, on_site, data=snaps.jpeg(10, 14))


def test_a_store_that_fails_half_way_leaves_no_row_and_no_file(d, on_site, monkeypatch):
    real = default_storage.save

    def save(name: str, content: Any) -> str:
        if not name.endswith("-320.jpg"):
            raise OSError("the disk is full")
        return real(name, content)

    monkeypatch.setattr(default_storage, "save", save)
    with pytest.raises(StoreDown):
        add(d, on_site)
    assert not files() and not Attachment.objects.exists()
    monkeypatch.undo()
    add(d, on_site)
    assert verify().broken == []


def test_a_database_that_fails_leaves_no_file(d, on_site, monkeypatch):
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("ended between the two")

    monkeypatch.setattr(attachments, "_observe", fail)
    with pytest.raises(RuntimeError):
        add(d, on_site)
    assert not files() and not Attachment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_uploads_of_one_photo_in_one_instant_are_one_photo():
    d = district()
    order = walk(d, report(d), "sign", "assign", "arrive")
    actor, data, got = d.actor("worker"), snaps.jpeg(), []
    barrier = threading.Barrier(8)

    def upload() -> None:
        barrier.wait()
        got.append(attachments.add(order.pk, data, purpose="after", by=actor, key="one"))
        connection.close()

    threads = [threading.Thread(target=upload) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({photo.pk for photo, _new in got}) == 1
    assert sorted(is_new for _photo, is_new in got) == [False] * 7 + [True]
    assert len(files()) == 2 and Event.objects.filter(verb="attach").count() == 1


# -- verbs that name photos ------------------------------------------------------------------------------------


def test_done_names_its_photos_with_the_sm3_of_their_files(d, on_site):
    photo = add(d, on_site)
    act(on_site.pk, "done", by=d.actor("worker"), data={"note": "换了角阀", "attachments": [str(photo.pk).upper()]})
    event = Event.objects.filter(order=on_site, verb="done").get()
    assert (event.data["attachments"], event.data["attachments_sm3"]) == ([str(photo.pk)], [photo.sm3])


@pytest.mark.parametrize("what", ["another order's", "erased", "made up", "no id"])
def test_a_photo_that_is_not_this_orders_is_unknown(d, on_site, what):
    other = walk(d, report(d), "sign", "assign", "arrive")
    photo = add(d, other if what == "another order's" else on_site)
    if what == "erased":
        attachments.erase(on_site)
    named = {"made up": str(uuid.uuid4()), "no id": "a.jpg"}.get(what, str(photo.pk))
    for verb, data in (("done", {}), ("pause", {"reason": "waiting_parts", "until": _later()})):
        with pytest.raises(BadInput) as caught:
            act(on_site.pk, verb, by=d.actor("worker"), data={**data, "attachments": [named]})
        assert [(e.field, e.code) for e in caught.value.errors] == [("data.attachments", "unknown_attachment")]
    on_site.refresh_from_db()
    assert on_site.state == "on_site"


def test_pause_takes_its_evidence(d, on_site):
    photo = add(d, on_site, purpose="evidence")
    data = {"reason": "waiting_parts", "until": _later(), "attachments": [str(photo.pk)]}
    assert act(on_site.pk, "pause", by=d.actor("worker"), data=data).state == "paused"


def _later() -> str:
    return (timezone.now() + timedelta(hours=2)).isoformat()


def test_what_goes_with_a_verb_is_what_no_earlier_one_named(d, on_site):
    first = add(d, on_site, purpose="before")
    add(d, on_site, purpose="evidence")
    assert attachments.to_say_with(on_site.pk, "done") == [str(first.pk)]
    act(on_site.pk, "done", by=d.actor("worker"), data={"attachments": [str(first.pk)]})
    walk(d, on_site, "reopen", "arrive")
    assert attachments.to_say_with(on_site.pk, "done") == []
    second = add(d, on_site, data=snaps.jpeg(50, 50))
    assert attachments.to_say_with(on_site.pk, "done") == [str(second.pk)]


def test_a_category_that_wants_photos_is_not_done_without_one(d):
    order = walk(d, report(d, category="facade"), "sign", "assign", "arrive")
    with pytest.raises(BadInput) as caught:
        act(order.pk, "done", by=d.actor("worker"))
    assert [(e.field, e.code) for e in caught.value.errors] == [("data.attachments", "required")]
    photo = add(d, order)
    assert act(order.pk, "done", by=d.actor("worker"), data={"attachments": [str(photo.pk)]}).state == "done"


def test_who_telephones_is_not_asked_for_a_photo_and_the_event_says_so(d):
    order = walk(d, report(d, category="facade"), "sign", "assign", "arrive")
    act(order.pk, "done", by=d.actor("operator"), data={"note": "师傅来电：已封闭"})
    assert Event.objects.filter(order=order, verb="done").get().data["on_behalf"] is True


@pytest.mark.parametrize("category", ["water_pipe", "leak", "power", "lift", "structure", "other"])
def test_a_category_that_only_asks_is_done_without_one(d, category):
    order = walk(d, report(d, category=category), "sign", "assign", "arrive")
    assert act(order.pk, "done", by=d.actor("worker")).state == "done"


# -- checking and erasing --------------------------------------------------------------------------------------


def broken() -> list[str]:
    return [found.reason for found in verify().broken]


def test_a_file_that_is_swapped_or_missing_is_found(d, on_site):
    photo = add(d, on_site)
    name = photofiles.name_of(photo.pk, "full")
    default_storage.delete(name)
    assert broken() == [f"the file of photo {photo.pk} is missing"]
    default_storage.save(name, ContentFile(snaps.jpeg(30, 30)))
    assert broken() == [f"the file of photo {photo.pk} was changed"]
    assert verify(files=False).broken == []


def test_a_row_made_to_fit_a_swapped_file_is_found_by_the_log(d, on_site):
    photo = add(d, on_site)
    swapped = snaps.jpeg(30, 30)
    default_storage.delete(photofiles.name_of(photo.pk, "full"))
    default_storage.save(photofiles.name_of(photo.pk, "full"), ContentFile(swapped))
    Attachment.objects.filter(pk=photo.pk).update(sm3=sm3_hex(swapped))
    assert broken() == [f"the record of photo {photo.pk} was changed"]


def test_a_photo_taken_away_or_slipped_in_without_a_word_is_found(d, on_site):
    photo = add(d, on_site)
    Attachment.objects.filter(pk=photo.pk).update(erased_at=timezone.now())
    assert broken() == [f"photo {photo.pk} was erased without an event"]
    Attachment.objects.all().delete()
    assert broken() == [f"photo {photo.pk} is gone"]
    photo.save(force_insert=True)
    Event.objects.filter(verb="attach").delete()
    Order.objects.filter(pk=on_site.pk).update(version=on_site.version, head=on_site.head)
    assert f"no event speaks of photo {photo.pk}" in broken()


@pytest.mark.django_db(transaction=True)
def test_erased_photos_are_gone_and_the_chain_holds():
    d = district()
    order = walk(d, report(d), "sign", "assign", "arrive")
    photo = add(d, order, data=snaps.jpeg(taken="2026:11:25 14:03:00", lon=121.5205, lat=31.222))
    act(order.pk, "done", by=d.actor("worker"), data={"attachments": [str(photo.pk)]})
    assert attachments.erase(order) == 1
    photo.refresh_from_db()
    assert (photo.kept, photo.taken_at, photo.distance_m, bytes(photo.point)) == (False, None, None, b"")
    assert not files() and verify().broken == []
    event = Event.objects.filter(order=order).latest("version")
    assert (event.verb, event.by, event.role) == ("erase", "rule:privacy", "rule")
    assert event.data == {"attachments": [str(photo.pk)]}
    assert attachments.erase(order) == 0
    assert Event.objects.filter(verb="erase").count() == 1
    assert act(order.pk, "note", by=d.actor("worker"), data={"text": "好"}, expected_version=order.version)


def test_an_erase_that_is_rolled_back_keeps_the_files(d, on_site):
    photo = add(d, on_site)
    attachments.erase(on_site)
    # The test's own transaction has not been committed: neither may the files be gone.
    assert photofiles.read(photo.pk, "full") is not None


def test_the_sweep_deletes_what_a_crash_left_and_nothing_else(d, on_site):
    now = timezone.now()
    kept, erased = add(d, on_site), add(d, on_site, data=snaps.jpeg(60, 60))
    Attachment.objects.filter(pk=erased.pk).update(erased_at=now)
    old, young = _id_at(now - timedelta(hours=2)), _id_at(now - timedelta(minutes=10))
    for orphan in (old, young):
        default_storage.save(photofiles.name_of(orphan, "full"), ContentFile(b"x"))
    default_storage.save(f"photos/{now:%Y%m%d}/readme.txt", ContentFile(b"x"))
    assert attachments.sweep(now) == 2
    left = {name.rpartition("/")[2] for name in files()}
    assert left == {f"{kept.pk}.jpg", f"{kept.pk}-320.jpg", f"{young}.jpg", "readme.txt"}
    erased.refresh_from_db()
    assert erased.kept is False
    assert attachments.sweep(now) == 0


def _id_at(at: Any) -> uuid.UUID:
    """A UUIDv7 of that time."""
    return uuid.UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | uuid.uuid4().int >> 70)


def test_the_resident_by_account_and_by_link_share_the_order(d):
    order = report(d, by=Actor.of(d.users["resident"]))
    assert attachments.add(order.pk, snaps.jpeg(), purpose="report", by=Actor.of(d.users["resident"]))[1]
    assert attachments.add(order.pk, snaps.jpeg(9, 9), purpose="report", by=TRACKER)[1]
