"""`jiying backup` and `jiying restore`, by the command line, on both databases."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.databases import fresh_postgres
from tests.served import environment, jiying
from tests.test_platform_storage import bucket, keys, names  # noqa: F401

from jiying.config.backup import saving
from jiying.config.backup.archive import BadArchive, Reader, Writer
from jiying.core.tests import snaps
from jiying.orders import attachments
from jiying.orders.tests.build import district, report

SIZE = ["--estates", "36", "--workers", "60", "--days", "2", "--orders", "20"]
FAR = 10**12
"""Transaction ids that no other server will reach."""


@dataclass
class Place:
    """An installation: its home, its database."""

    home: Path
    env: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = jiying(self.home, *words, **self.env)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def asked(self, *words: str) -> dict[str, Any]:
        """What a command says as JSON; it must have gone well."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def python(self, code: str) -> str:
        """A few lines in this installation."""
        start = "import django; django.setup()\n"
        env = environment(self.home, DJANGO_SETTINGS_MODULE="jiying.config.settings", **self.env)
        done = subprocess.run(
            [sys.executable, "-c", start + code], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def with_keys_of(self, other: Place) -> Place:
        shutil.copytree(other.home / "secrets", self.home / "secrets")
        return self


PHOTO = """
from jiying.core.tests import snaps
from jiying.orders import attachments, followers
from jiying.orders.actors import Actor
from jiying.orders.models import Order
from jiying.people.models import User
by = Actor.of(User.objects.get(username="demo-operator"))
attachments.add(Order.objects.earliest("pk").pk, snaps.jpeg(), purpose="other", by=by)
followers.catch_up()
"""


@pytest.fixture(scope="module")
def on_sqlite(_seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A small demo with a photo."""
    home = tmp_path_factory.mktemp("saved") / "home"
    shutil.copytree(_seeded, home)
    made = Place(home, {})
    made.python(PHOTO)
    return made


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The same on PostgreSQL, written in transactions whose numbers another server will not reach for long."""
    with fresh_postgres() as url:
        made = Place(tmp_path_factory.mktemp("saved") / "home", {"JIYING_DATABASE_URL": url})
        made.asked("migrate")
        made.asked("seed", *SIZE)
        made.python(PHOTO)
        with psycopg.connect(url, autocommit=True) as connection:
            for table in ("orders_event", "orders_cursor", "supervision_edition"):
                connection.execute(f"UPDATE {table} SET xid = xid + {FAR}")
        yield made


@pytest.fixture(params=["on_sqlite", pytest.param("on_postgres", marks=pytest.mark.needs_postgres)])
def place(request: pytest.FixtureRequest) -> Place:
    """Either."""
    found: Place = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def elsewhere(place: Place, tmp_path: Path) -> Iterator[Place]:
    """An empty place of the same kind, without keys."""
    if not place.env:
        yield Place(tmp_path / "new", {})
        return
    with fresh_postgres() as url:
        yield Place(tmp_path / "new", {"JIYING_DATABASE_URL": url})


REPORTED = """
from jiying.orders import followers
from jiying.orders.actors import STRANGER
from jiying.orders.intake import NewOrder, accept_one
from jiying.orders.models import Event, Order
from jiying.estates.models import Estate
before = followers.lags()
order, _new = accept_one(NewOrder(category="leak", description="x", estate=Estate.objects.first().code),
                         by=STRANGER, caller="x")
lags = followers.lags()
assert lags.pop("rollups_moved") == 0, "it hears of moves to another rule pack alone"
followers.catch_up()
print(before, set(lags.values()), set(followers.lags().values()))
"""


def test_everything_comes_back_but_the_keys_and_it_goes_on_from_there(place: Place, elsewhere: Place, tmp_path: Path):
    done = place.run("backup", str(tmp_path / "b.tar"), "--json")
    assert done.returncode == 0, done.stderr
    saved = json.loads(done.stdout)
    assert "KEYS ARE NOT IN IT" in done.stderr
    assert str(place.home / "secrets") in done.stderr
    was = place.asked("verify-chain")
    assert (saved["counts"]["orders"], saved["counts"]["events"], saved["head"]) == (
        was["orders"], was["events"], was["head"],
    )  # fmt: skip
    assert saved["counts"]["attachments"] == 1
    with tarfile.open(tmp_path / "b.tar") as archive:
        assert [name for name in archive.getnames() if "secret" in name or "data-key" in name] == []
        whole = b"".join(archive.extractfile(entry).read() for entry in archive if entry.isfile())
    for key in ("secret-key", "data-key"):
        assert (place.home / "secrets" / key).read_bytes().strip() not in whole
    elsewhere.with_keys_of(place)
    back = elsewhere.asked("restore", str(tmp_path / "b.tar"))
    assert (back["head"], back["as_saved"], back["keys"]) == (was["head"], True, "same")
    assert back["chains"] == {"verified": was["orders"], "broken": 0}
    assert back["counts"] == saved["counts"]
    (photo,) = (place.home / "uploads").rglob("*-320.jpg")
    assert (elsewhere.home / photo.relative_to(place.home)).read_bytes() == photo.read_bytes()
    assert elsewhere.asked("figures", "check")["different"] == 0
    before, one, caught_up = elsewhere.python(REPORTED).replace("} {", "}|{").split("|")
    assert set(eval(before).values()) == {0}, "what was told is not told again"
    assert (eval(one), eval(caught_up)) == ({1}, {0}), "what comes after is read"


def test_only_an_empty_place_is_restored_into(place: Place, elsewhere: Place, tmp_path: Path):
    place.asked("backup", str(tmp_path / "b.tar"))
    again = place.run("restore", str(tmp_path / "b.tar"))
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)
    elsewhere.home.mkdir()
    (elsewhere.home / "somebody's").touch()
    done = elsewhere.run("restore", str(tmp_path / "b.tar"))
    assert (done.returncode, "is not empty" in done.stderr) == (2, True)
    assert [path.name for path in elsewhere.home.iterdir()] == ["somebody's"]
    (elsewhere.home / "somebody's").unlink()
    if place.env:
        with psycopg.connect(elsewhere.env["JIYING_DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE somebodys (x int)")
        done = elsewhere.run("restore", str(tmp_path / "b.tar"))
        assert (done.returncode, "database is not empty" in done.stderr) == (2, True)
        assert {path.name for path in elsewhere.home.iterdir()} <= {"secrets"}


def test_without_the_keys_it_comes_back_sealed_and_says_so_loudly(on_sqlite: Place, tmp_path: Path):
    new = Place(tmp_path / "new", {})
    on_sqlite.asked("backup", str(tmp_path / "b.tar"))
    done = new.run("restore", str(tmp_path / "b.tar"), "--json")
    assert done.returncode == 1
    assert "THE KEYS ARE NOT HERE" in done.stderr
    assert json.loads(done.stdout)["keys"] == "missing"
    shutil.rmtree(new.home / "secrets")
    new.with_keys_of(on_sqlite)
    assert new.asked("verify-chain")["broken"] == []


def test_a_file_that_is_cut_or_changed_anywhere_is_refused(tmp_path: Path):
    path, rng = tmp_path / "b.tar", random.Random(7)
    with path.open("wb") as file:
        writer = Writer(file)
        for name, size in (("database.sqlite3", 3000), ("home/uploads/照片.jpg", 700), ("home/empty", 0)):
            writer.add(name, io.BytesIO(rng.randbytes(size)), size)
        writer.finish({"format": 1, "migrations": []})
    whole = path.read_bytes()
    assert Reader(path).names("home/") == ["home/uploads/照片.jpg", "home/empty"]
    with tarfile.open(path) as archive:
        assert archive.getnames()[-2:] == ["manifest.json", "seal"], "any tar reads it"
    for position in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[position] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(BadArchive):
            Reader(path)
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(BadArchive):
            Reader(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(BadArchive):
        Reader(path)


def test_a_changed_backup_writes_nothing_at_all(on_sqlite: Place, tmp_path: Path):
    new = Place(tmp_path / "new", {})
    path = tmp_path / "b.tar"
    on_sqlite.asked("backup", str(path))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 4
    for bad in (bytes(whole), bytes(whole[: len(whole) // 2]), b"not a tar"):
        path.write_bytes(bad)
        done = new.run("restore", str(path))
        assert (done.returncode, "Nothing was written" in done.stderr) == (2, True)
        assert not new.home.exists()


def test_what_is_there_is_not_overwritten_and_the_home_holds_no_backup_of_itself(on_sqlite: Place, tmp_path: Path):
    taken = tmp_path / "taken.tar"
    taken.write_text("mine")
    for target in (taken, on_sqlite.home / "b.tar", tmp_path / "nowhere" / "b.tar"):
        assert on_sqlite.run("backup", str(target)).returncode == 2
    assert taken.read_text() == "mine"
    assert Path(on_sqlite.asked("backup", str(tmp_path))["file"]).parent == tmp_path


def running(place: Place, *words: str, limit: int = 0) -> subprocess.Popen[str]:
    """A command in the background; `limit`: bytes it may write into one file, as on a disk that is full."""
    return subprocess.Popen(
        [sys.executable, "-m", "jiying", *words],
        env=environment(place.home, **place.env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None,
    )


@pytest.fixture
def heavy(place: Place) -> Iterator[None]:
    """Something large in the home, so that a kill finds the work half done."""
    path = place.home / "uploads" / "large"
    with path.open("wb") as file:
        for _ in range(60):
            file.write(os.urandom(1024 * 1024))
    yield
    path.unlink()


def killed_when(process: subprocess.Popen[str], there: Path) -> None:
    deadline = time.monotonic() + 240
    while not there.exists() or not there.stat().st_size:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL


def test_a_killed_backup_leaves_nothing_under_its_name_and_the_next_one_is_whole(place: Place, heavy, tmp_path: Path):
    target = tmp_path / "b.tar"
    killed_when(running(place, "backup", str(target)), tmp_path / "b.tar.part")
    assert not target.exists()
    place.asked("backup", str(target))
    Reader(target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar"]


def test_a_killed_restore_serves_nobody_and_begins_anew(place: Place, elsewhere: Place, heavy, tmp_path: Path):
    place.asked("backup", str(tmp_path / "b.tar"))
    elsewhere.with_keys_of(place)
    killed_when(running(elsewhere, "restore", str(tmp_path / "b.tar")), elsewhere.home / "uploads" / "large")
    served = elsewhere.run("serve", "--port", "0")
    assert (served.returncode, "not ended" in served.stderr) == (2, True)
    assert elsewhere.run("doctor").returncode == 1
    assert elsewhere.asked("restore", str(tmp_path / "b.tar"))["chains"]["broken"] == 0
    assert not (elsewhere.home / "restoring").exists()


def test_a_full_disk_leaves_no_half_backup(place: Place, heavy, tmp_path: Path):
    for limit in (8 * 1024, 20 * 1024 * 1024):
        process = running(place, "backup", str(tmp_path / "b.tar"), limit=limit)
        _out, said = process.communicate(timeout=120)
        assert process.returncode == 2, said
        assert "Traceback" not in said
        assert list(tmp_path.iterdir()) == []


@pytest.mark.needs_postgres
def test_without_the_programs_of_postgresql_it_says_what_to_install(tmp_path: Path):
    with fresh_postgres() as url:
        lost = Place(tmp_path / "home", {"JIYING_DATABASE_URL": url, "PATH": "/nowhere"})
        done = lost.run("backup", str(tmp_path / "b.tar"))
    assert (done.returncode, "apt-get install postgresql-client" in done.stderr) == (2, True)
    assert not (tmp_path / "b.tar").exists()


def test_one_database_is_not_restored_as_the_other(on_sqlite: Place, tmp_path: Path):
    on_sqlite.asked("backup", str(tmp_path / "b.tar"))
    other = Place(tmp_path / "new", {"JIYING_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})
    done = other.run("restore", str(tmp_path / "b.tar"))
    assert (done.returncode, "cannot be exchanged" in done.stderr) == (2, True)


def test_a_backup_while_orders_come_in_is_of_one_moment(serve, _seeded: Path, tmp_path: Path):  # noqa: PT019
    home = tmp_path / "home"
    shutil.copytree(_seeded, home)
    served, stop = serve(home), threading.Event()
    place = Place(home, {})

    def write() -> None:
        while not stop.is_set():
            body = json.dumps({"kind": "repair", "category": "leak", "description": "漏水", "estate": estate}).encode()
            headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
            asked = urllib.request.Request(f"{served.url}/api/v1/orders", body, headers)
            urllib.request.urlopen(asked, timeout=20).close()

    estate = served.get("/api/v1/estates")[1]["items"][0]["code"]
    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        saved = place.asked("backup", str(tmp_path / "b.tar"))
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    after = place.asked("verify-chain")
    assert saved["counts"]["orders"] < after["orders"], "it went on meanwhile"
    back = Place(tmp_path / "new", {}).with_keys_of(place).asked("restore", str(tmp_path / "b.tar"))
    assert (back["chains"]["broken"], back["as_saved"]) == (0, True)
    assert back["counts"]["orders"] == saved["counts"]["orders"]


def test_photos_in_a_bucket_are_fetched_too(bucket: Any, db: None, monkeypatch, tmp_path: Path):  # noqa: F811
    d = district()
    order = report(d)
    photo, _new = attachments.add(order.pk, snaps.jpeg(), purpose="report", by=d.actor("operator"))
    gone, _new = attachments.add(order.pk, snaps.jpeg(width=300), purpose="other", by=d.actor("operator"))
    photos = [photo.pk, gone.pk]
    for key in names(bucket):
        if str(gone.pk) in key:
            bucket.Object(key).delete()
    stored = [name for name, _source, _size in saving._stored(photos)]
    assert stored == [f"store/{name}" for name in saving._names(photo.pk)]
