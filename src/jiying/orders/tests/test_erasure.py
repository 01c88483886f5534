"""Erasing by law and by age: nothing of a person is left, the chains hold, and a silent deletion is told apart."""

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.db import connection
from django.utils import timezone

from jiying.core.errors import BadCode
from jiying.core.tests import snaps
from jiying.orders import attachments, contacts, erasure, idempotency, queries
from jiying.orders.actions import act, check_last4
from jiying.orders.commands import privacy
from jiying.orders.models import Attachment, Event, EventText, IdempotencyKey, Order, OrderText
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk
from jiying.orders.tests.test_privacy import NAME, PHONE, SECRETS, a_life
from jiying.orders.verify import verify
from jiying.people.models import Audit, AuditAction

OTHER = "13900001111"
OLD = timedelta(days=400)


def run(*words: str):
    done = CliRunner().invoke(privacy, ["erase", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def erased(*words: str) -> dict:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def closed(d, **fields):
    """An order that ended 400 days ago."""
    then = timezone.now() - OLD
    order = report(d, now=then, **{"phone": OTHER, "description": "三角梅", **fields})
    return walk(d, order, "sign", "take", "arrive", "done", "verify", "close", now=then)


def dumped() -> str:
    """Everything in the tables of people's words, as text."""
    out = []
    for model in (OrderText, EventText, Event, Order, IdempotencyKey, Audit):
        out += [str(row) for row in model.objects.values()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT words FROM orders_orderwords")
        out += [row[0] for row in cursor.fetchall()]
    return "\n".join(out)


def test_what_was_reported_from_a_telephone_is_erased_and_nothing_of_others(d):
    mine, theirs = a_life(d), report(d, phone=OTHER, name="别人", description="别人的话")
    said = erased("--phone", "138 1234-5678")
    assert (said["orders"], said["already"], said["texts"]) == (1, 0, 9)
    assert [secret for secret in SECRETS if secret in dumped()] == []
    assert contacts.phone_of(Order.objects.get(pk=mine.pk)) == ""
    assert contacts.orders_of_phone("+86" + PHONE) == []
    assert contacts.phone_of(Order.objects.get(pk=theirs.pk)) == "+86" + OTHER
    assert not verify().broken


def test_erasing_twice_changes_nothing_and_leaves_one_row_on_the_audit(d):
    order = a_life(d)
    erased("--order", order.number)
    assert erased("--order", str(order.pk)) == {
        "orders": 0,
        "texts": 0,
        "photos": 0,
        "already": 1,
        "open": 0,
        "dry_run": False,
    }
    (row,) = Audit.objects.filter(action=AuditAction.ERASE)
    assert (row.subject, row.about, row.district) == (str(order.pk), order.number, order.district)
    assert (row.by, row.origin, row.data["why"]) == ("", "command", "order")


def test_what_is_said_after_an_erasure_is_kept_and_can_be_erased_again(d):
    order = a_life(d)
    erased("--order", order.number)
    act(order.pk, "note", by=d.actor("company"), data={"text": f"又来电：{NAME}"})
    assert not verify().broken
    assert erased("--order", order.number)["texts"] == 1
    assert NAME not in dumped()
    assert not verify().broken


@pytest.mark.parametrize("model", [EventText, OrderText])
def test_a_text_that_is_gone_without_a_record_breaks_the_chain(d, model):
    order = a_life(d)
    model.objects.filter(order=order).delete()
    broken = verify().broken
    assert broken
    assert all("no erasure is recorded" in one.reason for one in broken)


def test_an_erasure_covers_what_was_said_until_then_and_nothing_later(d):
    order = a_life(d)
    erased("--order", order.number)
    act(order.pk, "note", by=d.actor("company"), data={"text": "后来说的"})
    EventText.objects.filter(order=order).delete()
    (broken,) = verify().broken
    assert broken.version == Order.objects.get(pk=order.pk).version


def test_a_record_that_was_forged_covers_nothing(d):
    order = a_life(d)
    EventText.objects.filter(order=order).delete()
    forged = Audit(action="erase", subject=str(order.pk), data={"version": 99}, mark="0" * 64)
    forged.save(force_insert=True)
    assert verify().broken


def test_by_age_only_what_ended_long_ago_is_erased(d):
    old, fresh = closed(d), report(d, phone=OTHER, description="还在处理")
    just = walk(d, report(d, description="刚结束"), "sign", "take", "arrive", "done", "verify", "close")
    assert erased("--older-than", "401")["orders"] == 0
    assert erased("--older-than", "365") == {
        "orders": 1,
        "texts": 1,
        "photos": 0,
        "already": 0,
        "open": 0,
        "dry_run": False,
    }
    left = set(OrderText.objects.filter(erased_at=None).values_list("order", flat=True))
    assert left == {fresh.pk, just.pk}
    assert OrderText.objects.get(order=old).description == ""
    assert erased("--older-than", "365")["orders"] == 0


def test_a_dry_run_counts_and_erases_nothing(d):
    closed(d)
    before = dumped()
    assert erased("--older-than", "30", "--dry-run") == {
        "orders": 1, "texts": 1, "photos": 0, "already": 0, "open": 0, "dry_run": True
    }  # fmt: skip
    assert dumped() == before


def test_more_orders_than_one_round_takes_are_all_erased(d, monkeypatch):
    monkeypatch.setattr(erasure, "AT_ONCE", 2)
    for _ in range(5):
        closed(d)
    assert erased("--older-than", "30")["orders"] == 5


def test_an_order_that_is_still_worked_on_is_erased_when_asked_for_and_said_to_be(d):
    report(d, phone=PHONE)
    done = run("--phone", PHONE, "--json")
    assert json.loads(done.stdout)["open"] == 1
    assert "still being worked on" in done.stderr


def test_where_somebody_lives_is_left_out_of_the_position_too(d):
    order = report(
        d, estate=None, address="无名路九弄", phone=PHONE, point={"lon": 121.519999, "lat": 31.222222, "crs": "WGS-84"}
    )
    erased("--phone", PHONE)
    kept = Order.objects.get(pk=order.pk)
    assert (kept.lon, kept.lat, kept.reporter_id) == (121.52, 31.22, None)


def test_the_key_of_the_request_goes_with_what_it_carried(d):
    order = report(d, phone=PHONE)
    idempotency.bind("ip:10.1.2.3", "k", {}, order, timezone.now()).save()
    erased("--phone", PHONE)
    assert not IdempotencyKey.objects.filter(order=order).exists()


def test_photos_go_with_the_words(d):
    order = walk(d, report(d, phone=PHONE), "sign", "take", "arrive")
    photo, _new = attachments.add(order.pk, snaps.jpeg(), purpose="before", by=d.actor("worker"))
    assert erased("--phone", PHONE)["photos"] == 1
    assert Attachment.objects.get(pk=photo.pk).erased_at is not None
    assert erased("--order", order.number)["already"] == 1
    assert not verify().broken


def test_nobody_passes_for_the_reporter_after_the_telephone_was_erased(d):
    order = report(d, phone=PHONE)
    erased("--phone", PHONE)
    order = Order.objects.select_related("text").get(pk=order.pk)
    with pytest.raises(BadCode, match="已按规定删除"):
        check_last4(order, "5678")


def test_pages_say_what_stood_there_was_erased(d, client):
    order = a_life(d)
    erased("--order", order.number)
    client.force_login(d.users["company"])
    page = client.get(f"/desk/orders/{order.pk}").content.decode()
    assert page.count("已按规定删除") > 3
    assert [secret for secret in SECRETS if secret in page] == []
    assert queries.one(order.pk, d.users["company"]) is not None


@pytest.mark.parametrize(
    "words",
    [(), ("--phone", PHONE, "--older-than", "3"), ("--phone", "12"), ("--order", "nothing"), ("--older-than", "0")],
)
def test_wrong_use_is_told_and_erases_nothing(d, words):
    a_life(d)
    before = dumped()
    from jiying.core.errors import BadInput

    done = CliRunner().invoke(privacy, ["erase", *words])
    assert done.exit_code == 2 or isinstance(done.exception, BadInput)
    assert dumped() == before


@pytest.mark.django_db(transaction=True)
def test_the_raw_files_hold_nothing_that_was_erased():
    if connection.vendor != "sqlite":
        pytest.skip("the server's files are not ours to read; it overwrites at its next vacuum")
    d = build.district()
    order = a_life(d)
    for _ in range(3):
        report(d, description="阳台种着三角梅", phone=PHONE, name=NAME)
    path = Path(str(connection.settings_dict["NAME"]))

    def raw() -> bytes:
        return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))

    assert "阳台种着三角梅".encode() in raw(), "the file is the right one"
    erased("--phone", PHONE)
    erased("--order", order.number)
    assert [
        secret for secret in ("阳台种着三角梅", "三角", "在三楼东户", "121.519999") if secret.encode() in raw()
    ] == []


KILLED = """
import os, signal, sys
import django; django.setup()
from jiying.orders import erasure
seen = []
def told(done):
    seen.append(done)
    if done == 2: os.kill(os.getpid(), signal.SIGKILL)
erasure.erase(erasure.older_than(30), why="age", reason="", told=told)
"""


def test_an_erasure_that_was_killed_is_finished_by_a_repeat(serve, monkeypatch):
    from tests.served import environment, jiying

    home = serve(part="web").home
    make = (
        "import django; django.setup()\n"
        "from jiying.orders.tests import build, test_erasure as t\n"
        "d = build.district()\n"
        "for _ in range(4): t.closed(d)\n"
    )
    done = subprocess.run([sys.executable, "-c", make], env=_env(environment(home)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    killed = subprocess.run([sys.executable, "-c", KILLED], env=_env(environment(home)), capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    repeat = jiying(home, "privacy", "erase", "--older-than", "30", "--json")
    assert json.loads(repeat.stdout)["orders"] == 2, repeat.stderr
    checked = jiying(home, "verify-chain", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["orders"]) == (0, 4)


def _env(env: dict[str, str]) -> dict[str, str]:
    return {**env, "DJANGO_SETTINGS_MODULE": "jiying.config.settings"}
