"""`jiying doctor` says what is wrong and what to do, also when little works any more."""

from __future__ import annotations

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.utils import timezone
from tests.served import jiying

from jiying.config import doctor, doctor_data
from jiying.dispatch import surges
from jiying.dispatch.keeping import Keeper
from jiying.estates.queries import nights_of
from jiying.orders.models import Order
from jiying.orders.tests import build
from jiying.people.actions import put_on_duty


@pytest.fixture
def home(_migrated: Path, tmp_path: Path) -> Path:
    """A home of its own, migrated."""
    shutil.copytree(_migrated, tmp_path / "home")
    return tmp_path / "home"


def examined(home: Path, **more: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code and findings by name."""
    done = jiying(home, "doctor", "--json", **more)
    assert "Traceback" not in done.stderr
    checks = json.loads(done.stdout)["checks"]
    assert all(check.keys() == {"name", "status", "hint"} for check in checks)
    assert all(check["status"] in ("ok", "warn", "fail") and check["hint"] for check in checks)
    assert len({check["name"] for check in checks}) == len(checks)
    return done.returncode, {check["name"]: check for check in checks}


def test_a_fresh_home_is_well_and_warned_about_what_it_lacks(home):
    code, found = examined(home)
    assert code == 0
    assert {name for name, check in found.items() if check["status"] == "fail"} == set()
    assert found["migrations"]["status"] == found["sqlite"]["status"] == found["secrets"]["status"] == "ok"
    assert "example" in found["rules"]["hint"]
    assert "jiying seed" in found["district"]["hint"]
    told = jiying(home, "doctor").stdout
    assert "WARN  rules" in told


def test_a_home_that_does_not_exist_is_told_and_not_made(tmp_path):
    code, found = examined(tmp_path / "nowhere")
    assert (code, found["home"]["status"]) == (1, "fail")
    assert "jiying migrate" in found["home"]["hint"]
    assert not (tmp_path / "nowhere").exists()


def test_missing_keys_beside_data_fail_and_no_new_ones_are_made(home):
    shutil.rmtree(home / "secrets")
    code, found = examined(home)
    assert (code, found["secrets"]["status"]) == (1, "fail")
    assert "put the old keys back" in found["secrets"]["hint"]
    assert not (home / "secrets").exists()


def test_a_key_that_others_can_read_fails_with_the_command_that_helps(home):
    (home / "secrets" / "data-key").chmod(0o644)
    code, found = examined(home)
    assert (code, found["secrets"]["status"]) == (1, "fail")
    assert "chmod 600" in found["secrets"]["hint"]


def test_a_database_that_is_down_fails_and_the_rest_is_still_examined(home):
    code, found = examined(home, JIYING_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert (code, found["database"]["status"]) == (1, "fail")
    assert "JIYING_DATABASE_URL" in found["database"]["hint"]
    assert found["rules"]["status"] == "warn"
    assert "watcher" not in found


def test_a_home_that_was_never_migrated_says_so(home):
    (home / "jiying.sqlite3").unlink()
    code, found = examined(home)
    assert code == 1
    assert "jiying migrate" in found["database"]["hint"]
    assert not (home / "jiying.sqlite3").exists()
    code, found = examined(home, JIYING_DATABASE_URL=f"sqlite:////{home}/secrets/../empty.sqlite3")
    assert "no " in found["database"]["hint"]


def test_wrong_settings_are_a_finding(home):
    code, found = examined(home, JIYING_DATABASE_URL="mysql://somewhere/x")
    assert (code, found["settings"]["status"]) == (1, "fail")
    assert "mysql" in found["settings"]["hint"]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"JIYING_DEMO": "1"}, "warn"),
        ({"JIYING_DEMO": "1", "JIYING_HOST": "0.0.0.0"}, "fail"),
        ({"JIYING_DEMO": "1", "JIYING_ALLOWED_HOSTS": "jiying.example.org"}, "fail"),
    ],
)
def test_a_demo_is_warned_about_and_fails_where_others_reach_it(home, more, status):
    _code, found = examined(home, **more)
    assert found["demo"]["status"] == status


def test_signals_that_nothing_carries_are_warned_about(home):
    _code, found = examined(home)
    assert found["signals"]["status"] == "ok"
    code, found = examined(home, JIYING_REDIS_URL="redis://127.0.0.1:1/0")
    assert (code, found["signals"]["status"]) == (0, "warn")
    assert "half second" in found["signals"]["hint"]


def by_name(check: doctor.Checking) -> dict[str, doctor.Check]:
    return {found.name: found for found in doctor.examine([("it", check)])}


def test_a_check_that_breaks_down_is_a_finding_and_stops_none_of_the_others():
    def broken() -> Any:
        raise RuntimeError("no luck\nsecret")
        yield

    found = list(doctor.examine([("one", broken), ("two", doctor.clock)]))
    assert [(check.name, check.status) for check in found] == [("one", "fail"), ("clock", "ok")]
    assert "no luck" in found[0].hint
    assert "secret" not in found[0].hint


def test_a_clock_of_another_age_fails():
    with mock.patch("time.time", return_value=0.0):
        assert by_name(doctor.clock)["clock"].status == "fail"


def test_little_disk_warns_and_less_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("JIYING_HOME", str(tmp_path))
    for free, status in ((10 * 1024**3, "ok"), (1024**3, "warn"), (1024**2, "fail")):
        with mock.patch("shutil.disk_usage", return_value=mock.Mock(free=free)):
            assert by_name(doctor.home)["disk"].status == status


def test_a_home_of_somebody_else_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("JIYING_HOME", str(tmp_path))
    with mock.patch.object(os, "access", return_value=False):
        assert by_name(doctor.home)["home"].status == "fail"


@pytest.mark.django_db
def test_a_migration_that_is_missing_fails_and_the_loops_are_left_out():
    with mock.patch.object(doctor_data.MigrationExecutor, "migration_plan", return_value=[object()]):
        found = by_name(doctor_data.database)
        assert found["migrations"].status == "fail"
        assert "jiying migrate" in found["migrations"].hint
        assert list(doctor_data._with_database(doctor_data.loops)()) == []


@pytest.mark.django_db
def test_the_database_of_the_tests_is_named_with_its_version():
    found = by_name(doctor_data.database)
    named = {"sqlite": "SQLite 3.", "postgresql": "PostgreSQL 1"}[connection.vendor]
    assert found["database"].hint.startswith(named)
    if connection.vendor == "postgresql":
        assert found["database_clock"].status == "ok"
        with mock.patch.object(doctor_data, "OLDEST_POSTGRESQL", 99):
            assert by_name(doctor_data.database)["database"].status == "fail"


@pytest.mark.django_db
def test_a_watcher_that_lags_fails_and_an_order_set_aside_is_named():
    order = build.report(build.district())
    assert by_name(doctor_data.loops)["watcher"].status == "ok"
    Order.objects.filter(pk=order.pk).update(next_at=timezone.now() - timedelta(minutes=5))
    late = by_name(doctor_data.loops)["watcher"]
    assert late.status == "fail"
    assert "jiying work" in late.hint
    Order.objects.filter(pk=order.pk).update(poisoned_until=timezone.now() + timedelta(minutes=5))
    assert order.number in by_name(doctor_data.loops)["orders_set_aside"].hint


@pytest.mark.django_db
def test_a_follower_that_lags_is_named():
    build.report(build.district())
    with mock.patch.object(doctor_data, "LAG_EVENTS", 0):
        found = by_name(doctor_data.loops)["followers"]
    assert found.status == "warn"
    assert "notices" in found.hint


def test_a_store_that_cannot_be_written_fails(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(doctor_data, "default_storage", FileSystemStorage(location=str(blocked / "below")))
    assert {found.status for found in by_name(doctor_data.storage).values()} == {"fail"}
    monkeypatch.setattr(doctor_data, "default_storage", FileSystemStorage(location=str(tmp_path / "well")))
    assert by_name(doctor_data.storage)["storage"].status == "ok"
    assert not [path for path in (tmp_path / "well").rglob("*") if path.is_file()]


@pytest.mark.django_db
def test_nights_of_the_coming_week_without_anybody_are_told_where_a_roster_is_kept():
    d = build.district()
    assert by_name(doctor_data.rosters)["rosters"].hint.startswith("none is kept")
    nights = nights_of("310115")
    tonight = nights.of(timezone.now()) or timezone.localdate()
    week = [nights.night(tonight + timedelta(days=n)) for n in range(7)]
    put_on_duty(d.company.organisation, "front_desk", [d.users["company"]], week[:6])
    found = by_name(doctor_data.rosters)["rosters"]
    assert found.status == "warn"
    assert f"{d.company.name} {tonight + timedelta(days=6)} (front_desk)" in found.hint
    assert d.company2.name not in found.hint
    put_on_duty(d.company.organisation, "front_desk", [d.users["company"]], week)
    assert by_name(doctor_data.rosters)["rosters"].status == "ok"


@pytest.mark.django_db
def test_a_surge_that_nobody_watches_is_warned_about():
    d = build.district()
    assert [check.status for check in doctor_data.surges()] == ["ok"]
    surges.switch(d.division.code, True, by=d.users["operator"], reason="台风")
    (blind,) = doctor_data.surges()
    assert (blind.name, blind.status) == ("surges", "warn") and d.division.code in blind.hint
    Keeper().keep(timezone.now())
    (seen,) = doctor_data.surges()
    assert seen.status == "ok" and d.division.code in seen.hint
